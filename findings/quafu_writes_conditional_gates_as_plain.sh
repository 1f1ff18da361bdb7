#!/bin/sh
# Expected: a gate under a condition (`with circuit.cif(...)`), or a reset, is in the OpenQASM that Quafu writes, or is refused as other operations are.
# Happens: the gate is written without its condition and always runs, the reset is not written at all, and measurements move to the end: the text ends in other outcomes than Quafu's own simulator, without a word.
# Source: pyquafu 0.4.5; QuantumCircuit.cif, reset, to_openqasm and quafu.simulate, read by Qiskit 1.4.5.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet pyquafu==0.4.5 qiskit==1.4.5 2>/dev/null
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import sys
from importlib.metadata import version

from qiskit import qasm2
from qiskit.primitives import StatevectorSampler
from quafu import QuantumCircuit, simulate

print("pyquafu", version("pyquafu"))


def condition(circuit):
    circuit.measure([0], [0])
    with circuit.cif([0], 1):
        circuit.x(1)


def reset(circuit):
    circuit.x(1)
    circuit.reset([1])


found = {}
for act in (condition, reset):
    circuit = QuantumCircuit(2, 2)
    act(circuit)
    circuit.measure([0, 1], [0, 1])
    text = circuit.to_openqasm()
    own = set(simulate(circuit, shots=100).counts)
    counts = StatevectorSampler().run([qasm2.loads(text)], shots=100).result()[0].data.meas.get_counts()
    found[act.__name__] = (own, {key[::-1] for key in counts})
    print(act.__name__, text.splitlines()[4:], "Quafu (bit 0 first):", own, "the text:", found[act.__name__][1])
sys.exit(found != {"condition": ({"00"}, {"01"}), "reset": ({"00"}, {"01"})})
PYTHON
