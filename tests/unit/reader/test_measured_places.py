"""A measured bit may stand wherever the language has an expression; what it cannot decide is refused with a code."""

from __future__ import annotations

import pytest

from reader import check, read
from reader_exact import distribution
from tasks.errors import TaskError

HEAD = 'OPENQASM 3.0; include "stdgates.inc"; qubit[3] q; bit[3] c; array[int[4], 2, 2] p = {{1, 2}, {0, 3}}; '
GIVEN = "def f(int n) -> int { return n; } h q[0]; c[0] = measure q[0]; let a = q[uint[1](c[0])]; "

# M is a number that a measurement decides.
STATEMENTS = [
    "x q[M];",
    "rx(M * pi) q[0];",
    "pow(M) @ x q[0];",
    "gphase(M);",
    "nop q[M];",
    "barrier q[M];",
    "reset q[M];",
    "delay[M * 1ns] q[M];",
    "measure q[M];",
    "measure q[M] -> c[M];",
    "c[M] = measure q[M];",
    "c[M] |= measure q[M];",
    "bit b = measure q[M];",
    "int k = M;",
    "int[4] k = p[M, M];",
    "float k = M * 0.5;",
    "complex k = M * 1im;",
    "angle[4] k = M * pi;",
    "duration k = M * 1ns; box[k] { x q[0]; }",
    "box[M * 1ns] { x q[0]; }",
    "stretch k; box[k * M] { x q[0]; }",
    "box[1ns / M] { x q[0]; }",
    "array[int[4], 2] k = p[M];",
    "array[int[4], 2] k = p[M][0:1];",
    "array[int[4], 4] k = p[M] ++ p[1 - M];",
    "array[int[4], 2] k = {M, p[M, 0]};",
    "array[int[4], 2] k; k = p[M];",
    "p[M] = p[1 - M];",
    "p[M, M] += M;",
    "let k = q[uint[1](c[0]) + 1]; x k;",
    "if (M == 1) x q[0];",
    "while (M == 2) x q[0];",
    "switch (M) { case 1 { x q[0]; } }",
    "for int i in [0:M] x q[i];",
    "for int i in {0, M} x q[i];",
    "for int i in p[M] x q[0];",
    "f(M);",
    "int k = f(M) + f(1 - M);",
    "M + 1;",
    "int k = sizeof(p[M]);",
    "x a; nop a; barrier a; reset a; delay[1ns] a; measure a; c[1] = measure a; ctrl @ x a, q[2]; if (M == 1) x a;",
]
MEASURED = {"cast": "uint[1](c[0])", "sum": "(1 - int(c[0]))", "call": "f(c[0])", "entry": "p[uint[1](c[0]), 0]"}


@pytest.mark.parametrize("number", MEASURED)
@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_measured_number_stands_anywhere(statement: str, number: str) -> None:
    """Each place reads a measured bit, a sum of it, what a subroutine makes of it, an element that it chooses."""
    check(HEAD + GIVEN + statement.replace("M", MEASURED[number]) + " c[1:2] = measure q[1:2];")


@pytest.mark.parametrize(
    "pragma", ["probability q[uint[1](c[0])]", "probability a", "expectation x(a)", "variance x(q[uint[1](c[0])])"]
)
def test_no_measurement_decides_about_a_result(pragma: str) -> None:
    """The qubits of a result are of the text: others are refused in the pragma's line."""
    with pytest.raises(TaskError) as raised:
        check(f"{HEAD}{GIVEN}\n#pragma braket result {pragma}\n")
    assert str(raised.value) == "A measurement cannot decide which qubits a result is of."
    assert (raised.value.code, raised.value.line) == ("invalid_circuit", 2)
    assert raised.value.hint == "Name them by constant indices."


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("array[int[4], 2] k = p[uint[1](c[0])]; x q[k[1] - 1];", {"010": 0.5, "101": 0.5}),
        ("array[int[4], 4] k = p[uint[1](c[0])] ++ p[0]; x q[k[1] - 1];", {"010": 0.5, "101": 0.5}),
        ("x q[1]; reset q[f(c[0])]; c[1] = 0;", {"001": 0.5, "010": 0.5}),
    ],
)
def test_a_measured_place_means_what_it_says(statement: str, found: dict[str, float]) -> None:
    """An array is given the row that was measured; a reset is of the qubit that a subroutine's result names."""
    text = f"{HEAD}{GIVEN}{statement} c[1:2] = measure q[1:2];"
    assert distribution(read(text)) == pytest.approx(found)
