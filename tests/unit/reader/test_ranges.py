"""Plain integers in loops that a measurement ends: few of their bits are measured, and their values are right."""

# ruff: noqa: E501 - a table reads best with a program to a line

from __future__ import annotations

import random

import pytest

from reader import Budget, check, read
from reader.compiler.ranges import STATEMENT
from unit.reader_differential.comparison import disagreement, judge_those_read

COUNTERS = {
    "up to a bound": "int i = 0; bit c = 1; qubit[3] q; while (c && i < 3) { h q[i]; c = measure q[i]; i += 1; }",
    "until not equal": "int i = 0; bit c = 1; qubit[3] q; while (c == 1 && i != 3) { h q[i]; c = measure q[i]; i = i + 1; }",
    "left by break": "int n = 0; bit c; qubit[3] q; while (true) { h q[n]; c = measure q[n]; n += 1; if (c || n == 3) break; }",
    "down to zero": "uint n = 3; bit c; qubit[3] q; h q[0]; c = measure q[0]; "
    "while (c == 0 && n > 0) { n -= 1; h q[n]; c = measure q[n]; }",
    "in a switch": "const int N = 3; int n = 0; bit c; qubit[3] q; while (!c && n < N) { h q[0]; c = measure q[0]; n += 1; } "
    "switch (n) { case 2 { x q[1]; } default { x q[2]; } }",
    "two of them": "int a = 0; int b = 0; bit c = 1; qubit[3] q; "
    "while (c && a < 2) { h q[a + b]; c = measure q[a + b]; if (a == 0) { b = 1; } a += 1; }",
    "halved": "int i = 0; bit c = 1; qubit[3] q; while (c && i <= 4) { h q[i / 2]; c = measure q[i / 2]; i += 2; }",
    "with an offset": "int i = 5; bit c = 1; qubit[3] q; while (c && i < 8) { h q[i - 5]; c = measure q[i - 5]; i += 1; }",
    "going round": "int i = 0; bit c = 1; qubit[3] q; while (c) { h q[0]; c = measure q[0]; i = (i + 1) % 3; x q[i]; }",
    "with continue": "int i = 0; bit c = 1; qubit[3] q; "
    "while (c && i < 3) { h q[0]; c = measure q[0]; if (c) { i += 1; continue; } i = 2; x q[i]; }",
    "into an array": "int i = 0; bit c = 1; qubit[3] q; array[float[64], 3] t = {0.3, 0.5, 0.7}; "
    "while (c && i < 3) { ry(t[i]) q[i]; x q[i]; c = measure q[i]; i += 1; }",
    "below zero": "int n = 1; bit c = 1; qubit[3] q; while (c && n > -2) { h q[n + 1]; c = measure q[n + 1]; n -= 1; } x q[n + 2];",
    "both ways": "int n = 0; uint[2] k = 0; bit c; qubit[3] q; "
    "while (k < 3 && n < 2 && n > -2) { k += 1; h q[0]; c = measure q[0]; if (c) { n += 1; } else { n -= 1; } rx(n * 0.4) q[1]; } ry(n * 0.3) q[2];",
    "without a loop": "int n; bit c; qubit[3] q; h q[0]; c = measure q[0]; if (c) { n = -1; } else { n = 2; } x q[n]; ry(n * 0.4) q[1];",
    "bits set in the loop": "int n; uint[2] k = 0; bit c; qubit[3] q; h q[0]; c = measure q[0]; if (c) { n = -1; } else { n = 2; } c = 1; "
    "while (c && k < 3) { if (n > 20) { x q[1]; } k += 1; h q[0]; c = measure q[0]; n[5] = c; n[63] = 0; } if (n < 0) { x q[2]; }",
    "only read in the loop": "int n; uint[2] k = 0; bit c; qubit[3] q; h q[0]; c = measure q[0]; if (c) { n = -1; } else { n = 2; } c = 1; "
    "while (c && k < 3) { rx(n * 0.4) q[1]; k += 1; h q[0]; c = measure q[0]; }",
    "a remainder below zero": "int n = -7; uint[2] k = 0; bit c = 1; qubit[3] q; "
    "while (c && k < 3) { k += 1; n = (n * 3) % 5; rx(n * 0.5) q[0]; h q[1]; c = measure q[1]; }",
    "a quotient below zero": "int n = -7; uint[2] k = 0; bit c = 1; qubit[3] q; "
    "while (c && k < 3) { k += 1; n = n / 2; rx(n * 0.5) q[0]; h q[1]; c = measure q[1]; } ry(n * 0.5) q[0];",
    "a loop inside": "int n = 0; uint[2] k = 0; uint[2] j; bit c = 1; bit e; qubit[3] q; while (c && k < 2) { k += 1; j = 0; e = 1; "
    "while (e && j < 2) { j += 1; n = (n - 1) % 3; h q[0]; e = measure q[0]; } rx(n * 0.5) q[1]; h q[0]; c = measure q[0]; }",
    "assigned afterwards": "int n = 1; bit c = 1; qubit[3] q; while (c && n > -2) { h q[0]; c = measure q[0]; n -= 1; } "
    "n = n * 1000000000000 + 7; if (n < 0) { x q[1]; } n = n & 3; ry(n * 0.3) q[2];",
    "unsigned, once below zero": "uint n = 1; bit c = 1; qubit[3] q; while (c && n <= 3) { h q[0]; c = measure q[0]; n -= 1; if (n < 9) { rx(n * 0.4) q[1]; } else { x q[2]; } }",
    "unsigned, set back": "uint n = 2; uint[2] k = 0; bit c = 1; qubit[3] q; "
    "while (c && k < 3) { k += 1; h q[0]; c = measure q[0]; n -= 1; if (n > 5) { n = 2; } rx(n * 0.4) q[1]; }",
    "unsigned, set back by its value": "uint n = 1; uint[2] k = 0; bit c = 1; qubit[3] q; "
    "while (c && k < 3) { k += 1; h q[0]; c = measure q[0]; n -= 1; if (n == -1) { n = 3; } rx(n * 0.4) q[1]; }",
    "unsigned, up again": "uint n = 1; bit c = 1; qubit[3] q; while (c && !(n >= 4)) { h q[0]; c = measure q[0]; n = n - 3; "
    "if (7 < n) { n += 4; x q[2]; } rx(n * 0.4) q[1]; }",
    "unsigned, as another": "uint n = 1; int k; uint[70] w; bit c = 1; qubit[3] q; while (c && n < 7) { h q[0]; c = measure q[0]; n -= 1; "
    "k = n; w = n; rx(k * 0.4) q[1]; } if (w > 18446744073709551614) { x q[2]; }",
    "unsigned, in a division": "uint n = 1; bit c = 1; qubit[3] q; while (c && n < 7) { h q[0]; c = measure q[0]; n -= 2; } if (n / 3 > 9) { x q[2]; } if (n % 5 == 4) { x q[1]; }",
    "on one side of a test": "int n = 90000; bit c = 1; qubit[3] q; h q[2]; c = measure q[2]; "
    "if (c) { n = 1; while (c && n > -2) { h q[0]; c = measure q[0]; n -= 1; } } if (n == 90000) { x q[1]; } if (n < 0) { x q[2]; }",
}


@pytest.mark.parametrize("name", COUNTERS)
def test_a_plain_counter_may_be_an_index_in_a_measured_loop(name: str) -> None:
    """Its bounds follow from the text, so that few measured bits decide; the oracle agrees on every outcome."""
    assert disagreement(read, COUNTERS[name] + " bit[3] d = measure q;") is None


@pytest.mark.parametrize(
    "body", ["a = a + c; a = 0;", "a[0] = c; a = 0;", "a = a + c; if (n == 1) { a = 0; continue; } else { a -= a; }"]
)
def test_a_number_may_be_known_again_at_the_end_of_a_round(body: str) -> None:
    """What was measured into it first is overwritten: this was once an internal error."""
    text = f"int a = 0; bit c = 1; qubit q; uint[3] n = 0; while (c && n < 4) {{ n += 1; h q; c = measure q; {body} }}"
    assert disagreement(read, text + " bit d = bool(a);") is None


@pytest.mark.parametrize("seed", range(40))
def test_bounds_hold_whatever_the_loop_does(seed: int) -> None:
    """Random loops over small numbers, with tests, ways out and arithmetic that grows, falls and wraps around."""
    draw = random.Random(seed)
    kinds = [draw.choice(["int", "uint", "uint[3]", "int[5]"]) for _ in range(2)]
    names = ["a", "b"]

    def number() -> str:
        return draw.choice(
            ["a", "b", "a", "b", "c", str(draw.randrange(5)), f"({draw.choice(names)} % {draw.randint(1, 4)})"]
        )

    def test() -> str:
        return f"{draw.choice(names)} {draw.choice(['<', '<=', '>', '>=', '==', '!='])} {draw.choice([*names, '2', '3', '5'])}"

    def statement(depth: int = 0) -> str:
        name = draw.choice(names)
        forms = [
            f"{name} {draw.choice(['+=', '-='])} {draw.choice(['1', '2', number()])};",
            f"{name} = {number()} {draw.choice('+-*')} {number()};",
            f"{name} = {draw.randrange(4)};",
        ]
        if depth < 2:
            inner = statement(depth + 1)
            way_out = draw.choice(["break;", "continue;", ""])
            forms += [f"if ({test()}) {{ {inner} {way_out} }} else {{ {statement(depth + 1)} }}"] * 2
            forms += [f"for int k in [0:1] {{ {inner} }}"]
        return draw.choice(forms)

    body = " ".join(statement() for _ in range(draw.randint(1, 3)))
    text = (
        f"{kinds[0]} a = {draw.randrange(4)}; {kinds[1]} b = {draw.randrange(4)}; bit c = 1; qubit q; "
        f"uint[3] n = 0; output bit[4] x; output bit[4] y; "
        f"while (c && n < 4 && {test()}) {{ n += 1; h q; c = measure q; {body} }} "
        f"for int k in [0:3] {{ x[k] = a[k % 3]; y[k] = b[k % 3]; }} if (a > b) {{ x[3] = !x[3]; }}"
    )
    assert check(text) is not None
    assert disagreement(read, text) is None


@pytest.mark.parametrize("block", range(2))
def test_signs_are_right_whatever_becomes_of_them(block: int) -> None:
    """Integers of both signs in tests, loops and afterwards, as bits of an output and as angles; most are read."""
    seeds = range(12 * block, 12 * block + 12)
    assert judge_those_read(map(signed_program, seeds)) >= 6


def signed_program(seed: int) -> str:
    """Return a random program over two integers."""
    draw = random.Random(seed)

    def statement(depth: int = 0) -> str:
        name, other = draw.choice(["a", "b"]), draw.choice(["a", "b"])
        forms = [
            f"{name} {draw.choice(['+=', '-='])} {draw.choice(['1', '2', other])};",
            f"{name} = {draw.choice(['-', ''])}{other} {draw.choice('+-*%/')} {draw.randint(1, 4)};",
            f"{name} = {draw.randint(-4, 4)};",
            f"{name} = {draw.choice(['-', ''])}{other};",
        ]
        if depth < 2:
            inner = statement(depth + 1)
            forms += [
                f"if ({draw.choice([f'{name} < 0', f'{name} > {other}', 'c', '!c'])}) {{ {inner} {draw.choice(['', '', 'rx(a * 0.3) q[1];'])} }} else {{ {statement(depth + 1)} }}"
            ] * 2
        return draw.choice(forms)

    body = " ".join(statement() for _ in range(draw.randint(1, 3)))
    loop = f"while (c && n < 3) {{ n += 1; {body} rx(a % 3 * 0.3) q[1]; h q[0]; c = measure q[0]; }}"
    return (
        f"int a = {draw.randint(-4, 4)}; int b = {draw.randint(-4, 4)}; bit c = 1; qubit[2] q; uint[3] n = 0; "
        f"output bit[8] x; output bit[8] y; output bit d; h q[0]; c = measure q[0]; {statement()} c = 1; {loop} {statement()} {statement()} "
        f"for int k in [0:7] {{ x[k] = a[k * 9]; y[k] = b[k * 9]; }} d = measure q[1];"
    )


def test_a_chain_of_thousands_of_operators_has_no_bounds() -> None:
    """The analysis gives up where following it would nest too deeply; the program is read as before."""
    text = "int i = 0; bit c = 1; qubit q; while (c && i < 3) { h q; c = measure q; i = i + 1" + " + 0" * 4_000 + "; }"
    assert check(text) is not None


def test_following_a_loop_is_paid_for() -> None:
    """What a loop's statements cost to follow counts towards the request's budget, like everything that reads them."""
    text = "int i = 0; bit c = 1; qubit q; while (c && i < 3) { h q; c = measure q; i = i + 1; BODY }"
    spent = []
    for number in (0, 100):
        budget = Budget()
        check(text.replace("BODY", "if (i < 2) { i = 1; } " * number), budget=budget)
        spent.append(budget.spent)
    assert spent[1] - spent[0] > 100 * 2 * STATEMENT
