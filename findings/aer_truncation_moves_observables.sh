#!/bin/sh
# Expected: save_expectation_value takes each Pauli letter on the qubit that the call names.
# Happens: beside an idle qubit, Aer's truncation renumbers qubits, not letters: another observable's value, in silence.
# Source: qiskit 2.6.2, qiskit-aer 0.18.2; `Z` on qubit 3 of four, which is 1, as qubit 2 is; two are idle.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet qiskit==2.6.2 qiskit-aer==0.18.2 2>/dev/null
"$folder/env/bin/python" - <<'PYTHON'
import sys

import qiskit
import qiskit_aer
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator

circuit = QuantumCircuit(4)
circuit.x(3)
circuit.cx(3, 2)
circuit.save_expectation_value(SparsePauliOp("Z"), [3], label="value")
print(f"qiskit {qiskit.__version__}, qiskit-aer {qiskit_aer.__version__}; the value should be -1")
found = {}
for truncation in (True, False):
    simulator = AerSimulator(method="statevector", enable_truncation=truncation)
    found[truncation] = round(float(simulator.run(circuit).result().data()["value"]), 9)
print("with truncation, the default:", found[True])
print("without:", found[False])
sys.exit(found != {True: 1.0, False: -1.0})
PYTHON
