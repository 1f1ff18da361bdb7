"""Angles of many turns: a multiple of pi is exact however large, and no angle is off in silence.

The references are mpmath's, with 1,000 digits.
"""

from __future__ import annotations

import math
import random
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reader import check, compile_each, compile_sweep, read
from reader.circuit import power_matrix
from reader.compiler.exact_numbers import pi
from reader.compiler.gate_tables import GATES, HALF_TURNS, LEGACY_GATES
from reader.operations import Compiled, Gate
from reader.swept import of_binding
from reader_exact import distribution
from tasks.errors import TaskError

mpmath.mp.dps = 1_000
OLD = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[3]; creg c[3]; '
NEW = 'OPENQASM 3.0; include "stdgates.inc"; qubit[3] q; bit[3] c; '
FLOAT = 2.0**60 * math.pi  # what 2**60 * pi is as a float, off by 0.13


def compiled(text: str, inputs: dict[str, object] | None = None) -> Compiled:
    """Return what a program is compiled to."""
    return next(compile_each(text, [inputs or {}], counted=False))


def angles(text: str, inputs: dict[str, object] | None = None) -> list[float]:
    """Return the angles of a program's gates, each of which has one."""
    return [angle for gate in compiled(text, inputs).operations if isinstance(gate, Gate) for angle in gate.parameters]


def distance(angle: float, reference: Any, period: int = 2) -> float:
    """Return how far an angle is from a reference, modulo so many pi."""
    period = period * mpmath.pi
    turns = (mpmath.mpf(angle) - reference) / period
    return float(abs(turns - mpmath.nint(turns)) * period)


def refused(text: str, inputs: dict[str, object] | None = None) -> tuple[str, str | None]:
    """Return the message and the hint that a program is refused with."""
    with pytest.raises(TaskError) as raised:
        compiled(text, inputs)
    return str(raised.value), raised.value.hint


# Angles as they are written and as they are meant; in OpenQASM 2 with ^ for the power.
EXPRESSIONS = {
    "1180591620717411303424*pi": 2**70 * mpmath.pi,
    "1180591620717411303425*pi": mpmath.pi,
    "pi*1180591620717411303425/4": mpmath.pi / 4,
    "2.0**60*pi/3": 2**60 * mpmath.pi / 3,
    "-(2.0**60*pi + 1)": -(2**60 * mpmath.pi) - 1,
    "2.0**60*(pi + 0.125)": 2**60 * (mpmath.pi + 0.125),
    "2.0**60*pi - (2.0**60 - 1)*pi": mpmath.pi,
    "pi/2.0**-50": 2**50 * mpmath.pi,
    "2.0**1000*pi/7": 2**1000 * mpmath.pi / 7,
    "2.0**45*pi/3": 2**45 * mpmath.pi / 3,
    "2.0**24*pi + 0.5": 2**24 * mpmath.pi + 0.5,
    "3.0**40*pi/2": mpmath.pi / 2,
    "2.0**60*(pi/(2*pi)) - 2.0**59 + pi/8": mpmath.pi / 8,
    "sin(2.0**60*pi + pi/2)": mpmath.mpf(1),
    "4503599627370497.0*pi": mpmath.pi,
    "-1180591620717411303425*pi/3": -(2**70 + 1) * mpmath.pi / 3,
    "1 - 1180591620717411303425*pi/3": 1 - (2**70 + 1) * mpmath.pi / 3,
    "8.0**39 + pi*pi/2 - 8.0**39": mpmath.pi**2 / 2,
    "2.0**60/(pi + 1) - 2.0**60/(pi + 1) + 0.25": mpmath.mpf(0.25),
    "2.0**30*pi/(pi + 1)": 2**30 * mpmath.pi / (mpmath.pi + 1),
    "(pi + 1)**3*2.0**20": (mpmath.pi + 1) ** 3 * 2**20,
    "cos(1)*2.0**60 + pi - cos(1)*2.0**60": mpmath.pi,
    "2.0**0.5*2.0**60 + 1 - 2.0**0.5*2.0**60": mpmath.mpf(1),
    "(pi/3*100000 - 100000*pi/3)*10000000000.0": mpmath.mpf(0),
}


@pytest.mark.parametrize("written", EXPRESSIONS)
@pytest.mark.parametrize(("head", "gate"), [(OLD, "u1"), (NEW, "p")], ids=["OpenQASM 2", "OpenQASM 3"])
def test_an_angle_of_many_turns_is_what_is_written(head: str, gate: str, written: str) -> None:
    """A multiple of pi, with or without something added, is within 1e-9 of what it is exactly."""
    text = written.replace("**", "^") if head is OLD else written
    [angle] = angles(f"{head} {gate}({text}) q[0];")
    assert distance(angle, EXPRESSIONS[written]) < 1e-9
    assert abs(angle) < 7


# Programs whose one angle is a phase of pi/2 and an even number of pi; NEW before each.
PLACES = {
    "constant": "const float a = 2.0**60*pi; p(a + pi/2) q[0];",
    "constant of a constant": "const float a = pi/4; const float b = 2*a; p(b*2.0**60 + b) q[0];",
    "literal constant": "const float a = 0.5; p(2.0**60*pi + a*pi) q[0];",
    "variable": "float a = 2.0**60*pi; a += pi/2; p(a) q[0];",
    "negated variable": "float a = 2.0**60*pi - pi/2; p(-a) q[0];",
    "array": "array[float, 2] a = {2.0**60*pi, 1}; p(a[0] + pi/2) q[0];",
    "integer variable": "int i = 60; p(2.0**i*pi + pi/2) q[0];",
    "integer": "uint[70] i = 1180591620717411303424; p(i/4*pi + pi/2) q[0];",
    "input": "input int i; p(2.0**i*pi + pi/2) q[0];",
    "cast": "p(float[64](2.0**60*pi) + pi/2) q[0];",
    "modulo": "p((2.0**60*pi + pi/2) % (2*pi)) q[0];",
    "function": "p(mod(pow(2.0, 60)*pi + pi/2, 2*pi)) q[0];",
    "angle": "angle[8] a = 2.0**60*pi + pi/2; p(a) q[0];",
    "angle of a float": "float b = 2.0**60*pi + pi/2; angle[8] a = b; p(a) q[0];",
    "sum of angles": "angle[8] a = pi/4; a += 2.0**60*pi; p(a + (2.0**60*pi + pi/4)) q[0];",
    "cast to an angle": "p(angle[8](2.0**60*pi + pi/2)) q[0];",
    "subroutine of a float": "def f(qubit r, float a) { p(a/2) r; } f(q[0], 2.0**60*pi + pi);",
    "subroutine of an angle": "def f(qubit r, angle[16] a) { p(a) r; } f(q[0], 2.0**60*pi + pi/2);",
    "returned": "def f() -> float { return 2.0**60*pi; } float a = f(); p(a + pi/2) q[0];",
    "controlled phase": "ctrl @ gphase(2.0**60*pi + pi/2) q[0];",
    "inverse": "inv @ p(2.0**60*pi - pi/2) q[0];",
    "power": "pow(2) @ p(2.0**59*pi + pi/4) q[0];",
    "fraction of a power": "pow(0.5) @ p(2.0**60*pi + pi) q[0];",
    "half in a gate": "gate g(t) a { p(t/2) a; } g(2.0**60*pi + pi) q[0];",
    "multiple in a gate": "gate g(t) a { p(t*2.0**60 + t) a; } g(pi/2) q[0];",
    "gate in a gate": "gate g(t) a { p(t/2) a; } gate k(t) a { g(t/2) a; } k(2.0**60*pi + 2*pi) q[0];",
    "gate after a float": "gate g(t) a { p(t/2) a; } gate k(t) a { g(2*t) a; } k(2.0**60*pi + pi/2) q[0];",
    "bits": "bit[3] b = 5; p(b[0:1]*2.0**60*pi + pi/2) q[0];",
    "ratio of durations": "p(4ns/2ns*2.0**40*pi + pi/2) q[0];",
    "single-precision float": "float[32] x = 0.5; p(x*2.0**40*pi + pi/2) q[0];",
    "single-precision arithmetic": "float[32] x = 0.1; p(10*x*2.0**40*pi + x*5*pi) q[0];",
    "small parameter of a gate": "gate g(t) a { p(t*2.0**15) a; } g(5.0**11 + pi/2.0**16 - 5.0**11) q[0];",
    "loop in a gate": "gate g(t) a { for int i in {60} { p(t*2.0**i + pi/2) a; } } g(2*pi) q[0];",
}


@pytest.mark.parametrize("place", PLACES)
def test_an_angle_of_many_turns_is_exact_wherever_it_comes_from(place: str) -> None:
    """Variables, constants, calls, modifiers and gate bodies, which halve it, keep what a float loses."""
    text = PLACES[place]
    inputs: dict[str, object] = {"i": 60} if place == "input" else {}
    found = angles(NEW + text, inputs)
    assert distance(math.fsum(found), mpmath.pi / 2) < 1e-9


def test_gates_that_are_called_with_floats_that_look_alike_are_different_ones() -> None:
    """The body of a gate is worked out for what its parameter is, not for the float nearest to it."""
    body = f"{NEW} gate g(t) a {{ p(t/2) a; }} "
    calls = "g(2.0**60*pi) q[0]; g(2.0**60*pi + 1) q[0]; g(2.0**60*pi) q[0]; g(2.0**60*pi + 2) q[0];"
    assert [distance(angle, half) < 1e-9 for angle, half in zip(angles(body + calls), (0, 0.5, 0, 1), strict=True)]
    body = f"{NEW} gate g(t) a {{ p(t*2.0**40) a; }} "
    small, plain = angles(body + f"g(pi/4) q[0]; g({math.pi / 4!r}) q[0];")
    assert distance(small, 0) < 1e-9
    assert distance(plain, 2**40 * mpmath.mpf(math.pi / 4)) < 1e-9
    plain, small = angles(body + f"g({math.pi / 4!r}) q[0]; g(pi/4) q[0];")
    assert distance(small, 0) < 1e-9
    assert distance(plain, 2**40 * mpmath.mpf(math.pi / 4)) < 1e-9


def test_variables_that_hold_the_same_float_are_told_apart() -> None:
    """Tests and loops that give a variable another number give it another one, though the float is the same."""
    text = f"{NEW} h q[0]; c[0] = measure q[0]; float x = 2.0**60*pi; if (c[0]) x = 2.0**60*pi + pi; rx(x) q[1];"
    assert distribution(read(text + "c[1] = measure q[1];")) == pytest.approx({"000": 0.5, "011": 0.5}, abs=1e-9)
    found = angles(f"{NEW} float x = 2.0**60*pi; for int i in [1:300] {{ x = x + 1; p(x) q[0]; }}")
    assert max(distance(angle, number) for number, angle in enumerate(found, 1)) < 1e-9
    # By the language's operators they are equal, as floats.
    assert angles(f"{NEW} float x = 2.0**60*pi; if (x + 1 == x && x == {FLOAT!r}) p(x + 1) q[0];") == [1.0]


@pytest.mark.parametrize("name", sorted(name for name, gate in GATES.items() if gate.parameters and name[:3] != "ccc"))
def test_four_pi_is_a_period_of_every_parameter(name: str) -> None:
    """A large angle is given to a gate modulo 4 pi, or to one that counts in half turns modulo 4."""
    for gate in {GATES[name], LEGACY_GATES[name]}:
        period = 4.0 if gate in HALF_TURNS else 4 * math.pi
        for index in range(gate.parameters):
            values = [0.3, 0.7, 1.1, 1.9][: gate.parameters]
            first = power_matrix(1.0, tuple(gate.expand(*values)), gate.qubits)
            values[index] += period
            assert np.allclose(first, power_matrix(1.0, tuple(gate.expand(*values)), gate.qubits), atol=1e-12)


def test_gates_get_large_angles_by_their_period() -> None:
    """Rotations keep their sign, half turns are none of pi, and a control sees both."""
    [angle] = angles(NEW + "rx(2.0**61*pi + 2*pi) q[0];")
    assert distance(angle, 2 * mpmath.pi, period=4) < 1e-9
    circuit = read(NEW + "h q[0]; ctrl @ rx(2.0**61*pi + 2*pi) q[0], q[1]; h q[0]; c = measure q;")
    assert distribution(circuit) == pytest.approx({"001": 1.0}, abs=1e-9)
    # Z^x with an exponent of 2**60 * pi half turns.
    half_turns = angles(NEW + "pxz(0, 2.0**60*pi, 0) q[0];")
    assert distance(half_turns[-1], mpmath.pi * mpmath.pi * 2**60) < 1e-8


def test_phase_estimation_with_huge_angles_finds_the_phase() -> None:
    """A program as generators of phase estimation write it, its controlled phases up to 2**70 pi, has one outcome."""
    phases = " ".join(f"cu1({2**k * 3}*pi/4 + {2 ** (70 - k)}*pi) q[{k}],q[3];" for k in range(3))
    back = "h q[2]; cu1(-pi/2) q[2],q[1]; h q[1]; cu1(-pi/2) q[1],q[0]; cu1(-pi/4) q[2],q[0]; h q[0];"
    text = (
        'OPENQASM 2.0; include "qelib1.inc"; qreg q[4]; creg c[3]; x q[3]; h q[0]; h q[1]; h q[2]; '
        f"{phases} {back} measure q[0]->c[0]; measure q[1]->c[1]; measure q[2]->c[2];"
    )
    assert distribution(read(text)) == pytest.approx({"110": 1.0}, abs=1e-9)


TOO_LARGE = "too large to be an angle: over 6e15, a float cannot distinguish parts of a turn."
HINT = "Reduce it modulo 2 pi; an exact multiple of pi may be larger."


@pytest.mark.parametrize(
    "angle",
    [
        "1e300",
        "2.0**60",
        "1152921504606846976",
        "sin(1)*2.0**60",
        "sin(1)*2.0**60*pi",
        "0.1*2.0**60*pi",
        "pi*pi*2.0**60",
        "float[32](2.0**60)*pi",
        "euler*2.0**60*pi",
        "FLOAT",
    ],
)
def test_what_is_not_known_exactly_is_refused_beyond_floats(angle: str) -> None:
    """A float of that size is no angle, nor what is calculated from one that was rounded."""
    message, hint = refused(f"{NEW} p({angle.replace('FLOAT', repr(FLOAT))}) q[0];")
    assert message == f"The parameter of a gate is {TOO_LARGE}"
    assert hint == HINT


def test_other_places_refuse_large_floats_too() -> None:
    """A variable rounds what is assigned to it; an angle of a float, given as an input or not, has the same limit."""
    assert TOO_LARGE in refused(f"{NEW} float a = pi/4; p(a*2.0**60) q[0];")[0]
    assert TOO_LARGE in refused(f"{NEW} gate g(t) a {{ p(t) a; }} g(1e17) q[0];")[0]
    assert TOO_LARGE in refused(f"{NEW} gate g(t) a {{ p(t*2.0**60) a; }} g({math.pi / 4!r}) q[0];")[0]
    assert refused(f"{NEW} angle[8] a = 1e300;") == (f"This is {TOO_LARGE}", HINT)
    assert refused(f"{NEW} p(angle[8](1e300)) q[0];") == (f"This is {TOO_LARGE}", HINT)
    assert "at most 6e15 radians" in refused(f"{NEW} input angle[8] a; p(a) q[0];", {"a": 1e17})[0]
    assert TOO_LARGE in refused(f"{NEW} input float a; p(a) q[0];", {"a": 1e17})[0]


BEYOND = "2.0**53 + 2.0**110*pi - 2.0**110*pi"  # over the limit, though its floats cancel each other to 0


@pytest.mark.parametrize(
    "text",
    [
        "p({}) q[0];",
        "p(-({})) q[0];",
        "float x = {}; p(x) q[0];",
        "const float x = {}; p(x) q[0];",
        "gate g(t) a {{ p(t) a; }} g({}) q[0];",
        "def f(qubit a, float t) {{ p(t) a; }} f(q[0], {});",
        "array[float, 1] x = {{{}}}; p(x[0]) q[0];",
        "angle[8] x = {};",
        "ctrl @ gphase({}) q[0];",
    ],
)
def test_a_number_over_the_limit_is_refused_whatever_its_floats_come_to(text: str) -> None:
    """What an expression is exactly decides, also where floats of its parts are 0 in the end."""
    assert TOO_LARGE in refused(NEW + text.format(BEYOND))[0]


@pytest.mark.parametrize("text", ["float x = {}; p(x/2) q[0];", "const float x = {}; p(x - 2.0**52) q[0];"])
def test_a_number_over_the_limit_can_be_calculated_with(text: str) -> None:
    """A variable and a constant hold the number, so that a part of it is right."""
    [angle] = angles(NEW + text.format(BEYOND))
    assert distance(angle, 2**52) < 1e-9


def test_a_function_of_a_number_over_the_limit_is_that_of_the_number() -> None:
    """A sine is that of the number written, which a float holds here."""
    [angle] = angles(f"{NEW} p(sin({BEYOND})) q[0];")
    assert distance(angle, mpmath.sin(2**53)) < 1e-9


def test_a_large_float_is_the_angle_that_it_is() -> None:
    """What was written as a float is that float, also as an angle of bits."""
    assert angles(f"{NEW} p(123456789.25) q[0]; p(5e15) q[0];") == [123456789.25, 5e15]
    assert angles(f"{OLD} u1(-123456789.25) q[0]; u1(5e15) q[0];") == [-123456789.25, 5e15]
    [angle] = angles(f"{NEW} angle[50] a = 5e15; p(a) q[0];")
    assert distance(angle, mpmath.mpf(5e15)) < 1e-14
    [angle] = angles(f"{NEW} input angle[50] a; p(a) q[0];", {"a": 5e15})
    assert distance(angle, mpmath.mpf(5e15)) < 1e-14


def test_plain_gate_lines_have_the_same_large_angles() -> None:
    """The fast path leaves what a float may miss to the compiler, and takes the rest as it is."""
    lines = [
        f"cu1({2**k}*pi) q[0],q[1]; u1(pi*{2**k}) q[0]; u1({2**k}*pi/3) q[0]; u1(-{2**k}*pi/5) q[1]; "
        for k in range(50)
    ]
    lines += [f"u1({10.0**k}) q[0]; u1({2**k}+pi*{2**k}) q[0];" for k in range(15)]
    flat = compiled(OLD + "".join(lines)).operations
    assert flat == compiled(OLD + "".join(lines) + "if (c == 1) x q[0];").operations[: len(flat)]
    body = "gate g(t) a { u1(t/2) a; } "
    calls = "".join(f"g({2**k}*pi) q[0]; g({k}) q[0];" for k in range(0, 90, 9))
    flat = compiled(OLD + body + calls).operations
    assert flat == compiled(OLD + body + calls + "if (c == 1) x q[0];").operations[: len(flat)]
    assert [distance(gate.parameters[0], 2 ** (9 * k) * mpmath.pi / 2) for k, gate in enumerate(flat[::2])] < [
        1e-9
    ] * 10  # type: ignore[union-attr]


SWEPT = {
    "product": "p(k*pi) q[0]; rx(a*2.0**40*pi) q[0];",
    "difference": "p(a*2.0**60*pi - (a*2.0**60 - 1)*pi) q[0];",
    "difference of inputs": "p(k*pi - 2.0**55*pi) q[0];",
    "variable": "float b = a*2.0**50*pi; p(b/3) q[0];",
    "constant": "const float b = a*pi; p(b*2.0**50) q[0];",
    "gate": "gate g(t) r { p(t*2.0**50) r; } g(a*pi) q[0];",
    "angle": "angle[20] t = a*2.0**45*pi; p(t) q[0];",
    "function": "p(sin(a*2.0**45*pi)) q[0];",
    "modulo": "p(mod(a*2.0**45*pi, 2*pi)) q[0];",
    "small difference": "p((a*pi/3*100000 - 100000*pi/3*a)*1e10 + a) q[0];",
    "negated small difference": "float b = -(a*pi/3*100000 - 100000*pi/3*a); p(1e10*b*a + a) q[0];",
    "small product": "p(a*1e-9*1e10) q[0]; rx(a*2.0**40*1e-12/3) q[0];",
}


@pytest.mark.parametrize("name", SWEPT)
def test_a_sweep_has_the_large_angles_of_its_bindings(name: str) -> None:
    """All bindings of a sweep together are compiled to what each alone is."""
    text = f"{NEW} input float a; input int k; {SWEPT[name]}"
    bindings = [{"a": a / 7, "k": 2**55 + a} for a in range(1, 6)]
    together = compile_sweep(text, bindings, counted=False)
    alone = [compiled(text, binding).operations for binding in bindings]
    if isinstance(together, Compiled):
        assert name == "small product"
        assert [of_binding(together, index).operations for index in range(len(bindings))] == alone
    else:
        assert [each.operations for each in together] == alone
    assert len({str(operations) for operations in alone}) > 1 or name == "difference"


def test_small_angles_of_a_sweep_are_compiled_together() -> None:
    """Floats up to a million cost a sweep nothing."""
    text = f"{NEW} input float a; const float b = a/2; rx(a*pi + b - pi/3) q[0]; p(-a/3) q[1];"
    assert isinstance(compile_sweep(text, [{"a": a / 8} for a in range(5)], counted=False), Compiled)


def test_pi_is_pi() -> None:
    """The fraction that stands for pi is within 2**-1280 of it."""
    assert abs(mpmath.mpf(pi().numerator) / pi().denominator - mpmath.pi) < mpmath.mpf(2) ** -1280


HOSTILE = {
    "tower": "9.0**9**9",
    "power of a power": "((2.0**9)**9)**9*pi",
    "long power": "1.0000001**9000000000000000000*pi*2.0**60",
    "digits": f"0.{'3' * 300}*1.{'7' * 300}*2.0**60*pi",
    "small exponents": "1e-300*1e300*2.0**60*pi",
    "huge exponent": "1e-999999999*2.0**60*pi + 2.0**60*pi",
    "infinite number": "2.0**60*pi + 1/1e999",
    "infinite divisor": "2.0**60*pi/1e999 + 2.0**60*pi",
    "chain of products": "2.0**60*pi" + "*1.1/1.3" * 2_000,
    "chain of sums": "2.0**60*pi" + "+pi/7-pi/9" * 2_000,
    "not a number": "1e300*1e300*pi - 1e300*1e300*pi",
    "division by nothing": "2.0**60*pi/(2.0**60*pi - 2.0**60*pi)",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_expression_costs_more_than_its_operators(name: str) -> None:
    """However large its numbers, an expression is read or refused within the work that its operators count."""
    try:
        size = check(f"{NEW} p({HOSTILE[name]}) q[0];", counted=False)
    except TaskError as error:
        assert error.code.value in ("invalid_circuit", "circuit_too_large")  # noqa: PT017 - either is right
    else:
        assert size is not None


def test_many_gates_inside_each_other_are_asked_once() -> None:
    """What a parameter is exactly is worked out once a call, not once for every use of it."""
    gates = "gate g0(t) a { p(t) a; } " + "".join(
        f"gate g{k}(t) a {{ g{k - 1}(((((t + t))))/2 + t - t) a; }} " for k in range(1, 40)
    )
    assert distance(angles(f"{NEW} {gates} g39(2.0**60*pi + 1) q[0];")[0], 1) < 1e-9
    assert distance(angles(f"{NEW} {gates.replace('p(t)', 'p(t*2.0**60)')} g39(pi/4) q[0];")[0], 0) < 1e-9


Written = tuple[str, Fraction, Fraction]  # a number in OpenQASM 3; what it is beside multiples of pi; those


@st.composite
def terms(draw: st.DrawFn) -> Written:
    """Return a multiple of pi, or a fraction."""
    base, exponent = draw(st.integers(2, 9)), draw(st.integers(0, 60))
    factor, divisor = draw(st.integers(-9, 9)), draw(st.integers(1, 64))
    kind = draw(st.sampled_from(["*pi", "*pi", "*tau", ""]))
    number = Fraction(base**exponent * factor, divisor)
    text = f"{base}.0**{exponent}*({factor}){kind}/{divisor}"
    if not kind:
        return text, number, Fraction()
    return text, Fraction(), number * (2 if kind == "*tau" else 1)


@st.composite
def sums(draw: st.DrawFn) -> Written:
    """Return a sum of terms, maybe negated, halved or doubled."""
    text, rational, of_pi = draw(terms())
    for _ in range(draw(st.integers(0, 2))):
        other, *parts = draw(terms())
        sign = draw(st.sampled_from([1, -1]))
        text = f"{text} {'+' if sign > 0 else '-'} {other}"
        rational, of_pi = rational + sign * parts[0], of_pi + sign * parts[1]
    shapes = {"{}": 1, "-({})": -1, "({})/2": 0.5, "2*({})": 2, "({})*3/4": 0.75}
    shape = draw(st.sampled_from(sorted(shapes)))
    factor = Fraction(shapes[shape])
    return shape.format(text), rational * factor, of_pi * factor


def exact(number: Fraction) -> Any:
    """Return a fraction in mpmath's numbers."""
    return mpmath.mpf(number.numerator) / number.denominator


WAYS = {
    "p({})": 1.0,
    "rx({})": 1.0,
    "gate g(t) a {{ p(t/2) a; p(t/4) a; }} g({})": 0.75,
    "gate g(t) a {{ rz(-t) a; }} gate k(t) a {{ g(t*3/2) a; }} k({})": -1.5,
    "const float x = {}; p(x)": 1.0,
    "const float x = {}; const float y = x/2; p(y)": 0.5,
    "float x = {}; p(x)": 1.0,
    "ctrl @ gphase({})": 1.0,
    "inv @ p({})": -1.0,
}


@settings(max_examples=250, deadline=None)
@given(sums(), st.sampled_from(sorted(WAYS)))
@example(("2.0**60*pi - 2.0**60*pi", Fraction(), Fraction()), "p({})")
@example(
    ("2.0**53 + 2.0**110*pi - 2.0**110*pi", Fraction(2**53), Fraction()),
    "const float x = {}; const float y = x/2; p(y)",
)
def test_a_generated_angle_is_right_or_refused(written: Written, way: str) -> None:
    """Sums of multiples of pi and of fractions are within 1e-7 of the exact value, or are no multiple and refused."""
    text, rational, of_pi = written
    try:
        found = angles(f"{NEW} {way.format(text)} q[0];")
    except TaskError as error:
        assert TOO_LARGE in str(error)  # noqa: PT017 - accepted angles are looked at below
        assert of_pi == 0
        return
    value = (exact(rational) + exact(of_pi) * mpmath.pi) * WAYS[way]
    assert distance(math.fsum(found), value, period=4 if "r" in way.partition("(")[0] else 2) < 1e-7


Number = tuple[str, Any]  # in OpenQASM 3; in mpmath's numbers


@st.composite
def numbers(draw: st.DrawFn, depth: int = 0) -> Number:
    """Return an expression of any operators, in which parts that are as large as floats get may cancel each other."""
    kind = draw(st.sampled_from(["leaf", "-", "+", "*", "/", "cancelled"])) if depth < 4 else "leaf"
    if kind == "leaf":
        base, exponent = draw(st.integers(2, 9)), draw(st.integers(0, 60))
        leaves = [
            ("pi", mpmath.pi),
            ("tau", 2 * mpmath.pi),
            (f"(pi/{base})", mpmath.pi / base),
            (f"{base}.0**{exponent}", mpmath.mpf(base) ** exponent),
            (f"{base}.25", base + mpmath.mpf(0.25)),
            (f"cos({base})", mpmath.mpf(math.cos(base))),
        ]
        return draw(st.sampled_from(leaves))
    (text, a), (other, b) = draw(numbers(depth + 1)), draw(numbers(depth + 1))
    if kind == "cancelled":
        return f"({text} + {other} - {text})", b
    if kind == "/" and abs(b) < 1e-6:
        kind = "*"
    return f"({text} {kind} {other})", {"-": a - b, "+": a + b, "*": a * b, "/": a / (b or 1)}[kind]


@settings(max_examples=80)
@given(numbers(), st.sampled_from(["p({})", "rx({})", "gate g(t) a {{ p(t/2) a; p(t/2) a; }} g({})"]))
@example(("(9.0**30 + (pi * pi) - 9.0**30)", mpmath.pi**2), "p({})")
def test_a_generated_number_is_right_or_refused(number: Number, way: str) -> None:
    """Whatever an angle is made of, it is within 1e-7 of what its operators make of exact numbers, or is refused."""
    text, value = number
    try:
        found = angles(f"{NEW} {way.format(text)} q[0];")
    except TaskError as error:
        messages = (
            TOO_LARGE,
            "This divides by zero.",
            "The result is too large",
            "Parts of this are too large for floats",
        )
        assert any(message in str(error) for message in messages)  # noqa: PT017 - accepted angles are looked at below
        return
    assert distance(math.fsum(found), value, period=4 if way[0] == "r" else 2) < 1e-7


def test_random_fractions_are_reduced_to_the_nearest_float() -> None:
    """An angle is the float nearest to the exact one in (-2 pi, 2 pi], off by less than 1e-15."""
    chance = random.Random(5)
    for _ in range(200):
        numerator, exponent, divisor = chance.randrange(1, 2**50), chance.randrange(30, 400), chance.randrange(1, 999)
        [angle] = angles(f"{NEW} rx({numerator}*2.0**{exponent}*pi/{divisor}) q[0];")
        turns = Fraction(numerator * 2**exponent, divisor) % 4
        reference = mpmath.mpf(turns.numerator) / turns.denominator * mpmath.pi
        assert distance(angle, reference, period=4) < 1e-15
        assert abs(angle) <= 2 * math.pi
