"""Checks the values of a noise model: each is returned in our terms, or refused by a ValueError with its path."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tasks.noise import channels
from tasks.noise.channels import TOLERANCE, WIDEST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tasks.noise.channels import Matrix

MAX_NAMES = 1_000  # gates or qubits of one rule
MAX_NUMBERS = 65_536  # entries of all matrices together, and probabilities of all Pauli channels
MAX_QUBIT = 1_023
NAME = 40  # characters of a name in a message


class Room:
    """How many numbers may still come in one request."""

    def __init__(self) -> None:
        self.left = MAX_NUMBERS

    def take(self, count: int, where: str) -> None:
        """Count numbers; raises ValueError where they are too many."""
        self.left -= count
        if self.left < 0:
            raise ValueError(f"{where} exceeds the limit of {MAX_NUMBERS:,} numbers in all matrices of a request.")


def refuse_others(given: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    """Raise ValueError if the object has a name that is not known."""
    for name in given:
        if name not in known:
            raise ValueError(f"{where} has no {name[:NAME]!r}; it takes {', '.join(known)}.")


def number(given: object) -> bool:
    """Tell whether a value is a finite number and no truth value."""
    return isinstance(given, (int, float)) and not isinstance(given, bool) and abs(given) < math.inf


def probability(given: Any, where: str) -> float:  # noqa: ANN401 - any JSON
    """Return a probability."""
    if not number(given) or not 0 <= given <= 1:
        raise ValueError(f"{where} must be a probability between 0 and 1.")
    return float(given)


def duration(given: Any, where: str) -> float:  # noqa: ANN401 - any JSON
    """Return a time in seconds."""
    longest = 1e6
    if not number(given) or not 0 <= given <= longest:
        raise ValueError(f"{where} must be seconds, from 0 to {longest:g}.")
    return float(given)


def qubit(given: Any, where: str) -> int:  # noqa: ANN401 - any JSON
    """Return a qubit's number."""
    if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given <= MAX_QUBIT:
        raise ValueError(f"{where} must be a qubit's number, from 0 to {MAX_QUBIT}.")
    return given


def matrix(given: Any, where: str, room: Room) -> Matrix:  # noqa: ANN401 - any JSON
    """Return a square matrix of 1 to WIDEST qubits; a complex number is [real, imaginary], a real one itself."""
    sizes = [2**qubits for qubits in range(1, WIDEST + 1)]
    if not isinstance(given, list) or len(given) not in sizes:
        raise ValueError(f"{where} must be a square matrix of {', '.join(map(str, sizes))} rows.")
    room.take(len(given) ** 2, where)
    rows = []
    for at, row in enumerate(given):
        if not isinstance(row, list) or len(row) != len(given):
            raise ValueError(f"{where}[{at}] must be a row of {len(given)} numbers.")
        rows.append(tuple(_entry(entry, where, at, column) for column, entry in enumerate(row)))
    return tuple(rows)


def _entry(given: Any, where: str, row: int, column: int) -> complex:  # noqa: ANN401 - any JSON
    """Return an entry of a channel's matrix, none of which is more than 1 in size."""
    parts = given if isinstance(given, list) and len(given) == 2 else [given, 0]  # noqa: PLR2004 - real, imaginary
    if not all(number(part) and abs(part) <= 1 + TOLERANCE for part in parts):
        raise ValueError(f"{where}[{row}][{column}] must be a number or [real, imaginary], of magnitude at most 1.")
    return complex(*parts)


def operators(given: Any, where: str, room: Room) -> list[Matrix]:  # noqa: ANN401 - any JSON
    """Return Kraus operators, which are of one size and preserve the trace."""
    if not isinstance(given, list) or not 1 <= len(given) <= 4**WIDEST:
        raise ValueError(f"{where} must be a list of 1 to {4**WIDEST} matrices.")
    found = [matrix(each, f"{where}[{index}]", room) for index, each in enumerate(given)]
    for index, each in enumerate(found):
        if len(each) != len(found[0]):
            raise ValueError(f"{where}[{index}] has {len(each)} rows, {where}[0] has {len(found[0])}.")
    if (off := channels.excess(found)) > TOLERANCE:
        raise ValueError(
            f"{where} do not preserve the trace: the sum of K^dagger K misses the identity by {off:.3g}; "
            f"{TOLERANCE:g} is allowed."
        )
    return found


def unitary(given: Any, where: str, room: Room) -> Matrix:  # noqa: ANN401 - any JSON
    """Return a unitary matrix."""
    found = matrix(given, where, room)
    if (off := channels.excess([found])) > TOLERANCE:
        raise ValueError(f"{where} is not unitary: it misses by {off:.3g}; {TOLERANCE:g} is allowed.")
    return found
