"""All nodes of a part of the syntax tree, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader.budget import NODE
from reader.text import syntax

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reader.compiler.machine import Machine


def walk(m: Machine, body: Sequence[syntax.Node]) -> Iterator[syntax.Node]:
    """Yield every node of statements or expressions, each paid for: many are walked again and again."""
    stack: list[object] = list(body)
    while stack:
        part = stack.pop()
        if isinstance(part, list | tuple):
            stack += part
        elif isinstance(part, syntax.Node):
            m.budget.spend(NODE, part.at)
            yield part
            stack += [getattr(part, name) for name in part.__dataclass_fields__]
