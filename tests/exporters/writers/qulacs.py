"""Qulacs writes OpenQASM 2 by its converter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qulacs import QuantumCircuit, QuantumState
from qulacs.converter import convert_qulacs_circuit_to_QASM

if TYPE_CHECKING:
    from circuits import Call

PACKAGE = "qulacs"
GATES = {
    **dict.fromkeys(["X", "Y", "Z", "H", "S", "Sdag", "T", "Tdag", "sqrtX", "sqrtXdag"], (0, 1)),
    **dict.fromkeys(["RX", "RY", "RZ", "U1"], (1, 1)),
    "U2": (2, 1),
    "U3": (3, 1),
    **dict.fromkeys(["CNOT", "CZ", "SWAP"], (0, 2)),
}
PREPARE = ("RY", "RX", "CNOT")


def build(size: int, calls: list[Call]) -> QuantumCircuit:
    """Return the circuit of calls; it turns the other way than all others."""
    circuit = QuantumCircuit(size)
    for name, angles, qubits in calls:
        getattr(circuit, f"add_{name}_gate")(*qubits, *angles)
    return circuit


def state(circuit: QuantumCircuit) -> Any:
    """Return its amplitudes."""
    size = circuit.get_qubit_count()
    made = QuantumState(size)
    circuit.update_quantum_state(made)
    return made.get_vector().reshape([2] * size).transpose().ravel()


def _vanishes(call: Call) -> bool:
    return any(0 < abs(angle) < 1e-6 for angle in call.angles)


FLAWS = {
    "OpenQASM 2": {
        "U1, U2, U3 as DenseMatrix(...), which is no OpenQASM": lambda call: call.name in ("U1", "U2", "U3"),
        "rotations below 1e-6 or so not at all": _vanishes,
    }
}
EXPORTERS = {"OpenQASM 2": lambda circuit: "\n".join(convert_qulacs_circuit_to_QASM(circuit))}
