"""Sums of measured bits: as many values as they can have, not as their type has, also where they are negative."""

from __future__ import annotations

import random

import pytest

from reader import check, compile_each, read
from reader_exact import distribution
from tasks.errors import TaskError

COIN = "reset q; h q; b = measure q; "
# What a program adds up in a round, how many rounds ten bits can distinguish, and what a round adds.
SUMS = {
    "counts += uint[1](b);": (1_023, 1),
    "counts = counts + uint[1](b);": (1_023, 1),
    "counts += b;": (1_023, 1),
    "if (b) counts += 1;": (1_023, 1),
    "if (b) { counts += 1; } else { counts -= 1; }": (512, 2),
    "if (b) { counts = counts + 3; }": (341, 3),
    "counts += int[1](b);": (512, -1),
    "counts -= uint[1](b);": (512, -1),
    "uint[4] two = 2; two += b; counts += two; counts -= 2;": (292, 1),
}


def binomial(rounds: int) -> list[float]:
    """Return the probability of each number of heads."""
    row = [1.0]
    for _ in range(rounds):
        row = [(a + b) / 2 for a, b in zip([0.0, *row], [*row, 0.0], strict=True)]
    return row


def program(kind: str, statement: str, rounds: int, end: str) -> str:
    """Return a program that adds up coins."""
    loop = f"for uint i in [1:{rounds}] {{ bit b; {COIN}{statement} }}"
    return f'include "stdgates.inc"; qubit q; {kind} counts = 0; {loop} {end}'


@pytest.mark.parametrize("statement", SUMS)
@pytest.mark.parametrize("kind", ["uint[16]", "int"])
def test_a_sum_of_many_measured_bits_may_become_a_float(kind: str, statement: str) -> None:
    """The mean of as many rounds as ten bits hold is calculated with, though the type has more."""
    rounds = SUMS[statement][0]
    mean = f"output bit big; float mean = counts / {rounds}.0; mean = 2.0 * mean - 1; big = mean > 0.1;"
    rounds = min(rounds, 150)
    assert check(program(kind, statement, rounds, mean)) is not None


@pytest.mark.parametrize("statement", SUMS)
@pytest.mark.parametrize("kind", ["uint[16]", "int[16]", "uint[3]", "int[3]"])
def test_a_sum_of_measured_bits_has_its_distribution(kind: str, statement: str) -> None:
    """Counts are binomial, in two's complement and modulo two to the power of the width."""
    rounds, (_, step) = 5, SUMS[statement]
    width = int(kind.strip("uint[]"))
    expected: dict[str, float] = {}
    for heads, chance in enumerate(binomial(rounds)):
        total = heads * step - (rounds if "else" in statement else 0)
        key = f"{total % 2**width:0{width}b}"
        expected[key] = expected.get(key, 0.0) + chance
    end = f"output bit[{width}] seen; seen = bit[{width}](counts);"
    assert distribution(read(program(kind, statement, rounds, end))) == pytest.approx(expected)


def test_an_energy_of_counted_shots_has_its_distribution() -> None:
    """As in a variational program: parity of measured bits, counted over shots in a subroutine, then a float of it."""
    text = """
        include "stdgates.inc";
        const uint shots = 20;
        def parity(qubit[2] q, angle[16] theta) -> bit {
            bit p = 0;
            reset q;
            ry(theta) q[0];
            cx q[0], q[1];
            for uint i in [0:1] { bit m; m = measure q[i]; p ^= m; }
            return p;
        }
        def flips(qubit[2] q) -> uint[16] {
            uint[16] counts = 0;
            for uint k in [1:shots] { bit p; bit r; p = parity(q, pi/3); reset q[0]; ry(pi/3) q[0]; r = measure q[0];
                counts += uint[1](r); counts += uint[1](p); }
            return counts;
        }
        qubit[2] q;
        output bit low;
        output uint[5] seen;
        uint[16] counts = flips(q);
        float energy = 0.5;
        energy = energy + 2.0 * counts / shots - 1.0;
        low = energy < 0.0;
        seen = counts;
    """
    # The two measured bits agree always; the coin beside them shows 1 with sin(pi/6)**2.
    chances = [1.0]
    for _ in range(20):
        chances = [a * 0.25 + b * 0.75 for a, b in zip([0.0, *chances], [*chances, 0.0], strict=True)]
    expected = {f"{heads:05b} {int(0.5 + heads / 10 - 1 < 0)}": chance for heads, chance in enumerate(chances)}
    found = distribution(read(text))
    assert found == pytest.approx({key: chance for key, chance in expected.items() if chance > 1e-9}, rel=1e-6)


def test_more_rounds_than_ten_bits_hold_are_refused_by_name() -> None:
    """One more round than that, and the float has too many values."""
    end = "output bit big; float mean = counts / 2.0; big = mean > 9;"
    assert check(program("uint[16]", "counts += uint[1](b);", 1_023, end)) is not None
    with pytest.raises(TaskError, match="more than 10 measured bits") as raised:
        check(program("uint[16]", "counts += uint[1](b);", 1_024, end))
    hint = (
        "Use fewer measured bits here, or integers of few bits, such as uint[4]. What no gate needs can be "
        "calculated from an output integer afterwards."
    )
    assert raised.value.hint == hint


def test_an_integer_of_one_bit_is_noted_to_be_negative() -> None:
    """A signed integer of one bit is 0 or -1; counting with it is noted."""
    text = 'include "stdgates.inc"; qubit q; bit b; x q; b = measure q; output int[4] n; n = int[1](b);'
    assert distribution(read(text)) == pytest.approx({"1111": 1.0})
    size = check(text)
    assert size is not None
    column = text.index("int[1]") + 1
    assert size.notes == (f"Line 1, column {column}: An int[1] holds 0 and -1; uint[1] holds 0 and 1.",)
    size = check(text.replace("int[1]", "uint[1]").replace("output int[4]", "output uint[4]"))
    assert size is not None
    assert size.notes == ()


def statements(draw: random.Random, depth: int = 0) -> str:
    """Return a random statement over the integers a and b and the measured bit c."""
    name, other = draw.choice(["a", "b"]), draw.choice(["a", "b"])
    operand = draw.choice(["1", "2", "c", "uint[1](c)", "int[1](c)", "d[1:2]", "uint[2](d[0:1])", other, "-1", "c"])
    if draw.random() < 0.1:
        operand = f"int[2]({other})"
    forms = [
        f"{name} {draw.choice(['+=', '-='])} {operand};",
        f"{name} = {draw.choice([name, other])} {draw.choice('+-')} {operand};",
        f"{name} = {other};",
        f"{name} = {draw.randrange(3)};",
        f"{name}[{draw.randrange(2)}] = c;",
        "reset q; h q; c = measure q;",
    ]
    if depth < 2:
        inner, other_side = statements(draw, depth + 1), statements(draw, depth + 1)
        test = draw.choice(["c", "a > b", "a < 2", "d[0]", "b == 1"])
        forms += [f"if ({test}) {{ {inner} }} else {{ {other_side} }}", f"for int k in [0:2] {{ {inner} }}"]
    return draw.choice(forms)


def outcomes(text: str) -> dict[str, float]:
    """Return the distribution of a program."""
    return distribution(read(text))


@pytest.mark.parametrize("seed", range(30))
def test_spans_make_no_difference_but_size(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random sums in integers of few bits, which wrap around, are the same with and without what is known of them."""
    draw = random.Random(seed)
    kinds = [draw.choice(["int[3]", "uint[3]", "uint[4]", "int[5]", "int[8]"]) for _ in range(2)]
    body = " ".join(statements(draw) for _ in range(6))
    text = (
        f'include "stdgates.inc"; qubit q; bit c; bit[3] d; {kinds[0]} a = {draw.randrange(4)}; {kinds[1]} b = 0; '
        f"for int i in [0:2] {{ reset q; h q; d[i] = measure q; }} c = d[1]; {body} "
        f"output bit[8] x; output bit[8] y; output bit less; less = a < b; "
        f"for int k in [0:7] {{ x[k] = a[k % {kinds[0][-2]}]; y[k] = b[k % {kinds[1][-2]}]; }}"
    )
    try:
        known = outcomes(text)
    except TaskError:
        known = {}
    monkeypatch.setattr("reader.compiler.assignments.assigned", lambda _m, _node, _target, value: (value, None))
    monkeypatch.setattr("reader.compiler.machine.effective", lambda bits, **_: len(bits))
    try:
        unknown = outcomes(text)
    except TaskError:
        unknown = {}
    assert known == pytest.approx(unknown)


def test_sums_need_no_more_operations_than_before() -> None:
    """A thousand counted bits come to 20,005 operations: a sum has the bits that it needs."""
    text = program("output uint[16]", "counts += uint[1](b);", 1_000, "").replace("counts = 0;", "counts; counts = 0;")
    [compiled] = compile_each(text, [{}])
    assert len(compiled.operations) < 21_000
