"""The printer of the reference syntax tree writes OpenQASM 3."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openqasm3
from circuits import CONSTANTS, Further
from reference import GATES, PREPARE, PROGRAM, Source, build, measured, state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PACKAGE = "openqasm3"


def _printed(text: str) -> str:
    return str(openqasm3.dumps(openqasm3.parse(text)))


EXPORTERS: dict[str, Callable[[Source], str]] = {"OpenQASM 3": lambda source: _printed(source.text(3))}
MEASURED = {"OpenQASM 3": frozenset(["x", "cx", "swap", "barrier", "reset", "measure", "if", "if_bit"])}
NAMED = {"OpenQASM 3": {"registers named by constants (`pi`, `tau`) as they are": CONSTANTS}}
__all__ = ["EXPORTERS", "GATES", "MEASURED", "NAMED", "PACKAGE", "PREPARE", "build", "further", "measured", "state"]


def further() -> Iterator[Further]:
    """Yield a program of many constructs."""
    yield Further("OpenQASM 3", "by hand: many constructs", _printed(PROGRAM[0]), PROGRAM[1])
