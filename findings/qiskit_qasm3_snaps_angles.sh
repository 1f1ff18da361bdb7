#!/bin/sh
# Expected: both of Qiskit's exporters write a circuit's angles to the last digit, so that it can be read back exactly.
# Happens: qasm3.dumps writes an angle within 1e-9 of a fraction of pi as that fraction (5e-10 as 0) and leaves out the global phase; qasm2.dumps writes 17 digits.
# Source: qiskit 2.6.2; qiskit.qasm3.dumps and qiskit.qasm2.dumps of one circuit.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet qiskit==2.6.2 2>/dev/null
"$folder/env/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version
from math import pi

from qiskit import QuantumCircuit, qasm2, qasm3

print("qiskit", version("qiskit"))
circuit = QuantumCircuit(1, global_phase=0.25)
angles = [pi / 3 + 5e-10, 5e-10, 0.1 + 1e-12]
for angle in angles:
    circuit.rz(angle, 0)
three = [line for line in qasm3.dumps(circuit).splitlines() if line.startswith(("rz", "gphase"))]
two = [line for line in qasm2.dumps(circuit).splitlines() if line.startswith("rz")]
print("qasm3:", *three)
print("qasm2:", *two)
exact = [f"rz({angle!r}) q[0];" for angle in angles]
as_seen = three == ["rz(pi/3) q[0];", "rz(0) q[0];", "rz(0.10000000000100001) q[0];"]
sys.exit(not (as_seen and [float(line[3:-7]) for line in two] == angles and three != exact))
PYTHON
