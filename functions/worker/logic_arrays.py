"""The reader's Boolean expressions over classical bits, worked out for many shots at once or for other values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from reader.operations import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from reader.operations import Bit

Value = TypeVar("Value")


def evaluate(bit: Bit, cells: np.ndarray[Any, Any], rows: Mapping[int, int]) -> Any:  # noqa: ANN401 - an int or an array
    """Return an expression's value: 0 or 1, or an array of them; `cells` has row `rows[cell]` for each cell."""
    return folded(bit, lambda cell: cells[rows[cell]], _combined) if isinstance(bit, Node) else int(bit)


def folded(whole: Node, read: Callable[[int], Value], combine: Callable[..., Value]) -> Value:
    """Return what an expression comes to: `read` gives the value of a cell, `combine` that of an operator on values."""
    # Depth first without recursion: a long expression is a long list.
    done: dict[int, Value] = {}
    stack = [whole]
    while stack:
        node = stack[-1]
        if node.op == "bit":
            done[id(node)] = read(node.cell)
            stack.pop()
            continue
        parts = [part for part in (node.a, node.b) if isinstance(part, Node)]
        missing = [part for part in parts if id(part) not in done]
        if missing:
            stack += missing
            continue
        stack.pop()
        done[id(node)] = combine(node.op, *[done[id(part)] for part in parts])
    return done[id(whole)]


def _combined(op: str, a: Any, b: Any = None) -> Any:  # noqa: ANN401 - ints or arrays
    if op == "!":
        return a ^ 1
    if op == "&":
        return a & b
    return a | b if op == "|" else a ^ b
