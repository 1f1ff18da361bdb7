#!/bin/sh
# Expected: sx and cs are the square root of X and the controlled S, in Quafu's simulator and in the OpenQASM that it writes.
# Happens: its simulator runs sx as sxdg, sxdg as sx and cs as cx, and the text has the names: the same circuit gives other states elsewhere.
# Source: pyquafu 0.4.5; quafu.simulate, the gates' matrices and QuantumCircuit.to_openqasm, read by Qiskit 1.4.5.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet pyquafu==0.4.5 qiskit==1.4.5 2>/dev/null
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from qiskit import qasm2
from qiskit.quantum_info import Statevector
from quafu import QuantumCircuit, simulate

print("pyquafu", version("pyquafu"))
found = {}
for name, places in (("sx", [0]), ("sxdg", [0]), ("sy", [0]), ("cs", [0, 1]), ("ct", [0, 1])):
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.ry(1, 0.7)
    circuit.rz(0, 0.4)
    getattr(circuit, name)(*places)
    text = circuit.to_openqasm()
    read = Statevector(qasm2.loads(text, custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)).data
    own = np.asarray(simulate(circuit).get_statevector())
    found[name] = bool(np.isclose(abs(np.vdot(own, read)), 1, atol=1e-6))
    print(name, "written and simulated alike:", found[name], text.splitlines()[7:])
sys.exit(found != {"sx": False, "sxdg": False, "sy": True, "cs": False, "ct": True})
PYTHON
