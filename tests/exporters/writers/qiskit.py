"""Qiskit writes OpenQASM 2 and 3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qasm2, qasm3
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.quantum_info import Statevector

if TYPE_CHECKING:
    from circuits import Call, Steps

PACKAGE = "qiskit"
KINDS = {
    name: gate
    for name, gate in get_standard_gate_name_mapping().items()
    if gate.num_qubits and not gate.num_clbits and name not in ("reset", "delay", "measure")
}
GATES = {name: (len(gate.params), gate.num_qubits) for name, gate in KINDS.items()}
PREPARE = ("ry", "rx", "cx")
EXPORTERS = {"OpenQASM 2": qasm2.dumps, "OpenQASM 3": qasm3.dumps}
MEASURED = {
    "OpenQASM 2": frozenset(["x", "cx", "swap", "barrier", "reset", "measure"]),
    "OpenQASM 3": frozenset(["x", "cx", "swap", "barrier", "reset", "measure", "if", "if_bit"]),
}

NAMED = {"OpenQASM 2": {"a register named `pi` as it is": {"pi"}}}


def build(size: int, calls: list[Call]) -> QuantumCircuit:
    """Return the circuit of calls."""
    circuit = QuantumCircuit(size)
    for name, angles, qubits in calls:
        circuit.append(KINDS[name].base_class(*angles), qubits)
    return circuit


def state(circuit: QuantumCircuit) -> Any:
    """Return its amplitudes."""
    return Statevector(circuit).reverse_qargs().data


def measured(steps: Steps) -> QuantumCircuit:
    """Return the circuit of steps."""
    bits = [ClassicalRegister(size, name) for name, size in steps.bits]
    circuit = QuantumCircuit(*(QuantumRegister(size, name) for name, size in steps.qubits), *bits)
    for kind, *values in steps.steps:
        if kind == "if":
            with circuit.if_test((bits[values[0]], values[1])):
                circuit.x(values[2])
        elif kind == "if_bit":
            with circuit.if_test((circuit.clbits[values[0]], values[1])):
                circuit.x(values[2])
        else:
            getattr(circuit, kind)(*values)
    return circuit
