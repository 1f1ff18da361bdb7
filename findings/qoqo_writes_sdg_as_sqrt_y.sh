#!/bin/sh
# Expected: qoqo's InvSGate is written as sdg (or as a gate of that matrix), and SXGate as sx.
# Happens: qoqo-qasm writes InvSGate as sy and InvTGate as sydg, other gates, and refuses SXGate by the name of InvSGate: the list of gates has shifted between the two packages, at versions that pip takes together.
# Source: qoqo 1.22.2 with qoqo-qasm 0.16.0; QasmBackend.circuit_to_qasm_str and InvSGate.unitary_matrix.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet qoqo==1.22.2 qoqo-qasm==0.16.0 2>/dev/null
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import sys
from importlib.metadata import version

from qoqo import Circuit, operations
from qoqo_qasm import QasmBackend

print("qoqo", version("qoqo"), "qoqo-qasm", version("qoqo-qasm"))
found = {}
for name in ("SGate", "InvSGate", "InvTGate", "SXGate"):
    gate = getattr(operations, name)(0)
    circuit = Circuit()
    circuit += gate
    try:
        found[name] = QasmBackend("q", "2.0Vanilla").circuit_to_qasm_str(circuit).strip().splitlines()[-1]
    except ValueError as error:
        found[name] = "InvSGate" if "InvSGate" in str(error) else "?"
        print(error)
    print(name, gate.unitary_matrix().round(3).tolist(), "is written as", found[name])
sys.exit(found != {"SGate": "s q[0];", "InvSGate": "sy q[0];", "InvTGate": "sydg q[0];", "SXGate": "InvSGate"})
PYTHON
