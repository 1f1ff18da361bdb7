#!/bin/sh
# Expected: a free parameter has the value that the run gives it, whatever its name, or is refused.
# Happens: one named pi (tau, euler) is the constant: rx(pi) with pi = 0 turns the qubit over, without an error.
# Source: amazon-braket-sdk 1.127.5, amazon-braket-default-simulator 1.41.2; Circuit().rx(0, FreeParameter("pi")).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet amazon-braket-sdk==1.127.5 amazon-braket-default-simulator==1.41.2 2>/dev/null
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import sys

from braket.circuits import Circuit, FreeParameter
from braket.devices import LocalSimulator
from importlib.metadata import version

print("amazon-braket-sdk", version("amazon-braket-sdk"))
found = {}
for name in ("theta", "pi"):
    circuit = Circuit().rx(0, FreeParameter(name))
    found[name] = dict(LocalSimulator().run(circuit, shots=100, inputs={name: 0.0}).result().measurement_counts)
    print(f"rx({name}) with {name} = 0:", found[name])
sys.exit(found != {"theta": {"0": 100}, "pi": {"1": 100}})
PYTHON
