"""Every construct the reader supports, each with its exact distribution; the README's list is checked against this."""

# ruff: noqa: E501, ISC004 - a table reads best with a program to a line and the expected value first

from __future__ import annotations

from pathlib import Path

import pytest
from qiskit_aer import AerSimulator

from reader import read
from reader_exact import distribution

Q = "qubit q; "
QC = "qubit[2] q; bit[2] c; "
COIN = "qubit[2] q; bit m; bit c; h q[0]; m = measure q[0]; "  # m is a fair coin; q[1] and c are still zero
DICE = "qubit[4] q; bit[2] d; bit r; h q[0]; h q[1]; d = measure q[0:1]; "  # d is a fair number from 0 to 3
EVEN = {"0": 0.5, "1": 0.5}

# name, program, probability of each key, and inputs where there are any.
CONSTRUCTS: list[tuple[str, str, dict[str, float], dict[str, object]]] = [
    ("version line", "OPENQASM 3.1; " + QC + "x q[0]; c = measure q;", {"01": 1}, {}),
    ("implicit standard gates", QC + "x q[0]; cx q[0], q[1]; c = measure q;", {"11": 1}, {}),
    ("target-less measure", "OPENQASM 3; qubit q; h q; measure q;", EVEN, {}),
    ("target-less measure beside a register", "bit c; qubit[3] q; x q[2]; measure q[1:2];", {"10 0": 1}, {}),
    ("measure arrow", QC + "x q[1]; measure q -> c;", {"10": 1}, {}),
    ("measure in a declaration", "qubit[2] q; x q; bit[2] c = measure q;", {"11": 1}, {}),
    ("broadcast", "qubit[2] a; qubit[2] b; bit[2] c; x a; cx a, b; c = measure b;", {"11": 1}, {}),
    ("broadcast of one qubit", "qubit a; qubit[2] b; bit[2] c; x a; cx a, b; c = measure b;", {"11": 1}, {}),
    ("slice", "qubit[4] q; bit[4] c; x q[0:2]; c = measure q;", {"0111": 1}, {}),
    ("slice with a step", "qubit[4] q; bit[4] c; x q[0:2:3]; c = measure q;", {"0101": 1}, {}),
    ("index set", "qubit[4] q; bit[4] c; x q[{0, 3}]; c = measure q;", {"1001": 1}, {}),
    ("negative index", "qubit[4] q; bit[4] c; x q[-1]; c = measure q;", {"1000": 1}, {}),
    ("alias", "qubit[4] q; bit[4] c; let a = q[1:2]; x a[1]; c = measure q;", {"0100": 1}, {}),
    ("alias of bits", QC + "let a = c[1:1]; x q[0]; a[0] = measure q[0];", {"10": 1}, {}),
    ("concatenation", "qubit q; qubit[2] r; bit[3] c; let a = r ++ q; x a[2]; c = measure a;", {"100": 1}, {}),
    ("physical qubit", "bit[2] c; x $3; cx $3, $1; c[0] = measure $3; c[1] = measure $1;", {"11": 1}, {}),
    ("const", "const int n = 2; qubit[n] q; bit[n] c; x q[n - 1]; c = measure q;", {"10": 1}, {}),
    ("integer division", QC + "x q[3 / 2]; rx(pi * (1 / 2)) q[0]; c = measure q;", {"10": 1}, {}),
    ("wraparound", QC + "uint[4] a = 15; a += 2; x q[a]; c = measure q;", {"10": 1}, {}),
    ("signed wraparound", QC + "int[4] a = 7; a += 1; if (a == -8) x q[0]; c = measure q;", {"01": 1}, {}),
    ("angle arithmetic", QC + "angle[4] a = 7 * (pi / 8); a = a + a; a += pi / 4; if (a == 0) x q; c = measure q;",
     {"11": 1}, {}),
    ("cast", QC + 'bit[4] b = "1010"; if (int[4](b) == -6 && uint[4](b) == 10) x q[0]; c = measure q;', {"1010 01": 1}, {}),
    ("bits of an integer", QC + "int[8] a = 5; if (bool(a[2]) && !bool(a[1])) x q[0]; c = measure q;", {"01": 1}, {}),
    ("math function", Q + "bit c; ry(2 * arcsin(sqrt(1.0 / 4))) q; c = measure q;", {"0": 0.75, "1": 0.25}, {}),
    ("popcount, rotl, rotr", QC + 'bit[4] b = "0011"; if (popcount(rotl(b, 3) & rotr(b, 1)) == 2) x q; c = measure q;',
     {"0011 11": 1}, {}),
    ("complex", QC + "complex a = (1.0 + 2.0im) * 2.0im; if (real(a) == -4.0 && imag(a) == 2.0) x q; c = measure q;",
     {"11": 1}, {}),
    ("array", QC + "array[int[8], 3] a = {4, 5, 1}; x q[a[2]]; c = measure q;", {"10": 1}, {}),
    ("array of two dimensions", QC + "array[uint[4], 2, 2] a = {{0, 1}, {2, 3}}; a[0] = a[1]; x q[a[0, 1] - 2]; "
     "c = measure q;", {"10": 1}, {}),
    ("input array", QC + "input array[float[64], 2] t; for int i in [0:1] ry(t[i]) q[i]; c = measure q;", {"10": 1},
     {"t": [0, 3.141592653589793]}),
    ("output array", "output array[uint[2], 2] a; qubit q; bit c; h q; c = measure q; a[0] = 2; if (c) a[1] = 1;",
     {"0010": 0.5, "0110": 0.5}, {}),
    ("sizeof", QC + "array[int[8], 3, 2] a; x q[sizeof(a, 1) - 1]; c = measure q;", {"10": 1}, {}),
    ("for over a range", "qubit[4] q; bit[4] c; for int i in [0:2] x q[i]; c = measure q;", {"0111": 1}, {}),
    ("for over a falling range", "qubit[3] q; bit[3] c; x q[2]; for int i in [2:-1:1] cx q[i], q[i - 1]; c = measure q;",
     {"111": 1}, {}),
    ("for over a set", "qubit[4] q; bit[4] c; for int i in {0, 3} x q[i]; c = measure q;", {"1001": 1}, {}),
    ("for over an array", QC + "array[int[8], 2] a = {1, 0}; for int i in a x q[i]; c = measure q;", {"11": 1}, {}),
    ("for over bits", QC + 'bit[3] b = "101"; for bit x0 in b { if (x0) x q[1]; } c = measure q;', {"101 00": 1}, {}),
    ("while known", QC + "int n = 0; while (n < 3) { n += 1; x q[0]; } c = measure q;", {"01": 1}, {}),
    ("break and continue", QC + "for int i in [0:9] { if (i == 0) continue; if (i == 2) break; x q[i]; } c = measure q;",
     {"10": 1}, {}),
    ("if and else", COIN + "if (m) x q[1]; else { } c = measure q[1];", {"0 0": 0.5, "1 1": 0.5}, {}),
    ("else if", DICE + "if (d == 1) x q[2]; else if (d == 2) x q[2]; else if (d == 3) { x q[2]; x q[2]; } "
     "r = measure q[2];", {"0 00": 0.25, "1 01": 0.25, "1 10": 0.25, "0 11": 0.25}, {}),
    ("switch known", QC + "switch (3) { case 1, 3 { x q[0]; } default { x q[1]; } } c = measure q;", {"01": 1}, {}),
    ("switch measured", DICE + "switch (d) { case 0, 3 { x q[2]; } default { } } r = measure q[2];",
     {"1 00": 0.25, "0 01": 0.25, "0 10": 0.25, "1 11": 0.25}, {}),
    ("while measured", Q + "bit c = 1; h q; while (c) { h q; c = measure q; }", {"0": 1}, {}),
    ("break measured", Q + "bit c; while (true) { h q; c = measure q; if (c) break; }", {"1": 1}, {}),
    ("continue measured", "qubit[2] q; bit m; bit c; for int i in [0:1] { reset q[0]; h q[0]; m = measure q[0]; "
     "if (m) continue; x q[1]; } c = measure q[1];", {"0 0": 0.25, "1 0": 0.25, "1 1": 0.25, "0 1": 0.25}, {}),
    ("counting loop measured", "qubit q; output uint[2] n; n = 0; bit c; while (n < 3) { h q; c = measure q; n += 1; "
     "if (c) break; reset q; }", {"01": 0.5, "10": 0.25, "11": 0.25}, {}),
    ("end known", QC + "x q[0]; c = measure q; end; x q[1]; c = measure q;", {"01": 1}, {}),
    ("end measured", COIN + "if (m) end; x q[1]; c = measure q[1];", {"1 0": 0.5, "0 1": 0.5}, {}),
    ("reset", COIN + "reset q[0]; c = measure q[0];", {"0 0": 0.5, "0 1": 0.5}, {}),
    ("barrier", QC + "x q[0]; barrier; barrier q[0], q[1]; c = measure q;", {"01": 1}, {}),
    ("delay, stretch and box", QC + "stretch s; duration d = 2 * 10ns; box { delay[d] q; delay[s] q[0]; x q; } "
     "c = measure q;", {"11": 1}, {}),
    ("durationof", QC + "delay[durationof({x $0;})] q; x q; c = measure q;", {"11": 1}, {}),
    ("logic on measured bits", DICE + "if (d[0] && !d[1] || (d[0] ^ d[1]) == 0) x q[2]; r = measure q[2];",
     {"1 00": 0.25, "1 01": 0.25, "0 10": 0.25, "1 11": 0.25}, {}),
    ("bit assigned from a measured one", COIN + "c = m ^ 1;", {"1 0": 0.5, "0 1": 0.5}, {}),
    ("shift of measured bits", "qubit[2] q; bit[2] d; x q[0]; d = measure q; d = d << 1;", {"10": 1}, {}),
    ("sum of measured numbers", DICE + "uint[4] n = d; output uint[4] s; s = n * 3 + 1;",
     {"0001": 0.25, "0100": 0.25, "0111": 0.25, "1010": 0.25}, {}),
    ("division of measured numbers", DICE + "int[4] n = d; n = (n - 2) / 2; output bit[4] s; s = n;",
     {"1111": 0.25, "0000": 0.75}, {}),
    ("measured index", DICE + "x q[d]; output bit[4] s; reset q[0:1]; s = measure q;", {"0000": 0.5, "0100": 0.25, "1000": 0.25},
     {}),
    ("index worked out from measured bits", DICE + "x q[2 + d * d % 2]; output bit[2] s; s = measure q[2:3];", {"01": 0.5, "10": 0.5},
     {}),
    ("measured alias", COIN + "let a = q[1 - m]; x a; output bit[2] s; s = measure q;", {"10": 0.5, "00": 0.5}, {}),
    ("measured angle", "qubit q; bit c; angle[2] a; x q; measure q -> a[1]; reset q; ry(a) q; c = measure q;", {"1": 1}, {}),
    ("measured float", COIN + "float f = 0.0; if (m) { f = pi; } ry(f) q[1]; c = measure q[1];", {"0 0": 0.5, "1 1": 0.5}, {}),
    ("measured integer variable", "qubit[2] q; uint[2] n; x q[1]; n = measure q;", {"10": 1}, {}),
    ("def", "def f(qubit a, float t) { rx(t) a; } qubit q; bit c; f(q, pi); c = measure q;", {"1": 1}, {}),
    ("def that returns", "def f(qubit a) -> bit { x a; return measure a; } qubit q; bit c; c = f(q);", {"1": 1}, {}),
    ("def with early return", COIN + "def f(bit b) -> int[2] { if (b) { return 1; } return 0; } if (f(m) == 1) x q[1]; "
     "c = measure q[1];", {"0 0": 0.5, "1 1": 0.5}, {}),
    ("def with an array", "def f(mutable array[int[8], #dim = 1] a) { a[0] = 1; } array[int[8], 2] b; f(b); " + QC
     + "x q[b[0]]; c = measure q;", {"10": 1}, {}),
    ("call with the qubits behind the brackets", "def f(float t) { } def g(qubit a) { x a; } qubit q; bit c; g q; "
     "c = measure q;", {"1": 1}, {}),
    ("gate", "gate my(a) x1, y1 { rx(a) x1; cx x1, y1; } " + QC + "my(pi) q[0], q[1]; c = measure q;", {"11": 1}, {}),
    ("loop in a gate", "gate g a { for int i in [1:3] { x a; } } qubit q; bit c; g q; c = measure q;", {"1": 1}, {}),
    ("ctrl", "qubit[3] q; bit[3] c; x q[0:1]; ctrl @ ctrl @ x q[0], q[1], q[2]; c = measure q;", {"111": 1}, {}),
    ("ctrl with a number", "qubit[4] q; bit[4] c; x q[0:2]; ctrl(3) @ x q[0], q[1], q[2], q[3]; c = measure q;",
     {"1111": 1}, {}),
    ("negctrl", QC + "negctrl @ x q[0], q[1]; c = measure q;", {"10": 1}, {}),
    ("inv", QC + "sx q[0]; inv @ sx q[0]; sx q[1]; sx q[1]; c = measure q;", {"10": 1}, {}),
    ("pow", QC + "pow(3) @ x q[0]; pow(0.5) @ x q[1]; pow(1.0 / 2) @ x q[1]; c = measure q;", {"11": 1}, {}),
    ("pow of a gate of two qubits", "gate g a, b { h b; cx a, b; } " + QC + "x q[0]; pow(0.25) @ g q[0], q[1]; "
     "pow(0.75) @ g q[0], q[1]; inv @ g q[0], q[1]; c = measure q;", {"01": 1}, {}),
    ("gphase", "qubit[2] q; bit c; h q[0]; ctrl @ gphase(pi) q[0]; h q[0]; gphase(1); c = measure q[0];", {"1": 1}, {}),
    ("U", "qubit[2] q; bit c; x q[1]; h q[0]; ctrl @ U(pi, 0, pi) q[0], q[1]; ctrl @ x q[0], q[1]; h q[0]; "
     "c = measure q[0];", EVEN, {}),
    ("gate named like one of Aer's", "gate ecr a { x a; } gate kraus a { x a; } gate unitary a { x a; } "
     "qubit[3] q; bit[3] c; ecr q[0]; kraus q[1]; unitary q[2]; c = measure q;", {"111": 1}, {}),
    ("input", "input int[4] k; input bit[2] b; " + QC + 'if (b == "10") x q[k]; c = measure q;', {"10": 1},
     {"k": 1, "b": "10"}),
    ("input angle", "input angle a; qubit q; bit c; rx(a) q; c = measure q;", {"1": 1}, {"a": 3.141592653589793}),
    ("output", "output bit[2] r; " + QC + "x q[0]; c = measure q; r = c << 1;", {"10": 1}, {}),
    ("qreg and creg", "qreg q[2]; creg c[2]; x q[1]; measure q -> c;", {"10": 1}, {}),
    ("include qelib1", 'OPENQASM 3; include "qelib1.inc"; qubit q; bit c; u3(pi, 0, pi) q; c = measure q;', {"1": 1}, {}),
    ("pragma, annotation and comments", "pragma say 'hi'\n/* a\n b */ qubit q; // c\n@note it\nx q; bit c; c = measure q;",
     {"1": 1}, {}),
    ("tests without qubits inside others", COIN + "int[4] n = 0; if (m) { if (c == 0) { n = n + m; } barrier q[1]; } "
     "if (n == 1) x q[1]; c = measure q[1];", {"0 0": 0.5, "1 1": 0.5}, {}),
    ("scopes", QC + "int n = 0; { int n = 1; x q[n]; } x q[n]; c = measure q;", {"11": 1}, {}),
    ("OpenQASM 2", 'OPENQASM 2.0; include "qelib1.inc"; gate m(a) x { rx(a/2) x; } qreg q[2]; creg c[2]; m(2*pi) q[0]; '
     "measure q[0] -> c[0]; if(c==1) x q[1]; measure q -> c;", {"11": 1}, {}),
    ("real division in OpenQASM 2", "OPENQASM 2.0; qreg q[1]; creg c[1]; rx(pi*(1/2)) q[0]; rx(pi*2^-1) q[0]; "
     "measure q -> c;", {"1": 1}, {}),
]  # fmt: skip


def test_the_readme_lists_exactly_these_constructs() -> None:
    """What README says is supported is what is tested, name by name."""
    readme = (Path(__file__).resolve().parents[3] / "layers" / "reader" / "README.md").read_text()
    listed = readme.partition("of this list has a test of its name:\n\n")[2].partition("\n\n")[0]
    assert [name for name, *_ in CONSTRUCTS] == listed.replace("\n", " ").removesuffix(".").split("; ")


@pytest.mark.parametrize(("text", "expected", "inputs"), [pytest.param(*row[1:], id=row[0]) for row in CONSTRUCTS])
def test_construct_means_what_the_specification_says(
    text: str, expected: dict[str, float], inputs: dict[str, object]
) -> None:
    """The circuit of each construct has the distribution that the specification gives the program."""
    assert pytest.approx(expected, abs=1e-9) == distribution(read(text, inputs))


@pytest.mark.parametrize(("text", "expected", "inputs"), [pytest.param(*row[1:], id=row[0]) for row in CONSTRUCTS])
def test_aer_runs_a_construct_as_it_stands(text: str, expected: dict[str, float], inputs: dict[str, object]) -> None:
    """Aer samples that distribution from the untranspiled circuit; the seed makes the sample the same every time."""
    circuit = read(text, inputs)
    shots = 2000
    result = AerSimulator(max_parallel_threads=1).run(circuit, shots=shots, seed_simulator=7).result()
    kept = [register.name in circuit.metadata["outputs"] for register in reversed(circuit.cregs)]
    found: dict[str, float] = {}
    for words, count in result.get_counts().items():
        key = " ".join(word for word, keep in zip(words.split(" "), kept, strict=True) if keep)
        found[key] = found.get(key, 0) + count / shots
    assert set(expected) == set(found)
    assert pytest.approx(expected, abs=0.05) == found


def test_every_construct_has_a_name_of_its_own() -> None:
    """The names make a list for people, so none of them is there twice."""
    names = [row[0] for row in CONSTRUCTS]
    assert sorted(set(names)) == sorted(names)


def test_a_gate_in_a_loop_means_what_its_names_stand_for_each_time() -> None:
    """A gate that was worked out in one iteration is worked out anew where an alias or a variable has changed."""
    aliases = "qubit[3] q; bit[3] c; for int i in [0:1] { let a = q[i:i + 1]; x a[1]; x q[0]; } c = measure q;"
    assert distribution(read(aliases)) == {"110": 1}
    angles = Q + "bit c; float a = 0; for int i in [1:2] { a += pi / 2; rx(a) q; } rx(pi / 2) q; c = measure q;"
    assert distribution(read(angles)) == pytest.approx({"0": 1})
    calls = "def f(qubit a) { for int i in [0:2] { x a; } } " + QC + "f(q[0]); f(q[1]); c = measure q;"
    assert distribution(read(calls)) == {"11": 1}
