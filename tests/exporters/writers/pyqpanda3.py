"""QPanda 3 writes OpenQASM 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pyqpanda3 import core
from pyqpanda3.intermediate_compiler import convert_qprog_to_qasm

if TYPE_CHECKING:
    from circuits import Call, Steps

PACKAGE = "pyqpanda3"
TOLERANCE = 2e-6  # it writes eight digits
GATES = {
    **dict.fromkeys(["H", "X", "Y", "Z", "X1", "Y1", "Z1", "S", "T", "I"], (0, 1)),
    **dict.fromkeys(["RX", "RY", "RZ", "U1", "P"], (1, 1)),
    **dict.fromkeys(["U2", "RPHI"], (2, 1)),
    "U3": (3, 1),
    "U4": (4, 1),
    **dict.fromkeys(["CNOT", "CZ", "SWAP", "ISWAP", "SQISWAP", "MS"], (0, 2)),
    **dict.fromkeys(["CR", "CP", "CRX", "CRY", "CRZ", "RXX", "RYY", "RZZ", "RZX"], (1, 2)),
    "CU": (4, 2),
    "TOFFOLI": (0, 3),
}
PREPARE = ("RY", "RX", "CNOT")
EXPORTERS = {"OpenQASM 2": convert_qprog_to_qasm}
MEASURED = {"OpenQASM 2": frozenset(["x", "cx", "swap", "measure"])}
REGISTERS = "none"


def build(size: int, calls: list[Call]) -> core.QProg:
    """Return the program of calls."""
    program = core.QProg(size)
    for name, angles, qubits in calls:
        program << getattr(core, name)(*qubits, *angles)
    return program


def state(program: core.QProg) -> Any:
    """Return its amplitudes; its first qubit is the least significant one."""
    machine = core.CPUQVM()
    machine.run(program, 1)
    vector = np.array(machine.result().get_state_vector())
    return vector.reshape([2] * int(np.log2(len(vector)))).transpose().ravel()


def measured(steps: Steps) -> core.QProg:
    """Return the program of steps."""
    program = core.QProg(4)
    kinds = {"x": core.X, "cx": core.CNOT, "swap": core.SWAP, "measure": core.measure}
    for kind, *values in steps.steps:
        program << kinds[kind](*values)
    return program
