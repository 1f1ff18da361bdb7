"""MQT Core before version 4 writes OpenQASM 2 and 3."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from circuits import AS_THEY_ARE, KEYWORDS, NO_NAMES
from mqt.core.dd import build_unitary
from mqt.core.ir import QuantumComputation
from mqt.core.ir.operations import ComparisonKind, OpType

if TYPE_CHECKING:
    from circuits import Call, Steps

PACKAGE = "mqt.core"
_SINGLE = ["x", "y", "z", "h", "s", "sdg", "t", "tdg", "v", "vdg", "sx", "sxdg", "i"]
GATES = {
    **dict.fromkeys(_SINGLE, (0, 1)),
    **dict.fromkeys([f"c{name}" for name in _SINGLE if name != "i"], (0, 2)),
    **dict.fromkeys([f"mc{name}" for name in _SINGLE if name != "i"], (0, 4)),
    **dict.fromkeys(["rx", "ry", "rz", "p"], (1, 1)),
    **dict.fromkeys(["crx", "cry", "crz", "cp"], (1, 2)),
    **dict.fromkeys(["mcrx", "mcry", "mcrz", "mcp"], (1, 3)),
    **dict.fromkeys(["u2", "r"], (2, 1)),
    **dict.fromkeys(["cu2", "cr"], (2, 2)),
    "u": (3, 1),
    "cu": (3, 2),
    **dict.fromkeys(["swap", "dcx", "ecr", "iswap", "iswapdg", "peres", "peresdg"], (0, 2)),
    **dict.fromkeys(["cswap", "cdcx", "cecr", "ciswap", "ciswapdg"], (0, 3)),
    **dict.fromkeys(["rxx", "ryy", "rzz", "rzx"], (1, 2)),
    **dict.fromkeys(["crxx", "cryy", "crzz", "crzx"], (1, 3)),
    **dict.fromkeys(["xx_minus_yy", "xx_plus_yy"], (2, 2)),
    **dict.fromkeys(["cxx_minus_yy", "cxx_plus_yy"], (2, 3)),
    "rccx": (0, 3),
}
PREPARE = ("ry", "rx", "cx")
_PERES = {"peres and peresdg as their opposites": lambda call: call.name in ("peres", "peresdg")}
_CONTROLLED_U = re.compile("m?c(v|vdg|u2|u)")
FLAWS = {
    "OpenQASM 2": _PERES,
    "OpenQASM 3": _PERES
    | {"ctrl @ U for a U of another phase than the language's": lambda call: bool(_CONTROLLED_U.fullmatch(call.name))},
}
EXPORTERS = {"OpenQASM 2": QuantumComputation.qasm2_str, "OpenQASM 3": QuantumComputation.qasm3_str}
MEASURED = dict.fromkeys(EXPORTERS, frozenset(["x", "cx", "swap", "barrier", "reset", "measure", "if", "if_bit"]))

NAMED = {exporter: {AS_THEY_ARE: KEYWORDS[int(exporter[-1])] | NO_NAMES - {""}} for exporter in EXPORTERS}


def build(size: int, calls: list[Call]) -> QuantumComputation:
    """Return the circuit of calls."""
    circuit = QuantumComputation(size)
    for name, angles, qubits in calls:
        places: list[Any] = list(qubits)
        if name.startswith("mc"):
            targets = 1
            places = [set(places[:-targets]), *places[-targets:]]
        getattr(circuit, name)(*angles, *places)
    return circuit


def state(circuit: QuantumComputation) -> Any:
    """Return its amplitudes; its first qubit is the least significant one."""
    size = circuit.num_qubits
    return build_unitary(circuit)[:, 0].reshape([2] * size).transpose().ravel()


def measured(steps: Steps) -> QuantumComputation:
    """Return the circuit of steps."""
    circuit = QuantumComputation()
    for name, size in steps.qubits:
        circuit.add_qubit_register(size, name)
    registers = [circuit.add_classical_register(size, name) for name, size in steps.bits]
    for kind, *values in steps.steps:
        if kind == "if":
            register = registers[values[0]]
            circuit.if_(OpType.x, values[2], register, values[1], ComparisonKind.eq)
        elif kind == "if_bit":
            circuit.if_(OpType.x, values[2], values[0], bool(values[1]), ComparisonKind.eq)
        else:
            getattr(circuit, kind)(*values)
    return circuit
