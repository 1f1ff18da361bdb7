"""Names that have a meaning already: the language's constants and functions, the program's gates and subroutines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader.errors import invalid, quote
from reader.text.tokens import CONSTANTS, FUNCTIONS

if TYPE_CHECKING:
    from reader.compiler.machine import Machine

RESERVED = CONSTANTS | FUNCTIONS


def look_at_name(m: Machine, name: str, at: int, *, called: bool = False) -> None:
    """Refuse a global name that is a constant of the language, or for what is `called` one of its functions.

    A register or variable named like a function is noted only: libraries name registers as their users do.
    """
    if m.legacy and name != "pi":
        return
    if name in CONSTANTS:
        invalid(f"{quote(name)} is a constant of the language.", at, "Choose another name.")
    if name in FUNCTIONS:
        if called:
            invalid(f"{quote(name)} is a function of the language.", at, "Choose another name.")
        m.notes.add(f"{quote(name)} is a function of the language: other tools may refuse it as a name.", at)


def look_at_hidden(m: Machine, name: str, at: int, *, inner: bool = False) -> None:
    """Refuse a global name that is a gate's or a subroutine's; note one of an inner scope (spec, "Global scope")."""
    if name not in m.gates and name not in m.subroutines and name not in m.externs:
        return
    if not inner and m.frame is m.globals and len(m.frame.scopes) == 1:
        invalid(f"{quote(name)} is declared twice.", at, "Choose another name.")
    if not m.legacy:
        m.notes.add(f"{quote(name)} is a gate or subroutine, which no variable may hide: other tools refuse it.", at)
