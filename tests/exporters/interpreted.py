"""Writes what Braket's local simulator makes of classical and measured programs: run it where amazon-braket-sdk is.

    python tests/exporters/interpreted.py tests/oracle/braket_programs.json

For each classical program the file has the number that it works out, and for each measured one how often 3,000 shots
gave each outcome, the last declared bit leftmost.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import numpy as np

SHOTS = 3_000
CLASSICAL = [
    "int[8] a = 5; int[8] b = 3; result = (a * b) % 7 + (a - b) ** 2;",
    "uint[8] a = 200; for int[8] i in [1:3] { if (i == 2) { a = a / 3; } else { a += i; } } result = a;",
    "array[int[8], 2, 2] a = {{1, 2}, {3, 4}}; a[0, 1] = 7; result = a[0, 1] * a[1, 0] + a[1, 1];",
    "int[8] n = 1; while (n < 50) { n = n * 3; } result = n;",
]
MEASURED = [
    "b[0] = measure q[0]; if (b[0]) { x q[1]; } else { ry(0.7) q[1]; } b[1] = measure q[1]; b[2] = measure q[2];",
    "int n = 0; for int i in [0:1] { b[i] = measure q[i]; n += b[i]; } if (n == 1) x q[2]; b[2] = measure q[2];",
    "int n; while (n < 2) { b[n] = measure q[n]; n += 1; if (b[0]) x q[2]; else h q[2]; } b[2] = measure q[2];",
    "b[0] = measure q[0]; reset q[0]; if (b[0] == 0) { rx(0.7) q[0]; } b[1] = measure q[0]; b[2] = measure q[1];",
]
PREPARED = "OPENQASM 3.0;\nqubit[3] q;\nbit[3] b;\nry(1.2) q[0];\nrx(0.8) q[1];\n"


def main() -> None:
    """Run each program and write what came of it."""
    warnings.simplefilter("ignore")
    interpreter = importlib.import_module("braket.default_simulator.openqasm.interpreter").Interpreter
    simulator = importlib.import_module("braket.default_simulator").StateVectorSimulator()
    program = importlib.import_module("braket.ir.openqasm").Program
    np.random.seed(5)  # noqa: NPY002 - the simulator draws from numpy's global generator
    numbers, counts = {}, {}
    for statements in CLASSICAL:
        found = interpreter().run(f"OPENQASM 3.0; int[16] result = 0; {statements}").get_value("result").value
        numbers[statements] = int(found)
    for statements in MEASURED:
        shots = simulator.run(program(source=PREPARED + statements), shots=SHOTS).measurements
        keys = Counter("".join(str(bit) for bit in reversed(shot)) for shot in shots)
        counts[PREPARED + statements] = dict(sorted(keys.items()))
    written = {
        "package": f"amazon-braket-default-simulator {version('amazon-braket-default-simulator')}",
        "classical": numbers,
        "measured": counts,
    }
    Path(sys.argv[1]).write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()
