"""The reader's Boolean expressions over classical bits, worked out for many shots at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reader.operations import Node

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from reader.operations import Bit


def evaluate(bit: Bit, cells: np.ndarray[Any, Any], rows: Mapping[int, int]) -> Any:  # noqa: ANN401 - an int or an array
    """Return an expression's value: 0 or 1, or an array of them; `cells` has row `rows[cell]` for each cell."""
    if not isinstance(bit, Node):
        return int(bit)
    # Depth first without recursion: a long expression is a long list.
    done: dict[int, Any] = {}
    stack = [bit]
    while stack:
        node = stack[-1]
        if node.op == "bit":
            done[id(node)] = cells[rows[node.cell]]
            stack.pop()
            continue
        parts = [part for part in (node.a, node.b) if isinstance(part, Node)]
        missing = [part for part in parts if id(part) not in done]
        if missing:
            stack += missing
            continue
        stack.pop()
        a = done[id(parts[0])]
        if node.op == "!":
            done[id(node)] = a ^ 1
        elif node.op == "&":
            done[id(node)] = a & done[id(parts[1])]
        elif node.op == "|":
            done[id(node)] = a | done[id(parts[1])]
        else:
            done[id(node)] = a ^ done[id(parts[1])]
    return done[id(bit)]
