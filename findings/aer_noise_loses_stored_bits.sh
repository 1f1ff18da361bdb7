#!/bin/sh
# Expected: a noise model changes probabilities; what a circuit stores in a classical bit is in its counts.
# Happens: with readout noise of probability zero for this outcome, a bit above the last measured one stays 0 in silence.
# Source: qiskit 2.6.2, qiskit-aer 0.18.2; a measured 1 is stored in the next bit, with noise and without.
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
from qiskit.circuit.classical import expr
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError

circuit = QuantumCircuit(1, 2)
circuit.x(0)
circuit.measure(0, 0)
circuit.store(circuit.clbits[1], expr.lift(circuit.clbits[0]))
noise = NoiseModel()
noise.add_all_qubit_readout_error(ReadoutError([[0.9, 0.1], [0.0, 1.0]]))  # a 1 is always read as 1
print(f"qiskit {qiskit.__version__}, qiskit-aer {qiskit_aer.__version__}; every shot should be 11")
plain = AerSimulator().run(circuit, shots=100, seed_simulator=1).result().get_counts()
noisy = AerSimulator().run(circuit, shots=100, seed_simulator=1, noise_model=noise).result().get_counts()
print("without noise:", plain)
print("with noise:", noisy)
sys.exit((plain, noisy) != ({"11": 100}, {"01": 100}))
PYTHON
