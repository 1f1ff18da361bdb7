#!/usr/bin/env bash
# Expected: Aer saves the amplitude of any basis state of a circuit that its matrix product states can run.
# Happens: a state whose number takes more than 64 bits is a TypeError of the binding, which names C++ types.
# Source: save_amplitudes in controller_wrappers takes a vector of 64-bit integers (qiskit-aer 0.18.2).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet qiskit==2.6.2 qiskit-aer==0.18.2 2>/dev/null
"$folder/env/bin/python" - <<'PYTHON'
import qiskit_aer
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator

print("qiskit-aer", qiskit_aer.__version__)


def saved(qubits):
    """Return the amplitude of the state whose highest qubit alone is 1, of a circuit that makes it."""
    circuit = QuantumCircuit(qubits)
    circuit.x(qubits - 1)
    circuit.save_amplitudes([1 << (qubits - 1)], label="found")
    result = AerSimulator(method="matrix_product_state").run(circuit, shots=1).result()
    return complex(result.data()["found"][0])


print("63 qubits:", saved(63))
try:
    print("65 qubits:", saved(65))
except TypeError as error:
    print("65 qubits: TypeError,", str(error).splitlines()[0])
else:
    raise SystemExit("Aer saves it now.")
PYTHON
