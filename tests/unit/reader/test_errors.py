"""Errors: the message, line, column, hint and excerpt of each kind of mistake, the same from `check` and `read`."""

# ruff: noqa: E501, SIM300 - a table reads best with a program to a line and the expected value first

from __future__ import annotations

import subprocess
import sys

import pytest

import reader
from reader import Limits, check, check_each, read, read_each
from tasks.errors import TaskError

# program, code, line, column, message, hint
MISTAKES = [
    ("qubit q; bit c;\nhh q;\nc = measure q;", "invalid_circuit", 2, 1, "'hh' is not a gate.", "Did you mean h?"),
    ("qubit[2] q; cz q[0], q[0]; measure q;", "invalid_circuit", 1, 22, "'cz' gets the same qubit twice.",
     "Use a different qubit for each operand."),
    ("qubit[2] q; bit c;\nccx q[0], q[1];", "invalid_circuit", 2, 1, "'ccx' takes 3 qubits, not 2.", None),
    ("qubit q; rx q;", "invalid_circuit", 1, 10, "'rx' takes 1 parameter, not 0.", "Write 'rx(a) ...'."),
    ("qubit q; h q", "invalid_circuit", 1, 13, "The program ends too early: expected ';' after the statement.",
     "Add the missing ;."),
    ("qubit q;\nh q\nx q;", "invalid_circuit", 3, 1, "'x' is not allowed here: expected ';' after the statement.",
     "Add the missing ;."),
    ("from qiskit import QuantumCircuit", "invalid_circuit", 1, 13,
     "'import' is not allowed here: expected ';' after the statement.", None),
    ("qubit q; bit c; if (c = 1) x q;", "invalid_circuit", 1, 23,
     "'=' is not allowed here: expected ')' after the condition.", "Write '==' to compare."),
    ("qubit q; x q; }", "invalid_circuit", 1, 15, "'}' is not allowed here: expected a statement.",
     "Nothing before it opens '}'."),
    ("qubit q; bit c; { if (c) }", "invalid_circuit", 1, 26, "'}' is not allowed here: expected a statement or a block.",
     "Write {} for nothing."),
    ("qubit q; bit[2] c = 4;", "invalid_circuit", 1, 21, "4 does not fit bit[2].", "Use a number from 0 to 3, or more bits."),
    ("qubit[1] q; x q[1];", "invalid_circuit", 1, 17, "1 is out of range: there is 1 qubit.", "Use 0."),
    ("qubit[2] q;\n  h q[2];", "invalid_circuit", 2, 7, "2 is out of range: there are 2 qubits.", "Use 0 to 1."),
    ("complex z = 2im; angle[4] a; bool b = z * 0 == a;", "invalid_circuit", 1, 45,
     "'==' does not apply to a complex and an angle[4].", "Use floats for angles: 'float theta = ...;'."),
    ("qubit[3] q; let a = q[0:5];", "invalid_circuit", 1, 23, "0:5 is out of range: there are 3 qubits.", "Use 0 to 2."),
    ("bit[3] c; int n = 4; c[0:n] = 1;", "invalid_circuit", 1, 24, "0:4 is out of range: there are 3 bits.", "Use 0 to 2."),
    ("qubit[3] q; x q[:5];", "invalid_circuit", 1, 17, ":5 is out of range: there are 3 qubits.", "Use 0 to 2."),
    ("qubit[3] q; x q[3:];", "invalid_circuit", 1, 17, "3: is out of range: there are 3 qubits.", "Use 0 to 2."),
    ("qubit[3] q; x q[0:2:4];", "invalid_circuit", 1, 17, "0:2:4 is out of range: there are 3 qubits.", "Use 0 to 2."),
    ("qubit[3] q; x q[2:-1:-5];", "invalid_circuit", 1, 17, "2:-1:-5 is out of range: there are 3 qubits.", "Use 0 to 2."),
    ("qubit[1] q; x q[0:9999999999999];", "invalid_circuit", 1, 17, "This slice is out of range: there is 1 qubit.", "Use 0."),
    ("array[int, 3] a; a[1:3] = a[0:1];", "invalid_circuit", 1, 20, "1:3 is out of range: there are 3 elements.",
     "Use 0 to 2."),
    ("qubit[3] q; x q[2:0];", "invalid_circuit", 1, 17, "This range is empty.", "Write 2:-1:0 to count down."),
    ("int[16] i; bit[16] b = i[-1:-16];", "invalid_circuit", 1, 26, "This range is empty.",
     "Write -1:-1:-16 to count down."),
    ("qubit[3] q; x q[0:-1:2];", "invalid_circuit", 1, 17, "This range is empty.",
     "The index must select at least one position."),
    ("qubit q; rx(PI / 2) q;", "invalid_circuit", 1, 13, "'PI' is not declared.", "The constant is pi."),
    ("qubit q; H q;", "invalid_circuit", 1, 10, "'H' is not a gate.", "Did you mean h?"),
    ("qubit[2] q; CNOT q[0], q[1];", "invalid_circuit", 1, 13, "'CNOT' is not a gate.", "Did you mean cnot?"),
    ("qubit[2] q; cxx q[0], q[1];", "invalid_circuit", 1, 13, "'cxx' is not a gate.", "Did you mean cx?"),
    ("qubit[2] q; cphasee(0.1) q[0], q[1];", "invalid_circuit", 1, 13, "'cphasee' is not a gate.", "Did you mean cphase?"),
    ("qubit abc; int i = abd;", "invalid_circuit", 1, 20, "'abd' is not declared.", None),
    ("qubit q; float qa; h qb;", "invalid_circuit", 1, 22, "'qb' is not declared.", "Did you mean q?"),
    ("qubit q; h qq;", "invalid_circuit", 1, 12, "'qq' is not declared.", "Did you mean q?"),
    ("qubit q; c = measure q;", "invalid_circuit", 1, 10, "'c' is not declared.", "Add 'bit c;' before it."),
    ("qubit[2] q; c = measure q;", "invalid_circuit", 1, 13, "'c' is not declared.", "Add 'bit[2] c;' before it."),
    ("qubit q; c[3] = measure q;", "invalid_circuit", 1, 10, "'c' is not declared.", "Add 'bit[4] c;' before it."),
    ("qubit[2] q; bit c; c = measure q;", "invalid_circuit", 1, 24, "2 qubits cannot be measured into 1 bit.",
     "Declare the target as bit[2]."),
    ("qubit q; qubit q;", "invalid_circuit", 1, 10, "'q' is declared twice.", "Choose another name."),
    ("qubit q; const int q0 = 1.5;", "invalid_circuit", 1, 25, "1.5 would lose its fraction.", "Write int(...) if you mean that."),
    ("qubit q; rx(1/0) q;", "invalid_circuit", 1, 14, "This divides by zero.", None),
    ("angle a = 3.0; qubit q; rx(pow(a, a)) q;", "invalid_circuit", 1, 28, "These arguments are not numbers.", None),
    ("qubit q; rx(pow(1ns, 1ns)) q;", "invalid_circuit", 1, 13, "These arguments are not numbers.", None),
    ("const int n = 1; n = 2;", "invalid_circuit", 1, 18, "'n' is a constant.", "Assign to a variable of your own."),
    ("qubit q; if (q) x q;", "invalid_circuit", 1, 14, "A qubit has no value.",
     "Measure it first: 'bit m = measure q;', then use m."),
    ("break;", "invalid_circuit", 1, 1, "'break' is outside a loop.", "Use 'end;' to end the program."),
    # What would change the meaning, or is itself refused, is no hint.
    ("float f = ln(0.5);", "invalid_circuit", 1, 11, "'ln' is not a function or subroutine.", "OpenQASM 3 calls it log."),
    ("qubit a, b;", "invalid_circuit", 1, 8, "',' is not allowed here: expected ';' after the statement.", None),
    ("double d = 3.0;", "invalid_circuit", 1, 10, "'=' is not allowed here: expected ';' after the statement.", None),
    ("extern f(int a);", "invalid_circuit", 1, 14, "'a' is not allowed here: expected ')' after the types.",
     "The parameters have types and no names: 'extern f(int, float);'."),
    ("def f() qubit:q { x q; }", "invalid_circuit", 1, 9, "'qubit' is not allowed here: expected '{' before the block.",
     "Write qubits in the brackets: 'def f(qubit q) { ... }'."),
    ("qubit[2] q; let a = q[0] || q[1];", "invalid_circuit", 1, 26, "An alias names a register or a part of one.",
     "Write 'a ++ b' for two of them."),
    ("OPENQASM 2.0; include", "invalid_circuit", 1, 22, "The program ends too early: expected a quoted file name.",
     'Write include "qelib1.inc";'),
    ("angle[3] c; if (c == 3) { }", "invalid_circuit", 1, 19, "'==' does not apply to an angle[3] and an int[64].",
     "Use a float for the angle: 'float theta = ...;'."),
    ("qubit q; uint i = 0; for uint j in [i - 1:-1:0] { x q; }", "circuit_too_large", 1, 37,
     "A loop runs for more than 100,000 iterations.", "A uint cannot be negative: count down with an int."),
    ("const float v = 1.0 % 0.0;", "invalid_circuit", 1, 21, "This divides by zero.", None),
    ("def f(qubit[-3] a) { } qubit[4] q; f(q);", "invalid_circuit", 1, 7, "A register has at least one qubit.", None),
    ("qubit q; gate g a { x q; }", "invalid_circuit", 1, 23, "'q' is not a qubit of this gate.", None),
    ("gate g a { g a; }", "invalid_circuit", 1, 12, "A gate cannot use itself.", None),
    ("qubit q; $", "invalid_circuit", 1, 10, "OpenQASM does not use '$'.", "A hardware qubit is a '$' and its number: $0."),
    ("qubit q; # a qubit", "invalid_circuit", 1, 10, "OpenQASM does not use '#'.", "A comment starts with '//'."),
    (r"OPENQASM 3.0; \n qubit q;", "invalid_circuit", 1, 15, r"OpenQASM does not use '\'.",
     r"If the text was escaped twice, send line breaks in place of '\n'."),
    ("qubit q; ?", "invalid_circuit", 1, 10, "OpenQASM does not use '?'.", "Remove it."),
    ("qubit q; // fine\nx q; /* open", "invalid_circuit", 2, 6, "This comment does not end.", "Close it with */."),
    ("qubit q; rx(90 deg) q;", "invalid_circuit", 1, 16, "'deg' is not allowed here: expected ')' after the arguments.", None),
    ("qubit[2] q; rx(pi/2 q[0];", "invalid_circuit", 1, 21, "'q' is not allowed here: expected ')' after the arguments.",
     "Add the missing )."),
    ("qubit[2] q; x q[0; c[1] = 2;", "invalid_circuit", 1, 18, "';' is not allowed here: expected ']' after the index.",
     "Add the missing ]."),
    ("qubit[4] q; x q[0:1:2:3];", "invalid_circuit", 1, 22, "':' is not allowed here: expected ']' after the index.", None),
    ("complex z = 1 + 2j;", "invalid_circuit", 1, 17, "'2j' is not a number.", "An imaginary number ends in 'im': 2im."),
    ("qubit q; rx(2pi) q;", "invalid_circuit", 1, 13, "'2pi' is not a number.",
     "A name cannot start with a digit; a product needs a '*'."),
    ("qubit q; rx(0.5pi) q;", "invalid_circuit", 1, 13, "'0.5pi' is not a number.",
     "A name cannot start with a digit; a product needs a '*'."),
    ("float f = 1_0.e5x;", "invalid_circuit", 1, 11, "'1_0.e5x' is not a number.",
     "A name cannot start with a digit; a product needs a '*'."),
    ("int i = 0b2;", "invalid_circuit", 1, 9, "'0b2' is not a number.", "Digits of its base must stand behind 0b."),
    ("int i = 1__0;", "invalid_circuit", 1, 9, "'1__0' is not a number.", "Digits must stand on both sides of each '_'."),
    ("float f = 1.5.2;", "invalid_circuit", 1, 11, "'1.5.2' is not a number.",
     "A number has one '.' at most, and none in its exponent."),
    ("float f = 1.0e;", "invalid_circuit", 1, 11, "'1.0e' is not a number.", "Digits must stand behind 'e'."),
    ("qubit[2] q; cx(q[0], q[1]);", "invalid_circuit", 1, 13, "'cx' is not a function or subroutine.",
     "A gate is applied to qubits: 'cx q[0], q[1];'."),
    ("qubit[2] q; gate g(t) a { rx(t) a; } g(q[0], 1);", "invalid_circuit", 1, 38, "'g' is not a function or subroutine.",
     "A gate is applied to qubits: 'g(a) q[0];'."),
    ("OPENQASM 2.0; qreg q[1]; U(tau,0,0) q[0];", "invalid_circuit", 1, 28, "'tau' is not declared.",
     "OpenQASM 2 has the constant pi alone: write 2*pi."),
    ("OPENQASM 2.0; qreg q[1]; gate g a { U(euler,0,0) a; } g q[0];", "invalid_circuit", 1, 39,
     "'euler' is not declared.", "OpenQASM 2 has the constant pi alone: write exp(1)."),
    ("OPENQASM 2.0; qreg q[2]; creg c[2]; measure q[0] -> c;", "invalid_circuit", 1, 37,
     "1 qubit cannot be measured into 2 bits.", "Measure single qubits: 'measure q[0] -> c[0];'."),
    ("OPENQASM 2.0; qreg q[2]; creg c[2]; c = measure q;", "invalid_circuit", 1, 41,
     "'measure' is not allowed here: expected a register or an integer.", "A measurement has an arrow: 'measure q -> c;'."),
    # What looks like a declaration is no gate to be defined; a gate is defined with what it was given.
    ("qbit[2] q;", "invalid_circuit", 1, 1, "'qbit' is not a gate.", "Did you mean qubit?"),
    ("double d;", "invalid_circuit", 1, 1, "'double' is not a gate.",
     "Types are qubit, bit, bool, int, uint, float, angle, complex, duration."),
    ("OPENQASM 2.0; reg q[2];", "invalid_circuit", 1, 15, "'reg' is not a gate.",
     "Registers are declared as 'qreg q[2];' or 'creg c[2];'."),
    ("qubit[3] q; toffoli q[0], q[1], q[2];", "invalid_circuit", 1, 13, "'toffoli' is not a gate.", "Did you mean ccx?"),
    ("qubit[2] q; own(1, 2) q[0], q[1];", "invalid_circuit", 1, 13, "'own' is not a gate.",
     "Define it: 'gate own(a, b) q0, q1 { ... }'."),
    ("qubit[2] q; ctrl @ own q[0], q[1];", "invalid_circuit", 1, 20, "'own' is not a gate.", "Define it with 'gate own'."),
    ("qubit q[3];", "invalid_circuit", 1, 8, "'[' is not allowed here: the size belongs to the type.", "Write 'qubit[3] q;'."),
    ("bit c[n + 1];", "invalid_circuit", 1, 6, "'[' is not allowed here: the size belongs to the type.",
     "Write 'bit[n + 1] c;'."),
    ("int[8] a[4];", "invalid_circuit", 1, 9, "'[' is not allowed here: the size belongs to the type.",
     "Write 'array[int[8], 4] a;'."),
    ("bit[2] c[4];", "invalid_circuit", 1, 9, "'[' is not allowed here: the size belongs to the type.", None),
    ("const n = 3;", "invalid_circuit", 1, 7, "'n' is not allowed here: expected the type of the constant.",
     "Write its type first: 'const int'."),
    ("OPENQASM 2.0; qreg q[1]; ... x q[0];", "invalid_circuit", 1, 26,
     "'.' is not allowed here: expected a statement of OpenQASM 2.", None),
    ("OPENQASM 2.0; qreg q[1]; h;", "invalid_circuit", 1, 27, "';' is not allowed here: expected the gate's qubits.", None),
    ("qubit[2] q; bit[4] c; measure q -> c[1];", "invalid_circuit", 1, 23, "2 qubits cannot be measured into 1 bit.",
     "Index or slice the longer one."),
    ("frame f;", "unsupported_feature", 1, 1, "'frame' describes pulses, which a simulator cannot play.",
     "A simulator has no pulses: remove the calibration, gates run ideally without it."),
    ("frame f = newframe(p, 5e9, 0);", "unsupported_feature", 1, 1,
     "'frame' describes pulses, which a simulator cannot play.",
     "A simulator has no pulses: remove the calibration, gates run ideally without it."),
    ("const port = 3;", "invalid_circuit", 1, 7, "'port' is not allowed here: expected the type of the constant.",
     "Write its type first: 'const int'."),
    ("qubit q; for frame in [0:3] { x q; }", "invalid_circuit", 1, 14,
     "'frame' is not allowed here: expected the type of the loop variable.", "Write 'for int i in [0:3] { ... }'."),
    ("bit c[2\n];", "invalid_circuit", 1, 6, "'[' is not allowed here: the size belongs to the type.", None),
    ("extern pulse(duration) -> waveform;", "unsupported_feature", 1, 27,
     "'waveform' describes pulses, which a simulator cannot play.",
     "A simulator has no pulses: remove the calibration, gates run ideally without it."),
    ("OPENQASM 4.0;", "unsupported_feature", 1, 10, "OpenQASM '4.0' is not supported.", "Write 'OPENQASM 3.0;' or 2.0."),
    ('include "/etc/passwd";', "unsupported_feature", 1, 1, "'/etc/passwd' cannot be included: programs cannot read files.",
     'Write include "stdgates.inc"; and define other gates in the program.'),
    ("qubit q;\nextern f(int) -> float;\nrx(f(1)) q;", "unsupported_feature", 3, 4,
     "'f' is extern: there is no code for it here.", "Write it as a subroutine with 'def'."),
    ("defcal x $0 { play(...); }", "unsupported_feature", 1, 1, "'defcal' describes pulses, which a simulator cannot play.",
     "A simulator has no pulses: remove the calibration, gates run ideally without it."),
    ("qubit[2000] q;", "circuit_too_large", 1, 7, "The program declares more than 1,024 qubits.", "Declare fewer qubits."),
    ("qubit[2] q; h q;", "nothing_measured", None, None, "The program measures nothing, so there is nothing to count.",
     "Add 'bit[2] c; c = measure q;' at the end."),
    ("OPENQASM 2.0; qreg q[1]; U(0,0,0) q[0];", "nothing_measured", None, None,
     "The program measures nothing, so there is nothing to count.", "Add 'creg c[1]; measure q -> c;' at the end."),
    ("OPENQASM 2.0;\nqreg q[1];\nint n = 1;", "invalid_circuit", 3, 1, "'int' is not allowed here: it is a keyword of OpenQASM 3.",
     "For the newer language start with 'OPENQASM 3.0;'."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "line", "column", "message", "hint"), MISTAKES)
def test_a_mistake_is_explained(
    text: str, code: str, line: int | None, column: int | None, message: str, hint: str | None
) -> None:
    """Every mistake has its code, its place, a sentence that names the text, and where possible what to write."""
    with pytest.raises(TaskError) as caught:
        read(text)
    error = caught.value
    assert (code, line, column, message, hint) == (error.code, error.line, error.column, error.message, error.hint)


@pytest.mark.parametrize("text", [row[0] for row in MISTAKES])
def test_check_finds_what_read_finds(text: str) -> None:
    """The same program ends in the same error at submission and in the worker."""
    with pytest.raises(TaskError) as read_error:
        read(text)
    with pytest.raises(TaskError) as check_error:
        check(text)
    assert read_error.value.as_dict() == check_error.value.as_dict()


def test_the_excerpt_is_the_line_with_a_caret() -> None:
    """The excerpt shows the offending line as it stands and points at the column."""
    with pytest.raises(TaskError) as caught:
        read("qubit q;\r\n\thh q;\r\n")
    assert " hh q;\n ^" == caught.value.excerpt


def test_the_excerpt_of_a_long_line_is_cut_around_the_column() -> None:
    """However long a line is, its excerpt stays readable and keeps the column."""
    with pytest.raises(TaskError) as caught:
        read("qubit q;" + "h q;" * 1000 + "hh q;" + "h q;" * 1000)
    shown, caret = (caught.value.excerpt or "").split("\n")
    assert (80, "hh q;", 4009) == (len(shown), shown[len(caret) - 1 :][:5], caught.value.column)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "The input 'k' has no value."),
        ({"k": 1, "j": 2}, "The program has no input 'j'."),
        ({"k": 1.5}, "The input 'k' is declared as int[4] and needs an integer."),
        ({"k": 8}, "The input 'k' is declared as int[4] and needs a number that fits int[4]."),
        ({"k": "1"}, "The input 'k' is declared as int[4] and needs an integer."),
        ({"k": None}, "The input 'k' is declared as int[4] and needs an integer."),
    ],
)
def test_inputs_that_do_not_fit_are_refused(inputs: dict[str, object], message: str) -> None:
    """Inputs that are not what the program declares are refused with their name and the reason."""
    with pytest.raises(TaskError) as caught:
        read("input int[4] k; qubit q; bit c; rx(k) q; c = measure q;", inputs)
    assert ("invalid_inputs", message) == (caught.value.code, caught.value.message)


@pytest.mark.parametrize(
    ("text", "qubits", "clbits"),
    [
        ("qubit[2] q; h q[0]; cx q[0], q[1];", 2, 0),
        ("OPENQASM 2.0; qreg q[1]; creg c[1]; U(0,0,0) q[0];", 1, 1),
        ("qubit[3] q; bit[2] c; for int i in [0:2] { h q[i]; }", 3, 2),
        ("def f(qubit q) { measure q; } qubit q; f(q);", 1, 1),
    ],
)
def test_a_program_that_is_not_counted_need_not_measure(text: str, qubits: int, clbits: int) -> None:
    """Where no counts are asked for, as with observables alone, a program that keeps no result is read all the same."""
    circuit = read(text, counted=False)
    size = check(text, counted=False)
    assert (qubits, clbits) == (circuit.num_qubits, circuit.num_clbits)
    assert size is not None
    assert qubits == size.num_qubits


def test_check_without_inputs_leaves_their_program_to_read() -> None:
    """A program with inputs is checked for syntax; what depends on their values waits for them."""
    check("input int k; qubit[2] q; bit c; c = measure q[k];")


def test_check_imports_neither_qiskit_nor_numpy() -> None:
    """The API's function checks programs within its cold start, so nothing heavy may come along."""
    program = "qubit[3] q; bit[3] c; for int i in [0:2] { pow(0.3) @ iswap q[0], q[1]; } c = measure q;"
    code = (
        f"import sys; from reader import check; check({program!r}); check('qubit q; rx(pi/2) q; measure q;');"
        "print(sorted({'qiskit', 'numpy', 'scipy', 'openqasm3'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": "layers"}, capture_output=True, text=True, check=True
    )
    assert "[]\n" == done.stdout


def test_a_sweep_reads_like_its_bindings_one_by_one() -> None:
    """The text is parsed once; each circuit is the one that its binding alone gives, loops and branches included."""
    text = (
        "input int n; input float a; qubit[3] q; bit[3] c; def f(qubit p) { rx(a) p; } gate g(t) p { rz(t / 2) p; }"
        "for int i in [0:n] { f(q[i]); g(a * i) q[i]; } if (n > 0) x q[0]; c = measure q; if (c[0]) h q[1];"
    )
    bindings = [{"n": n, "a": n / 3} for n in (2, 0, 1, 2)]
    assert [read(text, binding) for binding in bindings] == list(read_each(text, bindings))
    assert [check(text, binding) for binding in bindings] == list(check_each(text, bindings))


def test_a_sweep_is_bounded_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bindings that are small alone are refused where together they would be too much; one alone is not."""
    monkeypatch.setattr(reader, "LIMITS", Limits(sweep_operations=5))
    text = "input float a; qubit q; bit c; rx(a) q; c = measure q;"
    bindings = [{"a": 1.0}] * 3
    with pytest.raises(TaskError) as caught:
        list(check_each(text, bindings))
    message = "The circuits of all bindings together take more than 5 operations."
    assert ("circuit_too_large", message) == (caught.value.code, caught.value.message)
    assert list(check_each(text, bindings[:1])) == [check(text, bindings[0])]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("int[0] a;", "An int has at least one bit."),
        ("uint[0] a;", "A uint has at least one bit."),
        ("angle[0] a;", "An angle has at least one bit."),
        ("int[8] a = {1};", "An int[8] is not initialised with braces."),
    ],
)
def test_a_type_has_its_article(text: str, message: str) -> None:
    """A sentence about a type begins with the article that the type's name takes."""
    with pytest.raises(TaskError) as refused:
        check(text)
    assert message == refused.value.message


@pytest.mark.parametrize(
    ("declarations", "expression", "hint"),
    [
        ("angle a = 1.0; angle b = 2.0;", "a * b", "Use floats for angles: 'float theta = ...;'."),
        ("angle a = 1.0; float b = 2.0;", "a % b", "Use floats for angles: 'float theta = ...;'."),
        ("angle a = 1.0; complex b = 1.0im;", "a + b", "Use floats for angles: 'float theta = ...;'."),
        ("float a = 1.0; float b = 2.0;", "a & b", "Cast what is neither bits nor an integer."),
        ("bool a = true; int b = 2;", "a << b", "Cast what is neither bits nor an integer."),
        ('bit[4] a = "0101"; int b = -1;', "a & b", "Cast one of them."),
        ("complex a = 1.0im; int b = 2;", "a & b", None),
        ("duration a = 1ns; int b = 2;", "a + b", "The quotient of two durations is a number."),
        ("duration a = 1ns; duration b = 2ns;", "a * b", None),
    ],
)
def test_a_cast_is_a_hint_only_where_it_helps(declarations: str, expression: str, hint: str | None) -> None:
    """An operator that is not for two types names what to do, and no cast that is refused as well."""
    with pytest.raises(TaskError) as caught:
        read(f"{declarations} {expression};", counted=False)

    assert " does not apply to a" in caught.value.message
    assert caught.value.hint == hint
