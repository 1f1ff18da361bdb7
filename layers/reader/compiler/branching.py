"""`if` and `switch`: known conditions choose while compiling, measured ones become tests in the circuit."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from reader.compiler.control import branch
from reader.compiler.conversions import truth, with_article
from reader.compiler.expressions import evaluate
from reader.compiler.logic import either
from reader.compiler.operators import binary
from reader.compiler.subroutines import has_calls
from reader.compiler.types import constant_integer
from reader.compiler.values import INT, Value, to_bits
from reader.errors import invalid, quote
from reader.operations import Bit, Node

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reader.compiler.machine import Machine
    from reader.text import syntax


def execute_if(m: Machine, node: syntax.If) -> None:
    """Execute `if ... else if ... else` (spec, "If-else statements")."""
    while True:
        condition = truth(m, evaluate(m, node.condition), node.condition.at)
        if isinstance(condition, Node):
            then, otherwise = node.then, node.otherwise
            branch(
                m,
                condition,
                partial(m.execute_block, then),
                partial(m.execute_block, otherwise) if otherwise else None,
                node.at,
                title=m.outline.head(node.at) if m.outline else "",
            )
            return
        chosen = node.then if condition else node.otherwise
        if not condition and len(chosen) == 1 and type(chosen[0]) is type(node):
            # `else if` is no nesting: continue in this loop, unless a call must be made first.
            node = chosen[0]
            if not has_calls(m, node.condition):
                continue
        m.execute_block(chosen)
        return


def execute_switch(m: Machine, node: syntax.Switch) -> None:
    """Execute `switch`: cases do not fall through (spec, "The Switch statement")."""
    target, cases = heads(m, node)
    arms: list[tuple[Bit, list[syntax.Statement]]] = []
    titles: list[str] = []
    for numbers, (names, body) in zip(cases, node.cases, strict=True):
        if m.outline is not None:
            titles.append(m.outline.case(names))
        match: Bit = 0
        for number, at in numbers:
            match = either(match, m.arithmetic.short(to_bits(binary(m, "==", target, Value(INT, number), at))[0]))
        arms.append((m.arithmetic.short(match), body))
    if m.outline is not None:
        titles[:1] = [f"{m.outline.head(node.at)} {title}" for title in titles[:1]]
    run_arms(m, arms, node.default, node.at, titles)


def heads(m: Machine, node: syntax.Switch) -> tuple[Value, list[list[tuple[int, int]]]]:
    """Return what a `switch` looks at, and for each case its labels with their offsets."""
    target = evaluate(m, node.target)
    if target.type.kind not in ("int", "uint", "bit", "bool"):
        invalid(
            f"A switch takes an integer or bits, not {with_article(target.type)}.", node.target.at, "Cast it: int(...)."
        )
    seen: set[int] = set()
    cases: list[list[tuple[int, int]]] = []
    for labels, _ in node.cases:
        numbers = []
        for label in labels:
            number = constant_integer(m, label, "The label of a case")
            if number in seen:
                invalid(f"Case {quote(str(number))} is given twice.", label.at, "Remove one of them.")
            seen.add(number)
            numbers.append((number, label.at))
        cases.append(numbers)
    return target, cases


def run_arms(
    m: Machine,
    arms: list[tuple[Bit, list[syntax.Statement]]],
    default: list[syntax.Statement] | None,
    at: int,
    titles: Sequence[str] = (),
) -> None:
    """Execute the first arm that matches, else the default; the matches are worked out already.

    `titles` has the arms' in an outline.
    """

    def cascade(index: int) -> None:
        while index < len(arms):
            match, body = arms[index]
            if isinstance(match, Node):
                title = titles[index] if titles else ""
                branch(m, match, partial(m.execute_block, body), partial(cascade, index + 1), at, title=title)
                return
            if match:
                m.execute_block(body)
                return
            index += 1
        if default is not None:
            m.execute_block(default)

    if len([match for match, _ in arms if isinstance(match, Node)]) > 8:  # noqa: PLR2004 - deeper is nesting of its own
        run_flat(m, arms, default, at, titles)
    else:
        cascade(0)


def run_flat(
    m: Machine,
    arms: list[tuple[Bit, list[syntax.Statement]]],
    default: list[syntax.Statement] | None,
    at: int,
    titles: Sequence[str],
) -> None:
    """Execute many arms one after the other: at most one matches, and matches are kept so that no arm changes them."""
    kept = [(m.shrink(match) if isinstance(match, Node) else match, body) for match, body in arms]
    none = m.arithmetic.any_set([match for match, _ in kept])
    none = m.shrink(none) if isinstance(none, Node) else none

    for index, (match, body) in enumerate(kept):
        if isinstance(match, Node):
            branch(m, match, partial(m.execute_block, body), None, at, title=titles[index] if titles else "")
        elif match:
            m.execute_block(body)
    if default is not None:
        if isinstance(none, Node):
            branch(m, none, None, partial(m.execute_block, default), at, title="default" if titles else "")
        elif not none:
            m.execute_block(default)
