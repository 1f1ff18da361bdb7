#!/bin/sh
# Expected: every shot has a readout error of its own, whether shots share their beginnings or not.
# Happens: with shot_branching_enable one error is drawn for all the shots of a branch.
# Source: qiskit 2.6.2, qiskit-aer 0.18.2; x, measure, reset, measure; 1 is read as 0 in 30 %, 0 as 1 in 10 % of shots.
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
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError

circuit = QuantumCircuit(1, 2)
circuit.x(0)
circuit.measure(0, 0)
circuit.reset(0)
circuit.measure(0, 1)
noise = NoiseModel()
noise.add_all_qubit_readout_error(ReadoutError([[0.9, 0.1], [0.3, 0.7]]))
print(f"qiskit {qiskit.__version__}, qiskit-aer {qiskit_aer.__version__}; right of 10,000: 2700, 6300, 300, 700")
found = {}
for branching in (False, True):
    simulator = AerSimulator(method="statevector", shot_branching_enable=branching)
    found[branching] = simulator.run(circuit, shots=10_000, seed_simulator=1, noise_model=noise).result().get_counts()
    print(f"branching {branching}:", found[branching])
sys.exit(not (len(found[False]) == 4 and len(found[True]) < 4))
PYTHON
