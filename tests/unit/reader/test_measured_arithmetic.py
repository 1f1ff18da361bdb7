"""Arithmetic on measured bits: the same answers as the compiler gives for known numbers."""

from __future__ import annotations

import pytest

from reader import read
from reader_exact import distribution

OPERATORS = ["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "**", "==", "!=", "<", "<=", ">", ">="]
KINDS = ["uint[3]", "int[3]"]


def program(kind: str, op: str, *, known: bool) -> str:
    """Return a program that works on two numbers, measured from qubits or given as inputs."""
    lines = ["input bit[3] first; input bit[3] second; qubit[6] q; bit[3] one; bit[3] two;"]
    if known:
        lines.append("one = first; two = second; bit z = measure q[0];")
    else:
        lines.append("for int i in [0:2] { if (first[i]) x q[i]; if (second[i]) x q[i + 3]; }")
        lines.append("one = measure q[0:2]; two = measure q[3:5]; bit z = measure q[0]; z = 0;")
    # What C leaves undefined, dividing by zero and negative powers or shifts, is left out by using 1 for it.
    right = "uint[3](two)" if op in ("<<", ">>", "**") else f"{kind}(two)"
    lines.append(f"{kind} a = {kind}(one); {right.split('(', maxsplit=1)[0]} b = {right};")
    if op in ("/", "%"):
        lines.append("if (b == 0) { b = 1; }")
    lines.append(f"output {'bool' if op in OPERATORS[-6:] else kind} r; r = a {op} b;")
    return " ".join(lines)


@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize("kind", KINDS)
def test_measured_numbers_count_like_known_ones(kind: str, op: str) -> None:
    """The circuit's logic gives what the compiler computes, bit for bit."""
    for pair in range(0, 64, 3):
        inputs: dict[str, object] = {"first": f"{pair & 7:03b}", "second": f"{pair >> 3:03b}"}
        expected = distribution(read(program(kind, op, known=True), inputs))
        assert (inputs, expected) == (inputs, pytest.approx(distribution(read(program(kind, op, known=False), inputs))))
