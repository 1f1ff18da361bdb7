"""PennyLane writes OpenQASM 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pennylane as qml

if TYPE_CHECKING:
    from circuits import Call, Steps

PACKAGE = "pennylane"
GATES = {
    **dict.fromkeys(["Hadamard", "PauliX", "PauliY", "PauliZ", "S", "T", "SX", "Identity"], (0, 1)),
    **dict.fromkeys(["RX", "RY", "RZ", "PhaseShift", "U1"], (1, 1)),
    "U2": (2, 1),
    **dict.fromkeys(["U3", "Rot"], (3, 1)),
    **dict.fromkeys(["CNOT", "CZ", "CY", "CH", "SWAP", "ISWAP", "SISWAP", "ECR"], (0, 2)),
    **dict.fromkeys(["CRX", "CRY", "CRZ", "ControlledPhaseShift", "IsingXX", "IsingYY", "IsingZZ", "IsingXY"], (1, 2)),
    **dict.fromkeys(["PSWAP", "SingleExcitation", "SingleExcitationPlus", "FermionicSWAP"], (1, 2)),
    **dict.fromkeys(["CPhaseShift00", "CPhaseShift01", "CPhaseShift10"], (1, 2)),
    "CRot": (3, 2),
    **dict.fromkeys(["Toffoli", "CSWAP", "CCZ"], (0, 3)),
    **dict.fromkeys(["OrbitalRotation", "DoubleExcitation"], (1, 4)),
    **{f"Adjoint {name}": (0, 1) for name in ("S", "T", "SX")},
    "Adjoint ISWAP": (0, 2),
    "Adjoint RX": (1, 1),
    "GlobalPhase": (1, 1),
    "MultiControlledX": (0, 4),
    "ctrl RX": (1, 3),
    "MultiRZ": (1, 3),
    "QFT": (0, 3),
}
PREPARE = ("RY", "RX", "CNOT")
MEASURED = {"OpenQASM 2": frozenset(["x", "cx", "swap"])}
REGISTERS = "none"


def _operate(name: str, angles: tuple[float, ...], qubits: tuple[int, ...]) -> None:
    if name.startswith("Adjoint "):
        qml.adjoint(getattr(qml, name.split()[1]))(*angles, wires=qubits)
    elif name == "ctrl RX":
        qml.ctrl(qml.RX(*angles, wires=qubits[-1]), control=qubits[:-1], control_values=[1, 0])
    else:
        getattr(qml, name)(*angles, wires=qubits)


def build(size: int, calls: list[Call]) -> Any:
    """Return the circuit of calls: a QNode."""

    @qml.qnode(qml.device("default.qubit", wires=size))
    def circuit() -> Any:
        for call in calls:
            _operate(*call)
        return qml.state()

    return circuit


def state(circuit: Any) -> Any:
    """Return its amplitudes."""
    return circuit()


EXPORTERS = {"OpenQASM 2": lambda circuit: qml.to_openqasm(circuit)()}


def measured(steps: Steps) -> Any:
    """Return the circuit of steps on wires of odd names, all measured at the end."""
    wires = ["pi", "my wire", 7, "Ω"]
    kinds = {"x": qml.X, "cx": qml.CNOT, "swap": qml.SWAP}

    @qml.qnode(qml.device("default.qubit", wires=wires))
    def circuit() -> Any:
        for wire in wires:
            qml.Identity(wire)
        for kind, *values in steps.steps:
            if kind != "measure":
                kinds[kind]([wires[value] for value in values])
        return qml.state()

    return circuit
