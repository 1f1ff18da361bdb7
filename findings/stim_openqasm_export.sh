#!/bin/sh
# Expected: the OpenQASM 3 that Stim writes for a circuit defines each gate as the unitary that Stim means.
# Happens: SQRT_Y_DAG, H_XY and C_ZYX are defined as other Clifford gates (H_XY as a rotation by pi/2); sxdg is used though neither the text nor stdgates.inc defines it.
# Source: stim 1.16.0; Circuit.to_qasm(open_qasm_version=3) against Tableau.from_named_gate(...).to_unitary_matrix; openqasm 3 stdgates.inc.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet stim==1.16.0 numpy==2.2.6 2>/dev/null
"$folder/env/bin/python" - <<'PYTHON'
import re
import sys
from importlib.metadata import version

import numpy as np
import stim

print("stim", version("stim"))


def u(theta, phi, lam):
    c, s = np.cos(theta / 2), np.sin(theta / 2)
    return np.array([[c, -np.exp(1j * lam) * s], [np.exp(1j * phi) * s, np.exp(1j * (phi + lam)) * c]])


def same(a, b):
    return bool(np.isclose(abs(np.trace(a.conj().T @ b)), 2))


found = {}
for name in ("SQRT_Y", "SQRT_Y_DAG", "C_XYZ", "C_ZYX", "H_XY", "H_YZ"):
    text = stim.Circuit(f"{name} 0").to_qasm(open_qasm_version=3)
    angles = re.search(r"gate \w+ q0 \{ U\(([^)]*)\) q0; \}", text)[1]
    written = u(*(eval(angle, {"pi": np.pi}) for angle in angles.split(",")))
    meant = stim.Tableau.from_named_gate(name).to_unitary_matrix(endian="little")
    found[name] = same(written, meant)
    print(name, "is written as", f"U({angles}),", "which is itself:", found[name])
text = stim.Circuit("SQRT_X_DAG 0").to_qasm(open_qasm_version=3)
undefined = "sxdg q[0];" in text and "gate sxdg" not in text
print("sxdg is used and not defined:", undefined)
sys.exit(not (undefined and [name for name, right in found.items() if not right] == ["SQRT_Y_DAG", "C_ZYX", "H_XY"]))
PYTHON
