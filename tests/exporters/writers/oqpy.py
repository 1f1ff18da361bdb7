"""OQpy writes OpenQASM 3 with classical control."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import oqpy
from circuits import AS_THEY_ARE, KEYWORDS, NO_NAMES, Further
from reference import GATES, PREPARE, amplitudes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from circuits import Call, Steps

PACKAGE = "oqpy"
__all__ = [
    "EXPORTERS",
    "GATES",
    "MEASURED",
    "NAMED",
    "PACKAGE",
    "PREPARE",
    "REGISTERS",
    "build",
    "further",
    "measured",
    "state",
]
EXPORTERS = {"OpenQASM 3": lambda made: made[0].to_qasm()}
MEASURED = {"OpenQASM 3": frozenset(["x", "cx", "swap", "barrier", "reset", "measure", "if", "if_bit"])}
REGISTERS = "bits"
NAMED = {"OpenQASM 3": {AS_THEY_ARE: KEYWORDS[3] | NO_NAMES - {""}}}


def build(size: int, calls: list[Call]) -> tuple[Any, Any]:
    """Return the program of calls on hardware qubits, and its amplitudes."""
    program = oqpy.Program()
    for name, angles, qubits in calls:
        program.gate([oqpy.PhysicalQubits[place] for place in qubits], name, *angles)
    return program, amplitudes(size, calls)


def state(made: tuple[Any, Any]) -> Any:
    """Return its amplitudes."""
    return made[1]


def measured(steps: Steps) -> tuple[Any, Any]:
    """Return the program of steps."""
    program = oqpy.Program()
    qubits = [oqpy.PhysicalQubits[place] for place in range(sum(size for _, size in steps.qubits))]
    registers = [oqpy.BitVar[size](name=name, init_expression=None) for name, size in steps.bits]
    for register in registers:
        program.declare(register)
    bits = [register[place] for register, (_, size) in zip(registers, steps.bits, strict=True) for place in range(size)]
    for kind, *values in steps.steps:
        if kind == "measure":
            program.measure(qubits[values[0]], bits[values[1]])
        elif kind == "barrier":
            program.barrier(qubits)
        elif kind == "reset":
            program.reset(qubits[values[0]])
        elif kind in ("if", "if_bit"):
            tested = registers[values[0]] if kind == "if" else bits[values[0]]
            with oqpy.If(program, tested == values[1]):
                program.gate(qubits[values[2]], "x")
        else:
            program.gate([qubits[value] for value in values], kind)
    return program, None


def further() -> Iterator[Further]:
    """Yield loops, variables, subroutines and a gate of its own, whose outcome is worked out by hand."""
    program = oqpy.Program()
    first, second = oqpy.PhysicalQubits[0], oqpy.PhysicalQubits[1]
    total, share = oqpy.IntVar(5, "total"), oqpy.FloatVar(0.5, "share")
    bits = oqpy.BitVar[2](name="bits")
    program.declare([total, share, bits])
    with oqpy.ForIn(program, range(1, 4), "i") as index:
        program.increment(total, index)
    with oqpy.While(program, total > 9):
        program.decrement(total, 1)
        program.gate(first, "rx", oqpy.pi * share * 2)

    @oqpy.subroutine
    def twice(program: oqpy.Program, number: oqpy.IntVar) -> oqpy.IntVar:
        return number * 2

    program.set(total, twice(program, total))
    program.measure(first, bits[0])
    with oqpy.If(program, total == 18):
        program.gate(second, "x")
    with oqpy.Else(program):
        program.gate(first, "x")
    program.measure(second, bits[1])
    yield Further("OpenQASM 3", "by hand: loops and variables", program.to_qasm(), "10")
