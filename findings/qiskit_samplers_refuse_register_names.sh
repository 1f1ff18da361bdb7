#!/bin/sh
# Expected: a sampler runs a circuit whatever valid name its classical register has; backends and the exporters do.
# Happens: StatevectorSampler and BackendSamplerV2 raise for `shape` (TypeError), `size`, `items`, `keys`, `values`, `ndim`.
# Source: qiskit 2.6.2, qiskit.primitives.containers.data_bin.DataBin, whose fields are the registers' names.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet qiskit==2.6.2 2>/dev/null
"$folder/env/bin/python" - <<'PYTHON'
import sys

import qiskit
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.primitives import BackendSamplerV2, StatevectorSampler
from qiskit.providers.basic_provider import BasicSimulator

print(f"qiskit {qiskit.__version__}")
raised = []
names = ("shape", "size", "items", "keys", "values", "ndim")
for name in (*names, "other"):
    circuit = QuantumCircuit(QuantumRegister(1), ClassicalRegister(1, name))
    circuit.x(0)
    circuit.measure(0, 0)
    print(name, "backend:", BasicSimulator().run(circuit, shots=10).result().get_counts())
    for sampler in (StatevectorSampler(), BackendSamplerV2(backend=BasicSimulator())):
        try:
            print(name, type(sampler).__name__, sampler.run([circuit], shots=10).result()[0].data[name].get_counts())
        except (TypeError, ValueError) as error:
            print(name, type(sampler).__name__, repr(error))
            raised.append(name)
sys.exit(sorted(raised) != sorted([*names, *names]))
PYTHON
