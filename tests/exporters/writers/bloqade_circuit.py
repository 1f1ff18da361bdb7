"""Bloqade writes OpenQASM 2 of kernels, with tests of single bits."""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bloqade.qasm2.emit import QASM2
from reference import GATES as STANDARD
from reference import PREPARE, amplitudes

if TYPE_CHECKING:
    from circuits import Call, Steps

PACKAGE = "bloqade-circuit"
GATES = {name: each for name, each in STANDARD.items() if name != "p"} | {"u1": (1, 1), "sxdg": (0, 1)}
GATES |= {"rxx": (1, 2), "rzz": (1, 2), "cu1": (1, 2), "csx": (0, 2)}
del GATES["cp"]
EXPORTERS = {"OpenQASM 2": lambda made: str(QASM2(allow_parallel=False).emit_str(made[0]))}
MEASURED = {"OpenQASM 2": frozenset(["x", "cx", "swap", "barrier", "reset", "measure", "if_bit"])}
REGISTERS = "none"
_FOLDER = tempfile.TemporaryDirectory()
__all__ = ["EXPORTERS", "GATES", "MEASURED", "PACKAGE", "PREPARE", "REGISTERS", "build", "measured", "state"]


def _kernel(size: int, lines: list[str]) -> Any:
    """Return the kernel of lines of Python, which Bloqade reads from a file."""
    path = Path(_FOLDER.name) / f"kernel_{len(list(Path(_FOLDER.name).iterdir()))}.py"
    head = [
        "from bloqade import qasm2",
        "@qasm2.extended",
        "def kernel():",
        f"    q = qasm2.qreg({size})",
        "    c = qasm2.creg(4)",
    ]
    path.write_text("\n".join([*head, *(f"    {line}" for line in lines), "    return c"]) + "\n")
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.kernel


def build(size: int, calls: list[Call]) -> tuple[Any, Any]:
    """Return the kernel of calls, and its amplitudes."""
    lines = [
        f"qasm2.{name}({', '.join([*(f'q[{place}]' for place in qubits), *map(repr, angles)])})"
        for name, angles, qubits in calls
    ]
    same = [call._replace(name={"u1": "p", "cu1": "cp"}.get(call.name, call.name)) for call in calls]
    return _kernel(size, lines), amplitudes(size, same)


def state(made: tuple[Any, Any]) -> Any:
    """Return its amplitudes."""
    return made[1]


def measured(steps: Steps) -> tuple[Any, Any]:
    """Return the kernel of steps."""
    lines = []
    for kind, *values in steps.steps:
        if kind == "measure":
            lines.append(f"qasm2.measure(q[{values[0]}], c[{values[1]}])")
        elif kind == "barrier":
            lines.append("qasm2.barrier((q[0], q[1], q[2], q[3]))")
        elif kind == "if_bit":
            lines += [f"if c[{values[0]}] == {values[1]}:", f"    qasm2.x(q[{values[2]}])"]
        else:
            lines.append(f"qasm2.{kind}({', '.join(f'q[{value}]' for value in values)})")
    return _kernel(4, lines), None
