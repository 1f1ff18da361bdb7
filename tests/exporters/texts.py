"""Writes texts of other packages' exporters, with the probabilities that the package itself computes for each.

    python tests/exporters/texts.py tests/unit/reader/foreign_texts.json

Run it in an environment with one of the packages; it replaces what the file has of that package. Of each text the file
has the probabilities of the basis states before measurement, the first qubit the most significant bit.
"""

from __future__ import annotations

import importlib
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

PLACES = 9  # decimals of a probability


def braket() -> dict[str, Any]:
    """Return texts of amazon-braket-sdk."""
    circuits, devices = importlib.import_module("braket.circuits"), importlib.import_module("braket.devices")
    first = circuits.Circuit().h(0).cv(0, 1).prx(2, 0.4, 0.6).ms(0, 2, 0.3, 0.5, 0.7).xy(1, 2, 0.9).si(0).vi(1).h(1)
    matrix = importlib.import_module("numpy").array([[0.6, 0.8j], [0.8j, 0.6]])
    second = circuits.Circuit().rx(0, 0.7).unitary(matrix=matrix, targets=[1]).pswap(0, 1, 0.3)
    second.cphaseshift01(1, 0, 0.4).gpi2(0, 0.8).h(1, control=[0], power=0.5)
    third = circuits.Circuit().add_verbatim_box(circuits.Circuit().prx(0, 0.9, 0.2).iswap(0, 1).prx(1, 0.4, 0.1))
    found = {}
    for name, circuit in {"gates": first, "unitary pragma": second, "verbatim box": third}.items():
        text = circuit.to_ir(ir_type=importlib.import_module("braket.circuits.serialization").IRType.OPENQASM).source
        exact = devices.LocalSimulator().run(circuit.copy().probability(), shots=0).result().values[0]
        found[name] = [text, exact.tolist()]
    return found


def mqt() -> dict[str, Any]:
    """Return texts of mqt.core in both languages."""
    circuit = importlib.import_module("mqt.core.ir").QuantumComputation(3)
    circuit.h(0)
    circuit.crx(0.7, 0, 1)
    circuit.iswapdg(1, 2)
    circuit.mcx({0, 1}, 2)
    circuit.mch({0, 2}, 1)
    circuit.crxx(0.4, 0, 1, 2)
    circuit.csxdg(2, 0)
    circuit.v(1)
    vector = importlib.import_module("mqt.core.dd").build_unitary(circuit)[:, 0]
    # Its qubit 0 is the least significant one.
    exact = [abs(vector[int(f"{index:03b}"[::-1], 2)]) ** 2 for index in range(8)]
    return {"OpenQASM 2": [circuit.qasm2_str(), exact], "OpenQASM 3": [circuit.qasm3_str(), exact]}


def pytket() -> dict[str, Any]:
    """Return texts of pytket for Quantinuum's machines."""
    package, qasm = importlib.import_module("pytket"), importlib.import_module("pytket.qasm")
    kinds = importlib.import_module("pytket.circuit").OpType
    circuit = package.Circuit(3)
    circuit.add_gate(kinds.PhasedX, [0.3, 0.4], [0]).add_gate(kinds.PhasedX, [0.7, 0.1], [1]).ZZMax(0, 1)
    circuit.ZZPhase(0.3, 1, 2).H(2).TK2(0.2, 0.3, 0.4, 0, 2).Rz(0.6, 1).add_gate(kinds.PhasedX, [0.5, 0.2], [2])
    exact = abs(circuit.get_statevector()) ** 2
    return {"hqslib1": [qasm.circuit_to_qasm_str(circuit, header="hqslib1"), exact.tolist()]}


def bqskit() -> dict[str, Any]:
    """Return texts of BQSKit."""
    package, gates = importlib.import_module("bqskit.ir"), importlib.import_module("bqskit.ir.gates")
    circuit = package.Circuit(3)
    parts = [("H", 0, ()), ("B", (0, 1), ()), ("PhasedXZ", 1, (0.3, 0.7, 1.1)), ("FSIM", (1, 2), (0.3, 0.7))]
    parts += [("SqrtISwap", (0, 2), ()), ("IToffoli", (0, 1, 2), ()), ("SqrtT", 0, ()), ("Sycamore", (2, 0), ())]
    parts += [("H", 0, ()), ("CT", (0, 1), ()), ("ECR", (1, 2), ()), ("U1q", 1, (0.4, 0.6))]
    for name, places, values in parts:
        circuit.append_gate(getattr(gates, f"{name}Gate")(), places, list(values))
    return {"gates": [circuit.to("qasm"), (abs(circuit.get_unitary().numpy[:, 0]) ** 2).tolist()]}


def qibo() -> dict[str, Any]:
    """Return texts of Qibo."""
    package = importlib.import_module("qibo")
    package.set_backend("numpy")
    gates = package.gates
    circuit = package.Circuit(3)
    circuit.add([gates.H(0), gates.CSXDG(0, 1), gates.PRX(2, 0.4, 0.6), gates.FSWAP(1, 2), gates.GPI2(0, 0.3)])
    circuit.add([gates.MS(0, 2, 0.3, 0.5, 0.7), gates.RXX(1, 2, 0.4), gates.iSWAP(0, 1), gates.H(1)])
    return {"gates": [circuit.to_qasm(), (abs(circuit().state()) ** 2).tolist()]}


def cirq() -> dict[str, Any]:
    """Return texts of Cirq in both languages."""
    package = importlib.import_module("cirq")
    a, b, c = package.LineQubit.range(3)
    circuit = package.Circuit(package.H(a), package.CNOT(a, b) ** 0.3, package.ISWAP(b, c) ** 0.5, package.rx(0.4)(c))
    circuit += [
        package.FSimGate(0.3, 0.7)(a, c),
        package.CCX(a, b, c),
        package.PhasedXZGate.from_zyz_angles(1, 2, 3)(b),
    ]
    exact = (abs(circuit.final_state_vector(dtype=importlib.import_module("numpy").complex128)) ** 2).tolist()
    return {f"OpenQASM {each[0]}": [circuit.to_qasm(version=each), exact] for each in ("2.0", "3.0")}


PACKAGES = {
    "amazon-braket-sdk": braket,
    "bqskit": bqskit,
    "cirq-core": cirq,
    "mqt.core": mqt,
    "pytket": pytket,
    "qibo": qibo,
}


def main(path: Path) -> None:
    """Replace what the file has of the packages that are installed."""
    known = json.loads(path.read_text()) if path.exists() else {}
    for package, collect in PACKAGES.items():
        try:
            release = version(package)
            found = collect()
        except ImportError:  # not installed, or without its exporter: mqt.core has none from 4 on
            continue
        known = {name: texts for name, texts in known.items() if name.split()[0] != package}
        known[f"{package} {release}"] = {
            name: [text, [round(float(chance), PLACES) for chance in exact]] for name, (text, exact) in found.items()
        }
    path.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
