"""Programs that break a rule of OpenQASM 3 are refused where they break it, whether the place is executed or not."""

from __future__ import annotations

import pytest

from reader import check
from reader.compiler.expressions import CONSTANTS as CONSTANT_VALUES
from reader.compiler.functions import NAMES
from reader.text.tokens import CONSTANTS, FUNCTIONS
from tasks.errors import TaskError

HEAD = 'OPENQASM 3.0; include "stdgates.inc"; qubit[4] q; bit[4] c; '
TAIL = " c = measure q;"

# What is wrong in code that no execution reaches: the message is that of executed code.
BROKEN = {
    "nosuch q;": "'nosuch' is not a gate",
    "x nosuch;": "'nosuch' is not declared",
    "x q[0], q[1];": "'x' takes 1 qubit, not 2",
    "rx(nosuch) q[0];": "'nosuch' is not declared",
    "rx(c) q[0];": r"bit\[4\] cannot be the parameter of a gate",
    "rx(0.1, 0.2) q[0];": "'rx' takes 1 parameter, not 2",
    "ctrl @ nosuch q[0], q[1];": "'nosuch' is not a gate",
    "int i = nosuch;": "'nosuch' is not declared",
    "int i; int i;": "'i' is declared twice",
    "const int n = 3; n = 4;": "'n' is a constant",
    "c = measure q[0];": "1 qubit cannot be measured into 4 bits",
    "c = q;": "A qubit has no value",
    "q = 1;": "A qubit cannot be assigned to",
    "qubit z;": "Qubits must be declared at the top level",
    "array[int, 3] z;": "An array must be declared at the top level",
    "gate g a { }": "A gate must be defined at the top level",
    "def f() { }": "A subroutine must be defined at the top level",
    "extern e(int) -> int;": "An extern must be declared at the top level",
    "input int a;": "An input must be declared at the top level",
    "output bit a;": "An output must be declared at the top level",
    "uint[4] u; angle[4] a = angle[4](u);": r"uint\[4\] cannot become an angle",
    "delay[1] q;": "A delay needs a duration",
    "return 1;": "'return' is outside a subroutine",
    "if (nosuch) { }": "'nosuch' is not declared",
    "while (q) { }": "A qubit has no value",
    "for int i in q { }": "A loop runs over classical values",
    "switch (1.5) { case 1 { } }": "A switch takes an integer or bits, not a float",
    "int n = 1; switch (n) { case n { } }": "The label of a case must be a constant",
    "int n = 2; bit[n] b;": "A size must be a constant",
    "f(1);": "'f' is not a function",
    "let a = 5;": "An alias names a register",
    "int i; let a = i;": r"An alias names a register or a part of one, not an int\[64\]",
    "barrier c;": "'c' is a variable, not a qubit",
    "reset nosuch;": "'nosuch' is not declared",
    "box [5] { }": "The size of a box is a duration",
    "if (true) { if (false) { nosuch q; } }": "'nosuch' is not a gate",
    "for int i in [0:1] { break; nosuch q; }": "'nosuch' is not a gate",
    "def_ok(1, 2);": "'def_ok' takes 1 argument, not 2",
    "own(0.1) q[0];": "'own' takes 0 parameters, not 1",
}
GIVEN = "def def_ok(int n) -> int { return n; } gate own a { x a; } "
PLACES = {
    "if": "if (false) { BODY }",
    "else": "if (true) { x q; } else { BODY }",
    "else if": "if (true) { x q; } else if (c == 1) { BODY }",
    "while": "while (false) { BODY }",
    "for": "for int k in [1:0] { BODY }",
    "switch": "switch (1) { case 0 { BODY } default { x q; } }",
    "inside what runs": "for int k in [0:1] { const int m = 2; if (k == m) { BODY } }",
}


@pytest.mark.parametrize("body", BROKEN)
def test_code_that_is_not_executed_is_checked(body: str) -> None:
    """A block that no condition opens is refused as if it ran, at the same place in the text."""
    text = HEAD + GIVEN + "if (false) { " + body + " }"
    with pytest.raises(TaskError, match=BROKEN[body]) as caught:
        check(text + TAIL)
    assert caught.value.code == "invalid_circuit"
    assert caught.value.column is not None
    assert caught.value.column > len(HEAD)


@pytest.mark.parametrize("place", PLACES)
def test_every_place_that_may_not_run_is_checked(place: str) -> None:
    """An unknown gate is found wherever it stands, and so is a name that only that place knows."""
    with pytest.raises(TaskError, match="'nosuch' is not a gate") as caught:
        check(HEAD + PLACES[place].replace("BODY", "nosuch q;") + TAIL)
    assert caught.value.column == len(HEAD) + PLACES[place].index("BODY") + 1
    assert check(HEAD + PLACES[place].replace("BODY", "int v = 1; x q[v];") + TAIL) is not None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(qubit a) { nosuch a; }", "'nosuch' is not a gate"),
        ("def f(qubit a) { x b; }", "'b' is not declared"),
        ("def f(qubit a) { return 3; }", "This subroutine returns nothing"),
        ("def f(int n) { bit[n] b; }", "A size must be a constant"),
        ("def f() { c[0] = 1; }", "'c' is a global variable"),
        ("def f(readonly array[int[8], 2] a) { a[0] = 1; }", "'a' is a readonly array"),
        ("def f(qubit[2] a) -> bit { return measure a; }", "2 qubits cannot be measured into 1 bit"),
        ("def f(qubit a) { if (nosuch) { x a; } }", "'nosuch' is not declared"),
        ("gate g(t) a { rx(t + nosuch) a; }", "'nosuch' is not declared"),
        ("float v = 1; gate g a { rx(v) a; }", "'v' is a variable; a gate can use only constants"),
    ],
)
def test_what_nobody_calls_is_checked(text: str, message: str) -> None:
    """The bodies of subroutines and gates that are never used, on the fast path too."""
    for body in (text, f"{text} if (c == 1) x q[0];"):
        with pytest.raises(TaskError, match=message):
            check(HEAD + body + TAIL)


def test_an_unused_gate_at_the_head_of_a_flat_program_is_checked() -> None:
    """A program whose gates stand first is read on the fast path, which must not miss it."""
    text = "OPENQASM 3.0; gate g(t) a { rx(t + nosuch) a; } qubit q; bit c; x q; c = measure q;"
    with pytest.raises(TaskError, match="'nosuch' is not declared") as caught:
        check(text)
    assert caught.value.column == text.index("nosuch") + 1


@pytest.mark.parametrize(
    "text",
    [
        "const int n = 2; if (n > 4) { x q[7]; }",
        "if (false) { cx q[0], q[0]; float f = 1 / 0; rx(log(0)) q[0]; }",
        "if (false) { int k; c[0:k] = measure q[1:k]; let a = q[0:k]; let b = q[k:3]; cx a, b; }",
        "if (false) { for int k in [0:9] { ctrl(k) @ x q[0:k]; } }",
        "def f(int n, qubit[4] a) -> int { if (n <= 1) return 1; cx a[n], a[n - 1]; return n * f(n - 1, a); }",
        "def f(readonly array[float[64], #dim = 2] a) { for uint k in [0:sizeof(a) - 1] rx(a[k, 0]) $0; }",
        "extern e(int) -> int; if (false) { int i = e(1); }",
        "gate g2(t) a { rx(t) a; } gate g(t) a, b { for int k in [0:2] { pow(t * k) @ x a; inv @ g2(t) a; } }",
        "gate g a { h a; } if (false) { pow(0.5) @ g q[0]; negctrl(2) @ pow(1 / 3) @ g q[0], q[1], q[2]; }",
        "if (false) { while (c != 0) { c = measure q; if (c[0]) { break; } else { continue; } } end; }",
        "if (false) { const uint n = 2; bit[n] b; uint[n] u = uint[n](b); angle[n] a = pi; a += a; }",
        "if (false) { switch (c) { case 1, 2 { int i = 3; } default { bit b = measure q[0]; if (b) { reset q; } } } }",
        "gate unused a { h a; } gate unused2(t) a, b { unused a; cx a, b; rz(t / 2) b; }",
        "qubit[2] r; if (false) { let all = q ++ r; x all[5]; } def f(int[8] body, int[8] self) { body += self; }",
        "def f(mutable array[int[8], 3] a, uint[2] k) { a[k] = 1; a[0] += a[k]; }",
    ],
)
def test_legal_code_that_is_not_executed_stays_legal(text: str) -> None:
    """What only a value would make wrong is no fault of the text, for nobody knows the values."""
    assert check(HEAD + text + TAIL) is not None


def test_checking_what_is_not_executed_changes_nothing() -> None:
    """Neither counts nor notes nor qubits come from it."""
    plain = check(HEAD + TAIL)
    size = check(HEAD + "if (false) { x $7; delay[1ns] q; bit b = measure q[0]; ctrl @ U(1, 2, 3) q[0], q[1]; }" + TAIL)
    assert size == plain


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("uint[4] u = 0; angle[4] a = u;", r"uint\[4\] cannot become an angle"),
        ("bool b = false; angle[4] a = b;", "bool cannot become an angle"),
        ("int[8] i = 3; bit[4] b = bit[4](i);", r"int\[8\] cannot become bit\[4\]: the widths differ"),
        ("uint[8] i = 0; bit[4] b = i;", r"uint\[8\] cannot become bit\[4\]: the widths differ"),
        ("angle[4] a = pi; float f = float(a);", r"angle\[4\] cannot become float"),
        ("c = measure q; rx(c) q[0];", r"A bit\[4\] cannot be the parameter of a gate"),
        ("int n = 3; qubit[n] r;", "A size must be a constant, and 'n' is not"),
        ("int n = 3; bit[n] r;", "A size must be a constant, and 'n' is not"),
        ("int n = 3; array[int, n] r;", "A size must be a constant, and 'n' is not"),
        ("int n = 3; int[n + 1] r = 1;", "A size must be a constant, and 'n' is not"),
        ("const float n = 2.0; qubit[n] r;", "A size must be an integer, not a float"),
        ("switch (1) { case 1.0 { x q; } }", "The label of a case must be an integer, not a float"),
        ("int n = 1; const int k = n;", "The value of a constant must be constant, and 'n' is not"),
        ("const bit d = measure q[0];", "A constant cannot depend on a measurement"),
        ("const int k = 1; int k = 2;", "'k' is declared twice"),
        ("const int pi = 3;", "'pi' is a constant of the language"),
        ("qubit tau;", "'tau' is a constant of the language"),
        ("let euler = q;", "'euler' is a constant of the language"),
        ("gate pi a { }", "'pi' is a constant of the language"),
        ("def sin(float x) -> float { return x; }", "'sin' is a function of the language"),
        ("extern popcount(bit[4]) -> uint;", "'popcount' is a function of the language"),
        ("extern f(int) -> int; int f;", "'f' is declared twice"),
        ("extern f(int) -> int; extern f(int) -> int;", "'f' is declared twice"),
        ("let q = q[0:3];", "'q' is declared twice"),
        ("qubit q²; x q²;", "'q²' is not a name"),
        ("bit q\u0663;", "'q\u0663' is not a name"),
    ],
)
def test_what_the_specification_forbids_is_refused(text: str, message: str) -> None:
    """By type, not by value; constants are made of constants; names are made of the language's letters."""
    with pytest.raises(TaskError, match=message) as caught:
        check(HEAD + text + TAIL)
    assert caught.value.code == "invalid_circuit"


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("for int i in [0:2] { i += 1; }", "column 82: A loop variable should not be assigned to"),
        ("qubit log;", "'log' is a function of the language: other tools may refuse it as a name."),
        ("gate g a { x a; } { int g = 1; }", "'g' is a gate or subroutine, which no variable may hide"),
        ("def f() -> bit { } c[0] = f();", "'f' declares a type to return but returns nothing: its value is zero."),
    ],
)
def test_what_tools_rely_on_is_noted(text: str, note: str) -> None:
    """It runs, and the sender hears of it."""
    size = check(HEAD + text + TAIL)
    assert size is not None
    assert [sentence for sentence in size.notes if note in sentence]


def test_an_input_as_a_size_is_noted() -> None:
    """The language wants a constant; sweeps over sizes are useful, so it runs."""
    size = check("OPENQASM 3.0; input uint[8] n; const uint[8] k = n; qubit[k] q; bit[n] c; c = measure q;", {"n": 3})
    assert size is not None
    assert (size.num_qubits, size.notes) == (
        3,
        (
            "Line 1, column 50: The value of a constant must be constant, and 'n' is an input: other tools refuse it.",
            "Line 1, column 69: A size must be a constant, and 'n' is an input: other tools refuse it.",
        ),
    )


@pytest.mark.parametrize("name", ["θ", "Ж1", "é", "变量", "ª"])
def test_letters_of_all_scripts_make_names(name: str) -> None:
    """The classes Lu, Ll, Lt, Lm, Lo and Nl, as the reference lexer has them."""
    assert check(f"OPENQASM 3.0; qubit {name}; bit c; x {name}; c = measure {name};") is not None


def test_the_languages_names_are_those_of_the_compiler() -> None:
    """The lexer's lists, which the fast path uses too, leave none out."""
    assert set(NAMES) == FUNCTIONS
    assert set(CONSTANT_VALUES) == CONSTANTS
