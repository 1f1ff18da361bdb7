"""QURI Parts writes OpenQASM 3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quri_parts.circuit import QuantumCircuit, gates
from quri_parts.core.state import GeneralCircuitQuantumState
from quri_parts.openqasm.circuit import OpenQASMTranspiler, convert_to_qasm_str
from quri_parts.qulacs.simulator import evaluate_state_to_vector

if TYPE_CHECKING:
    from circuits import Call, Steps

PACKAGE = "quri-parts-openqasm"
GATES = {
    **dict.fromkeys(["Identity", "X", "Y", "Z", "H", "S", "Sdag", "SqrtX", "T", "Tdag"], (0, 1)),
    **dict.fromkeys(["RX", "RY", "RZ", "U1"], (1, 1)),
    "U2": (2, 1),
    "U3": (3, 1),
    **dict.fromkeys(["CNOT", "CZ", "SWAP"], (0, 2)),
    "PauliRotation": (1, 3),
    **dict.fromkeys(["TOFFOLI", "Pauli"], (0, 3)),
}
PREPARE = ("RY", "RX", "CNOT")
MEASURED = {"OpenQASM 3": frozenset(["x", "cx", "swap"])}
REGISTERS = "none"
EXPORTERS = {"OpenQASM 3": lambda circuit: convert_to_qasm_str(OpenQASMTranspiler()(circuit))}


def build(size: int, calls: list[Call]) -> QuantumCircuit:
    """Return the circuit of calls."""
    circuit = QuantumCircuit(size)
    for name, angles, qubits in calls:
        if name.startswith("Pauli"):
            circuit.add_gate(getattr(gates, name)(qubits, (1, 2, 3), *angles))
        else:
            circuit.add_gate(getattr(gates, name)(*qubits, *angles))
    return circuit


def state(circuit: QuantumCircuit) -> Any:
    """Return its amplitudes; its first qubit is the least significant one."""
    size = circuit.qubit_count
    vector = evaluate_state_to_vector(GeneralCircuitQuantumState(size, circuit)).vector
    return vector.reshape([2] * size).transpose().ravel()


def measured(steps: Steps) -> QuantumCircuit:
    """Return the circuit of steps; the text measures all qubits at its end."""
    circuit = QuantumCircuit(4)
    kinds = {"x": gates.X, "cx": gates.CNOT, "swap": gates.SWAP}
    for kind, *values in steps.steps:
        if kind != "measure":
            circuit.add_gate(kinds[kind](*values))
    return circuit
