"""Writes texts of other packages' exporters, with the probabilities that the package itself computes for each.

    python tests/exporters/texts.py tests/unit/reader/foreign_texts.json qiskit

Run it in an environment with the package that it names; it replaces what the file has of it. Of each text the file
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


def qiskit() -> dict[str, Any]:
    """Return texts of Qiskit in both languages."""
    package, library = importlib.import_module("qiskit"), importlib.import_module("qiskit.circuit.library")
    circuit = package.QuantumCircuit(package.QuantumRegister(2, "a"), package.QuantumRegister(1, "b"))
    circuit.h(0)
    circuit.cu(0.3, 0.4, 0.5, 0.6, 0, 1)
    circuit.rccx(0, 1, 2)
    circuit.ryy(0.7, 1, 2)
    circuit.append(library.XXPlusYYGate(0.4, 0.9), [0, 2])
    circuit.append(
        library.PauliEvolutionGate(package.quantum_info.SparsePauliOp(["XZY", "ZIX"], [0.3, 0.2])), [0, 1, 2]
    )
    circuit.append(library.QFTGate(3), [2, 0, 1])
    circuit.mcp(0.8, [0, 1], 2)
    circuit.ecr(2, 1)
    exact = package.quantum_info.Statevector(circuit).reverse_qargs().probabilities().tolist()
    texts = {"OpenQASM 2": package.qasm2, "OpenQASM 3": package.qasm3}
    return {name: [module.dumps(circuit), exact] for name, module in texts.items()}


def pennylane() -> dict[str, Any]:
    """Return texts of PennyLane."""
    package = importlib.import_module("pennylane")

    @package.qnode(package.device("default.qubit", wires=3))
    def circuit() -> Any:
        package.H(0)
        package.CRY(0.7, [0, 1])
        package.Toffoli([0, 1, 2])
        package.ISWAP([0, 2])
        package.IsingXX(0.3, [1, 2])
        package.Rot(0.1, 0.2, 0.3, 0)
        package.adjoint(package.S(2))
        package.CSWAP([0, 1, 2])
        package.ControlledPhaseShift(0.4, [0, 2])
        package.PSWAP(0.3, [0, 1])
        package.GlobalPhase(0.3)
        package.H(0)
        return package.probs(wires=[0, 1, 2])

    return {"gates": [package.to_openqasm(circuit)(), circuit().tolist()]}


def pyzx() -> dict[str, Any]:
    """Return texts of PyZX in both languages."""
    package, fraction = importlib.import_module("pyzx"), importlib.import_module("fractions").Fraction
    circuit = package.Circuit(3)
    for name, *values in [("HAD", 0), ("CNOT", 0, 1), ("S", 2), ("HAD", 2), ("CZ", 1, 2), ("TOF", 0, 2, 1), ("T", 0)]:
        circuit.add_gate(name, *values)
    for name, place in (("ZPhase", 1), ("XPhase", 0), ("XPhase", 2)):
        circuit.add_gate(name, place, phase=fraction(place + 1, 7))
    exact = (abs(circuit.to_matrix()[:, 0]) ** 2).tolist()
    return {f"OpenQASM {version}": [circuit.to_qasm(version=version), exact] for version in (2, 3)}


def stim() -> dict[str, Any]:
    """Return texts of Stim in both languages, without the gates that it writes as others (see the reader's README)."""
    package = importlib.import_module("stim")
    circuit = package.Circuit(
        "H 0\nCX 0 1\nS 1\nSQRT_X 2\nISWAP 0 2\nCXSWAP 1 2\nC_XYZ 0\nSQRT_Y 1\nSQRT_XX 0 1\nCZSWAP 1 2\nH_YZ 2\n"
        "S_DAG 0\nSQRT_ZZ 0 2\nXCY 0 1\nH 1\nS 1\nH 1"
    )
    simulator = package.TableauSimulator()
    simulator.do(circuit)
    exact = [round(float(abs(value)) ** 2, 6) for value in simulator.state_vector(endian="big")]
    return {f"OpenQASM {version}": [circuit.to_qasm(open_qasm_version=version), exact] for version in (2, 3)}


def qulacs() -> dict[str, Any]:
    """Return texts of Qulacs, whose U gates it cannot write."""
    package, converter = importlib.import_module("qulacs"), importlib.import_module("qulacs.converter")
    circuit = package.QuantumCircuit(3)
    circuit.add_H_gate(0)
    circuit.add_CNOT_gate(0, 1)
    circuit.add_RX_gate(2, 0.4)
    circuit.add_RY_gate(1, 0.9)
    circuit.add_SWAP_gate(1, 2)
    circuit.add_sqrtX_gate(1)
    circuit.add_RZ_gate(0, 0.3)
    circuit.add_CZ_gate(0, 2)
    circuit.add_Sdag_gate(1)
    circuit.add_H_gate(2)
    circuit.add_H_gate(0)
    state = package.QuantumState(3)
    circuit.update_quantum_state(state)
    vector = state.get_vector()  # its qubit 0 is the least significant one
    exact = [float(abs(vector[int(f"{index:03b}"[::-1], 2)]) ** 2) for index in range(8)]
    return {"gates": ["\n".join(converter.convert_qulacs_circuit_to_QASM(circuit)), exact]}


def qutip() -> dict[str, Any]:
    """Return texts of QuTiP's circuits; its SQRTNOT is left out, which it writes as another gate."""
    circuits, qasm = importlib.import_module("qutip_qip.circuit"), importlib.import_module("qutip_qip.qasm")
    circuit = circuits.QubitCircuit(3)
    parts = [
        ("SNOT", {"targets": 0}),
        ("CNOT", {"controls": 0, "targets": 1}),
        ("RX", {"targets": 2, "arg_value": 0.4}),
    ]
    parts += [("CRZ", {"controls": 1, "targets": 2, "arg_value": 0.7}), ("TOFFOLI", {"controls": [0, 1], "targets": 2})]
    parts += [
        ("SWAP", {"targets": [0, 1]}),
        ("S", {"targets": 1}),
        ("CRX", {"controls": 0, "targets": 1, "arg_value": 0.2}),
    ]
    parts += [("QASMU", {"targets": 0, "arg_value": [0.1, 0.2, 0.3]}), ("CS", {"controls": 0, "targets": 1})]
    parts += [("CRY", {"controls": 2, "targets": 0, "arg_value": 1.2}), ("SNOT", {"targets": 1})]
    for name, values in parts:
        circuit.add_gate(name, **values)
    exact = (abs(circuit.compute_unitary().full()[:, 0]) ** 2).tolist()
    return {"gates": [qasm.circuit_to_qasm_str(circuit), exact]}


def qpanda() -> dict[str, Any]:
    """Return texts of QPanda 3."""
    core, compiler = (
        importlib.import_module("pyqpanda3.core"),
        importlib.import_module("pyqpanda3.intermediate_compiler"),
    )
    program = core.QProg()
    parts = [core.H(0), core.CNOT(0, 1), core.RX(2, 0.4), core.CR(1, 2, 0.7), core.TOFFOLI(0, 1, 2), core.SQISWAP(1, 2)]
    parts += [core.RXX(0, 1, 0.3), core.RYY(0, 1, 0.3), core.RZX(0, 2, 0.2), core.U3(0, 0.1, 0.2, 0.3), core.X1(1)]
    parts += [core.U2(1, 0.2, 0.1), core.CU(0, 1, 0.1, 0.2, 0.3, 0.4), core.MS(0, 1)]
    for part in [*parts, core.RZZ(0, 1, 0.4), core.H(0), core.H(1), core.H(2)]:
        program << part
    machine = core.CPUQVM()
    machine.run(program, 1)
    listed = machine.result().get_prob_list([0, 1, 2])  # its qubit 0 is the least significant one
    exact = [listed[int(f"{index:03b}"[::-1], 2)] for index in range(8)]
    return {"gates": [compiler.convert_qprog_to_qasm(program), exact]}


def mindquantum() -> dict[str, Any]:
    """Return texts of MindQuantum, which writes a gate of two controls as a Python function's name."""
    circuits, gates = (
        importlib.import_module("mindquantum.core.circuit"),
        importlib.import_module("mindquantum.core.gates"),
    )
    circuit = circuits.Circuit()
    parts = [gates.H.on(0), gates.X.on(1, 0), gates.RX(0.4).on(2), gates.RZ(0.7).on(2, 1), gates.SWAP.on([0, 1])]
    parts += [gates.S.on(1), gates.T.on(0), gates.RY(0.3).on(1), gates.Rxx(0.3).on([0, 1]), gates.Rzz(0.4).on([1, 2])]
    parts += [
        gates.PhaseShift(0.3).on(0),
        gates.SX.on(1),
        gates.Z.on(0, 1),
        gates.H.on(0),
        gates.H.on(1),
        gates.H.on(2),
    ]
    for part in parts:
        circuit += part
    vector = circuit.get_qs()  # its qubit 0 is the least significant one
    exact = [float(abs(vector[int(f"{index:03b}"[::-1], 2)]) ** 2) for index in range(8)]
    return {"gates": [importlib.import_module("mindquantum.io").OpenQASM().to_string(circuit), exact]}


def qrisp() -> dict[str, Any]:
    """Return texts of Qrisp in both languages."""
    circuit = importlib.import_module("qrisp").QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.rx(0.4, 2)
    circuit.cp(0.7, 1, 2)
    circuit.mcx([0, 1], 2)
    circuit.rxx(0.3, 0, 1)
    circuit.rzz(0.4, 1, 2)
    circuit.sx(1)
    circuit.xxyy(0.3, 0.2, 0, 1)
    circuit.h(0)
    exact = (abs(circuit.get_unitary()[:, 0]) ** 2).tolist()
    return {"OpenQASM 2": [circuit.to_qasm2(), exact], "OpenQASM 3": [circuit.to_qasm3(), exact]}


PACKAGES = {
    "amazon-braket-sdk": braket,
    "bqskit": bqskit,
    "cirq-core": cirq,
    "mindquantum": mindquantum,
    "mqt.core": mqt,
    "pennylane": pennylane,
    "pyqpanda3": qpanda,
    "pytket": pytket,
    "pyzx": pyzx,
    "qibo": qibo,
    "qiskit": qiskit,
    "qrisp": qrisp,
    "qulacs": qulacs,
    "qutip-qip": qutip,
    "stim": stim,
}


def main(path: Path, package: str) -> None:
    """Replace what the file has of a package, which is installed."""
    known = json.loads(path.read_text()) if path.exists() else {}
    found = PACKAGES[package]()
    known = {name: texts for name, texts in known.items() if name.split()[0] != package}
    known[f"{package} {version(package)}"] = {
        name: [text, [round(float(chance), PLACES) for chance in exact]] for name, (text, exact) in found.items()
    }
    path.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
