"""Samples of an observable: what each shot measures of it, by turning the basis of its qubits and measuring them.

Where all terms have the same letter on a qubit, or I, one measurement of each qubit gives all of them: a shot's value
is the sum of the terms' signs times their coefficients. Qubits whose letters differ are turned together, by one matrix,
into the eigenbasis of what acts on them: their outcome is the number of an eigenvalue, and the signs of the others
multiply it. The gates that turn the basis err as others do.
"""

from __future__ import annotations

from functools import lru_cache, reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from aer import unrolled
from reader.noisy import noisy
from reader.operations import Gate, Matrix, MatrixGate, Measure, Output
from tasks.observables import mixed_qubits

if TYPE_CHECKING:
    from reader.operations import Compiled, Operation
    from tasks.noise.rules import Rules
    from tasks.observables import PauliSum

_TURNS = {"X": ("h",), "Y": ("sdg", "h"), "Z": ()}
_PAULIS = {
    "I": np.eye(2),
    "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]),
}


def letters(terms: PauliSum) -> dict[int, str]:
    """Return the letter of each qubit that is measured: those that the observable acts on, at least one."""
    found = {qubit: letter for pauli, _ in terms for qubit, letter in enumerate(reversed(pauli)) if letter != "I"}
    return found or {0: "Z"}


def measuring(program: Compiled, terms: PauliSum, rules: Rules | None) -> Compiled:
    """Return a program without final measurements with one of each qubit of the observable, in their order.

    They err by `rules`, as do the gates before them.
    """
    operations: list[Operation] = []
    basis = sorted(letters(terms).items())
    mixed = mixed_qubits(terms)
    if mixed:
        turn = _eigen(terms, mixed)[1].conj().T
        operations.append(MatrixGate(Matrix(tuple(tuple(row) for row in turn.tolist())), mixed))
    for place, (qubit, letter) in enumerate(basis):
        if qubit not in mixed:
            operations += [Gate(name, (), (qubit,)) for name in _TURNS[letter]]
        operations.append(Measure(qubit, program.cells + place))
    output = Output("observable", tuple(range(program.cells, program.cells + len(basis))))
    end = program._replace(operations=operations)
    operations = program.operations + (end if rules is None else noisy(end, rules, unrolled)).operations
    return program._replace(operations=operations, outputs=[output], cells=program.cells + len(basis))


def values(bits: np.ndarray[Any, Any], terms: PauliSum) -> list[float]:
    """Return the value of each shot; `bits` are what `measuring` measures, shape (qubits, shots)."""
    row = {qubit: place for place, qubit in enumerate(sorted(letters(terms)))}

    def signs(pauli: str, but: tuple[int, ...] = ()) -> np.ndarray[Any, Any]:
        acted = [qubit for qubit, letter in enumerate(reversed(pauli)) if letter != "I" and qubit not in but]
        flipped = np.bitwise_xor.reduce(bits[[row[qubit] for qubit in acted]], axis=0) if acted else 0
        return np.ones(bits.shape[1]) - 2.0 * flipped

    mixed = mixed_qubits(terms)
    if mixed:
        numbers = sum(bits[row[qubit]].astype(np.int64) << place for place, qubit in enumerate(mixed))
        total = _eigen(terms, mixed)[0][numbers] * signs(terms[0][0], mixed)
    else:
        total = sum((factor * signs(pauli) for pauli, factor in terms), np.zeros(bits.shape[1]))
    found: list[float] = total.tolist()
    return found


@lru_cache(maxsize=8)  # asked for twice a program, and for each binding of a sweep
def _eigen(terms: PauliSum, qubits: tuple[int, ...]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return eigenvalues and eigenvectors of what a sum is on some qubits, the first of them the lowest bit."""
    total = np.zeros((2 ** len(qubits),) * 2, complex)
    for pauli, factor in terms:
        total += factor * reduce(np.kron, [_PAULIS[pauli[-1 - qubit]] for qubit in reversed(qubits)])
    found = np.linalg.eigh(total)
    return found.eigenvalues, found.eigenvectors
