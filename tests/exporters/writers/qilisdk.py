"""QiliSDK writes OpenQASM 2 and 3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qilisdk import digital
from qilisdk.digital import Circuit
from qilisdk.utils.openqasm import to_qasm2, to_qasm3

if TYPE_CHECKING:
    from circuits import Call, Steps

PACKAGE = "qilisdk"
_PARAMETERS = {
    **dict.fromkeys(["RX", "RY"], ("theta",)),
    **dict.fromkeys(["RZ", "U1"], ("phi",)),
    "U2": ("phi", "gamma"),
    "U3": ("theta", "phi", "gamma"),
}
GATES = {
    **dict.fromkeys(["H", "X", "Y", "Z", "S", "T", "I"], (0, 1)),
    **{name: (len(parameters), 1) for name, parameters in _PARAMETERS.items()},
    **dict.fromkeys(["CNOT", "CZ", "SWAP", "c H", "c Y", "adjoint S"], (0, 2)),
    "adjoint S": (0, 1),
    "adjoint T": (0, 1),
    **dict.fromkeys(["c RX", "c RZ", "c U1"], (1, 2)),
    "cc X": (0, 3),
}
PREPARE = ("RY", "RX", "CNOT")
EXPORTERS = {"OpenQASM 2": to_qasm2, "OpenQASM 3": to_qasm3}
MEASURED = dict.fromkeys(EXPORTERS, frozenset(["x", "cx", "swap"]))
REGISTERS = "none"


def _gate(name: str, angles: tuple[float, ...], qubits: tuple[int, ...]) -> Any:
    kind, _, base = name.rpartition(" ")
    controls = len(kind) if kind in ("c", "cc") else 0
    values = dict(zip(_PARAMETERS.get(base, ()), angles, strict=True))
    gate = getattr(digital, base)(*qubits[controls:], **values)
    if controls:
        return digital.Controlled(*qubits[:controls], basic_gate=gate)
    return digital.Adjoint(gate) if kind else gate


def build(size: int, calls: list[Call]) -> Circuit:
    """Return the circuit of calls."""
    circuit = Circuit(size)
    for call in calls:
        circuit.add(_gate(*call))
    return circuit


def state(circuit: Circuit) -> Any:
    """Return its amplitudes, from the matrices of its gates: their first qubit is the most significant one."""
    size = circuit.nqubits
    vector = np.zeros([2] * size, dtype=complex)
    vector[(0,) * size] = 1
    for gate in circuit.gates:
        qubits = list(gate.qubits)
        matrix = gate.matrix.dense() if hasattr(gate.matrix, "dense") else gate.matrix
        matrix = np.asarray(matrix).reshape([2] * (2 * len(qubits)))
        vector = np.tensordot(matrix, vector, (range(len(qubits), 2 * len(qubits)), qubits))
        vector = np.moveaxis(vector, range(len(qubits)), qubits)
    return vector.ravel()


def measured(steps: Steps) -> Circuit:
    """Return the circuit of steps; each qubit has a bit of its own number."""
    circuit = Circuit(4)
    kinds = {"x": "X", "cx": "CNOT", "swap": "SWAP", "measure": "M"}
    for kind, *values in steps.steps:
        circuit.add(getattr(digital, kinds[kind])(*values[: 1 if kind in ("x", "measure") else 2]))
    return circuit
