#!/bin/sh
# Expected: of one result, `probability q[1], q[2], q[0]`, an exact run (shots=0) and a sampled one number the states alike.
# Happens: with shots the first qubit named is the highest bit; exact numbers, and density matrices, come permuted inversely.
# Source: amazon-braket-default-simulator 1.41.2 (linalg_utils.py, `_get_target_permutation`), amazon-braket-sdk 1.127.5.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet amazon-braket-sdk==1.127.5 amazon-braket-default-simulator==1.41.2
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from importlib.metadata import version

from braket.devices import LocalSimulator
from braket.ir.openqasm import Program

print("amazon-braket-default-simulator", version("amazon-braket-default-simulator"))
text = "OPENQASM 3.0;\nqubit[3] q;\nx q[0];\ni q[1];\ni q[2];\n#pragma braket result {} q[1], q[2], q[0]\n"
program = Program(source=text.format("probability"))
# Only q[0] is 1, and it is named last: state 001, index 1.
exact = LocalSimulator("braket_sv").run(program, shots=0).result().values[0]
sampled = LocalSimulator("braket_sv").run(program, shots=100).result().values[0]
program = Program(source=text.format("density_matrix"))
density = LocalSimulator("braket_dm").run(program, shots=0).result().values[0]
print("exact probability:  index", list(exact).index(1))
print("sampled probability: index", list(sampled).index(1))
print("density matrix:     index", list(density.diagonal().real).index(1))
raise SystemExit((list(exact).index(1), list(sampled).index(1), list(density.diagonal().real).index(1)) != (2, 1, 2))
PYTHON
