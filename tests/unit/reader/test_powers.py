"""Gates to a power: integers are exact however large, halves and thirds are the principal power."""

from __future__ import annotations

import mpmath
import pytest
from qiskit.quantum_info import Operator

from oracle.interpreter import distribution as oracle_distribution
from reader import check, read
from reader_exact import distribution
from tasks.errors import TaskError

HUGE = 2**62 + 6  # 2 modulo 4, 6 modulo 8, 1 modulo 3


def counts(statements: str, qubits: int = 1) -> dict[str, float]:
    """Return the distribution of all qubits after the statements; the reader's check must accept them too."""
    text = f"qubit[{qubits}] q; bit[{qubits}] c; {statements} c = measure q;"
    check(text)
    return distribution(read(text))


@pytest.mark.parametrize(
    ("statements", "qubits", "expected"),
    [
        ("pow(4294967296) @ pow(4294967296) @ x q[0];", 1, {"0": 1}),
        ("pow(4294967297) @ pow(4294967297) @ x q[0];", 1, {"1": 1}),
        ("pow(9007199254740993) @ x q[0];", 1, {"1": 1}),
        ("pow(18446744073709551615) @ y q[0];", 1, {"1": 1}),
        ("const uint[200] k = 1; pow((k << 199) + 1) @ x q[0];", 1, {"1": 1}),
        (f"pow({HUGE}) @ sx q[0];", 1, {"1": 1}),
        (f"pow(-{HUGE + 2}) @ sx q[0];", 1, {"0": 1}),
        (f"h q[0]; pow({HUGE + 6}) @ t q[0]; h q[0];", 1, {"1": 1}),
        (f"h q[0]; pow({HUGE}) @ s q[0]; h q[0];", 1, {"1": 1}),
        (f"x q[0]; pow({HUGE + 1}) @ cx q[0], q[1];", 2, {"11": 1}),
        (f"x q[0]; pow({HUGE}) @ cx q[0], q[1];", 2, {"01": 1}),
        (f"x q[0]; pow({HUGE + 1}) @ swap q[0], q[1];", 2, {"10": 1}),
        (f"x q[0:1]; pow({HUGE + 1}) @ ccx q[0], q[1], q[2];", 3, {"111": 1}),
        (f"x q[0]; ctrl @ pow({HUGE + 1}) @ x q[0], q[1];", 2, {"11": 1}),
        (f"x q[0]; pow({HUGE + 1}) @ ctrl @ x q[0], q[1];", 2, {"11": 1}),
        # rx(pi / 2) to the sixth is rx(3 pi); of a third of a turn, 2**62 + 6 = 1 modulo 3.
        (f"pow({HUGE}) @ rx(pi / 2) q[0];", 1, {"1": 1}),
        (f"pow({HUGE + 3}) @ ry(2 * pi / 3) q[0]; ry(-2 * pi / 3) q[0];", 1, {"0": 1}),
        ("pow(9007199254740994) @ p(pi / 4) q[0];", 1, {"0": 1}),
        (f"gate g a {{ x a; z a; }} pow({HUGE + 1}) @ g q[0];", 1, {"1": 1}),
        (f"gate g a {{ h a; x a; h a; x a; }} x q[0]; pow({HUGE}) @ g q[0];", 1, {"1": 1}),
        (f"gate g a, b {{ x a; cx a, b; }} pow({HUGE}) @ g q[0], q[1];", 2, {"10": 1}),
        (f"gate g a, b {{ swap a, b; x a; }} pow({HUGE + 2}) @ g q[0], q[1];", 2, {"00": 1}),
        (f"x q[0]; pow({HUGE + 1}) @ pow({HUGE + 1}) @ iswap q[0], q[1];", 2, {"10": 1}),
        ("pow(1e18) @ x q[0];", 1, {"0": 1}),
        ("pow(2.0**60 + 1) @ x q[0];", 1, {"1": 1}),
        ("pow(0.5) @ pow(2) @ x q[0];", 1, {"0": 1}),
        ("pow(2) @ pow(0.5) @ x q[0];", 1, {"1": 1}),
        (f"pow({HUGE}) @ pow(0.5) @ x q[0];", 1, {"1": 1}),
        (f"x q[0]; pow({HUGE}) @ pow(0.5) @ swap q[0], q[1];", 2, {"10": 1}),
    ],
)
def test_integer_powers_are_exact(statements: str, qubits: int, expected: dict[str, float]) -> None:
    """An even power of x is nothing, an odd one x, for exponents beyond what floats hold too."""
    assert counts(statements, qubits) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("exponent", [4294967296, 9007199254740993, 18446744073709551615])
def test_the_oracle_agrees(exponent: int) -> None:
    """The independent interpreter gives the same counts."""
    text = f"qubit q; bit c; pow({exponent}) @ x q; pow({exponent}) @ x q; pow({exponent}) @ x q; c = measure q;"
    assert counts(f"pow({exponent}) @ x q[0]; " * 3) == oracle_distribution(text)


@pytest.mark.parametrize("gate", ["x", "h", "t", "rx(0.7)", "u(0.3, 0.7, 1.1)", "sx"])
@pytest.mark.parametrize(("numerator", "denominator"), [(1, 2), (3, 2), (-5, 2), (1, 3), (7, 4)])
def test_fractions_are_roots(gate: str, numerator: int, denominator: int) -> None:
    """The power of a fraction, repeated as often as its denominator says, is the integer power of the numerator."""
    root = f"pow({numerator} / {float(denominator)}) @ {gate} q; " * denominator
    whole = f"pow({numerator}) @ {gate} q; "
    found, expected = (Operator(read(f"qubit q; bit c; {text}", counted=False)) for text in (root, whole))
    assert found == expected


@pytest.mark.parametrize(
    ("exponent", "message"),
    [
        ("1e308 * 10", "The exponent of pow must be finite."),
        ("1.0im", "A complex cannot be an exponent."),
        ("2.0**60*pi", "The exponent of pow is too large for a fraction: over 6e15."),
        ("2.0**60/3", "The exponent of pow is too large for a fraction: over 6e15."),
        ("1us", "A duration cannot be an exponent."),
    ],
)
def test_what_is_no_exponent_is_refused(exponent: str, message: str) -> None:
    """The error names the exponent, not an angle."""
    with pytest.raises(TaskError) as caught:
        read(f"qubit q; bit c; pow({exponent}) @ x q; c = measure q;")
    assert caught.value.message == message


def test_a_large_power_of_any_rotation_is_that_of_its_angle() -> None:
    """Where the angle is no simple fraction of a turn, the float itself is multiplied, without a further rounding."""
    angle = 0.7390851332151607
    with mpmath.workdps(100):
        for exponent in (2**40 + 1, 8 * 10**15, -(2**52)):
            expected = float(mpmath.sin(mpmath.mpf(angle) * exponent / 2) ** 2)
            assert counts(f"pow({exponent}) @ ry({angle}) q[0];")["1"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "gate",
    ["pow(2**60) @ rx(0.1) q[0];", "ctrl @ pow(2**60) @ p(0.1) q[0], q[1];", "pow(2**40) @ u(0.1, 0.2, 0.3) q[0];"],
)
def test_a_power_of_an_angle_that_floats_do_not_know_is_refused(gate: str) -> None:
    """As an angle over 6e15 is, and from a matrix, whose angles are off by roundings, one over 1e9."""
    with pytest.raises(TaskError, match="The exponent of pow is too large for this gate"):
        check(f"qubit[2] q; bit[2] c; {gate} c = measure q;")


def refusal(statements: str) -> TaskError:
    """Return the error that check and read refuse the statements with."""
    text = f"qubit[10] q; bit c; {statements} c = measure q[0];"
    errors = []
    for reading in (check, read):
        with pytest.raises(TaskError) as caught:
            reading(text)
        errors.append(caught.value)
    assert errors[0].as_dict() == errors[1].as_dict()
    return errors[0]


def test_a_controlled_power_is_bounded_too() -> None:
    """Controls widen the matrix: what they make too wide is refused before anybody works it out."""
    swap = "pow(0.3) @ swap"
    assert counts(f"x q[0]; ctrl(2) @ {swap} q[0], q[1], q[2], q[3];", 4) == pytest.approx({"0001": 1})
    error = refusal(f"ctrl(8) @ {swap} q;")
    assert (error.code, error.limit, error.actual) == ("circuit_too_large", 8, 10)


def test_powers_count_for_what_they_cost() -> None:
    """Matrices that must be worked out or copied by the thousand are over the limits, a few of them are not."""
    gate = "gate g a, b, c, d, e, f { h a; cx a, b; cx b, c; cx c, d; cx d, e; cx e, f; } "
    used = "q[0], q[1], q[2], q[3], q[4], q[5];"
    check(f"qubit[6] q; bit c; {gate}" + f"pow(0.3) @ g {used}" * 20 + "c = measure q[0];")
    assert refusal(gate + f"pow(0.3) @ g {used}" * 100).code == "circuit_too_large"
    different = "".join(f"pow(0.{number}) @ g {used}" for number in range(1000, 1200))
    assert refusal(gate + different).code == "circuit_too_large"
    long = "gate l a, b { " + "h a; cx a, b; " * 1_000 + "} "
    many = "".join(f"pow(0.{number}) @ l q[0], q[1];" for number in range(1000, 1100))
    assert refusal(long + many).message.startswith("Reading this takes more than")
