"""Braket's dialect: its pragmas mean what Braket means, or are refused by name.

The expected states were computed with amazon-braket-sdk 1.127.5's local simulator (`braket_sv`).
"""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.quantum_info import Operator, Statevector

from reader import LIMITS, check, read
from reader_exact import distribution
from tasks.errors import TaskError

SQRT = 0.7071067811865476
# On two qubits: |first, second> goes to |first, second xor first> with a phase of i where the first is 1.
IDENTITY = "[[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]"
TEXT = "#pragma braket unitary([[1, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, 0, 1.0im], [0, 0, 0 + 1.0im, -0]]) "


def program(body: str, size: int = 2) -> str:
    """Return a program of OpenQASM 3 that measures its qubits."""
    return f"OPENQASM 3.0;\nbit[{size}] b;\nqubit[{size}] q;\n{body}\nb = measure q;"


def unitary(body: str) -> np.ndarray:
    """Return the matrix of a body on two qubits, the first the most significant bit."""
    circuit = read(program(body))
    circuit.remove_final_measurements()
    return np.asarray(Operator(circuit).reverse_qargs().data)


def refusal(text: str) -> TaskError:
    """Return the error that both ways of reading end in."""
    with pytest.raises(TaskError) as checked:
        check(text)
    with pytest.raises(TaskError) as caught:
        read(text)
    assert caught.value.message == checked.value.message
    return caught.value


def test_a_unitary_acts_on_its_first_qubit_as_the_most_significant() -> None:
    """The order is Braket's, whatever the order of the register."""
    expected = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1j], [0, 0, 1j, 0]])
    np.testing.assert_allclose(unitary(TEXT + "q[0], q[1]"), expected, atol=1e-15)
    swap = np.eye(4)[[0, 2, 1, 3]]
    np.testing.assert_allclose(unitary(TEXT + "q[1], q[0]"), swap @ expected @ swap, atol=1e-15)
    np.testing.assert_allclose(unitary(TEXT + "q"), expected, atol=1e-15)


@pytest.mark.parametrize("head", ["#pragma", "pragma"])
@pytest.mark.parametrize("place", ["{}", "if (true) {{\n{}\n}}", "for int i in [0:2] {{\n{}\n}}"])
def test_a_unitary_stands_wherever_a_gate_may(head: str, place: str) -> None:
    """It runs once for each time its line is passed."""
    body = place.format(f"{head} braket unitary([[0, 1], [1, 0]]) q[1]")
    assert distribution(read(program(body))) == {"10": 1.0}


def test_a_unitary_under_a_measured_test() -> None:
    """A measured bit decides about it like about any gate."""
    matrix = f"#pragma braket unitary([[{SQRT}, {SQRT}], [{SQRT}, -{SQRT}]]) "
    body = f"{matrix}q[0]\nb[0] = measure q[0];\nif (b[0] == 1) {{\n#pragma braket unitary([[0, 1], [1, 0]]) q[1]\n}}"
    assert distribution(read(program(body))) == pytest.approx({"00": 0.5, "11": 0.5})


def test_physical_qubits_and_verbatim_boxes() -> None:
    """The text that Braket's add_verbatim_box writes."""
    text = "OPENQASM 3.0;\nbit[2] b;\n#pragma braket verbatim\nbox{\nprx(3.141592653589793, 0.0) $0;\ncz $0, $1;\n}\n"
    assert distribution(read(text + "b[0] = measure $0;\nb[1] = measure $1;")) == pytest.approx({"01": 1.0})


def test_rounded_numbers_become_the_nearest_unitary() -> None:
    """Six digits are enough, and what runs is unitary to machine precision."""
    found = unitary("#pragma braket unitary([[0.707107, 0.707107], [0.707107, -0.707107]]) q[0]")
    np.testing.assert_allclose(found @ found.conj().T, np.eye(4), atol=1e-14)
    circuit = read(program("#pragma braket unitary([[0.707107, 0.707107], [0.707107, -0.707107]]) q[0]"))
    circuit.remove_final_measurements()
    assert Statevector(circuit).probabilities([0]) == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize(
    ("pragma", "message", "code"),
    [
        ("unitary([[1, 0], [1, 0]]) q[0]", "The matrix is not unitary.", "invalid_circuit"),
        ("unitary([[1e999, 0], [0, 1]]) q[0]", "The matrix is not unitary.", "invalid_circuit"),
        ("unitary([[1, 0], [0]]) q[0]", "This is not the matrix of a gate.", "invalid_circuit"),
        ("unitary([[1]]) q[0]", "This is not the matrix of a gate.", "invalid_circuit"),
        ("unitary([[1, 0], [0, 1]]) q", "A matrix of 2 rows acts on 1 qubits, not on 2.", "invalid_circuit"),
        ("unitary([[1, 0], [0, 1]]) r[0]", "'r' is not declared.", "invalid_circuit"),
        (f"unitary({IDENTITY}) q[0], q[0]", "The matrix gets the same qubit twice.", "invalid_circuit"),
        ("unitary([[1, x], [0, 1]]) q[0]", "'x' is not allowed here: expected a number", "invalid_circuit"),
        ("unitary([[1, 0], [0, 1]]", "';' is not allowed here", "invalid_circuit"),
        ("unitary([[1, 0], [0, 1]])\nq[0];", "This pragma does not end on its line.", "invalid_circuit"),
        ("unitary([[1, 0], [0, 1]]) q[0] x q[1];", "'x' is not allowed here: expected the end", "invalid_circuit"),
        ("unitaryx", "The pragma 'braket unitaryx'", "unsupported_feature"),
        ("noise", "This pragma ends too early.", "invalid_circuit"),
        ("noise bit_flip(1.5) q[0]", "The probability of bit_flip is 1.5; it must be", "invalid_circuit"),
        ("noise bit_flip(-0.1) q[0]", "The probability of bit_flip is -0.1;", "invalid_circuit"),
        ("noise bit_flip(0.1, 0.2) q[0]", "bit_flip takes 1 number: probability; 2 are given.", "invalid_circuit"),
        ("noise bit_flip(1im) q[0]", "The probability of bit_flip is a float, not a complex", "invalid_circuit"),
        ("noise bit_flip(0.1) q", "bit_flip acts on 1 qubit, not on 2.", "invalid_circuit"),
        ("noise bit_flip(0.1) all", "'all' is not declared.", "invalid_circuit"),
        ("noise pauli_channel(0.5, 0.5, 0.1) q[0]", "The probabilities of pauli_channel add up", "invalid_circuit"),
        ("noise two_qubit_dephasing(0.1) q[0], q[0]", "The channel gets the same qubit twice.", "invalid_circuit"),
        ("noise bitflip(0.1) q[0]", "'bitflip' is not a noise channel of Braket's.", "invalid_circuit"),
        ("noise kraus([[1, 0], [0, 0.9]]) q[0]", "The Kraus operators do not preserve", "invalid_circuit"),
        ("noise kraus([[1e999, 0], [0, 1]]) q[0]", "The Kraus operators do not preserve", "invalid_circuit"),
        ("noise kraus([[1, 0], [0, 1]]) q", "Kraus operators on 2 qubits have 4 rows each.", "invalid_circuit"),
        ("result", "This pragma ends too early.", "invalid_circuit"),
        ("result probabilities", "'probabilities' is not a result type of Braket's.", "invalid_circuit"),
        ("result adjoint_gradient expectation(x(q[0])) all", "The result adjoint_gradient", "unsupported_feature"),
        ("result state_vector q[0]", "'q' is not allowed here: expected the end", "invalid_circuit"),
        ("result probability q[0], q[0]", "The result names the same qubit twice.", "invalid_circuit"),
        ("result probability r", "'r' is not declared.", "invalid_circuit"),
        ('result amplitude "0"', "A basis state has 1 bits; the program uses 2 qubits.", "invalid_circuit"),
        ("result amplitude 01", "'01' is not allowed here: expected a basis state", "invalid_circuit"),
        ("result expectation w(q[0])", "'w' is not an observable.", "invalid_circuit"),
        ("result expectation x(q) @ y(q)", "The result names the same qubit twice.", "invalid_circuit"),
        ("result expectation x all @ y(q[0])", "Each factor of a product acts on qubits", "invalid_circuit"),
        ("result expectation hermitian([[1, 1im], [1im, 1]]) q[0]", "The matrix is not Hermitian.", "invalid_circuit"),
        ("result expectation hermitian([[1, 0], [0, 1]]) q", "A matrix of 2 rows acts on 1 qubits", "invalid_circuit"),
    ],
)  # fmt: skip
def test_a_bad_pragma_is_refused_in_its_line(pragma: str, message: str, code: str) -> None:
    """The error has a code and the place."""
    error = refusal(program(f"#pragma braket {pragma}\n;" if pragma.endswith("]]") else f"#pragma braket {pragma}"))
    assert error.message.startswith(message) or message in error.message
    assert error.code == code
    assert error.line in (4, 5)


def test_samples_of_seven_mixed_factors_are_refused() -> None:
    """Six are turned together by one matrix, a seventh is refused in its line; a factor of x, y, z or i is none."""
    for factors, refused in ((6, False), (7, True)):
        product = " @ ".join(f"h(q[{place}])" for place in range(factors))
        text = program(f"x q[0];\n#pragma braket result sample {product} @ z(q[7])", 8)
        if refused:
            error = refusal(text)
            assert (error.code, error.line) == ("unsupported_feature", 5)
            assert error.message.startswith("The result sample cannot be computed. Samples need")
        else:
            size = check(text)
            assert size is not None
            assert [str(request.type) for request in size.results] == ["samples"]


def test_a_megabyte_of_a_pragma_is_refused_quickly() -> None:
    """Its size is bounded like that of any text, and the error shows little of it."""
    long = "[" + ", ".join(["0.123456789"] * 70_000) + "]"
    error = refusal(program(f"#pragma braket unitary([{long}]) q"))
    assert error.message == "This is not the matrix of a gate."
    assert len(error.excerpt or "") < 200
    for words in ("noise ", "noise bit_flip(", "result ", 'result amplitude "', "result expectation x(", "other "):
        error = refusal(program(f"#pragma braket {words}" + "x" * 900_000))
        assert len(error.message) < 200
        assert error.line in (4, 5)
    for many in ("noise kraus(" + "[[1, 0], [0, 1]], " * 20_000, "result expectation " + "x(q[0]) @ " * 40_000):
        error = refusal(program(f"#pragma braket {many}"))
        assert error.line in (4, 5)


def test_results_are_bounded() -> None:
    """In their number, and in the Pauli strings that their observables come to."""
    error = refusal(program("#pragma braket result expectation x all\n" * 50, 3))
    assert (error.code, error.limit, error.line) == ("circuit_too_large", 99, 37)
    product = " @ ".join(f"h(q[{index}])" for index in range(11))
    error = refusal(program(f"#pragma braket result expectation {product}", 11))
    assert (error.code, error.limit, error.actual, error.line) == ("circuit_too_large", 1_000, 2_048, 4)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("if (true) {{\n{}\n}}", "A result pragma must be at the top level of the program."),
        ("if (false) {{\n{}\n}}", "A result pragma must be at the top level of the program."),
        ("gate g a {{\n{}\n}}", "A gate can only contain gates."),
    ],
)
def test_results_stand_at_the_top_level(body: str, message: str) -> None:
    """Code that is not executed is checked alike."""
    assert refusal(program(body.format("#pragma braket result probability"))).message == message


def test_noise_stands_wherever_a_gate_may() -> None:
    """In tests, loops, subroutines and boxes; not in a gate, which is unitary."""
    flip = "\n#pragma braket noise bit_flip(1.0) {}\n"
    bodies = [
        f"if (true) {{{flip.format('q[1]')}}}",
        f"for int i in [0:2] {{{flip.format('q[1]')}}}",
        f"def f(qubit a) {{{flip.format('a')}}} f(q[1]);",
        f"#pragma braket verbatim\nbox {{{flip.format('q[1]')}}}",
    ]
    for body in bodies:
        size = check(program(body))
        assert size is not None
        assert size.noisy
    error = refusal(program(f"gate g a {{{flip.format('a')}}}"))
    assert (error.message, error.line) == ("A gate can only contain gates.", 5)


def test_an_annotation_may_follow_a_pragma() -> None:
    """It is at the beginning of a statement, for the pragma ends with its line."""
    assert check(program("#pragma braket noise bit_flip(0.5) q[0]\n@mine of this sort\nx q[0];")) is not None


def test_matrices_are_bounded() -> None:
    """One of more qubits than a power may have is refused by its size."""
    size = 2 ** (LIMITS.power_qubits + 1)
    rows = ", ".join(
        "[" + ", ".join("1" if row == column else "0" for column in range(size)) + "]" for row in range(size)
    )
    error = refusal(program(f"#pragma braket unitary([{rows}]) q", LIMITS.power_qubits + 1))
    assert (error.code, error.limit, error.actual) == (
        "circuit_too_large",
        LIMITS.power_qubits,
        LIMITS.power_qubits + 1,
    )


def test_openqasm_2_reads_the_pragma_alike() -> None:
    """The older language has no pragmas, but programs do."""
    text = "OPENQASM 2.0; qreg q[1]; creg c[1];\n#pragma braket unitary([[0, 1], [1, 0]]) q[0]\nmeasure q -> c;"
    assert distribution(read(text)) == {"1": 1.0}


@pytest.mark.parametrize(
    ("body", "chances"),
    [
        # The first three as amazon-braket-sdk 1.127.5's local simulator has them.
        ("prx(pi, 0) q[0]; measure_ff(0) q[0]; cc_prx(pi, 0, 0) q[1];", {"11": 1.0}),
        ("measure_ff(0) q[0]; cc_prx(pi, 0, 0) q[1];", {"00": 1.0}),
        ("prx(pi, 0) q[0]; measure_ff(7) q[0]; measure_ff(0) q[1]; cc_prx(pi, 0, 0) q[1];", {"01": 1.0}),
        ("h q[0]; measure_ff(3) q[0]; cc_prx(pi, 0, 3) q[1];", {"00": 0.5, "11": 0.5}),
        ("x q[0]; measure_ff(1) q[0]; reset q[0]; measure_ff(1) q[0]; cc_prx(pi, 0, 1) q[1];", {"00": 1.0}),
        ("h q[0]; measure_ff(1) q[0]; if (true) { cc_prx(pi, 0.4, 1) q[1]; }", {"00": 0.5, "11": 0.5}),
    ],
)
def test_feed_forward_is_braket_s(body: str, chances: dict[str, float]) -> None:
    """`measure_ff` keeps a bit by its key, the last one wins, and `cc_prx` acts where it is 1."""
    assert distribution(read(program(body))) == pytest.approx(chances)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("cc_prx(pi, 0, 3) q[1];", "No measure_ff before it has the key 3."),
        ("if (false) { cc_prx(pi, 0, 3) q[1]; }", "No measure_ff before it has the key 3."),
        ("measure_ff q[0];", "This is not what Braket writes for measure_ff."),
        ("ctrl @ cc_prx(pi, 0, 3) q[0], q[1];", "This is not what Braket writes for cc_prx."),
        ("measure_ff(0) q;", "measure_ff measures one qubit."),
    ],
)
def test_wrong_feed_forward_is_refused_with_its_place(body: str, message: str) -> None:
    """The error has the line of the statement."""
    error = refusal(program(body))
    assert (error.message, error.line) == (message, 4)


def test_a_programs_own_measure_ff_is_a_gate() -> None:
    """A definition wins over Braket's statement."""
    text = "gate measure_ff(a) t { rx(a) t; } measure_ff(pi) q[0];"
    assert distribution(
        read(
            "OPENQASM 3.0; "
            + text.replace("measure_ff(pi)", "qubit[2] q; bit[2] b; measure_ff(pi)")
            + " b = measure q;"
        )
    ) == pytest.approx({"01": 1.0})


@pytest.mark.parametrize("gate", ["gpi(0.3) q[0];", "gpi2(0.3) q[0];", "ms(0.1, 0.2, 0.3) q[0], q[1];"])
def test_gates_that_ionq_counts_in_turns_are_noted(gate: str) -> None:
    """They mean Braket's radians unless the program defines them, as qiskit-ionq 1.1.1's exports do."""
    size = check(program(gate))
    assert size is not None
    assert size.notes == (
        "The angles of gpi, gpi2 and ms are in radians here, as in Amazon Braket; IonQ's own are in turns.",
    )
    name, qubits = gate.split("(", maxsplit=1)[0], "a, b" if gate.startswith("ms") else "a"
    own = f"gate {name}({'p, t, s' if name == 'ms' else 'p'}) {qubits} {{ rx(2 * pi * p) a; }} "
    size = check(own + program(gate).removeprefix("OPENQASM 3.0;"))
    assert size is not None
    assert size.notes == ()
