"""Circuits rewritten to the same distribution of outcomes, where Aer 0.18.2 runs the original wrongly or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, Clbit, Measure

if TYPE_CHECKING:
    from collections.abc import Collection


def without(circuit: QuantumCircuit, steps: Collection[int]) -> QuantumCircuit:
    """Return the circuit without the operations at these positions."""
    if not steps:
        return circuit
    kept = circuit.copy_empty_like()
    kept._data.extend([step for index, step in enumerate(circuit.data) if index not in steps])  # noqa: SLF001 - without checks that hold already
    return kept


def without_idle_qubits(circuit: QuantumCircuit) -> QuantumCircuit:
    """Return the circuit without barriers, on the qubits that anything else names, at least one, in their order.

    It replaces Aer's own truncation where that is turned off.
    """
    steps = [step for step in circuit.data if step.name != "barrier"]
    used = {qubit for step in steps for qubit in step.qubits}
    if len(used) == circuit.num_qubits and len(steps) == len(circuit.data):
        return circuit
    qubits = [qubit for qubit in circuit.qubits if qubit in used] or circuit.qubits[:1]
    kept = QuantumCircuit(qubits, circuit.clbits, *circuit.cregs, global_phase=circuit.global_phase)
    kept.metadata = circuit.metadata
    kept._data.extend(steps)  # noqa: SLF001 - without checks that hold already
    return kept


def with_last_bit_measured(circuit: QuantumCircuit) -> QuantumCircuit:
    """Return the circuit with one more classical bit, in no register, that a qubit is measured into while it is |0>.

    Under noise Aer keeps classical bits up to the last that a measurement writes: what is stored in later ones is lost
    without an error, and a test of one ends the run.
    """
    last = Clbit()
    wider = circuit.copy_empty_like()
    wider.add_bits([last])
    first = CircuitInstruction(Measure(), circuit.qubits[:1], (last,))
    wider._data.extend([first, *circuit.data])  # noqa: SLF001 - without checks that hold already
    return wider
