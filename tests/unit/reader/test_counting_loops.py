"""Loops that count measured bits: their rounds are repeated up to where one needs another bit, to no difference."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from reader import check, compile_each
from reader.compiler import loops, repetition
from reader.limits import LIMITS
from reader.operations import If, Measure, Node, Store, While
from tasks.errors import TaskError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reader.operations import Bit, Compiled, Operation

COIN = "reset q; h q; c = measure q; "
TYPES = ("int[3]", "uint[3]", "uint[4]", "int[5]", "int[8]", "uint[16]", "int")
SUBROUTINES = """
def flip(qubit q) -> bit { bit b; reset q; h q; b = measure q; return b; }
def count(qubit q, uint[8] m) -> uint[16] { uint[16] s = 0; for uint i in [1:m] { s += flip(q); } return s; }
def early(qubit q, bit c, int m) -> uint[4] {
    if (m == 1) { return 2; } if (c) { return 1; } uint[4] u = 0; u += flip(q); return u; }
def bump(mutable array[uint[6], #dim = 1] r, bit c) { r[0] += c; }
def deep(qubit q, bit c, uint[4] m) -> uint[4] { return count(q, 2) + early(q, c, m); }
"""

# What a round does, each of which counts on in other questions: which bits, which side of a test, whether it fits.
ROUNDS = {
    "sum": "a += c;",
    "negative": "a += int[1](c);",
    "difference": "a = a - uint[1](c);",
    "both ways": "if (c) { a += 1; } else { a -= 1; }",
    "uneven": "if (c) { a += 3; } else { a -= 1; }",
    "one side": "if (c) { a = a + 2; }",
    "two": "a += c; b -= c; b -= c;",
    "one after the other": "a += c; b += a; b -= a;",
    "meeting": "if (c) { a = b; } else { a += 2; } b += 1; b += c; b -= c;",
    "read as a narrower one": "n += c; a = n + 1;",
    "a local one": "{ uint[16] t = 0; t += c; t += 1; a += t; }",
    "a loop inside": "for int k in [0:8] { a += c; reset q; h q; c = measure q; }",
    "a loop inside that starts anew": "b = 0; for int k in [0:9] { b += c; } a += c;",
    "a subroutine": "a += count(q, 5);",
    "subroutines inside each other": "a += deep(q, c, 3);",
    "an early return": "a += early(q, c, 0);",
    "an array": "bump(r, c); a += c;",
    "an alias": "let x = d[0:1]; x[0] = c; a += d[0];",
    "a test of the sum": "a += c; if (a == 5) x q;",
    "growing faster": "a += c; b += a;",
    "a next round": "if (c) { continue; } a += 1;",
    "an end": "a += c; if (a == 9) { break; }",
}


def program(kinds: Sequence[str], rounds: int, body: str, after: str = "") -> str:
    """Return a program whose loop has rounds of a coin and the body."""
    a, b, n = kinds
    return (
        f'include "stdgates.inc"; qubit q; bit c; bit[3] d; array[uint[6], 2] r = {{0, 0}}; {SUBROUTINES} '
        f"output {a} a; output {b} b; output {n} n; a = 0; b = 1; n = 0; {COIN}"
        f"for int j in [1:{rounds}] {{ {COIN}{body} }} {after} output bit last; last = c;"
    )


def value(bit: Bit, cells: dict[int, int]) -> int:
    """Return an expression's value."""
    if not isinstance(bit, Node):
        return bit
    if bit.op == "bit":
        return cells.get(bit.cell, 0)
    a, b = (value(part, cells) if isinstance(part, Node) else 0 for part in (bit.a, bit.b))
    return {"!": 1 - a, "&": a & b, "|": a | b, "^": a ^ b}[bit.op]


def followed(compiled: Compiled, seed: int) -> tuple[list[Operation], list[list[int]]]:
    """Return the operations on qubits that a run does, and its outputs, all outcomes drawn from a seed."""
    draw = random.Random(seed)
    chance = draw.choice([0.1, 0.5, 0.9, 1.0])
    cells: dict[int, int] = {}
    done: list[Operation] = []

    def run(operations: list[Operation]) -> None:
        for operation in operations:
            if isinstance(operation, Store):
                cells[operation.cell] = value(operation.value, cells)
            elif isinstance(operation, If):
                run(operation.then if value(operation.condition, cells) else operation.otherwise)
            elif isinstance(operation, Measure):
                cells[operation.cell] = int(draw.random() < chance)
                done.append(operation._replace(cell=0))  # scratch bits may change places
            else:
                assert not isinstance(operation, While)
                done.append(operation)

    run(compiled.operations)
    return done, [[cells.get(cell, 0) for cell in output.cells] for output in compiled.outputs]


def compare(text: str, monkeypatch: pytest.MonkeyPatch, runs: int = 2) -> int:
    """Assert that a program is the same whether rounds are repeated or compiled each; return how often they were."""
    repeated: list[int] = []
    go_on = repetition.Round.go_on
    with monkeypatch.context() as patch:
        patch.setattr(repetition.Round, "go_on", lambda *given: (repeated.append(given[3]), go_on(*given)))
        [short] = compile_each(text, [{}])
        patch.setattr(loops, "TRIES", 0)
        [long] = compile_each(text, [{}])
    assert (len(short.operations), short.notes) == (len(long.operations), long.notes)
    for seed in range(runs):
        assert followed(short, seed) == followed(long, seed)
    return sum(repeated)


@pytest.mark.parametrize("kinds", [("uint[16]", "int", "uint[3]"), ("int[8]", "uint[4]", "uint[4]")])
@pytest.mark.parametrize("name", ROUNDS)
def test_counting_rounds_are_what_each_round_is(
    name: str, kinds: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sums of 40 rounds, in integers that hold them and that do not, are emitted as if each were compiled."""
    compare(program(kinds, 40, ROUNDS[name], "for int j in [1:9] { a += c; b += a; }"), monkeypatch)


@pytest.mark.parametrize(
    ("before", "body"),
    [
        ("a += c;", "a -= c;"),  # the sign comes, and later the lower end decides about the size
        ("a -= c;", "a += c;"),  # the same with the higher end
        ("n -= c;", "n += 1; a = n + c;"),  # negative, and later a number of its type
        # The span of what one of two sides gives: first one side, later the other one reaches further.
        ("a += c;", "a += c; b += c; b += c; if (d[0]) { n = a + c; } else { n = b + c; } n += 9;"),
        ("a -= c;", "a -= c; b -= c; b -= c; if (d[0]) { n = a + c; } else { n = b + c; } n -= 9;"),
    ],
)
@pytest.mark.parametrize("kind", ["uint[16]", "int[16]"])
def test_rounds_are_repeated_up_to_where_another_end_decides(
    before: str, body: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After 20 rounds of something else, both ends of a span move, and what decided before no longer does."""
    loop = f"for int j in [1:45] {{ {COIN}{body} }}"
    assert (
        compare(
            program((kind, kind, kind if "if" in body else "uint[8]"), 20, before, f"d[0] = c; {loop}"), monkeypatch
        )
        > 0
    )


def test_most_rounds_of_a_counter_are_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 300 shots that are counted, by a subroutine that measures, fewer than 50 are compiled."""
    for body in ("a += c;", "a += int[1](c);", "if (c) { a += 1; }", "a += early(q, c, 0);", "a += deep(q, c, 3);"):
        assert compare(program(("uint[16]", "int", "int"), 300, body), monkeypatch, runs=1) > 250


def statement(draw: random.Random, depth: int = 0) -> str:
    """Return a random statement of a round."""
    pick = draw.choice
    a, b = pick("abn"), pick("abn")
    operand = pick(["1", "2", "c", "c", "uint[1](c)", "int[1](c)", "d[1:2]", "-1", f"uint[4]({b})", f"int[3]({b})", b])
    forms = [
        f"{a} {pick(['+=', '-='])} {operand};",
        f"{a} = {pick([a, b])} {pick('+-')} {operand};",
        pick(
            [
                f"{a} = {b};",
                f"{a} = {draw.randrange(3)};",
                f"{a}[{draw.randrange(2)}] = c;",
                "d[1] = c;",
                f"{a} += r[0];",
            ]
        ),
        pick(["bump(r, c);", f"{a} += count(q, {draw.randrange(1, 5)});", f"{a} += early(q, c, {draw.randrange(3)});"]),
        pick([COIN, f"c = {a} > {b};", f"if ({a} == 2) x q;", f"{{ uint[4] t = {b}; t += c; {a} += t; {a} -= {b}; }}"]),
    ]
    if depth < 2:
        inner, other = statement(draw, depth + 1), statement(draw, depth + 1)
        test = pick(["c", "c", "c", f"{a} > {b}", "d[0]"])
        forms += [
            f"if ({test}) {{ {inner} }} else {{ {other} }}",
            f"for int k in [0:{pick([2, 9])}] {{ {inner} {COIN} }}",
        ]
    return pick(forms)


@pytest.mark.parametrize("seed", range(15))
def test_random_rounds_are_what_each_round_is(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random statements of counters, calls, tests and loops inside, some of which move nothing alike."""
    draw = random.Random(seed)
    body = " ".join(statement(draw) for _ in range(draw.randrange(1, 5)))
    kinds = [draw.choice(TYPES) for _ in range(3)]
    compare(program(kinds, draw.choice([9, 17, 34]), body), monkeypatch)


@pytest.mark.parametrize("rounds", [10_000, LIMITS.loop_iterations])
def test_repeated_rounds_keep_to_the_limits(rounds: int) -> None:
    """Rounds that are repeated count as operations, before they are there."""
    assert check(program(("uint[16]", "int", "int"), 4_000, "a += c;")) is not None
    with pytest.raises(TaskError) as raised:
        check(program(("uint[16]", "int", "int"), rounds, "a += c;"))
    assert (raised.value.code, raised.value.limit) == ("circuit_too_large", LIMITS.operations)
