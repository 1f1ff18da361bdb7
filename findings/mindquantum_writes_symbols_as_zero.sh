#!/bin/sh
# Expected: a circuit with parameters is exported with them, or refused as exporters of OpenQASM 2 refuse unbound ones.
# Happens: each angle that has a parameter is written as 0.0, its constant part included, without a word: the text is the identity.
# Source: mindquantum 0.12.0, mindquantum.io.OpenQASM.to_string.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet mindquantum==0.12.0 2>/dev/null
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import sys
from importlib.metadata import version

from mindquantum.core.circuit import Circuit
from mindquantum.io import OpenQASM

print("mindquantum", version("mindquantum"))
circuit = Circuit().rx("a", 0).ry({"a": 2.0}, 0)
written = OpenQASM().to_string(circuit)
bound = OpenQASM().to_string(circuit.apply_value({"a": 0.4}))
print(written, bound, sep="\n")
lines = [text.strip().splitlines()[-2:] for text in (written, bound)]
sys.exit(lines != [["rx(0.0) q[0];", "ry(0.0) q[0];"], ["rx(0.4) q[0];", "ry(0.8) q[0];"]])
PYTHON
