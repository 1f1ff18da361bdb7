#!/bin/sh
# Expected: a noise model's gate error is drawn anew each time the gate is applied, in every round of a loop too.
# Happens: it is drawn once a shot, so that all rounds of a while loop err alike, save with density_matrix.
# Source: qiskit 2.6.2, qiskit-aer 0.18.2; x twice in a loop with depolarizing p = 0.6 must leave 1 in 42 % of shots.
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
from qiskit_aer.noise import NoiseModel, depolarizing_error

# A loop of two rounds: q[1] is 1 at the first test and the second, 0 at the third; x on q[0] in each round.
circuit = QuantumCircuit(3, 2)
for _ in range(2):
    circuit.sx([1, 2])
circuit.measure(1, 0)
with circuit.while_loop((circuit.clbits[0], 1)):
    circuit.x(0)
    circuit.reset(1)
    circuit.swap(1, 2)
    circuit.measure(1, 0)
circuit.measure(0, 1)
noise = NoiseModel()
noise.add_all_qubit_quantum_error(depolarizing_error(0.6, 1), ["x"])
print(f"qiskit {qiskit.__version__}, qiskit-aer {qiskit_aer.__version__}; 10,000 shots, 4,200 of them should be 10")
ones = {}
for method in ("density_matrix", "statevector", "stabilizer", "matrix_product_state"):
    run = AerSimulator(method=method).run(circuit, noise_model=noise, shots=10_000, seed_simulator=1)
    counts = run.result().get_counts()
    ones[method] = counts.get("10", 0)
    print(method, counts)
right = ones.pop("density_matrix")
sys.exit(not (3_900 < right < 4_500 and set(ones.values()) == {0}))
PYTHON
