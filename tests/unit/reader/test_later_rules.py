"""Rules of OpenQASM 3 that few programs use and tools do: each was once refused."""

from __future__ import annotations

import pytest

from reader import check, compile_each, compile_sweep, read
from reader.operations import Compiled
from reader.swept import of_binding
from reader_exact import distribution
from tasks.errors import TaskError

HEAD = "OPENQASM 3.0; qubit[2] q; bit[4] c; "


def notes(body: str, **inputs: float) -> tuple[str, ...]:
    """Return the notes on a program that is accepted."""
    size = check(HEAD + body + " c[0:1] = measure q;", inputs)
    assert size is not None
    return size.notes


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ("int x = 2.7; if (x == 2) { c[3] = 1; }", "00 1000"),
        ("int x; x = -2.7; if (x == -2) { c[3] = 1; }", "00 1000"),
        ("uint[4] u = 2.5; u += 1.5; if (u == 3) { c[3] = 1; }", "00 1000"),
        ("c = bit[4](true);", "00 0001"),
        ("bool b = false; c = bit[4](b);", "00 0000"),
        ("nop; nop q[0]; nop q; x q[1];", "10 0000"),
        ("box { nop q[0], q[1]; }", "00 0000"),
        ("switch (1) { case 1: { x q[0]; } default: { x q[1]; } }", "01 0000"),
    ],
)
def test_what_few_programs_use_has_its_meaning(body: str, key: str) -> None:
    """Floats are cut as in C99, a bool fills the lowest bit, nop does nothing, case takes the old colon."""
    assert distribution(read(f"{HEAD}{body} bit[2] d; d = measure q;")) == {key: 1.0}


def test_a_lost_fraction_is_noted() -> None:
    """With its line and column; a constant refuses it, and a cast says that it is meant."""
    assert notes("int x = 2.7;") == ("Line 1, column 45: 2.7 loses its fraction as an int[64].",)
    assert notes("int x = int(2.7); int y = 2.0;") == ()
    with pytest.raises(TaskError, match=r"2\.7 would lose its fraction"):
        check(HEAD + "const int x = 2.7; c[0] = measure q[0];")


def test_a_tab_may_stand_before_a_unit() -> None:
    """As before an imaginary unit."""
    assert notes("delay[100\tns] q[0]; complex z = 2\tim;") == ("delay has no effect on an ideal simulator.",)


def test_an_input_may_be_assigned_to() -> None:
    """From then on a gate's body does not see it, and no gate keeps its first value."""
    assert notes("input float a; rx(a) q[0]; a = a + 1; rx(a) q[0];", a=1.0) == ()
    text = "input float a; gate g t { rx(a) t; } g q[0]; a = 2; g q[0]; c[0] = measure q[0];"
    with pytest.raises(TaskError, match="'a' is a variable, and a gate sees constants only") as caught:
        check(HEAD + text, {"a": 1.0})
    assert caught.value.hint == "Make it a parameter of the gate, or declare it const."


def test_a_variable_in_a_gate_is_no_misspelling() -> None:
    """The hint does not propose the name that stands there."""
    with pytest.raises(TaskError, match="'two' is a variable, and a gate sees constants only"):
        check(HEAD + "float two = 2; gate g a { rx(two) a; } g q[0]; c[0] = measure q[0];")


def test_u_under_ctrl_is_noted() -> None:
    """Its phase is the specification's, and 50 to 50 there may be always 0 elsewhere."""
    assert notes("ctrl @ U(pi, 0, pi) q[0], q[1];") == (
        "Line 1, column 37: U under ctrl has the specification's phase, which u and many tools' U leave out.",
    )
    assert notes("ctrl @ u(pi, 0, pi) q[0], q[1]; U(1, 2, 3) q[0];") == ()


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([1, 2, 3], "needs a list of 2 lists of 3 values"),
        ([[1, 2, 3], [4, 5]], "needs a list of 2 lists of 3 values"),
        (5, "needs a list of 2 lists of 3 values"),
        ([[1, 2, 3], [4, 5, 16]], "needs a number that fits"),
        ([[1, 2, 3], [4, 5, [6]]], "needs an integer"),
    ],
)
def test_an_input_array_of_another_shape_is_refused(values: object, wanted: str) -> None:
    """Each dimension is a list of its own, each value fits the elements."""
    with pytest.raises(TaskError, match=wanted) as caught:
        check(HEAD + "input array[uint[4], 2, 3] a; c[0:1] = measure q;", {"a": values})
    assert caught.value.code == "invalid_inputs"


def test_a_sweep_over_arrays_is_compiled_once() -> None:
    """The angles of all bindings are worked out together, and are those of each alone."""
    text = HEAD + "input array[float[64], 2, 1] a; for int i in [0:1] ry(2 * a[i, 0]) q[i]; c[0:1] = measure q;"
    bindings = [{"a": [[0.1], [0.2]]}, {"a": [[0.3], [0.4]]}]
    together = compile_sweep(text, bindings)
    assert isinstance(together, Compiled)
    for index, binding in enumerate(bindings):
        (alone,) = compile_each(text, [binding])
        assert of_binding(together, index).operations == alone.operations


def test_an_input_array_may_be_assigned_to() -> None:
    """An element of it, as any input."""
    text = HEAD + "input array[int[8], 2] a; a[0] = a[1]; if (a[0] == 7) x q[1]; c[0:1] = measure q;"
    assert distribution(read(text, {"a": [1, 7]})) == {"0010": 1.0}
