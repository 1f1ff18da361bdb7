"""AutoQASM writes OpenQASM 3 of Python functions, with Braket's names."""

from __future__ import annotations

import importlib.util
import tempfile
from math import pi
from pathlib import Path
from typing import TYPE_CHECKING, Any

from braket.circuits import Circuit, Gate, Instruction
from braket.devices import LocalSimulator
from circuits import Further

if TYPE_CHECKING:
    from collections.abc import Iterator

    from circuits import Call, Steps

PACKAGE = "autoqasm"
_NAMES = {
    **dict.fromkeys(["h", "i", "x", "y", "z", "s", "si", "t", "ti", "v", "vi"], 0),
    **dict.fromkeys(["rx", "ry", "rz", "phaseshift", "gpi", "gpi2"], 1),
}
_CLASSES = {
    "cnot": "CNot",
    "ccnot": "CCNot",
    "cswap": "CSwap",
    "iswap": "ISwap",
    "ecr": "ECR",
    "prx": "PRx",
    "gpi": "GPi",
}
_CLASSES |= {
    "gpi2": "GPi2",
    "cv": "CV",
    "cy": "CY",
    "cz": "CZ",
    "ms": "MS",
    "xx": "XX",
    "yy": "YY",
    "zz": "ZZ",
    "xy": "XY",
}
_CLASSES |= {
    "phaseshift": "PhaseShift",
    "cphaseshift": "CPhaseShift",
    "cphaseshift00": "CPhaseShift00",
    "pswap": "PSwap",
}
GATES = {
    **{name: (angles, 1) for name, angles in _NAMES.items()},
    "prx": (2, 1),
    "u": (3, 1),
    **dict.fromkeys(["cnot", "cv", "cy", "cz", "ecr", "iswap", "swap"], (0, 2)),
    **dict.fromkeys(["cphaseshift", "cphaseshift00", "pswap", "xx", "xy", "yy", "zz"], (1, 2)),
    "ms": (3, 2),
    **dict.fromkeys(["ccnot", "cswap"], (0, 3)),
}
PREPARE = ("ry", "rx", "cnot")
EXPORTERS = {"OpenQASM 3": lambda made: made[0].build().to_ir()}
MEASURED = {"OpenQASM 3": frozenset(["x", "cx", "swap", "reset", "measure", "if_bit"])}
REGISTERS = "none"
_FOLDER = tempfile.TemporaryDirectory()


def _program(size: int, lines: list[str]) -> Any:
    """Return the program of lines of Python, which AutoQASM reads from a file."""
    head = [
        "import autoqasm as aq",
        "from autoqasm.instructions import *",
        f"@aq.main(num_qubits={size})",
        "def program():",
    ]
    return _loaded("\n".join([*head, *(f"    {line}" for line in lines or ["pass"])]) + "\n")


def _loaded(source: str) -> Any:
    path = Path(_FOLDER.name) / f"program_{len(list(Path(_FOLDER.name).iterdir()))}.py"
    path.write_text(source)
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.program


def build(size: int, calls: list[Call]) -> tuple[Any, Any]:
    """Return the program of calls, and the same circuit of Braket's."""
    lines = [f"{name}({', '.join(map(repr, (*qubits, *angles)))})" for name, angles, qubits in calls]
    circuit = Circuit()
    for name, angles, qubits in calls:
        circuit.add_instruction(Instruction(getattr(Gate, _CLASSES.get(name, name.capitalize()))(*angles), qubits))
    return _program(size, lines), circuit


def state(made: tuple[Any, Circuit]) -> Any:
    """Return its amplitudes."""
    return LocalSimulator().run(made[1].copy().state_vector(), shots=0).result().values[0]


def measured(steps: Steps) -> tuple[Any, Any]:
    """Return the program of steps, which returns its bits."""
    lines = [f"b{place} = measure({place})" for place in range(4)]
    for kind, *values in steps.steps:
        if kind == "measure":
            lines.append(f"b{values[1]} = measure({values[0]})")
        elif kind == "if_bit":
            lines += [f"if b{values[0]} == {values[1]}:", f"    x({values[2]})"]
        else:
            lines.append(f"{'cnot' if kind == 'cx' else kind}({', '.join(map(str, values))})")
    return _program(4, [*lines, "return [b0, b1, b2, b3]"]), None


_FLOW = """import autoqasm as aq
from autoqasm.instructions import *

@aq.gate
def half(q: aq.Qubit, t: float):
    rx(q, t)
    rx(q, t)

@aq.subroutine
def flipped(q: int) -> aq.BitVar:
    x(q)
    return measure(q)

@aq.main(num_qubits=3)
def program(theta: float):
    for i in aq.range(3):
        x(i)
    half(2, theta)
    a = measure(0)
    b = measure(2)
    if a and not b:
        x(1)
    elif b:
        x(0)
    else:
        h(0)
    n = aq.FloatVar(0.5)
    n = n * 2
    rx(2, n * theta * 2)
    c = flipped(1)
    if c == 1:
        x(2)
    return measure([0, 1, 2])
"""
_WHILE = """import autoqasm as aq
from autoqasm.instructions import *

@aq.main(num_qubits=1)
def program():
    n = aq.IntVar(0)
    while n < 2:
        x(0)
        n += 1
    return measure(0)
"""


def further() -> Iterator[Further]:
    """Yield loops, variables, a gate, a subroutine and an input, whose outcome is worked out by hand."""
    text = _loaded(_FLOW).build().to_ir()
    yield Further("OpenQASM 3", "by hand: control flow", text, "011", None, {"theta": pi / 2})
    sentence = "a `while` by its condition's value before the loop, so that it never ends"
    yield Further("OpenQASM 3", "a while of a comparison", _loaded(_WHILE).build().to_ir(), "0", sentence)
