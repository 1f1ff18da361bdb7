"""Cqlib writes OpenQASM 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from cqlib import Circuit
from cqlib.simulator import StatevectorSimulator

if TYPE_CHECKING:
    from circuits import Call, Steps

PACKAGE = "cqlib"
GATES = {
    **dict.fromkeys(["h", "s", "sd", "t", "td", "x", "y", "z", "x2p", "x2m", "y2p", "y2m"], (0, 1)),
    **dict.fromkeys(["rx", "ry", "rz", "xy", "xy2p", "xy2m"], (1, 1)),
    "rxy": (2, 1),
    "u": (3, 1),
    **dict.fromkeys(["swap", "cx", "cy", "cz"], (0, 2)),
    **dict.fromkeys(["crx", "cry", "crz"], (1, 2)),
    "ccx": (0, 3),
}
PREPARE = ("ry", "rx", "cx")
EXPORTERS = {"OpenQASM 2": Circuit.to_qasm2}
MEASURED = {"OpenQASM 2": frozenset(["x", "cx", "swap", "barrier"])}
REGISTERS = "none"


def build(size: int, calls: list[Call]) -> Circuit:
    """Return the circuit of calls."""
    circuit = Circuit(size)
    for name, angles, qubits in calls:
        getattr(circuit, name)(*qubits, *angles)
    return circuit


def state(circuit: Circuit) -> Any:
    """Return its amplitudes; its first qubit is the least significant one."""
    size = circuit.num_qubits
    vector = np.zeros(1 << size, dtype=complex)
    for key, value in StatevectorSimulator(circuit).statevector().items():
        vector[int(key, 2)] = value
    return vector.reshape([2] * size).transpose().ravel()


def measured(steps: Steps) -> Circuit:
    """Return the circuit of steps; its bits are numbered in the order of measurements."""
    circuit = Circuit(4)
    for kind, *values in steps.steps:
        if kind == "barrier":
            circuit.barrier(0, 1, 2, 3)
        elif kind == "measure":
            circuit.measure(values[0])
        else:
            getattr(circuit, kind)(*values)
    return circuit
