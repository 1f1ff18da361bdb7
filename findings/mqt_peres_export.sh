#!/bin/sh
# Expected: a circuit that mqt.core writes as OpenQASM and reads again is the same circuit.
# Happens: peres and peresdg are written as gates that are other unitaries; the text gives no hint.
# Source: mqt.core 3.11.0; QuantumComputation.peres, qasm2_str, from_qasm_str and build_unitary of its own.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet mqt.core==3.11.0 numpy==2.2.6 2>/dev/null
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from mqt.core.dd import build_unitary
from mqt.core.ir import QuantumComputation

print("mqt.core", version("mqt.core"))
found = {}
for name in ("iswapdg", "peres", "peresdg"):
    circuit = QuantumComputation(2)
    getattr(circuit, name)(0, 1)
    text = circuit.qasm2_str()
    back = QuantumComputation.from_qasm_str(text)
    found[name] = bool(np.allclose(build_unitary(circuit), build_unitary(back)))
    print(name, "comes back as itself:", found[name], text.split("\n")[5:-1])
sys.exit(found != {"iswapdg": True, "peres": False, "peresdg": False})
PYTHON
