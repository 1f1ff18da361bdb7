#!/bin/sh
# Expected: Tequila's export to OpenQASM 3 writes a controlled gate with its control and its target.
# Happens: it writes `ctrl @ x q[1];`, the target alone: the control is lost, and no reader can take the text.
# Source: tequila-basic 1.9.12; tequila.export_open_qasm(version="3.0"), read by qiskit-qasm3-import 0.6.0.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet tequila-basic==1.9.12 qulacs==0.6.14 qiskit-qasm3-import==0.6.0 2>/dev/null
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import sys
from importlib.metadata import version

import tequila
from qiskit_qasm3_import import parse

print("tequila-basic", version("tequila-basic"))
text = tequila.export_open_qasm(tequila.gates.CNOT(0, 1), version="3.0")
older = tequila.export_open_qasm(tequila.gates.CNOT(0, 1), version="2.0")
print(text, older)
try:
    parse(text.replace("OPENQASM 3;", 'OPENQASM 3;\ninclude "stdgates.inc";'))
    read = True
except Exception as error:
    read = False
    print(type(error).__name__, error)
sys.exit(read or "ctrl @ x q[1];" not in text or "cx q[0],q[1];" not in older)
PYTHON
