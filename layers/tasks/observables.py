"""Observables as sums of Pauli strings: how a request writes them, read once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

PauliSum = tuple[tuple[str, float], ...]


def read_sum(given: object) -> PauliSum:
    """Read `"XX"`, `{"XX": 1.0}` or `[["XX", 1.0]]`: a letter for each qubit, qubit 0 rightmost; raises ValueError."""
    if isinstance(given, str):
        pairs: list[Any] = [(given, 1.0)]
    elif isinstance(given, Mapping):
        pairs = list(given.items())
    elif isinstance(given, Iterable):
        pairs = list(given)
    else:
        pairs = []
    if not pairs:
        raise ValueError('An observable is a Pauli string, {"XX": 1.0} or [["XX", 1.0]], with at least one term.')
    terms = []
    for pair in pairs:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:  # noqa: PLR2004 - a pair has two members
            raise ValueError("A term of an observable is a Pauli string and its coefficient.")
        pauli, coefficient = pair
        if not isinstance(pauli, str) or not pauli or set(pauli) - set("IXYZ"):
            raise ValueError("A Pauli string is made of the letters I, X, Y and Z.")
        if not is_number(coefficient):
            raise ValueError("The coefficient of a Pauli string is a finite real number.")
        terms.append((pauli, float(coefficient)))
    if len({len(pauli) for pauli, _ in terms}) > 1:
        raise ValueError("All Pauli strings of one observable have the same length.")
    return tuple(terms)


def mixed_qubits(terms: PauliSum) -> tuple[int, ...]:
    """Return the qubits that must be measured together, for no turn of each alone gives all terms of a sum; often none.

    They are those whose letters differ between terms. All terms have the same letter on each other one.
    """
    columns = [set(letters) for letters in zip(*(reversed(pauli) for pauli, _ in terms), strict=True)]
    if all(len(letters - {"I"}) <= 1 for letters in columns):
        return ()
    return tuple(qubit for qubit, letters in enumerate(columns) if len(letters) > 1)


def is_number(value: object) -> bool:
    """Return whether a value of JSON is a number that is finite."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < math.inf
