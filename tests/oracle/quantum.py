"""Unitary matrices and a pure state, in numpy: what gates, modifiers and measurements do.

Axis k of a state is qubit k. In a gate's matrix the first qubit argument is the most significant, so that a controlled
gate, whose control comes first, is block diagonal.
"""

from __future__ import annotations

import cmath
import math
from functools import cache
from typing import Any

import numpy as np
from scipy.linalg import schur  # type: ignore[import-untyped]

from oracle.values import OracleError

Matrix = np.ndarray[Any, Any]

# The built-in U differs from Qiskit's UGate and from OpenQASM 2 by a phase, which shows under `ctrl @` and `pow @`.


def u(theta: float, phi: float, lam: float) -> Matrix:
    """Return the built-in gate U of OpenQASM 3: e^(i theta/2) times the U of OpenQASM 2."""
    swing = cmath.exp(1j * theta)
    return 0.5 * np.array(
        [
            [1 + swing, -1j * cmath.exp(1j * lam) * (1 - swing)],
            [1j * cmath.exp(1j * phi) * (1 - swing), cmath.exp(1j * (phi + lam)) * (1 + swing)],
        ]
    )


def phase(gamma: float) -> Matrix:
    """Return `gphase(gamma)`: a gate on no qubits at all."""
    return np.array([[cmath.exp(1j * gamma)]])


def inverse(matrix: Matrix) -> Matrix:
    """Return `inv @`."""
    return matrix.conj().T


def control(matrix: Matrix, *, when: int) -> Matrix:
    """Return `ctrl @` (when = 1) or `negctrl @` (when = 0): one more qubit, in front."""
    identity = np.eye(len(matrix))
    nothing = np.zeros_like(matrix)
    blocks = [[identity, nothing], [nothing, matrix]] if when else [[matrix, nothing], [nothing, identity]]
    return np.asarray(np.block(blocks))


def power(matrix: Matrix, exponent: float) -> Matrix:
    """Return `pow(exponent) @`; for a fraction the principal power, eigenphases taken in (-pi, pi]."""
    if isinstance(exponent, int) or exponent.is_integer():
        return np.linalg.matrix_power(matrix if exponent >= 0 else inverse(matrix), abs(int(exponent)))
    triangle, basis = schur(matrix, output="complex")
    phases = np.angle(np.diag(triangle))
    phases = np.where(phases < -math.pi + 1e-9, math.pi, phases)
    return np.asarray(basis @ np.diag(np.exp(1j * exponent * phases)) @ basis.conj().T)


def apply_matrix(matrix: Matrix, tensor: Matrix, axes: tuple[int, ...]) -> Matrix:
    """Return the tensor with the gate applied to those axes of length two."""
    if len(set(axes)) != len(axes):
        raise OracleError("a gate's qubits must all be different")
    count = len(axes)
    if len(matrix) != 1 << count:
        raise OracleError(f"a gate on {len(matrix).bit_length() - 1} qubits was given {count}")
    forth, back = _orders(tensor.ndim, axes)
    moved = matrix @ tensor.transpose(forth).reshape(len(matrix), -1)
    return moved.reshape((2,) * tensor.ndim).transpose(back)


@cache
def _orders(count: int, axes: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the order of so many axes that puts these in front, and the one that puts them back."""
    forth = (*axes, *(axis for axis in range(count) if axis not in axes))
    return forth, tuple(sorted(range(count), key=forth.__getitem__))


def weight(tensor: Matrix) -> float:
    """Return the sum of the squared magnitudes."""
    return float(np.vdot(tensor, tensor).real)


class State:
    """The pure state of a program's qubits, all starting in |0>; qubits join as they are declared."""

    def __init__(self) -> None:
        self._tensor: Matrix = np.ones((), dtype=complex)

    def add(self, count: int) -> tuple[int, ...]:
        """Add that many qubits in |0> and return their numbers."""
        first = self._tensor.ndim
        for _ in range(count):
            self._tensor = np.multiply.outer(self._tensor, np.array([1, 0], dtype=complex))
        return tuple(range(first, first + count))

    def apply(self, matrix: Matrix, qubits: tuple[int, ...]) -> None:
        """Apply a unitary matrix."""
        self._tensor = apply_matrix(matrix, self._tensor, qubits)

    def chance_of_one(self, qubit: int) -> float:
        """Return the probability that measuring this qubit gives 1."""
        ones = weight(self._tensor[(slice(None),) * qubit + (1,)])
        return min(1.0, ones / weight(self._tensor))

    def project(self, qubit: int, outcome: int) -> None:
        """Keep only the part in which this qubit has that outcome."""
        kept = np.zeros_like(self._tensor)
        part = (slice(None),) * qubit + (outcome,)
        kept[part] = self._tensor[part]
        self._tensor = kept / math.sqrt(weight(kept))

    def vector(self) -> Matrix:
        """Return the amplitudes, qubit 0 the lowest bit of an index."""
        return self._tensor.transpose().reshape(-1)

    def density(self) -> Matrix:
        """Return the projector onto the state."""
        return np.outer(self.vector(), self.vector().conj())


class Unitary:
    """The matrix of a gate under construction, one axis per qubit argument; like a State without measurement."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._tensor: Matrix = np.eye(1 << count, dtype=complex).reshape((2,) * (2 * count))

    def apply(self, matrix: Matrix, qubits: tuple[int, ...]) -> None:
        """Apply a unitary matrix after what was applied so far."""
        self._tensor = apply_matrix(matrix, self._tensor, qubits)

    def matrix(self) -> Matrix:
        """Return the matrix, first qubit most significant."""
        return self._tensor.reshape((1 << self._count, 1 << self._count))
