#!/bin/sh
# Expected: a circuit with a FreeParameter, sent as it is with a value for it, is the circuit with that value bound.
# Happens: a sum divided by a whole number, (theta + 1) / 3, is written as theta/3 + 1/3, where 1/3 divides integers and is 0: Braket's own simulator turns by 0.133, the bound circuit by 0.467, without a word.
# Source: amazon-braket-sdk 1.127.5, FreeParameter arithmetic, Circuit.to_ir and LocalSimulator.run(inputs=...); OpenQASM 3, integer division.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet amazon-braket-sdk==1.127.5 2>/dev/null
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import sys
from importlib.metadata import version
from math import atan2

from braket.circuits import Circuit, FreeParameter
from braket.circuits.serialization import IRType
from braket.devices import LocalSimulator

print("amazon-braket-sdk", version("amazon-braket-sdk"))
circuit = Circuit().rx(0, (FreeParameter("theta") + 1) / 3)
line = circuit.to_ir(ir_type=IRType.OPENQASM).source.splitlines()[4]
bound = circuit.make_bound_circuit({"theta": 0.4})


def turned(circuit, **inputs):
    state = LocalSimulator().run(circuit.copy().state_vector(), shots=0, **inputs).result().values[0]
    return round(2 * atan2(abs(state[1]), abs(state[0])), 6)


found = (line, turned(circuit, inputs={"theta": 0.4}), turned(bound))
print(f"written: {found[0]}  with inputs: {found[1]}  bound: {found[2]}")
sys.exit(found != ("rx(theta/3 + 1/3) q[0];", 0.133333, 0.466667))
PYTHON
