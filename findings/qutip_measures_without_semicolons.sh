#!/bin/sh
# Expected: a QuTiP circuit with a measurement is written as OpenQASM 2 that other tools read.
# Happens: every measurement is written without its semicolon: Qiskit refuses all measured circuits of QuTiP, whose own reader goes by lines and does not see it.
# Source: qutip-qip 0.4.2; QubitCircuit.add_measurement, circuit_to_qasm_str and read_qasm, read by Qiskit 2.6.2.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet qutip-qip==0.4.2 qiskit==2.6.2 2>/dev/null
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import sys
from importlib.metadata import version

from qiskit import qasm2
from qutip_qip.circuit import QubitCircuit
from qutip_qip.qasm import circuit_to_qasm_str, read_qasm

print("qutip-qip", version("qutip-qip"))
found = {}
for measured in (False, True):
    circuit = QubitCircuit(1, num_cbits=1)
    circuit.add_gate("X", targets=0)
    if measured:
        circuit.add_measurement("M", targets=[0], classical_store=0)
    text = circuit_to_qasm_str(circuit)
    print(text.strip().splitlines()[-1])
    own = len(read_qasm(text, strmode=True).gates)
    try:
        qasm2.loads(text)
        read = True
    except Exception as error:
        read = False
        print(type(error).__name__, error)
    found[measured] = (own, read)
    print("measured:", measured, "operations that QuTiP reads:", own, "read by Qiskit:", read)
sys.exit(found != {False: (1, True), True: (2, False)})
PYTHON
