"""Names that the language itself gives a meaning: its constants and functions (spec, "Built-in constants")."""

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
