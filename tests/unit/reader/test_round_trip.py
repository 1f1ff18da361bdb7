"""Round trips: what Qiskit exports comes back as the same circuit, control flow included, and agrees with its importers."""

# ruff: noqa: E501, ISC004 - a table reads best with a program to a line and the expected value first

from __future__ import annotations

import warnings

import numpy as np
import pytest
import qiskit.qasm2
import qiskit.qasm3
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Gate, library
from qiskit.circuit.classical import expr, types
from qiskit.quantum_info import Operator

from reader import Budget, fast_path, read
from reader.compiler import program
from reader.text import parser
from reader_exact import distribution
from tasks.errors import TaskError


def of_one_gate(gate: Gate) -> QuantumCircuit:
    """Return a circuit of nothing but this gate."""
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate, range(gate.num_qubits))
    return circuit


def circuits() -> dict[str, QuantumCircuit]:
    """Return circuits of the library, one per family, small enough to compare as matrices."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own deprecations
        made: dict[str, QuantumCircuit] = {
            "qft": library.QFT(4),
            "grover": library.GroverOperator(of_one_gate(library.CCZGate())),
            "real_amplitudes": library.RealAmplitudes(3, reps=1).assign_parameters(np.linspace(0.1, 2, 6)),
            "efficient_su2": library.EfficientSU2(3, reps=1).assign_parameters(np.linspace(0.1, 2, 12)),
            "two_local": library.TwoLocal(3, ["ry", "rz"], "cz", reps=1).assign_parameters(np.linspace(0.1, 2, 12)),
            "zz_feature_map": library.ZZFeatureMap(2, reps=1).assign_parameters([0.3, 0.9]),
            "pauli_feature_map": library.PauliFeatureMap(2, reps=1).assign_parameters([0.3, 0.9]),
            "quantum_volume": library.QuantumVolume(3, 2, seed=3).decompose(reps=2),
            "graph_state": library.GraphState([[0, 1, 1], [1, 0, 0], [1, 0, 0]]).decompose(),
            "cdkm_adder": library.CDKMRippleCarryAdder(2),
            "draper_adder": library.DraperQFTAdder(2),
            "weighted_adder": library.WeightedAdder(2, [1, 2]),
            "integer_comparator": library.IntegerComparator(2, 2),
            "iqp": library.IQP([[6, 5, 3], [5, 4, 5], [3, 5, 1]]),
            "phase_estimation": library.PhaseEstimation(2, of_one_gate(library.TGate())),
            "hidden_linear_function": library.HiddenLinearFunction([[1, 1], [1, 0]]),
            "fourier_checking": library.FourierChecking([1, -1, -1, -1], [1, 1, -1, -1]).decompose(reps=6),
            "inner_product": library.InnerProduct(2),
            "permutation": library.Permutation(3, [2, 0, 1]),
            "xor": library.XOR(3, 5),
            "and": library.AND(2, [1, -1]),
            "mcmt": library.MCMT(library.XGate(), 2, 1),
            "linear_rotations": library.LinearPauliRotations(2, 0.3, 0.2),
            "polynomial_rotations": library.PolynomialPauliRotations(2, [0.1, 0.2]),
        }
    for name, gate in library.get_standard_gate_name_mapping().items():
        if gate.num_clbits or name in ("delay", "reset", "measure", "global_phase"):
            continue
        single = QuantumCircuit(gate.num_qubits)
        angles = [0.3, 0.7, 1.1, 1.9][: len(gate.params)]
        single.append(gate.base_class(*angles) if angles else gate, range(gate.num_qubits))
        made[f"gate {name}"] = single
    return made


CIRCUITS = circuits()


def unitary(circuit: QuantumCircuit) -> np.ndarray:
    """Return the matrix of a circuit that the reader built, its final measurements taken off."""
    bare = QuantumCircuit(circuit.num_qubits, global_phase=circuit.global_phase)
    for instruction in circuit.data:
        if instruction.operation.name not in ("measure", "barrier"):
            bare.append(instruction.operation, [circuit.qubits.index(qubit) for qubit in instruction.qubits])
    return Operator(bare).data


@pytest.mark.parametrize("name", sorted(CIRCUITS))
@pytest.mark.parametrize("dumps", [qiskit.qasm3.dumps, qiskit.qasm2.dumps], ids=["qasm3", "qasm2"])
def test_an_exported_circuit_comes_back(name: str, dumps: object) -> None:
    """Exporting a circuit and reading it gives the same unitary up to a global phase."""
    circuit = CIRCUITS[name]
    measured = QuantumCircuit(*circuit.qregs, ClassicalRegister(circuit.num_qubits, "found"))
    measured.compose(circuit, inplace=True)
    measured.measure(measured.qubits, measured.clbits)
    try:
        text = dumps(measured)  # type: ignore[operator]
    except (qiskit.qasm2.QASM2ExportError, qiskit.qasm3.QASM3ExporterError):
        pytest.skip("Qiskit cannot export this circuit")
    expected, found = Operator(circuit).data, unitary(read(text))
    overlap = abs(np.trace(expected.conj().T @ found)) / len(expected)
    assert overlap == pytest.approx(1.0, abs=1e-7)


def controlled() -> dict[str, tuple[QuantumCircuit, dict[str, float]]]:  # noqa: PLR0915 a dispatch over the language
    """Return circuits with control flow and what they give."""

    def coin(clbits: int = 2) -> QuantumCircuit:
        circuit = QuantumCircuit(QuantumRegister(2, "q"), ClassicalRegister(clbits, "c"))
        circuit.h(0)
        circuit.measure(0, 0)
        return circuit

    made: dict[str, tuple[QuantumCircuit, dict[str, float]]] = {}
    circuit = coin()
    with circuit.if_test((circuit.clbits[0], 1)) as otherwise:
        circuit.x(1)
    with otherwise:
        circuit.z(1)
    circuit.measure(1, 1)
    made["if_else"] = circuit, {"00": 0.5, "11": 0.5}

    circuit = coin()
    with circuit.if_test(expr.logic_and(circuit.clbits[0], expr.less(circuit.cregs[0], 2))):
        circuit.x(1)
    circuit.measure(1, 1)
    made["condition"] = circuit, {"00": 0.5, "11": 0.5}

    circuit = coin()
    with circuit.while_loop((circuit.clbits[0], 1)):
        circuit.h(0)
        circuit.measure(0, 0)
    made["while_loop"] = circuit, {"00": 1.0}

    circuit = coin()
    with circuit.for_loop(range(3)) as _:
        circuit.x(1)
    circuit.measure(1, 1)
    made["for_loop"] = circuit, {"10": 0.5, "11": 0.5}

    circuit = coin()
    with circuit.while_loop(expr.lift(True)):  # noqa: FBT003 - Qiskit's interface
        circuit.h(0)
        circuit.measure(0, 0)
        with circuit.if_test((circuit.clbits[0], 1)):
            circuit.break_loop()
    made["break_loop"] = circuit, {"01": 1.0}

    circuit = coin()
    with circuit.switch(circuit.cregs[0]) as case:
        with case(1, 3):
            circuit.x(1)
        with case(case.DEFAULT):
            circuit.z(1)
    circuit.measure(1, 1)
    made["switch"] = circuit, {"00": 0.5, "11": 0.5}

    circuit = coin()
    number = circuit.add_var("n", expr.lift(3, types.Uint(4)))
    circuit.store(number, expr.add(number, expr.cast(circuit.cregs[0], types.Uint(4))))
    with circuit.if_test(expr.equal(number, 4)):
        circuit.x(1)
    circuit.measure(1, 1)
    made["add_var"] = circuit, {"00": 0.5, "11": 0.5}

    circuit = coin()
    with circuit.box():
        circuit.x(1)
    circuit.measure(1, 1)
    made["box"] = circuit, {"10": 0.5, "11": 0.5}
    return made


CONTROLLED = controlled()


@pytest.mark.parametrize("name", sorted(CONTROLLED))
def test_exported_control_flow_comes_back(name: str) -> None:
    """Control flow that Qiskit writes as OpenQASM 3 is read with its distribution."""
    circuit, expected = CONTROLLED[name]
    text = qiskit.qasm3.dumps(circuit)
    assert pytest.approx(expected) == distribution(read(text))


SHARED = [
    "qubit[3] q; bit[3] c; h q; cx q[0], q[1]; rz(pi / 8) q[2]; ctrl @ h q[0], q[2]; c = measure q;",
    "gate g(a) x1, y1 { rx(a) x1; cx x1, y1; } qubit[2] q; bit[2] c; g(0.4) q[0], q[1]; inv @ g(0.1) q[1], q[0]; "
    "c = measure q;",
    "qubit[3] q; bit[3] c; h q[0]; c[0] = measure q[0]; if (c[0]) { x q[1]; } c[1] = measure q[1];",
    "qubit[4] q; bit[4] c; let a = q[1:2]; rx(0.3) a; cx a[0], q[3]; c = measure q;",
    "qubit[2] q; bit[2] c; pow(2) @ t q[0]; negctrl @ ry(0.4) q[0], q[1]; gphase(pi); c = measure q;",
    "qubit[2] q; bit[2] c; ry(0.3) q[0]; c[0] = measure q[0]; while (c[0]) { ry(0.3) q[0]; c[0] = measure q[0]; } "
    "c[1] = measure q[1];",
]


@pytest.mark.parametrize("body", SHARED)
def test_qiskits_importer_agrees_where_it_accepts(body: str) -> None:
    """A program that Qiskit's importer takes has the same distribution in its circuit and in the reader's."""
    text = f'OPENQASM 3.0; include "stdgates.inc"; {body}'
    theirs = qiskit.qasm3.loads(text)
    theirs = theirs.decompose(["g", "g_dg", "circuit-*"], reps=3) if "gate g" in body else theirs
    theirs.metadata = {"outputs": [register.name for register in theirs.cregs]}
    assert pytest.approx(distribution(theirs), abs=1e-9) == distribution(read(text))


FLAT = [
    'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[3] q;\nbit[3] c;\nh q[0];\nrz(-pi/4) q[1];\ncx q, q;\n',
    "qubit[3] q; bit[3] c; U(0.1, pi/3, -2e-3) q[0]; u3(1, 2, 3) q[1]; swap q[0], q[2]; barrier q[0], q[1]; c = measure q;",
    "qubit[3] q; bit[3] c; ccx q[0], q[1], q[2]; reset q; barrier; c[1] = measure q[2]; measure q[0] -> c[0];",
    "qubit q; bit c; rx(3*pi/4) q; ry(pi*2) q; rz(.5*pi) q; p(4/2) q; p(1/2.0) q; rx(sin(0.3)) q; c = measure q; // end",
    'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; u2(0,pi) q[0]; rx(1/2) q[1]; cu1(pi/2) q[0],q[1]; '
    "measure q -> c;",
    "qubit[2] a; qubit[2] b; bit[2] c; cx a, b; h a; iswap a[0], b[1]; c = measure b;",
    "qubit[1] q; bit[1] c; h q; c = measure q;",
    'OPENQASM 2.0; include "qelib1.inc"; gate maj a,b,c { cx c,b; cx c,a; ccx a,b,c; } '
    "gate turn(t) a,b { rz(t/2) a; cx b,a; barrier a,b; u1(-t/2) b; } qreg q[4]; creg c[4]; "
    "maj q[2],q[0],q[1]; maj q[2],q[0],q[1]; turn(pi/4) q[3],q[0]; turn(-0.5) q,q; measure q -> c;",
    "// its own gates\ngate back a, b { cx b, a; } gate none a { } gate h a { x a; } gate two a, b { back b, a; h b; }\n"
    "qubit[3] q; bit[3] c; back q[0], q[1]; none q[1]; h q; two q[2], q[0]; c = measure q;",
    "gate turned(t) a { gphase(t); p(t) a; } gate still a { gphase(pi / 3); x a; } qubit[2] q; bit[2] c; "
    "still q[0]; still q[0]; turned(0.25) q; c = measure q;",
]


@pytest.mark.parametrize("text", FLAT)
def test_the_fast_path_changes_nothing(text: str) -> None:
    """What the fast path accepts, the compiler reads as the very same operations."""
    fast = fast_path.scan(text, Budget())
    try:
        slow = program.compile_program(parser.parse(text), {}, Budget())
    except Exception:  # noqa: BLE001 - whatever it is, the fast path must have left it alone
        assert fast is None
        return
    assert fast is not None
    assert slow.registers == fast.registers
    assert slow.outputs == fast.outputs
    assert slow.operations == fast.operations
    assert [operation.name for operation in slow.operations] == [operation.name for operation in fast.operations]
    assert slow.phase == pytest.approx(fast.phase)


@pytest.mark.parametrize(
    "text",
    [
        "qubit[2] q; bit[2] c; h q[2]; c = measure q;",
        "qubit[2] q; bit[2] c; cx q[0], q[0]; c = measure q;",
        "qubit[2] q; bit[2] c; hh q[0]; c = measure q;",
        "qubit[2] q; bit[2] c; rx(1/0) q[0]; c = measure q;",
        "qubit[2] q; bit[2] c; hq[0]; c = measure q;",
        "qubit[2] q;\fbit[2] c; c = measure q;",
        "qubit[2] q; bit[2] if; if = measure q;",
        "OPENQASM 2.0; qubit[2] q; bit[2] c; c = measure q;",
        "qubit[2] q; h q[0];",
        "gate g a { hh a; } qubit[2] q; bit[2] c; c = measure q;",
        "gate g(t) a { rx(1 / t) a; } qubit q; bit c; g(0) q; c = measure q;",
        "gate g a, b { cx a, b; } qubit[2] q; bit[2] c; g q[1], q[1]; c = measure q;",
        "gate g a { x a; } qubit[2] g; bit[2] c; c = measure g;",
        "gate g a { x a; } gate g a { y a; } qubit[2] q; bit[2] c; g q; c = measure q;",
    ],
)
def test_the_fast_path_leaves_mistakes_to_the_parser(text: str) -> None:
    """The fast path refuses nothing itself: a program with a mistake goes to the parser, which explains it."""
    assert fast_path.scan(text, Budget()) is None
    with pytest.raises(TaskError):
        read(text)
