"""Blueqat writes OpenQASM 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from blueqat import Circuit

if TYPE_CHECKING:
    from circuits import Call, Steps

PACKAGE = "blueqat"
GATES = {
    **dict.fromkeys(["i", "h", "x", "y", "z", "s", "sdg", "sx", "sxdg", "t", "tdg"], (0, 1)),
    **dict.fromkeys(["rx", "ry", "rz", "phase"], (1, 1)),
    **dict.fromkeys(["u"], (4, 1)),
    **dict.fromkeys(["cx", "cy", "cz", "ch", "swap", "zz"], (0, 2)),
    **dict.fromkeys(["cphase", "crx", "cry", "crz", "rxx", "ryy", "rzz"], (1, 2)),
    "cu": (4, 2),
    **dict.fromkeys(["ccx", "ccz", "cswap"], (0, 3)),
}
PREPARE = ("ry", "rx", "cx")
EXPORTERS = {"OpenQASM 2": Circuit.to_qasm}
MEASURED = {"OpenQASM 2": frozenset(["x", "cx", "swap", "reset"])}
REGISTERS = "none"


def build(size: int, calls: list[Call]) -> Circuit:
    """Return the circuit of calls."""
    circuit = Circuit(size)
    for name, angles, qubits in calls:
        gate = getattr(circuit, name)(*angles) if angles else getattr(circuit, name)
        gate[qubits if len(qubits) > 1 else qubits[0]]
    return circuit


def state(circuit: Circuit) -> Any:
    """Return its amplitudes; its first qubit is the least significant one."""
    return circuit.statevector(backend="numpy").reshape([2] * circuit.n_qubits).transpose().ravel()


def measured(steps: Steps) -> Circuit:
    """Return the circuit of steps; each qubit has a bit of its own number."""
    circuit = Circuit(4)
    for kind, *values in steps.steps:
        gate = getattr(circuit, "m" if kind == "measure" else kind)
        gate[values[0] if kind in ("measure", "x", "reset") else tuple(values)]
    return circuit
