"""Arithmetic on measured bits: the same answers as the compiler gives for known numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reader import read
from reader_exact import distribution

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

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


def outcomes(declaration: str, expression: str, bits: int) -> dict[int, int]:
    """Return what an expression of a fair number n of three bits gives, by n; each of the eight must be as likely."""
    text = (
        "qubit[3] q; uint[3] n; h q; n = measure q; output uint[3] k; k = n; "
        f"{declaration} output uint[{bits}] r; r = {expression};"
    )
    counts = distribution(read(text))
    assert list(counts.values()) == pytest.approx([1 / 8] * 8)
    return {int(key.split()[1], 2): int(key.split()[0], 2) for key in counts}


@pytest.mark.parametrize("divisor", [1, 2, 3, 4, 5, 7, 8, 10, 64, 100, 127, -1, -2, -3, -4, -8, -128])
def test_a_known_divisor_divides_like_c(divisor: int) -> None:
    """Quotients are truncated towards zero and remainders have the dividend's sign, whatever chain works them out."""
    values = {n: n * 31 - 128 for n in range(8)}
    quotients = {n: int(value / divisor) & 255 for n, value in values.items()}
    remainders = {n: (value - int(value / divisor) * divisor) & 255 for n, value in values.items()}
    declaration = f"int[8] v = int[8](n) * 31 - 128; int[8] d = {divisor};"
    assert outcomes(declaration, "v / d", 8) == quotients
    assert outcomes(declaration, "v % d", 8) == remainders
    if divisor > 0:
        declaration = f"uint[8] v = uint[8](n) * 31 + 37; uint[8] d = {divisor};"
        unsigned = {n: (n * 31 + 37) & 255 for n in range(8)}
        assert outcomes(declaration, "v / d", 8) == {n: value // divisor for n, value in unsigned.items()}
        assert outcomes(declaration, "v % d", 8) == {n: value % divisor for n, value in unsigned.items()}


def test_shifts_and_counts_of_wide_numbers() -> None:
    """A shift by more than the width leaves nothing, a count of many bits is exact."""
    wide = "uint[64] w = n; w = w * 0x1111111111111111;"
    numbers = {n: n * 0x1111111111111111 for n in range(8)}
    assert outcomes(wide, "popcount(w)", 7) == {n: value.bit_count() for n, value in numbers.items()}
    by = "uint[64] w = 3; uint[64] s = n; s = s * 11;"
    assert outcomes(by, "w << s", 64) == {n: 3 << 11 * n & (1 << 64) - 1 for n in range(8)}
    by = "int[64] w = -9223372036854775807; uint[64] s = n; s = s * 11;"
    assert outcomes(by, "(w >> s) & 255", 64) == {n: (-(2**63) + 1 >> 11 * n) & 255 for n in range(8)}


def size(circuit: QuantumCircuit) -> int:
    """Return how many operations a circuit has, those of its blocks included."""
    return sum(1 + sum(size(block) for block in getattr(step.operation, "blocks", ())) for step in circuit.data)


@pytest.mark.parametrize(
    ("expression", "operations"),
    [
        ("n % 2 == 1", 250),
        ("n % -2 == -1", 250),
        ("n / 4 == 1", 500),
        ("n % 3 == 1", 600),
        ("n / 10 == 1", 1_100),
        ("n * 3 == 6", 400),
        ("n * n == 4", 3_300),
        ("n > 3", 300),
        ("popcount(n) == 1", 400),
        ("uint[64](1) << uint[64](n) == 4", 400),
    ],
)
def test_arithmetic_on_a_wide_counter_is_short(expression: str, operations: int) -> None:
    """A default int that a measured loop counts up costs a short chain, in few scratch bits; Aer is slow otherwise."""
    text = (
        "qubit q; bit b; bit o; int n = 0; h q; b = measure q; while (b) { n += 1; h q; b = measure q; } "
        f"if ({expression}) {{ x q; }} o = measure q;"
    )
    circuit = read(text)
    assert size(circuit) <= operations
    assert circuit.num_clbits <= 450
