"""Samples of an observable: what each shot measures of it, by turning the basis of its qubits and measuring them.

All terms must have the same letter on a qubit, or I: then one measurement of each qubit gives all of them. Each shot's
value is the sum of the terms' signs times their coefficients. The gates that turn the basis err as others do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reader.noisy import noisy
from reader.operations import Gate, Measure, Output

if TYPE_CHECKING:
    from reader.operations import Compiled, Operation
    from tasks.noise.rules import Rules
    from tasks.observables import PauliSum

_TURNS = {"X": ("h",), "Y": ("sdg", "h"), "Z": ()}


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
    for place, (qubit, letter) in enumerate(basis):
        operations += [Gate(name, (), (qubit,)) for name in _TURNS[letter]]
        operations.append(Measure(qubit, program.cells + place))
    output = Output("observable", tuple(range(program.cells, program.cells + len(basis))))
    end = program._replace(operations=operations)
    operations = program.operations + (end if rules is None else noisy(end, rules)).operations
    return program._replace(operations=operations, outputs=[output], cells=program.cells + len(basis))


def values(bits: np.ndarray[Any, Any], terms: PauliSum) -> list[float]:
    """Return the value of each shot; `bits` are what `measuring` measures, shape (qubits, shots)."""
    row = {qubit: place for place, qubit in enumerate(sorted(letters(terms)))}
    total = np.zeros(bits.shape[1])
    for pauli, factor in terms:
        measured = [row[qubit] for qubit, letter in enumerate(reversed(pauli)) if letter != "I"]
        parity = np.bitwise_xor.reduce(bits[measured], axis=0) if measured else np.zeros(bits.shape[1], np.uint8)
        total += factor * (1.0 - 2.0 * parity)
    found: list[float] = total.tolist()
    return found
