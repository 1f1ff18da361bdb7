#!/bin/sh
# Expected: the square of a Hermitian sum of Pauli strings is Hermitian, so that Aer saves its expectation value.
# Happens: SparsePauliOp.power(2) keeps i YZ and -i YZ side by side, and Aer, which looks at them alone, refuses it.
# Source: qiskit 2.6.2, qiskit-aer 0.18.2 (save_expectation_value.py); simplify() first, and it is accepted.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet qiskit==2.6.2 qiskit-aer==0.18.2 2>/dev/null
"$folder/env/bin/python" - <<'PYTHON'
import sys

import numpy as np
import qiskit
import qiskit_aer
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator, SparsePauliOp

print(f"qiskit {qiskit.__version__}, qiskit-aer {qiskit_aer.__version__}")
square = SparsePauliOp.from_list([("ZZ", 0.5), ("XI", 2.0)]).power(2)
matrix = Operator(square).data
print("the square:", square.to_list())
print("its matrix is Hermitian:", np.allclose(matrix, matrix.conj().T))


def saved(operator):
    circuit = QuantumCircuit(2)
    try:
        circuit.save_expectation_value(operator, [0, 1])
    except ValueError as error:
        return str(error)
    return "accepted"


answers = [saved(square), saved(square.simplify())]
print("as it is:", answers[0])
print("simplified:", answers[1])
sys.exit(answers != ["Input operator is not Hermitian.", "accepted"])
PYTHON
