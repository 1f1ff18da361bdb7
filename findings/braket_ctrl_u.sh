#!/bin/sh
# Expected: U(2 pi, 0, 0) is the identity (OpenQASM 3: U is 2 pi periodic), under ctrl too.
# Happens: Braket's simulator takes U without the phase exp(i theta/2): under ctrl the outcome is the opposite.
# Source: amazon-braket-sdk 1.127.5, amazon-braket-default-simulator 1.41.2; OpenQASM 3.0, "Built-in gates".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet amazon-braket-sdk==1.127.5 amazon-braket-default-simulator==1.41.2 2>/dev/null
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import sys

from braket.devices import LocalSimulator
from braket.ir.openqasm import Program
from importlib.metadata import version

# By the specification U(2 pi, 0, 0) is the identity, so its controlled form is too, and the outcome 0 is sure.
source = "OPENQASM 3.0; qubit[2] q; bit b; h q[0]; ctrl @ U(2*pi, 0, 0) q[0], q[1]; h q[0]; b = measure q[0];"
counts = LocalSimulator().run(Program(source=source), shots=100).result().measurement_counts
print("amazon-braket-sdk", version("amazon-braket-sdk"), "counts", dict(counts))
sys.exit(counts != {"1": 100})
PYTHON
