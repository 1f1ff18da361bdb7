"""qoqo writes OpenQASM 2 and 3."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from circuits import (
    ALL_SYMBOLS,
    AS_THEY_ARE,
    CONSTANTS,
    EXPRESSIONS,
    KEYWORDS,
    NO_NAMES,
    NO_SYMBOLS,
    SYMBOL_KEYWORDS,
    UNDECLARED,
)
from qoqo import Circuit, operations
from qoqo_calculator_pyo3 import CalculatorFloat
from qoqo_qasm import QasmBackend

if TYPE_CHECKING:
    from circuits import Call, Steps

PACKAGE = "qoqo-qasm"
GATES = {
    **dict.fromkeys(
        ["Hadamard", "PauliX", "PauliY", "PauliZ", "SGate", "TGate", "SqrtPauliX", "InvSqrtPauliX"], (0, 1)
    ),
    **dict.fromkeys(["Identity", "InvSGate", "InvTGate"], (0, 1)),
    **dict.fromkeys(["RotateX", "RotateY", "RotateZ", "PhaseShiftState1"], (1, 1)),
    "RotateXY": (2, 1),
    **dict.fromkeys(
        ["CNOT", "ControlledPauliY", "ControlledPauliZ", "SWAP", "ISwap", "SqrtISwap", "InvSqrtISwap", "FSwap"], (0, 2)
    ),
    "EchoCrossResonance": (0, 2),
    **dict.fromkeys(["ControlledPhaseShift", "ControlledRotateX", "VariableMSXX", "XY", "PMInteraction"], (1, 2)),
    **dict.fromkeys(
        ["PhaseShiftedControlledZ", "ControlledRotateXY", "GivensRotation", "PhaseShiftedControlledPhase"], (1, 2)
    ),
    **dict.fromkeys(["GivensRotation", "ControlledRotateXY", "PhaseShiftedControlledPhase"], (2, 2)),
    **dict.fromkeys(["Qsim", "Fsim", "SpinInteraction"], (3, 2)),
    **dict.fromkeys(["Toffoli", "ControlledControlledPauliZ"], (0, 3)),
    "ControlledControlledPhaseShift": (1, 3),
}
PREPARE = ("RotateY", "RotateX", "CNOT")
_AS_THEY_ARE = f"{AS_THEY_ARE}, and those of gates that it defines"
_SHIFTED = ("InvSGate", "InvTGate")


def text(circuit: Circuit, version: str) -> str:
    """Return its text; a panic of its Rust code, which is no `Exception`, as an error."""
    try:
        return QasmBackend("q", version).circuit_to_qasm_str(circuit)
    except Exception:
        raise
    except BaseException as panic:
        if type(panic).__name__ != "PanicException":
            raise
        raise ValueError(str(panic)) from panic


EXPORTERS = {
    f"OpenQASM {version[0]}{' for Braket' if 'Braket' in version else ''}": partial(text, version=version)
    for version in ("2.0Vanilla", "3.0Vanilla", "3.0Braket")
}

MEASURED = dict.fromkeys(EXPORTERS, frozenset(["x", "cx", "swap", "measure", "reset"]))
REGISTERS = "bits"
_PRODUCTS = frozenset(name for name in EXPRESSIONS if name not in ("a", "-b", "a + b", "a - b", "a + pi / 2", "1 - a"))
_ODD = SYMBOL_KEYWORDS | CONSTANTS | NO_SYMBOLS | {"_q", "q"}
SYMBOLIC = {
    "OpenQASM 2": {UNDECLARED: ALL_SYMBOLS},
    **{
        exporter: {
            "symbols as angles, which have no products and quotients with numbers of its form (`2e0 * a`)": _PRODUCTS,
            "symbols named by keywords, constants or what is no name (`gate`, `pi`, `theta[0]`) as they are": odd,
        }
        for exporter, odd in (("OpenQASM 3", _ODD | {"cx", "rx", "ry"}), ("OpenQASM 3 for Braket", _ODD))
    },
}
symbol = CalculatorFloat
NAMED = {
    "OpenQASM 2": {_AS_THEY_ARE: KEYWORDS[2] | NO_NAMES | {"x", "cx"}},
    "OpenQASM 3": {_AS_THEY_ARE: KEYWORDS[3] | NO_NAMES | {"x", "cx"}},
    "OpenQASM 3 for Braket": {AS_THEY_ARE: KEYWORDS[3] | NO_NAMES},
}
_UNDEFINED = ["RotateXY", "Qsim", "Fsim", "PhaseShiftedControlledZ", "PhaseShiftedControlledPhase", "PMInteraction"]
_UNDEFINED += ["SpinInteraction", "GivensRotation", "ControlledRotateXY"]
FLAWS = {
    exporter: {"InvSGate and InvTGate as sy and sydg": lambda call: call.name in _SHIFTED} for exporter in EXPORTERS
}
FLAWS["OpenQASM 3 for Braket"][f"{', '.join(_UNDEFINED)}, which Braket lacks, without a definition"] = lambda call: (
    call.name in _UNDEFINED
)


def build(size: int, calls: list[Call]) -> Circuit:
    """Return the circuit of calls."""
    circuit = Circuit()
    circuit += operations.DefinitionBit("ro", size, is_output=True)
    for name, angles, qubits in calls:
        circuit += getattr(operations, name)(*qubits, *angles)
    return circuit


def state(circuit: Circuit) -> Any:
    """Return its amplitudes from the matrices of its gates, their first qubit the most significant one."""
    parts = [part for part in circuit if "Definition" not in part.tags()]
    size = 1 + max(max(part.involved_qubits()) for part in parts)
    vector = np.zeros([2] * size, dtype=complex)
    vector[(0,) * size] = 1
    for part in parts:
        qubits = _qubits(part)
        matrix = np.asarray(part.unitary_matrix()).reshape([2] * (2 * len(qubits)))
        vector = np.tensordot(matrix, vector, (range(len(qubits), 2 * len(qubits)), qubits))
        vector = np.moveaxis(vector, range(len(qubits)), qubits)
    return vector.ravel()


def _qubits(part: Any) -> list[int]:
    if hasattr(part, "qubit"):
        return [part.qubit()]
    if hasattr(part, "control_0"):
        return [part.control_0(), part.control_1(), part.target()]
    return [part.control(), part.target()]


def measured(steps: Steps) -> Circuit:
    """Return the circuit of steps."""
    circuit = Circuit()
    bits = [(name, place) for name, size in steps.bits for place in range(size)]
    for name, size in steps.bits:
        circuit += operations.DefinitionBit(name, size, is_output=True)
    kinds = {"x": "PauliX", "cx": "CNOT", "swap": "SWAP", "reset": "PragmaActiveReset"}
    for kind, *values in steps.steps:
        if kind == "measure":
            circuit += operations.MeasureQubit(values[0], *bits[values[1]])
        else:
            circuit += getattr(operations, kinds[kind])(*values)
    return circuit
