"""Quafu writes OpenQASM 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from quafu import QuantumCircuit, simulate

if TYPE_CHECKING:
    from circuits import Call

PACKAGE = "pyquafu"
GATES = {
    **dict.fromkeys(["id", "h", "x", "y", "z", "t", "tdg", "s", "sdg", "sx", "sxdg", "sy", "sydg", "w", "sw"], (0, 1)),
    **dict.fromkeys(["rx", "ry", "rz", "p"], (1, 1)),
    **dict.fromkeys(["cnot", "cy", "cz", "cs", "ct", "swap", "iswap"], (0, 2)),
    **dict.fromkeys(["cp", "rxx", "ryy", "rzz"], (1, 2)),
    **dict.fromkeys(["toffoli", "fredkin", "mcx", "mcy", "mcz"], (0, 3)),
}
PREPARE = ("ry", "rx", "cnot")
_UNDEFINED = ("mcx", "mcy", "mcz")
FLAWS = {
    "OpenQASM 2": {
        "mcx, mcy and mcz without a definition": lambda call: call.name in _UNDEFINED,
        "sx and sxdg, which are its own simulator's sxdg and sx": lambda call: call.name in ("sx", "sxdg"),
        "cs, which is its own simulator's cx": lambda call: call.name == "cs",
    }
}
EXPORTERS = {"OpenQASM 2": QuantumCircuit.to_openqasm}


def build(size: int, calls: list[Call]) -> QuantumCircuit:
    """Return the circuit of calls."""
    circuit = QuantumCircuit(size)
    for name, angles, qubits in calls:
        if name.startswith("mc"):
            getattr(circuit, name)(list(qubits[:-1]), qubits[-1])
        else:
            getattr(circuit, name)(*qubits, *angles)
    return circuit


def state(circuit: QuantumCircuit) -> Any:
    """Return its amplitudes; its first qubit is the least significant one."""
    vector = np.asarray(simulate(circuit).get_statevector())
    return vector.reshape([2] * circuit.num).transpose().ravel()
