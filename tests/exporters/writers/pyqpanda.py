"""QPanda 2 writes OpenQASM 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyqpanda

if TYPE_CHECKING:
    from circuits import Call, Steps

PACKAGE = "pyqpanda"
GATES = {
    **dict.fromkeys(["H", "X", "Y", "Z", "S", "T", "I", "X1", "Y1", "Z1"], (0, 1)),
    **dict.fromkeys(["RX", "RY", "RZ", "U1"], (1, 1)),
    **dict.fromkeys(["U2"], (2, 1)),
    "U3": (3, 1),
    "U4": (4, 1),
    **dict.fromkeys(["CNOT", "CZ", "SWAP", "iSWAP", "SqiSWAP"], (0, 2)),
    **dict.fromkeys(["CR", "RXX", "RYY", "RZZ", "RZX"], (1, 2)),
    "CU": (4, 2),
    "Toffoli": (0, 3),
}
PREPARE = ("RY", "RX", "CNOT")
MEASURED = {"OpenQASM 2": frozenset(["x", "cx", "swap", "reset", "measure"])}
REGISTERS = "none"
TOLERANCE = 1e-7  # it decomposes gates of two qubits
_OTHERS = ("iSWAP", "SqiSWAP", "RXX", "RYY", "RZZ", "RZX", "CU")
FLAWS = {"OpenQASM 2": {f"{', '.join(_OTHERS)} as other gates": lambda call: call.name in _OTHERS}}
_MACHINE = pyqpanda.CPUQVM()
_MACHINE.init_qvm()
_QUBITS = _MACHINE.qAlloc_many(4)
_BITS = _MACHINE.cAlloc_many(4)
EXPORTERS = {"OpenQASM 2": lambda program: pyqpanda.convert_qprog_to_qasm(program, _MACHINE)}


def build(size: int, calls: list[Call]) -> Any:
    """Return the program of calls."""
    program = pyqpanda.QProg()
    for name, angles, qubits in calls:
        program << getattr(pyqpanda, name)(*(_QUBITS[place] for place in qubits), *angles)
    return program


def state(program: Any) -> Any:
    """Return its amplitudes; its first qubit is the least significant one."""
    _MACHINE.directly_run(program)
    vector = np.asarray(_MACHINE.get_qstate())
    size = len(vector).bit_length() - 1
    return vector.reshape([2] * size).transpose().ravel()


def measured(steps: Steps) -> Any:
    """Return the program of steps."""
    program = pyqpanda.QProg()
    kinds = {"x": pyqpanda.X, "cx": pyqpanda.CNOT, "swap": pyqpanda.SWAP, "reset": pyqpanda.Reset}
    for kind, *values in steps.steps:
        if kind == "measure":
            program << pyqpanda.Measure(_QUBITS[values[0]], _BITS[values[1]])
        else:
            program << kinds[kind](*(_QUBITS[value] for value in values))
    return program
