"""Durations are exact: what a program compares, divides and counts with them comes out as on paper."""

from __future__ import annotations

import pytest

from oracle.interpreter import distribution as oracle_distribution
from reader import check, compile_each, read
from reader_exact import distribution
from tasks.errors import TaskError

# Declarations, and the integer that an expression of them gives.
WHOLE = [
    ("duration a = 1us; duration b = 100ns;", "int(a / b)", 10),
    ("duration a = 1ms; duration b = 1us;", "int(a / b)", 1000),
    ("duration a = 0.3us; duration b = 0.1us;", "int(a / b)", 3),
    ("duration a = 1s / 3; duration b = 1s;", "int(b / a)", 3),
    ("duration a = 0ns; for int i in [1:10] { a = a + 0.1us; } duration b = 100ns;", "int(a / b)", 10),
    ("duration a = 1us; a -= 0.7us; duration b = 0.1us;", "int(a / b)", 3),
    ("duration a = 0.1 * 1us; duration b = 10ns;", "int(a / b)", 10),
    ("duration a = 1us / 0.1; duration b = 1us;", "int(a / b)", 10),
    ("duration a = 3 * 1.1ns; duration b = 1.1ns;", "int(a / b)", 3),
    ("duration a = 30dt; duration b = 0.1dt;", "int(a / b)", 300),
    ("duration a = durationof({ }) + 29ns; duration b = 1ns;", "int(a / b)", 29),
    ("duration a = -2.9us; duration b = -100ns;", "int(a / b)", 29),
]
TRUE = [
    "1us == 1000ns",
    "1.1us == 1100ns",
    "0.001ms == 1us",
    "100ns * 10 == 1us",
    "0.1us + 0.2us == 0.3us",
    "0.1us + 0.2us <= 0.3us",
    "!(0.1us + 0.2us > 0.3us)",
    "1s / 3 * 3 == 1s",
    "0.1 * 3us == 300ns",
    "2us / 0.1 == 20us",
    "0.1dt + 0.2dt == 0.3dt",
    "durationof({ }) + 1us == 1000ns",
    "1e-3us == 1ns",
    "-1us == 0us - 1000ns",
    "true * 1us == 1000ns",
]


@pytest.mark.parametrize(("declarations", "expression", "expected"), WHOLE)
def test_quotients_are_whole_where_they_are_on_paper(declarations: str, expression: str, expected: int) -> None:
    """An integer cast of a quotient of durations loses nothing to the rounding of their units."""
    text = f"qubit q; {declarations} output int[16] n; n = {expression}; output bit c; c = measure q;"
    assert {f"0 {expected:016b}": 1.0} == distribution(read(text))
    assert {f"0 {expected:016b}": 1.0} == oracle_distribution(text)


@pytest.mark.parametrize("comparison", TRUE)
def test_comparisons_are_exact(comparison: str) -> None:
    """Two ways to write one duration are equal, and sums compare as on paper."""
    text = f"qubit q; bit c; if ({comparison}) {{ x q; }} c = measure q;"
    assert distribution(read(text)) == {"1": 1.0}
    assert oracle_distribution(text) == {"1": 1.0}


def test_more_digits_than_a_float_has_are_kept() -> None:
    """A literal is not read as a float, which the oracle's parser does."""
    text = "qubit q; bit c; if (9007199254740993ns - 9007199254740992ns == 1ns) { x q; } c = measure q;"
    assert distribution(read(text)) == {"1": 1.0}


def test_what_cancels_out_needs_no_length() -> None:
    """Samples without a known length compare where they are the same on both sides."""
    text = "qubit q; bit c; if (1us + 3dt == 1000ns + 1dt + 2dt) { x q; } c = measure q;"
    assert distribution(read(text)) == {"1": 1.0}


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("duration a = 1us / 0;", "This divides by zero."),
        ("float f = 1us / 0ns;", "This divides by zero."),
        ("duration a = 1e999999999s;", "The exponent of this duration is out of range."),
        ("duration a = 1us; for int i in [0:400] { a = a * 1e300; }", "The result is too large for a duration."),
        ("float f = 1us / 1dt;", "A simulator has no length for dt."),
        ("bool b = 1us < 1dt;", "A simulator has no length for dt."),
    ],
)
def test_what_has_no_duration_is_refused(statement: str, message: str) -> None:
    """What cannot be worked out is an error at its place, never a rounded or endless number."""
    with pytest.raises(TaskError) as caught:
        check(f"qubit q; bit c; {statement} c = measure q;")
    assert message == caught.value.message
    assert caught.value.line == 1


@pytest.mark.parametrize(
    "statement",
    [
        "delay[100dt / 1ns * 1ns] q;",
        "delay[1ns / (100dt / 3ns - 2)] q;",
        "stretch s; delay[(s + 1ns) / 2ns * 1us] q;",
        "box[5dt / 1us * 1ns] { x q; x q; }",
        "delay[int(2dt > 1ns) * 1ns] q;",
    ],
)
def test_a_length_without_effect_may_be_of_any_hardware(statement: str) -> None:
    """Delays and boxes take how many ns a dt is, or a stretch, for that hardware knows; it is a length all the same."""
    text = f"qubit q; bit c; {statement} c = measure q;"
    assert distribution(read(text)) == {"0": 1.0}
    with pytest.raises(TaskError, match=r"(A delay needs|The size of a box is) a duration"):
        check(text.replace(" * 1ns]", "]").replace(" * 1us]", "]").replace("1ns /", "1.0 /"))


def test_a_delay_that_hardware_decides_has_no_noise() -> None:
    """Whoever asks for noise by time is given the note that a delay in dt has."""
    text = "qubit q; bit c; delay[100dt / 1ns * 1ns] q; c = measure q;"
    [compiled] = compile_each(text, [{}], counted=False, whole=True)
    assert "A delay in dt or by a stretch has no duration here, and therefore no noise." in compiled.notes[0]
    assert len(compiled.operations) == 1


def test_a_fraction_cannot_grow_without_end() -> None:
    """Ever new factors cost no more than floats do: the number is rounded once it has thousands of digits."""
    text = "qubit q; bit c; duration a = 1us; for int i in [0:9999] { a = a * 0.9999999999999999 / 3; } c = measure q;"
    size = check(text)
    assert size is not None
    assert size.operations == 1
