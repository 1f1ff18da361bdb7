"""PyQASM unrolls programs of OpenQASM 2 and 3, and writes OpenQASM 2 as 3."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyqasm
from circuits import CONSTANTS, Further
from reference import GATES as STANDARD
from reference import PREPARE, PROGRAM, Source, build, measured, state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PACKAGE = "pyqasm"
GATES = STANDARD | {"rxx": (1, 2), "ryy": (1, 2), "rzz": (1, 2), "iswap": (0, 2)}
MEASURED = {
    "OpenQASM 2 unrolled": frozenset(["x", "cx", "swap", "barrier", "reset", "measure"]),
    "OpenQASM 2 as 3": frozenset(["x", "cx", "swap", "barrier", "reset", "measure"]),
    "OpenQASM 3 unrolled": frozenset(["x", "cx", "swap", "barrier", "reset", "measure", "if", "if_bit"]),
}


def _unrolled(text: str) -> str:
    module = pyqasm.loads(text)
    module.unroll()
    return str(pyqasm.dumps(module))


EXPORTERS: dict[str, Callable[[Source], str]] = {
    "OpenQASM 2 unrolled": lambda source: _unrolled(source.text(2)),
    "OpenQASM 2 as 3": lambda source: pyqasm.dumps(pyqasm.loads(source.text(2)).to_qasm3()),
    "OpenQASM 3 unrolled": lambda source: _unrolled(source.text(3)),
}
NAMED = {"OpenQASM 2 as 3": {"registers named by constants (`pi`, `tau`) as they are": CONSTANTS}}
__all__ = ["EXPORTERS", "GATES", "MEASURED", "NAMED", "PACKAGE", "PREPARE", "build", "further", "measured", "state"]


def further() -> Iterator[Further]:
    """Yield a program of many constructs."""
    yield Further("OpenQASM 3 unrolled", "by hand: many constructs", _unrolled(PROGRAM[0]), PROGRAM[1])
