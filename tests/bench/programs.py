"""The circuits that the sections have in common."""

from __future__ import annotations

HEAD = 'OPENQASM 3;\ninclude "stdgates.inc";\n'


def ghz(n: int) -> str:
    """Return a GHZ state's program."""
    gates = "".join(f"cx q[{i}], q[{i + 1}];\n" for i in range(n - 1))
    return f"{HEAD}qubit[{n}] q;\nbit[{n}] c;\nh q[0];\n{gates}c = measure q;\n"


def qft(n: int) -> str:
    """Return the quantum Fourier transform of a basis state, as a chain of controlled phases."""
    gates = []
    for i in reversed(range(n)):
        gates.append(f"h q[{i}];\n")
        gates += [f"cp(pi/{2 ** (i - j)}) q[{i}], q[{j}];\n" for j in reversed(range(i))]
    return f"{HEAD}qubit[{n}] q;\nbit[{n}] c;\nx q[0];\n{''.join(gates)}c = measure q;\n"


BELL = ghz(2)
