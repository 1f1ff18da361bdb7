#!/bin/sh
# Expected: a gate that Cirq runs under a condition on a measured key is under the same condition in the OpenQASM that it writes.
# Happens: Cirq counts the key's first qubit as its highest bit, OpenQASM the register's first bit as its lowest: `key == 2` runs the gate in Cirq and not in the text.
# Source: cirq-core 1.7.0; Simulator, Circuit.to_qasm, read by Qiskit 2.6.2; OpenQASM 2 (arXiv:1707.03429), "if".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet cirq-core==1.7.0 qiskit==2.6.2 qiskit-aer==0.18.2 2>/dev/null
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import sys
from importlib.metadata import version

import cirq
import sympy
from qiskit import qasm2
from qiskit_aer import AerSimulator

print("cirq-core", version("cirq-core"))
first, second, third = cirq.LineQubit.range(3)
found = {}
for value in (1, 2):
    circuit = cirq.Circuit(
        cirq.X(first),
        cirq.measure(first, second, key="a"),
        cirq.X(third).with_classical_controls(sympy.Eq(sympy.Symbol("a"), value)),
        cirq.measure(third, key="z"),
    )
    own = int(cirq.Simulator().run(circuit).measurements["z"][0][0])
    text = circuit.to_qasm(version="2.0")
    counts = AerSimulator().run(qasm2.loads(text), shots=10).result().get_counts()
    found[value] = (own, [int(key.split()[0]) for key in counts])
    print([line for line in text.splitlines() if line.startswith("if")], "Cirq:", own, "the text:", counts)
sys.exit(found != {1: (0, [1]), 2: (1, [0])})
PYTHON
