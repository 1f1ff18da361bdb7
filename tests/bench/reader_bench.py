"""How fast programs are read, against Qiskit's importers in the same run: medians of interleaved rounds, as ratios.

`qiskit.qasm3.loads` for OpenQASM 3, in Python, and `qiskit.qasm2.loads` for OpenQASM 2, whose parser is written in Rust.
"""

# ruff: noqa: E501 - a table reads best with a program to a line

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

from qiskit import qasm2, qasm3, transpile
from qiskit_aer import AerSimulator
from qiskit_aer.backends.aer_compiler import compile_circuit

import reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from qiskit import QuantumCircuit

HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
HEAD_2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
ROUNDS = 3 if os.environ.get("QUICK") else 7
SLOW_S = 2.0  # what takes Qiskit longer than this is measured once
SIMULATOR = AerSimulator()


def gate_lines(lines: int) -> str:
    """Return `lines` gate lines on 20 qubits, each kind of operand and angle among them."""
    kinds = ("h q[{a}];", "cx q[{a}], q[{b}];", "rz(pi/{c}) q[{a}];", "u3(0.1, 0.{c}, -0.3) q[{b}];")
    return "\n".join(
        kinds[number % 4].format(a=number % 20, b=(number * 7 + 1) % 20, c=number % 9 + 1)
        if number * 6 % 20 != 19
        else f"x q[{number % 20}];"
        for number in range(lines)
    )


def flat(lines: int) -> str:
    """Return a program of that many gate lines in OpenQASM 3."""
    return f"{HEAD}qubit[20] q;\nbit[20] c;\n{gate_lines(lines)}\nc = measure q;\n"


def flat_2(lines: int) -> str:
    """Return the same program in OpenQASM 2."""
    return f"{HEAD_2}qreg q[20];\ncreg c[20];\n{gate_lines(lines)}\nmeasure q -> c;\n"


def user_gates_2(lines: int, *, conditions: bool) -> str:
    """Return a program of that many lines in OpenQASM 2 that calls its own gates, and measures and decides between."""
    kinds = ["majority q[{a}], q[{b}], q[{d}];", "turn(pi/{c}) q[{a}], q[{b}];"]
    if conditions:
        kinds += ["if (m == {c}) x q[{a}];", "measure q[{a}] -> m[{e}];"]
    calls = "\n".join(
        kinds[number % len(kinds)].format(
            a=number % 20, b=(number + 7) % 20, d=(number + 11) % 20, c=number % 7 + 1, e=number % 3
        )
        for number in range(lines)
    )
    gates = (
        "gate majority a, b, c { cx c, b; cx c, a; ccx a, b, c; }\n"
        "gate turn(t) a, b { rz(t/2) a; cx a, b; u1(-t/2) b; cx a, b; }\n"
    )
    return f"{HEAD_2}{gates}qreg q[20];\ncreg m[3];\ncreg c[20];\n{calls}\nmeasure q -> c;\n"


PROGRAMS = {
    "Bell": f"{HEAD}qubit[2] q;\nbit[2] c;\nh q[0];\ncx q[0], q[1];\nc = measure q;\n",
    "gates and control": HEAD
    + "gate g(a) x, y { rx(a) x; cx x, y; }\nqubit[3] q;\nbit[3] c;\n"
    + "g(0.3) q[0], q[1];\nctrl @ g(0.1) q[0], q[1], q[2];\n"
    + "c[0] = measure q[0];\nif (c[0]) { x q[1]; }\nc = measure q;\n",
    "1,000 gates": flat(1_000),
    "10,000 gates": flat(10_000),
    "50,000 gates": flat(50_000),
    "OpenQASM 2, Bell": f"{HEAD_2}qreg q[2];\ncreg c[2];\nh q[0];\ncx q[0], q[1];\nmeasure q -> c;\n",
    "OpenQASM 2, 1,000 gates": flat_2(1_000),
    "OpenQASM 2, 10,000 gates": flat_2(10_000),
    "OpenQASM 2, 1,000 lines with user gates": user_gates_2(1_000, conditions=False),
    "OpenQASM 2, 1,000 lines with user gates and if": user_gates_2(1_000, conditions=True),
}


# Qiskit's importer keeps a loop that we unroll, so its time does not grow with the iterations; Aer unrolls it later. It
# takes no loop variable as an index, no subroutine, no switch and no classical variable but bits.
LOOPS = {
    "nested loops": "qubit[8] q; bit[8] c; for int i in [0:20] { h q; for int j in [0:6] { rz(0.1) q[3]; cx q[0], q[1]; } } c = measure q;",
    "a loop of 1,000": "qubit[2] q; bit[2] c; for int i in [0:999] { rz(0.1) q[0]; cx q[0], q[1]; } c = measure q;",
    "loop variable in angles": "qubit[3] q; bit[3] c; for int i in [0:20] { rz(i) q[0]; cx q[0], q[1]; rx(i * 0.1) q[2]; } c = measure q;",
    "loop over a set": "qubit[3] q; bit[3] c; for int i in {1, 3, 5} { rz(0.1) q[0]; cx q[0], q[1]; } c = measure q;",
    "user gates in a loop": "gate g(a) x, y { rx(a) x; cx x, y; } gate k(a, b) x, y, z { g(a) x, y; g(b / 2) y, z; h x; } qubit[3] q; bit[3] c; for int i in [0:9] { k(0.1, pi / 3) q[0], q[1], q[2]; } c = measure q;",
    "modifiers in a loop": "gate g(a) x, y { rx(a) x; cx x, y; } qubit[3] q; bit[3] c; for int i in [0:9] { ctrl @ g(0.1) q[0], q[1], q[2]; inv @ g(0.2) q[0], q[1]; } c = measure q;",
    "if in a loop": "qubit[3] q; bit[3] c; for int i in [0:9] { h q[0]; c[0] = measure q[0]; if (c[0]) { x q[1]; } } c = measure q;",
    "if in a loop of 100": "qubit[3] q; bit[3] c; for int i in [0:99] { h q[0]; c[0] = measure q[0]; if (c[0]) { x q[1]; } } c = measure q;",
    "while on a bit": "qubit[3] q; bit[3] c; h q[0]; c[0] = measure q[0]; while (c[0]) { h q[0]; c[0] = measure q[0]; } c = measure q;",
    "while on a register": "qubit[3] q; bit[3] c; h q; c = measure q; while (c == 3) { h q[0]; c[0] = measure q[0]; } c = measure q;",
    "loop variable as index": "qubit[20] q; bit[20] c; for int i in [0:18] { h q[i]; cx q[i], q[i + 1]; } c = measure q;",
    "QFT-20 by loops": "qubit[20] q; bit[20] c; for int i in [0:19] { h q[i]; for int j in [i + 1:19] { cp(pi / 2 ** (j - i)) q[j], q[i]; } } c = measure q;",
    "subroutine in a loop": "def f(qubit a, qubit b, float t) { rx(t) a; cx a, b; } qubit[20] q; bit[20] c; for int i in [0:18] { f(q[i], q[i + 1], 0.1 * i); } c = measure q;",
    "while on a variable": "qubit q; bit c; int n = 0; while (n < 20) { h q; n += 1; } c = measure q;",
    "switch": "qubit[3] q; bit[3] c; h q; c = measure q; switch (c) { case 0 { x q[0]; } case 1, 2 { x q[1]; } default { z q[2]; } } c = measure q;",
}
PROGRAMS |= {name: HEAD + text for name, text in LOOPS.items()}


def seconds(read: Callable[[Any], object], source: object) -> float:
    """Return how long one reading takes."""
    gc.collect()
    started = time.perf_counter()
    read(source)
    return time.perf_counter() - started


def importer(text: str) -> tuple[str, Callable[[str], QuantumCircuit]]:
    """Return the name of Qiskit's importer for a program, and the importer."""
    return ("qasm2.loads", qasm2.loads) if text.startswith("OPENQASM 2") else ("qasm3.loads", qasm3.loads)


def compare(text: str) -> dict[str, float | str]:
    """Read `text` in turns with both; return medians of reading, and of reading and unrolling for Aer."""
    name, loads = importer(text)
    circuit = reader.read(text)
    their_circuit: list[QuantumCircuit] = []
    try:
        first = seconds(lambda source: their_circuit.append(loads(source)), text)
    except Exception:  # noqa: BLE001 - it raises many kinds
        return {"ours_ms": _ms([seconds(reader.read, text) for _ in range(ROUNDS)])}
    slow = first > SLOW_S  # else it only warmed up
    ours: list[float] = []
    theirs = [first] if slow else []
    for _ in range(ROUNDS):
        ours.append(seconds(reader.read, text))
        if not slow:
            theirs.append(seconds(loads, text))
    row = {"importer": name, "ours_ms": _ms(ours), "qiskit_ms": _ms(theirs), "ratio": _ratio(ours, theirs)}
    unroll = unrolling(text)
    if unroll is not None:
        for times, how, source in ((ours, compile_circuit, [circuit]), (theirs, unroll, their_circuit)):
            took = statistics.median(seconds(how, source) for _ in range(ROUNDS))
            times[:] = [reading + took for reading in times]
        row["ratio_unrolled"] = _ratio(ours, theirs)
    return row


def unrolling(text: str) -> Callable[[list[QuantumCircuit]], object] | None:
    """Return what makes of a circuit of Qiskit's importer what Aer runs, or None where it nearly is that already.

    Loops are Aer's own to unroll; the gates that an OpenQASM 2 program defines are left to the transpiler.
    """
    if text.startswith("OPENQASM 2"):
        return _transpiled if "\ngate " in text else None
    return compile_circuit if "for" in text or "while" in text else None


def _transpiled(circuits: list[QuantumCircuit]) -> object:
    return compile_circuit([transpile(circuits[0], SIMULATOR, optimization_level=0)])


def _ms(times: list[float]) -> float:
    return round(statistics.median(times) * 1e3, 3)


def _ratio(ours: list[float], theirs: list[float]) -> float:
    return round(statistics.median(theirs) / statistics.median(ours), 2)


def main() -> None:
    """Print a table, or JSON where asked for."""
    rows = {name: compare(text) for name, text in PROGRAMS.items()}
    if "--json" in sys.argv:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'program':<50}{'ours ms':>10}{'qiskit ms':>12}{'times faster':>14}{'... until unrolled for Aer':>28}")
    for name, row in rows.items():
        other = row.get("qiskit_ms", "refused")
        print(f"{name:<50}{row['ours_ms']:>10}{other:>12}{row.get('ratio', ''):>14}{row.get('ratio_unrolled', ''):>28}")


if __name__ == "__main__":
    main()
