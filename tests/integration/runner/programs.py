"""Programs that the runner's tests run."""

from __future__ import annotations

HEAD = 'OPENQASM 3;\ninclude "stdgates.inc";\n'
BELL = f"{HEAD}qubit[2] q;\nbit[2] c;\nh q[0];\ncx q[0], q[1];\nc = measure q;\n"


def ghz(n: int) -> str:
    """Return a GHZ state's program, Clifford."""
    gates = "".join(f"cx q[{i}], q[{i + 1}];\n" for i in range(n - 1))
    return f"{HEAD}qubit[{n}] q;\nbit[{n}] c;\nh q[0];\n{gates}c = measure q;\n"


def rotated(n: int, depth: int = 1, *, mid_circuit: bool = False) -> str:
    """Return layers of rotations and entangling chains, not Clifford."""
    lines = []
    for level in range(depth):
        lines += [f"rx({0.3 + 0.1 * i + level}) q[{i}];\n" for i in range(n)]
        lines += [f"cx q[{i}], q[{i + 1}];\n" for i in range(n - 1)]
        if mid_circuit:
            lines += ["c[0] = measure q[0];\n", "reset q[0];\n"]
    return f"{HEAD}qubit[{n}] q;\nbit[{n}] c;\n{''.join(lines)}c = measure q;\n"
