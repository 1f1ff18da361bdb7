"""Writes the lines of a script that measure an observable and find what each shot measured of it.

The worker does so in functions/worker/observable_samples.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader.noisy import noisy
from reader.operations import Gate, Matrix, MatrixGate, Measure
from tasks.observables import mixed_qubits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reader.operations import Compiled, Operation
    from tasks.observables import PauliSum
    from tasks.options import Options

TURN = Matrix(())  # into an eigenbasis: the script works it out


def measuring(program: Compiled, options: Options, terms: PauliSum) -> Iterator[Operation]:
    """Yield what measures an observable: turns of the basis and a measurement of each qubit, which err as others do."""
    basis = {qubit: letter for pauli, _ in terms for qubit, letter in enumerate(reversed(pauli)) if letter != "I"}
    mixed = mixed_qubits(terms)
    made: list[Operation] = [MatrixGate(TURN, mixed)] if mixed else []
    for cell, (qubit, letter) in enumerate(sorted(basis.items()) or [(0, "Z")]):
        turns = {"X": ("h",), "Y": ("sdg", "h"), "Z": ()}[letter] if qubit not in mixed else ()
        made += [*(Gate(name, (), (qubit,)) for name in turns), Measure(qubit, cell)]
    noise = options.noise
    yield from made if noise is None else noisy(program._replace(operations=made), noise.rules()).operations


def turned(terms: PauliSum, place: Mapping[int, int]) -> Iterator[str]:
    """Yield the lines that turn the qubits of an observable whose letters differ between its terms."""
    mixed = mixed_qubits(terms)
    there = [["".join(pauli[-1 - qubit] for qubit in reversed(mixed)), factor] for pauli, factor in terms]
    yield f"eigenvalues, turn = np.linalg.eigh(SparsePauliOp.from_list({there!r}).to_matrix())"
    yield f"circuit.append(UnitaryGate(turn.conj().T), {[place[qubit] for qubit in mixed]})"


def tallied(terms: PauliSum, qubits: Sequence[int]) -> Iterator[str]:
    """Yield the lines that make `values` of the counts of `result`, whose last register has a bit of each qubit."""
    row = {qubit: place for place, qubit in enumerate(qubits)}
    mixed = mixed_qubits(terms)
    signs = [
        (factor, [row[qubit] for qubit, letter in enumerate(reversed(pauli)) if letter != "I" and qubit not in mixed])
        for pauli, factor in terms
    ]
    sign = "(-1) ** sum(int(bits[place]) for place in places)"
    if mixed:
        yield f"places, mixed = {signs[0][1]!r}, {[row[qubit] for qubit in mixed]!r}"
    else:
        yield f"terms = {signs!r}"
    yield "values = Counter()"
    yield "for key, times in result.get_counts().items():"
    yield "    bits = key.partition(' ')[0][::-1]"
    if mixed:
        yield "    number = sum(int(bits[place]) << j for j, place in enumerate(mixed))"
        yield f"    values[float(eigenvalues[number]) * {sign}] += times"
    else:
        yield f"    values[sum(factor * {sign} for factor, places in terms)] += times"
