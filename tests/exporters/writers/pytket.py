"""pytket writes OpenQASM 2 with the standard include, and with Quantinuum's."""

from __future__ import annotations

from functools import partial
from math import pi
from typing import TYPE_CHECKING, Any

from circuits import ALL_SYMBOLS, KEYWORDS, KEYWORDS_AS_THEY_ARE, UNDECLARED
from pytket.circuit import Bit, Circuit, OpType, Qubit
from pytket.qasm import circuit_to_qasm_str
from sympy import Symbol

if TYPE_CHECKING:
    from circuits import Call, Steps

PACKAGE = "pytket"
GATES = {
    **dict.fromkeys(["Z", "X", "Y", "S", "Sdg", "T", "Tdg", "V", "Vdg", "SX", "SXdg", "H", "noop"], (0, 1)),
    **dict.fromkeys(["Rx", "Ry", "Rz", "U1"], (1, 1)),
    **dict.fromkeys(["U2", "PhasedX", "NPhasedX"], (2, 1)),
    **dict.fromkeys(["U3", "TK1", "GPI", "GPI2"], (3, 1)),
    **dict.fromkeys(
        ["CX", "CY", "CZ", "CH", "CV", "CVdg", "CSX", "CSXdg", "CS", "CSdg", "SWAP", "ECR", "ISWAPMax", "Sycamore"],
        (0, 2),
    ),
    **dict.fromkeys(["ZZMax", "BRIDGE"], (0, 2)),
    **dict.fromkeys(["CRz", "CRx", "CRy", "CU1", "XXPhase", "YYPhase", "ZZPhase", "ISWAP", "ESWAP"], (1, 2)),
    **dict.fromkeys(["PhasedISWAP", "FSim"], (2, 2)),
    **dict.fromkeys(["CU3", "TK2", "AAMS"], (3, 2)),
    **dict.fromkeys(["CCX", "CSWAP"], (0, 3)),
    "XXPhase3": (1, 3),
    "CnX": (0, 5),
    "CnRy": (1, 4),
}
GATES |= {"GPI": (1, 1), "GPI2": (1, 1), "BRIDGE": (0, 3)}
del GATES["NPhasedX"]
PREPARE = ("Ry", "Rx", "CX")
EXPORTERS = {
    "qelib1.inc": circuit_to_qasm_str,
    "hqslib1.inc": partial(circuit_to_qasm_str, header="hqslib1"),
}
MEASURED = {
    "qelib1.inc": frozenset(["x", "cx", "swap", "barrier", "reset", "measure", "if"]),
    "hqslib1.inc": frozenset(["x", "cx", "swap", "barrier", "reset", "measure", "if", "if_bit"]),
}

SYMBOLIC = {exporter: {UNDECLARED: ALL_SYMBOLS} for exporter in EXPORTERS}
symbol = Symbol

NAMED = {exporter: {KEYWORDS_AS_THEY_ARE: KEYWORDS[2]} for exporter in EXPORTERS}


def build(size: int, calls: list[Call]) -> Circuit:
    """Return the circuit of calls; its angles are half turns."""
    circuit = Circuit(size)
    for name, angles, qubits in calls:
        circuit.add_gate(getattr(OpType, name), [angle / pi for angle in angles], list(qubits))
    return circuit


def state(circuit: Circuit) -> Any:
    """Return its amplitudes."""
    return circuit.get_statevector()


def measured(steps: Steps) -> Circuit:
    """Return the circuit of steps; registers of a text are in the order of their names."""
    circuit = Circuit()
    registers = [circuit.add_c_register(name, size) for name, size in sorted(steps.bits)]
    qubits = [Qubit(name, place) for name, size in steps.qubits for place in range(size)]
    bits = [Bit(name, place) for name, size in steps.bits for place in range(size)]
    for name, size in steps.qubits:
        circuit.add_q_register(name, size)
    named = {register.name: register for register in registers}
    for kind, *values in steps.steps:
        if kind == "if":
            register = named[steps.bits[values[0]][0]]
            circuit.X(qubits[values[2]], condition_bits=list(register), condition_value=values[1])
        elif kind == "if_bit":
            circuit.X(qubits[values[2]], condition_bits=[bits[values[0]]], condition_value=values[1])
        elif kind == "measure":
            circuit.Measure(qubits[values[0]], bits[values[1]])
        elif kind == "reset":
            circuit.Reset(qubits[values[0]])
        elif kind == "barrier":
            circuit.add_barrier(qubits)
        else:
            getattr(circuit, kind.upper())(*(qubits[value] for value in values))
    return circuit
