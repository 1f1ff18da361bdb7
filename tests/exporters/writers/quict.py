"""QuICT writes OpenQASM 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from QuICT.core import Circuit
from QuICT.core import gate as gates
from QuICT.simulation.state_vector import StateVectorSimulator

if TYPE_CHECKING:
    from circuits import Call, Steps

PACKAGE = "quict"
GATES = {
    **dict.fromkeys(["ID", "H", "Hy", "X", "Y", "Z", "S", "S_dagger", "T", "T_dagger", "SX", "SY", "SW"], (0, 1)),
    **dict.fromkeys(["SX_dagger", "SY_dagger"], (0, 1)),
    **dict.fromkeys(["Rx", "Ry", "Rz", "U1", "Phase", "GPhase", "XY"], (1, 1)),
    **dict.fromkeys(["U2", "RXY"], (2, 1)),
    "U3": (3, 1),
    **dict.fromkeys(["CX", "CY", "CZ", "CH", "Swap", "ECR"], (0, 2)),
    **dict.fromkeys(["CRy", "CRz", "CU1", "Rxx", "Ryy", "Rzz", "Rzx"], (1, 2)),
    "FSim": (2, 2),
    "CU3": (3, 2),
    **dict.fromkeys(["CCX", "CCZ", "CSwap", "RCCX"], (0, 3)),
    "CCRz": (1, 3),
}
PREPARE = ("Ry", "Rx", "CX")
FLAWS = {
    "OpenQASM 2": {
        "XY as xy, which others know as a gate of two qubits": lambda call: call.name == "XY",
        "RXY as rxy, without a definition": lambda call: call.name == "RXY",
        "RCCX as rccx, which others know as a gate of other phases": lambda call: call.name == "RCCX",
    }
}
EXPORTERS = {"OpenQASM 2": Circuit.qasm}
MEASURED = {"OpenQASM 2": frozenset(["x", "cx", "swap", "reset"])}
REGISTERS = "none"


def build(size: int, calls: list[Call]) -> Circuit:
    """Return the circuit of calls."""
    circuit = Circuit(size)
    for name, angles, qubits in calls:
        gate = getattr(gates, name)
        (gate(*angles) if angles else gate) | circuit(list(qubits))
    return circuit


def state(circuit: Circuit) -> Any:
    """Return its amplitudes."""
    return np.asarray(StateVectorSimulator(precision="double").run(circuit))


def measured(steps: Steps) -> Circuit:
    """Return the circuit of steps; each qubit has a bit of its own number."""
    circuit = Circuit(4)
    kinds = {"x": gates.X, "cx": gates.CX, "swap": gates.Swap, "measure": gates.Measure, "reset": gates.Reset}
    for kind, *values in steps.steps:
        kinds[kind] | circuit(values[:1] if kind == "measure" else values)
    return circuit
