"""The syntax tree of a program, by the parser of its language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reader.budget import TOKEN
from reader.text.openqasm2 import LegacyParser
from reader.text.statement_parser import StatementParser
from reader.text.tokens import tokenize

if TYPE_CHECKING:
    from reader.budget import Budget
    from reader.text import syntax

_HEADER = re.compile(r"(?>\s++|//[^\r\n]*+|/\*.*?\*/)*+OPENQASM\s+([0-9]+)(?:\.([0-9]+))?\s*;", re.DOTALL)


def parse(text: str, budget: Budget | None = None) -> syntax.Program:
    """Return the syntax tree of a program; raises `SourceError` where it is not OpenQASM 2 or 3."""
    header = _HEADER.match(text)
    legacy = header is not None and header.group(1).lstrip("0") == "2"
    parser = LegacyParser(text) if legacy else StatementParser(tokenize(text))
    parser.text = text
    if budget is not None:
        budget.spend(TOKEN * len(parser.tokens))
    program = parser.program()
    program.text = text
    return program
