"""Graphix writes OpenQASM 3."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING, Any

from graphix import Circuit
from graphix.fundamentals import Axis
from graphix.qasm3_exporter import circuit_to_qasm3

if TYPE_CHECKING:
    from circuits import Call, Steps

PACKAGE = "graphix"
GATES = {
    **dict.fromkeys(["h", "i", "s", "sdg", "sx", "sxdg", "t", "tdg", "x", "y", "z"], (0, 1)),
    **dict.fromkeys(["rx", "ry", "rz", "p", "j"], (1, 1)),
    **dict.fromkeys(["cnot", "cy", "cz", "swap"], (0, 2)),
    **dict.fromkeys(["crx", "cry", "crz", "cp", "rzz", "cj"], (1, 2)),
    **dict.fromkeys(["ccx", "cswap"], (0, 3)),
}
PREPARE = ("ry", "rx", "cnot")
EXPORTERS = {"OpenQASM 3": circuit_to_qasm3}
MEASURED = {"OpenQASM 3": frozenset(["x", "cx", "swap"])}
REGISTERS = "none"


def build(size: int, calls: list[Call]) -> Circuit:
    """Return the circuit of calls; its angles are half turns."""
    circuit = Circuit(size)
    for name, angles, qubits in calls:
        getattr(circuit, name)(*qubits, *(angle / pi for angle in angles))
    return circuit


def state(circuit: Circuit) -> Any:
    """Return its amplitudes from the state of all qubits 0: it starts in plus."""
    from graphix.states import BasicStates

    return circuit.simulate(input_state=BasicStates.ZERO).state.flatten()


def measured(steps: Steps) -> Circuit:
    """Return the circuit of steps, each qubit measured once at the end into the bit of its own number."""
    circuit = Circuit(4)
    for kind, *values in steps.steps:
        if kind == "measure":
            circuit.m(values[0], Axis.Z)
        else:
            getattr(circuit, "cnot" if kind == "cx" else kind)(*values)
    return circuit
