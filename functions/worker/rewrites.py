"""Circuits rewritten to the same distribution of outcomes, where Aer 0.18.2 runs the original wrongly or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qiskit import QuantumCircuit

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
    """Return the circuit on the qubits that anything but a barrier names, at least one, in their order.

    It stands in for Aer's own truncation where there are tests or loops: that dies of those on qubits that nothing
    measured depends on.
    """
    used = {qubit for step in circuit.data if step.name != "barrier" for qubit in step.qubits}
    if len(used) == circuit.num_qubits:
        return circuit
    qubits = [qubit for qubit in circuit.qubits if qubit in used] or circuit.qubits[:1]
    kept = QuantumCircuit(qubits, circuit.clbits, *circuit.cregs, global_phase=circuit.global_phase)
    kept.metadata = circuit.metadata
    kept._data.extend([step for step in circuit.data if step.name != "barrier"])  # noqa: SLF001 - without checks that hold already
    return kept
