"""A program's errors as Qiskit Aer has them: an instruction at the place of each, and a noise model that names them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from qiskit import QuantumCircuit
from qiskit.circuit import Instruction, Reset
from qiskit.circuit.library import PauliGate, UnitaryGate
from qiskit.quantum_info import Kraus
from qiskit_aer.noise import NoiseModel, QuantumError, ReadoutError
from qiskit_aer.noise.noise_model import QuantumErrorLocation

import channels
from reader.circuit import nearest_unitary
from reader.operations import NO_FLIPS, Channel, Matrix, Measure, walk

if TYPE_CHECKING:
    from reader.circuit import Builder
    from reader.operations import Compiled
    from tasks.noise.channels import Error


@lru_cache(maxsize=4_096)
def place(error: Error, *, rounds: bool) -> QuantumErrorLocation:
    """Return an instruction for the place of an error."""
    return QuantumErrorLocation(quantum_error(error, rounds=rounds))


@lru_cache(maxsize=4_096)
def quantum_error(error: Error, *, rounds: bool) -> QuantumError:
    """Return an error by Aer's names; with `rounds` so that Aer draws it in each round of a `while` loop.

    Errors that are mixtures of Pauli gates it draws for a whole shot before the shot runs; those in Kraus operators as
    they come.
    """
    terms = [(error.stay, ()), *error.terms] if error.stay else error.terms
    circuits = []
    for chance, steps in terms:
        circuit = QuantumCircuit(error.qubits)
        circuit.append(PauliGate("I" * error.qubits), circuit.qubits)
        for step in steps:
            places = [circuit.qubits[place] for place in step.places]
            if step.kind == "pauli":
                circuit.append(PauliGate(step.data[::-1]), places)
            elif step.kind == "reset":
                circuit.append(Reset(), places)
                if step.data:
                    circuit.append(PauliGate("X"), places)
            elif step.kind == "unitary":
                circuit.append(UnitaryGate(nearest_unitary(Matrix(step.data))), places)
            else:
                operators = list(channels.preserving(step.data))
                circuit.append(Instruction("kraus", len(places), 0, operators), places)
        circuits.append((circuit, chance))
    made = QuantumError(circuits)
    if rounds:
        made = QuantumError([(Kraus(made).to_instruction(), 1.0)])
    return made


def noise_model(program: Compiled, builder: Builder, circuit: QuantumCircuit, *, rounds: bool) -> NoiseModel:
    """Return the errors of a program, whose circuit has these qubits: channels by their places' labels, and readout."""
    model = NoiseModel()
    errors = dict.fromkeys(each.error for each in walk(program.operations) if isinstance(each, Channel))
    for each in errors:
        made = quantum_error(each, rounds=rounds)
        model.add_all_qubit_quantum_error(made, made.id)
    numbers = {qubit: index for index, qubit in enumerate(circuit.qubits)}
    flips = {each.qubit: each.flips for each in walk(program.operations) if isinstance(each, Measure)}
    for qubit, (flip_0, flip_1) in flips.items():
        # Dead measurements are left out, and then perhaps their qubits.
        if (flip_0, flip_1) != NO_FLIPS and builder.qubits[qubit] in numbers:
            wrong = ReadoutError([[1 - flip_0, flip_0], [flip_1, 1 - flip_1]])
            model.add_readout_error(wrong, [numbers[builder.qubits[qubit]]])
    return model
