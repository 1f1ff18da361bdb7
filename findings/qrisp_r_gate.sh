#!/bin/sh
# Expected: the OpenQASM that Qrisp writes for its gate r(theta, phi) is the unitary that Qrisp itself computes.
# Happens: the text rotates about cos(phi) X + sin(phi) Y, Qrisp about an axis a quarter turn from it: a flip about X in one is about Y in the other.
# Source: qrisp 0.9.10; QuantumCircuit.r, get_unitary and to_qasm2, read by Qiskit 1.4.5.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet qrisp==0.9.10 qiskit==1.4.5 2>/dev/null
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from qiskit import qasm2
from qiskit.quantum_info import Operator
from qrisp import QuantumCircuit

print("qrisp", version("qrisp"))
found = {}
for name, angles in (("rx", (0.6,)), ("r", (0.6, 0.0))):
    circuit = QuantumCircuit(1)
    getattr(circuit, name)(*angles, 0)
    text = circuit.to_qasm2()
    read = Operator(qasm2.loads(text, custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS))
    own = np.array(circuit.get_unitary())
    found[name] = bool(np.isclose(abs(np.trace(own.conj().T @ read.data)), 2, atol=1e-6))
    print(name, angles, "written and computed alike:", found[name], text.splitlines()[2:3], own.round(3).tolist())
sys.exit(found != {"rx": True, "r": False})
PYTHON
