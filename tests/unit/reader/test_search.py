"""No text costs the api more than a request may: a short run of the search, and what was found by hand before it."""

from __future__ import annotations

import random
from functools import cache

import pytest

from cost_search import MOST_MEMORY, Cost
from reader import LIMITS
from reader_search import Search, cost_of_text

PLAIN = "qubit[20] q; bit c; for int i in [0:29999] { rx(i * 0.1) q[i % 20]; } c = measure q[0];"
BIG = "qubit[1000] q; bit[1000] c; "
FOUND = {
    "a sweep of loops": (
        "input float a; qubit q; bit c; int n = 0; while (n < 9000) { n += 1; rx(a * n) q; } c = measure q;",
        1000,
    ),
    "a sweep of wide rotations": (
        "input float p; qubit[256] q; bit[256] b; b = measure q; for int i in [0:50] { b = rotl(b, 7); }",
        50,
    ),
    "rotations by measured distances": (
        "qubit[256] q; bit[256] b; b = measure q; uint[8] d = b[0:7]; " + "b = rotl(b, d); " * 1_000,
        1,
    ),
    "rotations by a distance known except for a bit": (
        "qubit[32] q; bit[32] b; bit c; uint[256] u; c = measure q[0]; u[0] = c; " + "b = rotl(b, u); " * 10_000,
        1,
    ),
    "measurements one by one": (
        "input float p; qubit q; bit c; " + "c = measure q; " * 10_000,
        1000,
    ),
    "annotations": (BIG + "@a\n" * 290_000 + "x q[0]; c = measure q;", 1),
    "annotations of carriage returns": (BIG + "@a\r" * 290_000 + "x q[0]; c = measure q;", 1),
    "aliases": (BIG + "".join(f"let a{i} = q[0:999];" for i in range(27_000)) + "c = measure q;", 1),
    "aliases of bits": ("qubit q; bit[8000] b;" + "".join(f"let a{i} = b;" for i in range(27_000)), 1),
    "powers": (BIG + "".join(f"pow(0.{i}1) @ swap q[0], q[1];" for i in range(18_000)) + "c = measure q;", 1),
    "powers of nothing": (BIG + "pow(0) @ x q;" * 30_000 + "c = measure q;", 1),
    "controls for nothing": (
        f"{BIG} gate g a, b {{ {'h a; cx a, b;' * 5_000} }}" + "pow(0) @ ctrl @ g q[0], q[1], q[2];" * 10_000,
        1,
    ),
    "sums of wide measured numbers": (
        "qubit[32] q; bit[32] b; b = measure q; uint[32] u = b; " + "u = u + 3; " * 10_000,
        1,
    ),
    "wide registers": ("qubit q; bit c; bit[4000] a; " + "a = a ^ a; " * 30_000 + "c = measure q;", 1),
    "loops inside each other": ("qubit q; bit c; " + "for int i in [0:0] {" * 40 + "x q;" * 30_000 + "}" * 40, 1),
}


def plain() -> Cost:
    """Return what a loop costs that is refused for its steps alone: the measure of the machine as it is now."""
    return min((cost_of_text(PLAIN, 1) for _ in range(2)), key=lambda cost: cost.cpu)


@cache
def usual() -> Cost:
    """Return what that loop cost when it was measured first: enough for programs far below the limit."""
    return plain()


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_is_bounded(name: str) -> None:
    """Nothing goes over the budget by more than a step, nor over the memory, nor over ten times the CPU of a loop."""
    text, bindings = FOUND[name]
    cost = cost_of_text(text, bindings)
    assert cost.outcome != "ended"
    assert cost.work < 1.1 * LIMITS.work
    assert cost.memory < MOST_MEMORY
    # Other programs may have come since, and slow both down.
    assert cost.cpu < 10 * usual().cpu or cost_of_text(text, bindings).cpu < 10 * plain().cpu


def test_a_short_search_finds_nothing_over_the_target() -> None:
    """Random programs, varied towards what costs most, stay within it; `make search` looks for longer."""
    search = Search(random.Random(7), suspect=1.0)
    search.run(programs=20)
    worst = max(search.found.values(), key=lambda cost: cost.cpu)
    assert max(cost.work for cost in search.found.values()) < 1.1 * LIMITS.work
    assert max(cost.memory for cost in search.found.values()) < MOST_MEMORY
    assert worst.cpu < 10 * usual().cpu or worst.cpu < 10 * plain().cpu
    assert all(cost.outcome != "ended" for cost in search.found.values())
