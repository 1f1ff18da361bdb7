#!/bin/sh
# Expected: "x q[2]; ctrl @ x q[2], q[0];" on four qubits sets q[0], as it does on three.
# Happens: Braket's local simulator leaves out controlled gates between some places of four and more qubits, in silence.
# Source: amazon-braket-sdk 1.127.5, amazon-braket-default-simulator 1.41.2; OpenQASM 3.0, "Quantum gate modifiers".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet amazon-braket-sdk==1.127.5 amazon-braket-default-simulator==1.41.2 2>/dev/null
"$folder/env/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version
from itertools import permutations

from braket.devices import LocalSimulator
from braket.ir.openqasm import Program

print("amazon-braket-default-simulator", version("amazon-braket-default-simulator"))


def acts(qubits, control, target):
    every = " ".join(f"i q[{index}];" for index in range(qubits))
    source = (
        f"OPENQASM 3.0;\nbit[{qubits}] b;\nqubit[{qubits}] q;\n{every}\n"
        f"x q[{control}];\nctrl @ x q[{control}], q[{target}];\nb = measure q;"
    )
    counts = LocalSimulator().run(Program(source=source), shots=10).result().measurement_counts
    return all(key[target] == "1" for key in counts)


left_out = {
    qubits: [pair for pair in permutations(range(qubits), 2) if not acts(qubits, *pair)] for qubits in (2, 3, 4)
}
for qubits, pairs in left_out.items():
    print(f"of {qubits} qubits, left out for (control, target):", pairs)
sys.exit(left_out != {2: [], 3: [], 4: [(1, 3), (2, 0)]})
PYTHON
