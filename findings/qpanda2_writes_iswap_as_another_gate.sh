#!/bin/sh
# Expected: the OpenQASM of a program is the program.
# Happens: gates of two qubits that have to be decomposed are written as other ones: RXX by an angle of 0.0000001, all but the identity, turns |1>|0.989 + 0.149> into a state that overlaps it by 0.955; so do iSWAP, SqiSWAP, RYY, RZZ, RZX and CU.
# Source: pyqpanda 3.8.5, convert_qprog_to_qasm, against its own CPUQVM; the text read by Qiskit 1.4.5.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet pyqpanda==3.8.5 qiskit==1.4.5 2>/dev/null
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import pyqpanda
from qiskit import qasm2
from qiskit.quantum_info import Statevector

print("pyqpanda", version("pyqpanda"))
machine = pyqpanda.CPUQVM()
machine.init_qvm()
first, second = machine.qAlloc_many(2)
found = []
for name, gate in (
    ("CNOT", pyqpanda.CNOT(first, second)),
    ("RXX(1e-7)", pyqpanda.RXX(first, second, 1e-7)),
    ("iSWAP", pyqpanda.iSWAP(first, second)),
):
    program = pyqpanda.QProg()
    program << pyqpanda.X(first) << pyqpanda.RY(second, 0.3) << gate
    machine.directly_run(program)
    own = np.asarray(machine.get_qstate())
    text = Statevector(qasm2.loads(pyqpanda.convert_qprog_to_qasm(program, machine))).data
    found.append(round(float(abs(np.vdot(own, text))), 3))
    print(name, "overlap of its own state and its text's:", found[-1])
sys.exit(found != [1.0, 0.955, 0.955])
PYTHON
