"""Sums of Pauli strings: taken together, and multiplied out to the square that a variance takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasks.observables import PauliSum


def split(terms: PauliSum) -> tuple[PauliSum, float]:
    """Return a sum with each string once and without the identity, and the identity's coefficient.

    What is added to an observable, or cancels in it, would take the digits of its value and its variance otherwise.
    """
    identity = "I" * len(terms[0][0])
    found: dict[str, float] = {}
    for pauli, factor in terms:
        found[pauli] = found.get(pauli, 0.0) + factor
    constant = found.pop(identity, 0.0)
    return tuple(found.items()) or ((identity, 0.0),), constant


def square(terms: PauliSum) -> PauliSum:
    """Return the square of a Pauli sum, as one."""
    width = len(terms[0][0])
    masks = [(_mask(pauli, "XY"), _mask(pauli, "YZ"), factor) for pauli, factor in terms]
    found: dict[tuple[int, int], float] = {}
    for at, (x, z, factor) in enumerate(masks):
        found[0, 0] = found.get((0, 0), 0.0) + factor * factor
        for other_x, other_z, other in masks[:at]:
            # Products of strings that do not commute cancel. A string is i^|x&z| X^x Z^z.
            if ((x & other_z).bit_count() + (z & other_x).bit_count()) % 2:
                continue
            key = (x ^ other_x, z ^ other_z)
            turns = (x & z).bit_count() + (other_x & other_z).bit_count() - (key[0] & key[1]).bit_count()
            sign = 1 - ((turns + 2 * (z & other_x).bit_count()) % 4)
            found[key] = found.get(key, 0.0) + 2 * sign * factor * other
    return tuple((_pauli(x, z, width), factor) for (x, z), factor in found.items())


def _mask(pauli: str, letters: str) -> int:
    return sum(1 << qubit for qubit, letter in enumerate(reversed(pauli)) if letter in letters)


def _pauli(x: int, z: int, width: int) -> str:
    return "".join("IXZY"[(x >> qubit & 1) + 2 * (z >> qubit & 1)] for qubit in reversed(range(width)))
