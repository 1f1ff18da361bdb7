"""OpenQASM 2 as tools write it: beyond the language of the paper, under its header.

The texts are what qiskit 2.6, pennylane 0.45.1, pytket 2.18.5 (hqslib1) and mqt.core 3.11.0 write.
"""

from __future__ import annotations

import pytest

from reader import check, compile_each, read
from reader.compiler.gates import NATIVE
from reader_exact import distribution
from tasks.errors import TaskError

HEAD = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[3];\ncreg b[2];\ncreg d[3];\n'


def outcomes(body: str) -> dict[str, float]:
    """Return the chances of `d` and `b`, in this order, as the counts have them."""
    return {key.replace(" ", ","): chance for key, chance in distribution(read(HEAD + body)).items()}


@pytest.mark.parametrize(
    ("test", "true_for"),
    [
        ("b==1", {1}),
        ("b!=1", {0, 2, 3}),
        ("b<=1", {0, 1}),
        ("b>=2", {2, 3}),
        ("b<2", {0, 1}),
        ("b>2", {3}),
        ("b[0]", {1, 3}),
        ("!b[0]", {0, 2}),
        ("b[1]==1", {2, 3}),
        ("b[1]==0", {0, 1}),
        ("b == 4", set()),
        (f"b == {2**300}", set()),
        ("b <= d", {0}),
    ],
)
@pytest.mark.parametrize(
    "form", ["if ({}) x q[2];", "if ({}) {{\n  x q[2];\n}}", "if ({}) {{ id q[2]; }} else {{ id q[2]; }}"]
)
def test_a_register_is_tested(test: str, true_for: set[int], form: str) -> None:
    """Comparisons as Quantinuum has them, bits and blocks as MQT writes them."""
    body = (
        "h q[0]; h q[1]; measure q[0] -> b[0]; measure q[1] -> b[1];\n" + form.format(test) + "\nmeasure q[2] -> d[2];"
    )
    acts = "x q[2]" in form
    expected = {f"{int(acts and value in true_for)}00,{value:02b}": 0.25 for value in range(4)}
    assert outcomes(body) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("statement", "result"),
    [
        ("d = (b | 4);", lambda b: b | 4),
        ("d = b;", lambda b: b),
        ("d = 5;", lambda _: 5),
        ("d = (b << 2);", lambda b: b << 2),
        ("d = (b + 3);", lambda b: b + 3),
        ("d = (b * b - 1);", lambda b: b * b - 1),
        ("d = (~b & 5);", lambda b: ~b & 5),
        ("d[1] = b[0] ^ b[1];", lambda b: ((b ^ (b >> 1)) & 1) << 1),
        ("d[2] = 1;", lambda _: 4),
        ("d = 9;", lambda _: 1),
    ],
)
def test_a_register_is_assigned(statement: str, result: object) -> None:
    """Registers are unsigned numbers; the result is cut to the target's size."""
    assert callable(result)
    body = f"h q[0]; h q[1]; measure q[0] -> b[0]; measure q[1] -> b[1];\n{statement}"
    assert outcomes(body) == pytest.approx({f"{result(value) % 8:03b},{value:02b}": 0.25 for value in range(4)})


def test_a_constant_wider_than_any_integer() -> None:
    """A test of a wide register compares every bit."""
    head = "OPENQASM 2.0; qreg q[1]; creg c[300]; creg d[1]; "
    body = f"x q[0]; measure q[0] -> c[299]; if (c == {2**299}) reset q[0]; measure q[0] -> d[0];"
    assert distribution(read(head + body)) == {"0 1" + "0" * 299: 1.0}


@pytest.mark.parametrize("declared", ["opaque delay(t) a;\n", ""])
def test_a_delay_has_no_effect(declared: str) -> None:
    """Qiskit declares it opaque; either way the notes say it."""
    text = f"OPENQASM 2.0;\n{declared}qreg q[1];\ncreg c[1];\ndelay(100) q[0];\nx q[0];\nmeasure q -> c;"
    size = check(text)
    assert size is not None
    assert size.notes == ("delay has no effect on an ideal simulator.",)
    assert distribution(read(text)) == {"1": 1.0}


def test_a_programs_own_delay_is_the_programs() -> None:
    """Like any other gate that it defines."""
    text = "OPENQASM 2.0;\ngate delay(t) a { U(t, 0, 0) a; }\nqreg q[1];\ncreg c[1];\ndelay(pi) q[0];\nmeasure q -> c;"
    assert distribution(read(text)) == pytest.approx({"1": 1.0})


@pytest.mark.parametrize("statement", ["gphase(0.3) ;", "gphase(0.3) q[0];", "gphase(0.3) q[0],q[1];"])
def test_a_global_phase_of_pennylane(statement: str) -> None:
    """It is one of the whole state, whatever stands behind it."""
    assert outcomes(f"{statement} x q[0]; measure q[0] -> b[0];") == {"000,01": 1.0}


def test_a_register_of_no_bits() -> None:
    """It is not there: nothing can be measured into it."""
    text = "OPENQASM 2.0; qreg q[1]; creg e[0]; creg c[1]; x q[0]; measure q -> c;"
    assert distribution(read(text)) == {"1": 1.0}
    with pytest.raises(TaskError, match="'e' is not declared"):
        check(text.replace("-> c", "-> e"))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("d = (b | 1.5);", "expected a register or an integer"),
        ("d = sin(b);", "expected a register or an integer"),
        ("d = (b | e);", "'e' is not declared"),
        ("e = 1;", "'e' is not declared"),
        ("if (b = 1) x q[0];", "cannot stand here"),
        ("d[7] = 1;", "out of range"),
        ("d = (b / 0);", "zero"),
    ],
)
def test_a_bad_expression_of_registers_is_refused_where_it_is(body: str, message: str) -> None:
    """With the line that it is in."""
    with pytest.raises(TaskError, match=message) as caught:
        check(HEAD + body + "\nmeasure q -> d;")
    assert caught.value.line == HEAD.count("\n") + 1


def test_a_version_that_does_not_exist_is_noted() -> None:
    """2.1 is a header of research tools: what they add is refused by name, the rest is OpenQASM 2."""
    text = 'OPENQASM 2.1;\ninclude "qelib1.inc";\nqreg q[1];\ncreg c[1];\nx q[0];\nmeasure q -> c;'
    size = check(text)
    assert size is not None
    assert size.notes == ("Line 1, column 10: There is no such version of OpenQASM: it is read as 2.0.",)
    assert distribution(read(text)) == {"1": 1.0}
    with pytest.raises(TaskError, match="'operator' is of a dialect of OpenQASM 2") as caught:
        check(text.replace("x q[0];", "operator zz a,b { z a, z b; }"))
    assert (caught.value.code, caught.value.line) == ("unsupported_feature", 5)


@pytest.mark.parametrize(
    ("statement", "message", "hint"),
    [
        ("measure q[0] -> e;", "'e' is not declared.", "Add 'creg e[1];' before it."),
        ("measure q -> b[0];", "3 qubits cannot be measured into 1 bit.", "Measure into a register: 'creg c[3];'."),
        ("gate g a { measure a -> b; }", "A gate can only contain gates.", "Write it outside of the gate."),
        ("rx(b) q[0];", "'b' is a register, which no parameter can contain.", "Write a number."),
        ("rx(b + 1) q[0];", "'b' is a register, which no parameter can contain.", "Write a number."),
        ("rx(q) q[0];", "A qubit has no value.", "Measure it first: 'measure q -> c;', then test c."),
        ('include "own.inc";', "'own.inc' cannot be included: programs cannot read files.",
         'Write include "qelib1.inc"; and define other gates in the program.'),
        ("reset b;", "'b' is a classical register, not a qubit.", "Name a qubit or a qubit register here."),
        ("x b[0];", "'b' is a classical bit, not a qubit.", "Name a qubit or a qubit register here."),
        ("bit c;", "'bit' cannot stand here: it is a keyword of OpenQASM 3.",
         "For the newer language start with 'OPENQASM 3.0;'."),
        ("rx(ln(0)) q[0];", "ln has no finite value here.", "Keep its argument within its range."),
    ],
)  # fmt: skip
def test_errors_and_hints_speak_openqasm_2(statement: str, message: str, hint: str) -> None:
    """Nobody is sent to a word that the language of the program does not have."""
    with pytest.raises(TaskError) as caught:
        check(HEAD + statement + "\nmeasure q[0] -> b[0];")
    assert (caught.value.message, caught.value.hint, caught.value.line) == (message, hint, 6)


def test_a_parameter_of_a_gate_may_be_named_like_a_register() -> None:
    """Inside a definition the name is the parameter."""
    assert outcomes("gate g(b) a { rx(b) a; } g(pi) q[0]; measure q -> d;") == {"001,00": 1.0}


def test_a_gate_of_qiskits_resets() -> None:
    """Qiskit 2.6.2 writes `initialize` as a gate that resets, its own reader refuses that; inside others, too."""
    text = (
        'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
        "gate initialize(param0,param1) q0 { reset q0; x q0; }\n"
        "gate outer q0,q1 { h q1; initialize(0,1) q1; }\n"
        "qreg q[2];\ncreg c[2];\nh q[0];\nouter q[1],q[0];\nmeasure q -> c;"
    )
    circuit = read(text)
    assert distribution(circuit) == pytest.approx({"01": 1.0})
    assert circuit.metadata["notes"] == ["Line 3, column 37: A gate cannot reset qubits in the language; here it does."]
    with pytest.raises(TaskError, match="'q1' is not a qubit of this gate"):
        check(text.replace("reset q0", "reset q1"))


def test_statements_of_nothing_are_passed_over() -> None:
    """A `;` by itself, which Qiskit reads, and registers of no qubits, which it writes."""
    assert outcomes(";; gate g a { x a; }; qreg z[0]; g q[0]; ; measure q -> d;") == {"001,00": 1.0}
    with pytest.raises(TaskError, match="'z' is not declared"):
        check(HEAD + "qreg z[0]; x z[0]; measure q -> d;")


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ("mcx q[0],q[2];", "111"),
        ("mcx q[0],q[1],q[2];", "111"),
        ("mcx q[2],q[0],q[1];", "011"),
        ("mcx q[1],q;", None),
        ("h q[2]; mcz q[0],q[1],q[2]; h q[2];", "111"),
        ("h q[2]; mcp(pi) q[0],q[2]; mcphase(pi) q[0],q[1],q[2]; h q[2];", "011"),
        ("h q[2]; mcy q[0],q[1],q[2]; rz(pi) q[2]; h q[2];", "011"),
        ("gate mcx a,b,c { x a; } mcx q[0],q[1],q[2];", "010"),
        ("gate g a,b,c { mcx a,b,c; } g q[0],q[1],q[2];", "111"),
        ("swp q[0],q[2]; SWAP q[1],q[0];", "101"),
    ],
)
def test_a_name_for_any_number_of_controls(body: str, key: str | None) -> None:
    """MQT's `mcx` and its kin without a definition: the last qubit is the target; a definition wins."""
    text = HEAD + "x q[0]; x q[1]; " + body + " measure q -> d;"
    if key is None:
        with pytest.raises(TaskError, match="gets the same qubit twice"):
            check(text)
        return
    assert distribution(read(text)) == pytest.approx({f"{key} 00": 1.0})


def test_names_for_any_number_of_controls_are_read_for_noise() -> None:
    """Where gates are left whole for a noise model, these are what they are made of."""
    text = HEAD + "mcy q[0],q[1],q[2]; mcz q[0],q[1],q[2]; mcx q[0],q[1]; measure q -> d;"
    (whole,) = compile_each(text, [{}], whole=True)
    assert {operation.name for operation in whole.operations} <= NATIVE | {"measure"}
    with pytest.raises(TaskError, match="'mcx' is not a gate"):
        check(HEAD + "mcx q; measure q -> d;")
