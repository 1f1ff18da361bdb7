#!/bin/sh
# Expected: a measurement key that is no OpenQASM name gets another name in the text (Cirq declares `m0`), in conditions too.
# Happens: a comparison of that key is written with the key itself, a name that is not declared or no name: `if (m_my key==1)`. A plain condition on the same key is right.
# Source: cirq-core 1.7.0; Circuit.to_qasm, with_classical_controls of a key and of sympy.Eq, read by Qiskit 2.6.2.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet cirq-core==1.7.0 qiskit==2.6.2 2>/dev/null
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import sys
from importlib.metadata import version

import cirq
import sympy
from qiskit import qasm2

print("cirq-core", version("cirq-core"))
first, second = cirq.LineQubit.range(2)
found = {}
for key in ("key", "my key"):
    for kind, condition in (("plain", key), ("comparison", sympy.Eq(sympy.Symbol(key), 1))):
        circuit = cirq.Circuit(cirq.measure(first, key=key), cirq.X(second).with_classical_controls(condition))
        text = circuit.to_qasm(version="2.0")
        try:
            qasm2.loads(text)
            found[key, kind] = True
        except qasm2.QASM2ParseError:
            found[key, kind] = False
        lines = [line for line in text.splitlines() if line.startswith(("creg", "if"))]
        print(repr(key), kind, lines, "read by Qiskit:", found[key, kind])
sys.exit([each for each, read in found.items() if not read] != [("my key", "comparison")])
PYTHON
