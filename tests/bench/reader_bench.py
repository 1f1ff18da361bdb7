"""How fast programs are read, against Qiskit's importer in the same run: medians of interleaved rounds, as ratios."""

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import time
from typing import TYPE_CHECKING

from qiskit import qasm3

import reader

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
ROUNDS = 3 if os.environ.get("QUICK") else 7
SLOW_S = 2.0  # what takes Qiskit longer than this is measured once


def flat(lines: int) -> str:
    """Return a program of `lines` gate lines on 20 qubits, each kind of operand and angle among them."""
    kinds = ("h q[{a}];", "cx q[{a}], q[{b}];", "rz(pi/{c}) q[{a}];", "u3(0.1, 0.{c}, -0.3) q[{b}];")
    gates = "\n".join(
        kinds[number % 4].format(a=number % 20, b=(number * 7 + 1) % 20, c=number % 9 + 1)
        if number * 6 % 20 != 19
        else f"x q[{number % 20}];"
        for number in range(lines)
    )
    return f"{HEAD}qubit[20] q;\nbit[20] c;\n{gates}\nc = measure q;\n"


PROGRAMS = {
    "Bell": f"{HEAD}qubit[2] q;\nbit[2] c;\nh q[0];\ncx q[0], q[1];\nc = measure q;\n",
    # Without the loop's variable as an index, which Qiskit's importer does not take.
    "loops": HEAD
    + "qubit[8] q;\nbit[8] c;\n"
    + "for int i in [0:20] {\n  h q;\n  for int j in [0:6] { rz(0.1) q[3]; cx q[0], q[1]; }\n}\nc = measure q;\n",
    "gates and control": HEAD
    + "gate g(a) x, y { rx(a) x; cx x, y; }\nqubit[3] q;\nbit[3] c;\n"
    + "g(0.3) q[0], q[1];\nctrl @ g(0.1) q[0], q[1], q[2];\n"
    + "c[0] = measure q[0];\nif (c[0]) { x q[1]; }\nc = measure q;\n",
    "1,000 gates": flat(1_000),
    "10,000 gates": flat(10_000),
    "50,000 gates": flat(50_000),
}


def seconds(read: Callable[[str], object], text: str) -> float:
    """Return how long one reading takes."""
    gc.collect()
    started = time.perf_counter()
    read(text)
    return time.perf_counter() - started


def compare(text: str) -> tuple[list[float], list[float]]:
    """Read `text` in turns with both; return the times of ours and of Qiskit's."""
    ours, theirs = [], []
    seconds(reader.read, text)
    for _ in range(ROUNDS):
        ours.append(seconds(reader.read, text))
        if not theirs or statistics.median(theirs) < SLOW_S:
            theirs.append(seconds(qasm3.loads, text))
    return ours, theirs


def main() -> None:
    """Print a table, or JSON where asked for."""
    rows = {}
    for name, text in PROGRAMS.items():
        ours, theirs = compare(text)
        rows[name] = {
            "ours_ms": round(statistics.median(ours) * 1e3, 3),
            "spread_ms": [round(min(ours) * 1e3, 3), round(max(ours) * 1e3, 3)],
            "qiskit_ms": round(statistics.median(theirs) * 1e3, 3),
            "ratio": round(statistics.median(theirs) / statistics.median(ours), 1),
        }
    if "--json" in sys.argv:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'program':<20}{'ours ms':>12}{'qiskit ms':>14}{'times faster':>14}")
    for name, row in rows.items():
        print(f"{name:<20}{row['ours_ms']:>12}{row['qiskit_ms']:>14}{row['ratio']:>14}")


if __name__ == "__main__":
    main()
