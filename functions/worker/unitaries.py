"""The matrices of the reader's gates, and what is known of a gate without its matrix.

A gate's first qubit is the least significant one of its matrix, as in Qiskit. Angles are floats, or arrays of one for
each of many circuits that differ in their angles alone; the entries of the matrix are then such arrays.

Source: the matrices in qiskit.circuit.library (qiskit 2.6.2), which a test compares with these one by one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from reader.operations import MatrixGate, Power

if TYPE_CHECKING:
    from collections.abc import Callable

    from reader.operations import AnyUnitary

Entry = Any  # a complex number, or an array of them
Matrix = list[list[Entry]]

_ROOT = 2**-0.5
_I2: Matrix = [[1.0, 0.0], [0.0, 1.0]]
_FIXED: dict[str, Matrix] = {
    "id": _I2,
    "x": [[0.0, 1.0], [1.0, 0.0]],
    "y": [[0.0, -1j], [1j, 0.0]],
    "z": [[1.0, 0.0], [0.0, -1.0]],
    "h": [[_ROOT, _ROOT], [_ROOT, -_ROOT]],
    "s": [[1.0, 0.0], [0.0, 1j]],
    "sdg": [[1.0, 0.0], [0.0, -1j]],
    "t": [[1.0, 0.0], [0.0, complex(_ROOT, _ROOT)]],
    "tdg": [[1.0, 0.0], [0.0, complex(_ROOT, -_ROOT)]],
    "sx": [[0.5 + 0.5j, 0.5 - 0.5j], [0.5 - 0.5j, 0.5 + 0.5j]],
    "sxdg": [[0.5 - 0.5j, 0.5 + 0.5j], [0.5 + 0.5j, 0.5 - 0.5j]],
}

# Gates that are a smaller gate under controls, which come first: that gate, and how many controls (-1: all but one).
CONTROLLED: dict[str, tuple[str, int]] = {
    "cx": ("x", 1),
    "cy": ("y", 1),
    "cz": ("z", 1),
    "cp": ("p", 1),
    "ccx": ("x", 2),
    "cswap": ("swap", 1),
    "mcx": ("x", -1),
    "mcphase": ("p", -1),
}
DIAGONAL = frozenset({"id", "z", "s", "sdg", "t", "tdg", "p", "rz", "cz", "cp", "rzz", "mcphase", "gphase"})
# One entry in each row and column: a basis state goes to a basis state, up to a phase.
MONOMIAL = DIAGONAL | {"x", "y", "cx", "cy", "swap", "ccx", "cswap", "mcx"}


def controls(gate: AnyUnitary) -> int:
    """Return how many of the gate's first qubits are controls."""
    if gate.name not in CONTROLLED:
        return 0
    count = CONTROLLED[gate.name][1]
    return len(gate.qubits) - 1 if count < 0 else count


def is_diagonal_on(gate: AnyUnitary, place: int) -> bool:
    """Tell whether the gate commutes with a measurement of the qubit in that place."""
    return gate.name in DIAGONAL or place < controls(gate) or (gate.name == "rzx" and place == 0)


def matrix(gate: AnyUnitary) -> Matrix:
    """Return the gate's matrix as rows of entries; of a controlled gate the one that its controls let act."""
    name = CONTROLLED[gate.name][0] if gate.name in CONTROLLED else gate.name
    if name in _FIXED:
        return _FIXED[name]
    if isinstance(gate, Power):
        return _power(gate)
    if isinstance(gate, MatrixGate):
        return _given(gate)
    return _MADE[name](*gate.parameters)


@lru_cache(maxsize=256)
def _power(gate: Power) -> Matrix:
    from reader.circuit import power_matrix  # noqa: PLC0415 - imports Qiskit; rare

    found: Matrix = power_matrix(gate.exponent, gate.operations, len(gate.qubits)).tolist()
    return found


@lru_cache(maxsize=256)
def _given(gate: MatrixGate) -> Matrix:
    from reader.circuit import nearest_unitary  # noqa: PLC0415 - imports Qiskit; rare

    found: Matrix = nearest_unitary(gate.matrix).tolist()
    return found


def _half(theta: Entry) -> tuple[Entry, Entry]:
    half = np.multiply(theta, 0.5)
    return np.cos(half), np.sin(half)


def _phase(angle: Entry) -> Entry:
    return np.exp(np.multiply(1j, angle))


def _p(lam: Entry) -> Matrix:
    return [[1.0, 0.0], [0.0, _phase(lam)]]


def _rz(theta: Entry) -> Matrix:
    turn = _phase(np.multiply(theta, 0.5))
    return [[np.conj(turn), 0.0], [0.0, turn]]


def _rx(theta: Entry) -> Matrix:
    c, s = _half(theta)
    return [[c, -1j * s], [-1j * s, c]]


def _ry(theta: Entry) -> Matrix:
    c, s = _half(theta)
    return [[c, -s], [s, c]]


def _r(theta: Entry, phi: Entry) -> Matrix:
    c, s = _half(theta)
    turn = _phase(phi)
    return [[c, -1j * s * np.conj(turn)], [-1j * s * turn, c]]


def _u(theta: Entry, phi: Entry, lam: Entry) -> Matrix:
    c, s = _half(theta)
    return [[c, -s * _phase(lam)], [s * _phase(phi), c * _phase(np.add(phi, lam))]]


def _rzz(theta: Entry) -> Matrix:
    turn = _phase(np.multiply(theta, 0.5))
    back = np.conj(turn)
    return [[back, 0.0, 0.0, 0.0], [0.0, turn, 0.0, 0.0], [0.0, 0.0, turn, 0.0], [0.0, 0.0, 0.0, back]]


def _rxx(theta: Entry) -> Matrix:
    c, s = _half(theta)
    off = -1j * s
    return [[c, 0.0, 0.0, off], [0.0, c, off, 0.0], [0.0, off, c, 0.0], [off, 0.0, 0.0, c]]


def _ryy(theta: Entry) -> Matrix:
    c, s = _half(theta)
    off = -1j * s
    return [[c, 0.0, 0.0, -off], [0.0, c, off, 0.0], [0.0, off, c, 0.0], [-off, 0.0, 0.0, c]]


def _rzx(theta: Entry) -> Matrix:
    c, s = _half(theta)
    off = -1j * s
    return [[c, 0.0, off, 0.0], [0.0, c, 0.0, -off], [off, 0.0, c, 0.0], [0.0, -off, 0.0, c]]


def _swap() -> Matrix:
    return [[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]


def _ecr() -> Matrix:
    a, b = _ROOT, 1j * _ROOT
    return [[0.0, a, 0.0, b], [a, 0.0, -b, 0.0], [0.0, b, 0.0, a], [-b, 0.0, a, 0.0]]


_MADE: dict[str, Callable[..., Matrix]] = {
    "p": _p,
    "rz": _rz,
    "rx": _rx,
    "ry": _ry,
    "r": _r,
    "u": _u,
    "rzz": _rzz,
    "rxx": _rxx,
    "ryy": _ryy,
    "rzx": _rzx,
    "swap": _swap,
    "ecr": _ecr,
}
