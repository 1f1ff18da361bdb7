#!/bin/sh
# Expected: a gate of an OpenQASM 2 text that Qiskit writes is made of gates, and Qiskit reads the text again.
# Happens: initialize is written as a gate whose body resets its qubits, which OpenQASM 2 does not have; qiskit.qasm2 refuses it.
# Source: qiskit 2.6.2, qasm2.dumps and qasm2.loads; arXiv:1707.03429, the grammar of a gate's body.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet qiskit==2.6.2 2>/dev/null
"$folder/env/bin/python" - <<'PYTHON'
import sys

import qiskit
from qiskit import QuantumCircuit, qasm2

circuit = QuantumCircuit(2, 2)
circuit.initialize([0, 1, 0, 0], [0, 1])
circuit.measure([0, 1], [0, 1])
text = qasm2.dumps(circuit)
written = [line for line in text.splitlines() if "reset" in line]
print("qiskit", qiskit.__version__)
print(*written, sep="\n")
try:
    qasm2.loads(text, custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)
    refusal = ""
except qasm2.QASM2ParseError as error:
    refusal = error.message
print("read again:", refusal or "yes")
sys.exit(not (written and written[0].startswith("gate initialize") and refusal))
PYTHON
