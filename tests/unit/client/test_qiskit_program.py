"""Qiskit circuits as the client writes them, read by the service's reader and compared exactly."""

from __future__ import annotations

import math
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit, Instruction, Parameter
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import (
    CXGate,
    MCPhaseGate,
    MCXGate,
    PauliEvolutionGate,
    QFTGate,
    RYGate,
    UnitaryGate,
    get_standard_gate_name_mapping,
)
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Operator, SparsePauliOp

import reader
from quantum_circuits.qiskit.program import GATES, ExportError, write
from reader_exact import distribution

if TYPE_CHECKING:
    from collections.abc import Mapping


def probabilities(circuit: QuantumCircuit) -> dict[str, float]:
    """Return the exact probabilities of the circuit's bits as Qiskit has it, by keys without spaces."""
    flat = QuantumCircuit(circuit.qubits, ClassicalRegister(name="all_bits", bits=circuit.clbits), *circuit.cregs)
    flat.metadata = {"outputs": ["all_bits"]}
    for step in circuit.data:
        flat.append(step.operation, step.qubits, step.clbits)
    return distribution(flat)


def read(circuit: QuantumCircuit, values: Mapping[Parameter, float] | None = None) -> QuantumCircuit:
    """Return what the service reads of the circuit's program."""
    program = write(circuit)
    return reader.read(program.text, program.binding(values or {}), counted=False)


def assert_same(circuit: QuantumCircuit) -> None:
    """Compare the circuit's exact probabilities with those of its program."""
    assert distribution(read(circuit)) == pytest.approx(probabilities(circuit), abs=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_random_circuits_arrive_as_they_are(seed: int) -> None:
    """The unitary of a random circuit of standard gates is that of its program, up to a global phase, to 1e-12."""
    circuit = random_circuit(4, 8, max_operands=4, seed=seed)
    ours, theirs = Operator(read(circuit)).data, Operator(circuit).data
    assert abs(abs(np.vdot(ours, theirs)) / 16 - 1) < 1e-12


@pytest.mark.parametrize("name", sorted(GATES))
def test_each_standard_gate_is_written_by_its_name(name: str) -> None:
    """Every gate that the client takes for known is known to the service, with Qiskit's matrix."""
    gate = get_standard_gate_name_mapping()[name]
    angles = [0.1 + 0.7 * index for index in range(len(gate.params))]
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate.base_class(*angles) if angles else gate, range(gate.num_qubits))
    assert f"\n{name}" in write(circuit).text
    ours, theirs = Operator(read(circuit)).data, Operator(circuit).data
    assert abs(abs(np.vdot(ours, theirs)) / 2**gate.num_qubits - 1) < 1e-12


def test_angles_keep_all_their_digits() -> None:
    """Angles within 1e-9 of a fraction of pi, and tiny ones, are written as they are; Qiskit's exporter rounds them."""
    angles = [math.pi / 2 + 1e-10, 5e-10, -1e-300, 0.1 + 0.2]
    circuit = QuantumCircuit(1)
    for angle in angles:
        circuit.rx(angle, 0)
    assert [step.params[0] for step in read(circuit).data] == angles


def prepared(build: str) -> QuantumCircuit:
    """Return a circuit with something that has no gate of its own in the service."""
    circuit = QuantumCircuit(3, 3)
    circuit.h([0, 1, 2])
    match build:
        case "initialize":
            circuit.initialize([0.6, 0.8j], 0)
        case "unitary":
            circuit.append(UnitaryGate(Operator(random_circuit(2, 3, seed=5)).data), [0, 2])
        case "controls":
            circuit.append(MCXGate(2), [0, 1, 2])
            circuit.append(CXGate(ctrl_state=0), [1, 2])
            circuit.append(MCPhaseGate(0.3, 2, ctrl_state=1), [2, 0, 1])
            circuit.append(RYGate(0.4).control(2, ctrl_state=2, annotated=False), [2, 1, 0])
        case "annotated":
            circuit.append(RYGate(0.4).power(0.5, annotated=True), [1])
            circuit.append(QFTGate(3), [2, 0, 1])
        case "evolution":
            circuit.append(PauliEvolutionGate(SparsePauliOp(["XX", "ZI"], [0.3, 0.2]), 0.7), [0, 1])
        case "own gate named like a standard one":
            own = QuantumCircuit(1, name="x")
            own.h(0)
            circuit.append(own.to_gate(), [1])
        case "pauli":
            circuit.pauli("XYZ", [0, 1, 2])
    circuit.h([0, 1, 2])
    circuit.measure([0, 1, 2], [2, 0, 1])
    return circuit


@pytest.mark.parametrize(
    "build",
    ["initialize", "unitary", "controls", "annotated", "evolution", "own gate named like a standard one", "pauli"],
)
def test_what_has_no_gate_is_written_as_its_definition(build: str) -> None:
    """Preparations, matrices, open and many controls, modifiers, evolutions and user gates mean what they mean."""
    circuit = prepared(build)
    assert_same(circuit.decompose(gates_to_decompose=["initialize", "qft", "PauliEvolution", "pauli"], reps=4))
    flat = distribution(read(circuit))
    assert sum(flat.values()) == pytest.approx(1)


def dynamic(build: str) -> QuantumCircuit:
    """Return a circuit with control flow."""
    first, second = ClassicalRegister(2, "a[0]"), ClassicalRegister(1, "shape")
    circuit = QuantumCircuit(QuantumRegister(3, "q"), first, second)
    circuit.h([0, 1])
    circuit.measure([0, 1], [0, 1])
    match build:
        case "if on a bit":
            with circuit.if_test((first[0], 1)) as otherwise:
                circuit.x(2)
            with otherwise:
                circuit.h(2)
        case "if on a register":
            with circuit.if_test((first, 2)):
                circuit.x(2)
        case "if on an expression":
            with circuit.if_test(expr.logic_and(expr.bit_not(first[0]), expr.greater(first, 1))):
                circuit.ry(0.7, 2)
        case "while":
            with circuit.while_loop((first[0], 1)):
                circuit.h(0)
                circuit.measure(0, 0)
        case "for":
            angle = Parameter("angle")
            with circuit.for_loop((0, 1, 3), angle):
                circuit.ry(0.1 * angle, 2)
        case "for with break":
            with circuit.for_loop(range(3)):
                circuit.ry(0.9, 2)
                circuit.measure(2, 2)
                with circuit.if_test((second[0], 1)):
                    circuit.break_loop()
        case "switch":
            with circuit.switch(first) as case:
                with case(0, 3):
                    circuit.x(2)
                with case(case.DEFAULT):
                    circuit.ry(0.4, 2)
        case "variables":
            variable = circuit.add_var("v", expr.lift(5, types.Uint(8)))
            circuit.store(variable, expr.bit_and(variable, 3))
            with circuit.if_test(expr.equal(variable, 1)):
                circuit.x(2)
            circuit.store(first, expr.bit_not(first))
        case "box":
            with circuit.box():
                circuit.x(2)
    circuit.measure(2, 2)
    return circuit


@pytest.mark.parametrize(
    "build", ["if on a bit", "if on a register", "while", "for", "for with break", "switch", "variables", "box"]
)
def test_control_flow_is_written_as_it_is(build: str) -> None:
    """Every control-flow operation, in a circuit whose registers have names that OpenQASM has not."""
    expected: dict[str, dict[str, float]] = {
        "if on a bit": {
            f"{c}{b}{a}": (0.25 if c else 0.0) if a else 0.125 for c in (0, 1) for b in (0, 1) for a in (0, 1)
        },
        "if on a register": {"000": 0.25, "001": 0.25, "110": 0.25, "011": 0.25},
        "while": {"000": 0.5, "010": 0.5},
        "variables": {"111": 0.25, "110": 0.25, "101": 0.25, "100": 0.25},
        "box": {"100": 0.25, "101": 0.25, "110": 0.25, "111": 0.25},
    }
    turned = math.sin(0.2) ** 2
    expected["for"] = {f"{c}{b}{a}": (turned if c else 1 - turned) / 4 for c in (0, 1) for b in (0, 1) for a in (0, 1)}
    once = math.sin(0.2) ** 2
    expected["switch"] = {
        f"{c}{b}{a}": (float(c) if a == b else once if c else 1 - once) / 4
        for c in (0, 1)
        for b in (0, 1)
        for a in (0, 1)
    }
    stays = math.cos(0.45) ** 2
    never = stays**3
    expected["for with break"] = {
        f"{c}{b}{a}": (1 - never if c else never) / 4 for c in (0, 1) for b in (0, 1) for a in (0, 1)
    }
    found = distribution(read(dynamic(build)))
    assert found == pytest.approx({key: value for key, value in expected[build].items() if value}, abs=1e-9)


def test_conditions_are_written_as_expressions() -> None:
    """A condition over bits and registers has the same probabilities as in Qiskit's reading of it."""
    found = distribution(read(dynamic("if on an expression")))
    turned = math.sin(0.35) ** 2
    assert found == pytest.approx(
        {"000": 0.25, "001": 0.25, "011": 0.25, "010": 0.25 * (1 - turned), "110": 0.25 * turned}, abs=1e-9
    )


def test_parameters_are_inputs_whatever_their_names() -> None:
    """Expressions of parameters become inputs, whose values Qiskit works out."""
    first, second = Parameter("θ[0]"), Parameter("pi")
    circuit = QuantumCircuit(1)
    circuit.rx(2 * first + second.sin(), 0)
    circuit.rx(first, 0)
    circuit.rx(2 * first + second.sin(), 0)
    program = write(circuit)
    assert list(program.inputs) == ["a0", "a1"]
    bound = program.binding({first: 0.25, second: 0.5})
    assert bound == pytest.approx({"a0": 0.5 + math.sin(0.5), "a1": 0.25})
    assert [step.params[0] for step in read(circuit, {first: 0.25, second: 0.5}).data] == pytest.approx(
        [bound["a0"], 0.25, bound["a0"]]
    )


def test_a_line_knows_its_instruction() -> None:
    """Each line of the text is of one instruction of the circuit, so that an error can name it."""
    circuit = QuantumCircuit(1, 1)
    circuit.x(0)
    circuit.initialize([0.6, 0.8], 0)
    circuit.measure(0, 0)
    program = write(circuit)
    lines = program.text.splitlines()
    assert len(program.lines) == len(lines)
    assert [program.lines[lines.index(line)] for line in ("x q[0];", "reset q[0];", "c[0] = measure q[0];")] == [
        0,
        1,
        2,
    ]


def broken(build: str) -> QuantumCircuit:
    """Return a circuit that cannot be written."""
    circuit = QuantumCircuit(1, 1)
    circuit.x(0)
    match build:
        case "mystery":
            circuit.append(Instruction("mystery", 1, 0, []), [0])
        case "infinite":
            circuit.rx(math.inf, 0)
        case "input variable":
            circuit.add_input("v", types.Uint(8))
        case "endless delay":
            circuit.delay(math.inf, 0, unit="s")
        case "left loop":
            index = Parameter("i")
            with circuit.for_loop(range(2), index):
                circuit.rx(2 * index, 0)
                circuit.break_loop()
    return circuit


@pytest.mark.parametrize(
    ("build", "message"),
    [
        ("mystery", r"Instruction 1 of the circuit \(mystery\) has no definition in gates"),
        ("infinite", r"Instruction 1 of the circuit \(rx\) has the angle inf"),
        ("input variable", "has input variables"),
        ("endless delay", r"Instruction 1 of the circuit \(delay\) has the duration inf"),
        (
            "left loop",
            r"Instruction 1 of the circuit \(for_loop\) has the angle 2\*i, worked out from the param",
        ),
    ],
)
def test_what_cannot_be_written_is_named(build: str, message: str) -> None:
    """The error names the instruction and why."""
    with pytest.raises(ExportError, match=message):
        write(broken(build))


def test_loose_bits_and_shared_bits_are_bits_like_others() -> None:
    """Bits without a register, and registers that share bits, keep their places."""
    bits = [Clbit(), Clbit(), Clbit()]
    shared: Any = ClassicalRegister(name="ends", bits=[bits[2], bits[0]])
    circuit = QuantumCircuit(QuantumRegister(2), bits)
    circuit.add_register(shared)
    circuit.x(0)
    circuit.measure(0, bits[2])
    with circuit.if_test((shared, 1)):
        circuit.x(1)
    circuit.measure(1, bits[1])
    assert distribution(read(circuit)) == pytest.approx({"110": 1.0})


def test_a_loop_over_a_range_stays_a_range() -> None:
    """A loop of a million rounds is one short line, and one of a few rounds runs as often as Qiskit says."""
    circuit = QuantumCircuit(1, 1)
    with circuit.for_loop(range(1_000_000)):
        circuit.x(0)
    assert len(write(circuit).text) < 200
    for indexes in (range(3, 9, 2), range(5, -1, -3), range(1), range(0), (4, 1), ()):
        short = QuantumCircuit(1, 1)
        with short.for_loop(indexes):
            short.rx(0.3, 0)
        short.measure(0, 0)
        repeated = QuantumCircuit(1, 1)
        for _ in indexes:
            repeated.rx(0.3, 0)
        repeated.measure(0, 0)
        assert distribution(read(short)) == pytest.approx(probabilities(repeated), abs=1e-9)


def test_a_circuit_of_10_000_gates_is_written_in_little_memory() -> None:
    """The program's parts together take a few times its text."""
    circuit = QuantumCircuit(2, 2)
    for _ in range(5_000):
        circuit.rx(0.1, 0)
        circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    tracemalloc.start()
    try:
        program = write(circuit)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(program.lines) == len(program.text.splitlines())
    assert most < 30 * len(program.text)


def test_what_parts_shots_is_known() -> None:
    """Gates alone are exact; a measurement, a reset, and what depends on a bit are not. Nothing measured is refused."""
    gates = QuantumCircuit(1, 1)
    gates.h(0)
    assert not write(gates).samples
    with pytest.raises(ExportError, match="measures nothing"):
        write(gates).to_be_counted()
    for name, arguments in (("reset", [0]), ("measure", [0, 0])):
        parted = gates.copy()
        getattr(parted, name)(*arguments)
        assert write(parted).samples
    assert write(parted).to_be_counted().writes_bits
