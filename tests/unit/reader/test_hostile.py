"""Hostile text: whatever is sent ends in a circuit or a coded error, refused by a limit before it costs."""

# ruff: noqa: E501, ISC004, SIM300 - a table reads best with a program to a line and the expected value first

from __future__ import annotations

import pytest

from reader import LIMITS, check, read
from tasks.errors import TaskError

HEAD = "OPENQASM 3;\nqubit[2] q;\nbit[2] c;\n"
TAIL = "\nc = measure q;\n"


def chain(count: int, body: str, *, parameter: str = "") -> str:
    """Return gate definitions that each use the one before twice."""
    brackets = f"({parameter})" if parameter else ""
    lines = [f"gate g0{brackets} a {{ {body} }}"]
    for number in range(1, count):
        calls = [f"g{number - 1}{f'({parameter} / {divisor})' if parameter else ''} a;" for divisor in (2, 3)]
        lines.append(f"gate g{number}{brackets} a {{ {' '.join(calls)} }}")
    return "\n".join(lines) + f"\ng{count - 1}{'(1)' if parameter else ''} q[0];"


# name: text, code of the error
REFUSED = {
    "a file of the machine": (HEAD + 'include "/etc/passwd";' + TAIL, "unsupported_feature"),
    "100k brackets": (HEAD + "rx(" + "(" * 100_000 + "1" + ")" * 100_000 + ") q[0];" + TAIL, "circuit_too_large"),
    "5,000 nested ifs": (HEAD + "if(true){" * 5000 + "x q[0];" + "}" * 5000 + TAIL, "circuit_too_large"),
    "a billion qubits": ("qubit[1000000000] q; bit c; c = measure q[0];", "circuit_too_large"),
    "10^8 bits": ("qubit q; bit[100000000] c; c[0] = measure q;", "circuit_too_large"),
    "a tower of powers": (HEAD + "qubit[9**9**9**9] r;" + TAIL, "invalid_circuit"),
    "a tower of float powers": (HEAD + "rx(9.0**9.0**9.0**9.0) q[0];" + TAIL, "invalid_circuit"),
    "40 doubling gates": (HEAD + chain(40, "h a;") + TAIL, "circuit_too_large"),
    "5,000 nested gates": (HEAD + chain(5000, "h a;") + TAIL, "circuit_too_large"),
    "200k digits": (HEAD + "rx(" + "9" * 200_000 + ") q[0];" + TAIL, "circuit_too_large"),
    "an infinite exponent": (HEAD + "rx(1e999999999) q[0];" + TAIL, "invalid_circuit"),
    "a lone surrogate": (HEAD + "\udc80" + TAIL, "invalid_circuit"),
    "a NUL": (HEAD + "\0" + TAIL, "invalid_circuit"),
    "a division by zero": (HEAD + "rx(1 / 0) q[0];" + TAIL, "invalid_circuit"),
    "a remainder by zero": (HEAD + "int n = 1 % 0;" + TAIL, "invalid_circuit"),
    "2^63 iterations": (HEAD + "for int i in [0:9223372036854775807] { x q[0]; }" + TAIL, "circuit_too_large"),
    "nested loops": (HEAD + "for int i in [0:999] for int j in [0:999] x q[0];" + TAIL, "circuit_too_large"),
    "an endless loop": (HEAD + "while (true) { }" + TAIL, "circuit_too_large"),
    "a long loop": (HEAD + "int n = 0; while (n < 1000000000) { n += 1; }" + TAIL, "circuit_too_large"),
    "a subroutine that calls itself": (HEAD + "def f(int n) -> int { return f(n - 1); } int a = f(3);" + TAIL,
                                       "circuit_too_large"),
    "1 MB of signs": (HEAD + ";" * 900_000, "circuit_too_large"),
    "1 MB of statements": (HEAD + "a;" * 400_000, "circuit_too_large"),
    "1 MB of slashes": ("/*" * 490_000, "invalid_circuit"),
    "1 MB of quotes": ('"' * 900_000, "invalid_circuit"),
    "1 MB of sums": (HEAD + "rx(" + "1+" * 490_000 + "1) q[0];" + TAIL, "circuit_too_large"),
    "1 MB of minus": (HEAD + "rx(" + "-" * 900_000 + "1) q[0];" + TAIL, "circuit_too_large"),
    "1 MB of bits": ('bit[900000] b = "' + "1" * 900_000 + '";', "circuit_too_large"),
    "1 MB of spaces": (" " * 990_000, "nothing_measured"),
    "1 MB of comments": ("//" * 490_000, "nothing_measured"),
    "1 MB of indices": (HEAD + "x q" + "[0]" * 300_000 + ";", "circuit_too_large"),
    "more than 1 MB": (" " * 1_000_001, "circuit_too_large"),
    "more than 1 MB of wide characters": ("\u03c0" * 600_000, "circuit_too_large"),
    "100k modifiers": (HEAD + "inv @ " * 60_000 + "h q[0];" + TAIL, "circuit_too_large"),
    "nested powers": (HEAD + "pow(0.3) @ " * 40 + "swap q[0], q[1];" + TAIL, "circuit_too_large"),
    "a power of seven qubits": ("qubit[7] q; gate g a,b,c,d,e,f,h0 { h a; cx a,b; cx b,h0; } bit c; "
                                "pow(0.3) @ g q[0],q[1],q[2],q[3],q[4],q[5],q[6]; c = measure q[0];", "circuit_too_large"),
    "wide barriers": ("qubit[1000] q; bit c; " + "barrier q;" * 50_000 + "c = measure q[0];", "circuit_too_large"),
    "wide measurements": ("qubit[1000] q; bit[1000] c; " + "c = measure q;" * 10_000, "circuit_too_large"),
    "a huge array": (HEAD + "array[int[8], 1000, 1000, 1000] a;" + TAIL, "circuit_too_large"),
    "array copies": (HEAD + "array[int[8], 60000] a;" + "a = a;" * 1000 + TAIL, "circuit_too_large"),
    "wide registers": ("qubit q; bit[4000] a; bit[4000] b; a[0] = measure q;" + "b = a ^ b; a = b | a;" * 1000,
                       "circuit_too_large"),
    "wide products": ("qubit[256] q; bit[256] b; b = measure q; uint[256] a = b; a = a * a;", "circuit_too_large"),
    "splits on many bits": ("qubit[64] q; bit[64] b; b = measure q; uint[64] a = b; rx(sin(a * 0.5)) q[0];",
                            "unsupported_feature"),
    "many splits": ("qubit[10] q; bit[10] b; b = measure q; uint[10] a = b; " + "rx(sin(a * 0.5)) q[0];" * 300,
                    "circuit_too_large"),
    "a physical qubit far away": ("bit c; c = measure $99999999999999999999;", "circuit_too_large"),
    "many cases": (HEAD + "switch (3) {" + "".join(f"case {n} {{ }}" for n in range(6000)) + "}" + TAIL,
                   "circuit_too_large"),
    "brackets in OpenQASM 2": ("OPENQASM 2.0; qreg q[1]; rx(" + "(" * 100_000 + "1" + ")" * 100_000 + ") q[0];",
                               "circuit_too_large"),
    "ifs in OpenQASM 2": ("OPENQASM 2.0; qreg q[1]; creg c[1]; " + "if(c==1) " * 50_000 + "x q[0];", "circuit_too_large"),
    "powers in OpenQASM 2": ("OPENQASM 2.0; qreg q[1]; creg c[1]; rx(9^9^9^9^9) q[0]; measure q -> c;",
                             "invalid_circuit"),
}  # fmt: skip
ACCEPTED = {
    "a byte order mark": "\ufeff" + HEAD + TAIL,
    "CRLF": (HEAD + "x q[0];" + TAIL).replace("\n", "\r\n"),
    "an integer power of a billion": HEAD + "pow(1e9) @ h q[0]; pow(1000000000) @ rx(0.1) q[0];" + TAIL,
    "a power of a billion of two qubits": HEAD + "gate g a, b { h a; cx a, b; } pow(1000000000) @ g q[0], q[1];" + TAIL,
    "a tower that wraps": HEAD + "int n = 9**9**3; rx(n % 7) q[0];" + TAIL,
    "5,000 else ifs": HEAD + "if(false){}" + "else if(false){}" * 5000 + TAIL,
    "doubling gates without content": HEAD + chain(40, "") + TAIL,
    "doubling gates with ever new parameters": HEAD + chain(14, "rx(t) a;", parameter="t") + TAIL,
    "a long sum": HEAD + "rx(" + "1+" * 4900 + "1) q[0];" + TAIL,
    "130k gates on one line": HEAD + "h q[0];" * 130_000 + TAIL,
    "500 controls": "qubit[501] q; bit c; ctrl(500) @ x q; c = measure q[0];",
    "a shift off the end": HEAD + "int a = 1 << 99999999999;" + TAIL,
}


@pytest.mark.parametrize("name", REFUSED)
def test_hostile_text_is_refused_with_a_code(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A program made to hurt ends in a small error with the code of the limit or rule it breaks, and prints nothing.

    What is refused in the worker is refused at submission, with the same error.
    """
    text, code = REFUSED[name]
    with pytest.raises(TaskError) as caught:
        read(text)
    error = caught.value
    assert code == error.code
    assert max(len(error.message), len(error.hint or ""), len(error.excerpt or "")) <= 200
    if "1 MB" not in name:
        with pytest.raises(TaskError) as at_submission:
            check(text)
        assert error.as_dict() == at_submission.value.as_dict()
    assert ("", "") == tuple(capfd.readouterr())


@pytest.mark.parametrize("name", ACCEPTED)
def test_strange_but_legal_text_is_accepted(name: str) -> None:
    """What only looks dangerous becomes a circuit within the limits."""
    circuit = read(ACCEPTED[name])
    assert len(circuit.data) <= LIMITS.operations
