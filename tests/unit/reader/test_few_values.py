"""Floats and other values that no bits hold, in loops that a measurement ends."""

# ruff: noqa: E501 - a table reads best with a program to a line

from __future__ import annotations

import random

import pytest

from reader import check, compile_sweep, read
from tasks.errors import TaskError
from unit.reader_differential.comparison import disagreement, judge_those_read

HEAD = "qubit[2] q; bit c = 1; uint[3] n = 0; bit[2] d; float t = 0.3; "
LOOP = "while (c && n < 3) {{ n += 1; {} h q[1]; c = measure q[1]; }} "
BODIES = {
    "changing its sign": "rx(t) q[0]; t = -t;",
    "by a test": "rx(t) q[0]; if (d[0]) { t = 1.1; } else { t = 0.7; } h q[1]; d[0] = measure q[1];",
    "growing": "rx(t) q[0]; t = t * 2;",
    "two of them": "float s = 1.0; rx(t * s) q[0]; t = s - t; s = 4.0 - s;",
    "tested": "rx(t) q[0]; if (t > 0) { t = -1.5; } else { t = 0.4; x q[0]; }",
    "left by break": "rx(t) q[0]; t = 1.2; h q[1]; d[1] = measure q[1]; if (d[1]) { break; } t = -0.3;",
    "with continue": "t = 1.2; h q[1]; d[1] = measure q[1]; c = d[1]; if (d[1]) { continue; } rx(t) q[0]; t = -0.3;",
    "complex": "complex[float] z = t + 1im; z = -z * z; t = real(z); rx(t) q[0];",
    "a loop inside": "bit e = 1; uint[2] k = 0; while (e && k < 2) { k += 1; t = 0.9 - t; rx(t) q[0]; h q[1]; e = measure q[1]; } t = -t;",
    "divided by nothing": "t = t - 0.3; rx(t) q[0]; t = 0.6;",
}
WHOLE = {
    "an array": "array[float, 2] a = {0.1, 0.2}; " + LOOP.format("rx(a[0]) q[0]; a[0] = a[1]; a[1] = 0.7;"),
    "measured before": "h q[0]; d[0] = measure q[0]; if (d[0]) { t = 1.4; } " + LOOP.format("rx(t) q[0]; t = 1.7 - t;"),
    "one of two before and after": "h q[0]; d[0] = measure q[0]; h q[1]; c = measure q[1]; "
    "if (d[0]) { while (c) { t = -t; h q[1]; c = measure q[1]; } c = 1; rx(t * 5) q[0]; while (c) { t = -t; h q[1]; c = measure q[1]; } rx(t * 5) q[0]; } ",
    "one of two that is set back": "h q[0]; d[0] = measure q[0]; if (d[0]) { t = 1.4; } "
    + LOOP.format("rx(t) q[0]; t = 0.3;"),
    "set back by its value": LOOP.replace("&& n < 3", "")
    .replace("n += 1;", "")
    .format("t = t + 1; if (t > 3) { t = 0.3; } rx(t) q[0];"),
    "set back or counted": LOOP.replace("&& n < 3", "")
    .replace("n += 1;", "")
    .format("if (t > 3) { t = 0.3; } else { t = t + 1; } rx(t) q[0];"),
    "a duration that is set back": "duration l = 1ns; "
    + LOOP.replace("&& n < 3", "").replace("n += 1;", "").format("l = l + 1ns; if (l > 3ns) { l = 1ns; x q[0]; }"),
    "as its own counter": "while (c && t < 1.0) { rx(t) q[0]; t = t + 0.25; h q[1]; c = measure q[1]; } ",
    "more values than are carried": "while (c && t < 2.0) { rx(t) q[0]; t = t + 0.1; x q[1]; c = measure q[1]; } ",
    "many and counted": "int k = 0; while (c && k < 20) { k += 1; rx(t) q[0]; t = t + 0.1; c = measure q[1]; x q[1]; } ",
}
END = "ry(t) q[0]; d = measure q;"


@pytest.mark.parametrize("name", [*BODIES, *WHOLE])
def test_a_float_may_change_in_a_measured_loop(name: str) -> None:
    """The oracle agrees on every outcome, inside the loop and after it."""
    text = HEAD + (LOOP.format(BODIES[name]) if name in BODIES else WHOLE[name]) + END
    assert disagreement(read, text) is None


@pytest.mark.parametrize("block", range(2))
def test_random_loops_over_floats_are_right(block: int) -> None:
    """Assignments of each to the other, on sides of tests, with ways out; most are read."""
    seeds = range(10 * block, 10 * block + 10)
    assert judge_those_read(map(random_program, seeds)) >= 7


def random_program(seed: int) -> str:
    """Return a random program over two floats."""
    draw = random.Random(seed)

    def value() -> str:
        return draw.choice(["t", "-t", "s", "0.3", "1.7", "t + s", "2.0 - t", "s / 2", "abs"]).replace(
            "abs", "sqrt(t * t)"
        )

    def statement(depth: int = 0) -> str:
        forms = [f"{draw.choice('ts')} = {value()};", f"rx({draw.choice('ts')}) q[0];", "h q[1]; d[0] = measure q[1];"]
        if depth < 2:
            test = draw.choice(["d[0]", "!d[0]", "t > s", "s < 1.0", "c"])
            way_out = draw.choice(["", "", "break;", "continue;"])
            forms += [f"if ({test}) {{ {statement(depth + 1)} {way_out} }} else {{ {statement(depth + 1)} }}"] * 2
        return draw.choice(forms)

    body = " ".join(statement() for _ in range(draw.randint(2, 4)))
    return HEAD + f"float s = 1.0; {statement(2)} " + LOOP.format(body) + f"rz(s) q[0]; {END}"


def test_what_grows_without_end_is_refused() -> None:
    """The refusal names the variable and what can be done."""
    with pytest.raises(TaskError) as caught:
        check(HEAD + "while (c) { rx(t) q[0]; t = t * 2; h q[1]; c = measure q[1]; } " + END)
    error = caught.value
    assert (error.code, error.message) == (
        "unsupported_feature",
        "'t' is a float that takes more than 16 values in a loop that a measurement ends.",
    )
    assert error.hint == "Use an int, an angle or a 'for' loop, or count at most 24 rounds in the loop's condition."


def test_bindings_of_a_sweep_have_values_of_their_own() -> None:
    """Where they differ, they are compiled one by one."""
    text = "input float a; " + HEAD + "t = a; " + LOOP.format("rx(t) q[0]; t = -t;") + END
    assert len(list(compile_sweep(text, [{"a": 0.1}, {"a": 0.2}]))) == 2
