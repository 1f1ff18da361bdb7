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
        ("switch (2) { case 1: case 2: { x q[0]; } break; default: { x q[1]; } break; }", "01 0000"),
        ("switch (3) { case 1: { x q[0]; } break; default: { x q[1]; } break; }", "10 0000"),
        ("x q[1]; c[3] |= measure q[1]; c[2] &= measure q[1]; c[3] ^= measure q[0];", "10 1000"),
        ("x q[0]; c[1:2] ^= measure q; c[1:2] |= measure q;", "01 0010"),
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
    with pytest.raises(TaskError, match="'a' is a variable; a gate can use only constants") as caught:
        check(HEAD + text, {"a": 1.0})
    assert caught.value.hint == "Make it a parameter of the gate, or declare it const."


def test_a_variable_in_a_gate_is_no_misspelling() -> None:
    """The hint does not propose the name that stands there."""
    with pytest.raises(TaskError, match="'two' is a variable; a gate can use only constants"):
        check(HEAD + "float two = 2; gate g a { rx(two) a; } g q[0]; c[0] = measure q[0];")


@pytest.mark.parametrize(("name", "angles"), [("U", "pi, 0, pi"), ("u2", "0, pi"), ("u3", "pi, 0, pi")])
def test_u_under_ctrl_is_noted(name: str, angles: str) -> None:
    """Its phase is the specification's, and 50 to 50 there may be always 0 elsewhere."""
    sentence = f"{name} under ctrl has the specification's phase, which u and many tools' {name} leave out."
    assert notes(f"ctrl @ {name}({angles}) q[0], q[1];") == (f"Line 1, column 37: {sentence}",)
    assert notes("gate u3(a, b, d) t { u(a, b, d) t; } ctrl @ u3(pi, 0, pi) q[0], q[1];") == ()
    assert notes("ctrl @ u(pi, 0, pi) q[0], q[1]; U(1, 2, 3) q[0];") == ()


def test_what_is_made_of_u_is_noted_under_ctrl() -> None:
    """As the U itself is, through gates of gates; one whose first angle is 0 has the same phase everywhere."""
    own = "gate own a { U(pi, 0, pi) a; } gate outer a { own a; } gate turn(t) a { U(0, 0, t) a; } "
    sentence = "is made of U: under ctrl it has the specification's phase, which many tools leave out."
    assert notes(f"{own}ctrl @ own q[0], q[1];") == (f"Line 1, column 125: own {sentence}",)
    assert notes(f"{own}negctrl @ inv @ outer q[0], q[1];") == (f"Line 1, column 125: outer {sentence}",)
    assert notes(f"{own}ctrl @ turn(0.3) q[0], q[1]; own q[0]; inv @ outer q[0]; ctrl @ x q[0], q[1];") == ()


def test_hardware_qubits_beside_declared_ones_are_noted() -> None:
    """They are others, whichever come first; Braket's simulator takes one for the other."""
    sentence = "Hardware qubits are not the declared ones; Braket's simulator takes $0 as the first declared qubit."
    assert notes("x $0;") == (f"Line 1, column 39: {sentence}",)
    size = check("x $0; qubit q; bit c; c = measure q;")
    assert size is not None
    assert size.notes == (f"Line 1, column 7: {sentence}",)
    assert check("bit c; x $0; cx $0, $1; c = measure $1;", {}).notes == ()  # type: ignore[union-attr]


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


@pytest.mark.parametrize(
    ("body", "key", "note"),
    [
        (
            "def f(int i) { x q[i]; } f(1);",
            "10",
            "Line 1, column 54: 'q' is a global qubit, which the language hides from subroutines.",
        ),
        (
            "let a = {q[1], q[0]}; let b = {a[1]}; x b[0];",
            "01",
            "Line 1, column 45: The language has no aliases of sets; write a ++ b.",
        ),
        (
            'include "stdgates.qasm"; x q[0];',
            "01",
            "Line 1, column 37: stdgates.qasm is an older name of stdgates.inc, which is read in its place.",
        ),
        (
            "qubit[0] a; bit[0] e; x q[0];",
            "01",
            "Line 1, column 43: The language has no registers of size 0; this one is left out.",
        ),
        (
            "qubit $3; x $3; cx $3, q[1];",
            "10",
            "Line 1, column 43: Hardware qubits are not declared in the language; this has no effect.",
        ),
        (
            "gate g a, b { gphase(pi) a, b; } ctrl @ g q[0], q[1], $0;",
            "00",
            "Line 1, column 62: gphase takes no qubits: it changes the global phase, once.",
        ),
    ],
)
def test_what_tools_write_beside_the_language_is_read_with_a_note(body: str, key: str, note: str) -> None:
    """AutoQASM's subroutines, Qiskit's aliases, IBM's declarations of hardware qubits, a phase that is given qubits."""
    circuit = read(f"{HEAD}{body} c[0:1] = measure q;")
    assert distribution(circuit) == pytest.approx({f"00{key}": 1.0})
    assert note in circuit.metadata["notes"]


def test_a_phase_that_is_given_qubits_turns_once() -> None:
    """Under a control it shows: a phase of pi is a Z on the control, once, whatever qubits stand there."""
    body = "gate g a, b { gphase(pi) a, b; } h q[0]; ctrl @ g q[0], q[1], $0; h q[0]; c[0:1] = measure q;"
    assert distribution(read(HEAD + body)) == pytest.approx({"0001": 1.0})


def test_a_measurement_is_combined_in_a_loop_that_it_ends() -> None:
    """`c[0] &= measure q[0];` may decide another round; each time it is measured anew."""
    body = "c[0] = 1; while (c[0]) { h q[0]; c[0] &= measure q[0]; c[1] ^= 1; } c[3] = 1;"
    # n rounds with chance 2**-n: an odd number with 2/3.
    assert distribution(read(HEAD + body)) == pytest.approx({"1010": 2 / 3, "1000": 1 / 3})
