#!/bin/sh
# Expected: a rotation by the angle 0 is written as a rotation by 0.
# Happens: it is written without its angle (`rx q[0];`), which is no OpenQASM: Qiskit refuses it, where it reads the rotation by 0.3.
# Source: qutip-qip 0.4.2; qutip_qip.qasm.circuit_to_qasm_str, read by Qiskit 2.6.2.
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
from qutip_qip.qasm import circuit_to_qasm_str

print("qutip-qip", version("qutip-qip"))
found = {}
for angle in (0.3, 0.0):
    circuit = QubitCircuit(1)
    circuit.add_gate("RX", targets=0, arg_value=angle)
    text = circuit_to_qasm_str(circuit)
    line = next(line for line in text.splitlines() if line.startswith("rx"))
    try:
        qasm2.loads(text)
        back = True
    except Exception as error:
        back = False
        print(type(error).__name__, error)
    found[angle] = (line, back)
    print("RX by", angle, "is written as", repr(line), "and read by Qiskit:", back)
sys.exit(found != {0.3: ("rx(0.3) q[0];", True), 0.0: ("rx q[0];", False)})
PYTHON
