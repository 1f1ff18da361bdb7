"""Qiskit writes OpenQASM 2 and 3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from circuits import Further
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qasm2, qasm3
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.quantum_info import Statevector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from circuits import Call, Steps

PACKAGE = "qiskit"
KINDS = {
    name: gate
    for name, gate in get_standard_gate_name_mapping().items()
    if gate.num_qubits and not gate.num_clbits and name not in ("reset", "delay", "measure")
}
GATES = {name: (len(gate.params), gate.num_qubits) for name, gate in KINDS.items()}
PREPARE = ("ry", "rx", "cx")
EXPORTERS = {"OpenQASM 2": qasm2.dumps, "OpenQASM 3": qasm3.dumps}
MEASURED = {
    "OpenQASM 2": frozenset(["x", "cx", "swap", "barrier", "reset", "measure"]),
    "OpenQASM 3": frozenset(["x", "cx", "swap", "barrier", "reset", "measure", "if", "if_bit"]),
}

SYMBOLIC: dict[str, dict[str, set[str]]] = {"OpenQASM 3": {}}
symbol = Parameter

NAMED = {"OpenQASM 2": {"a register named `pi` as it is": {"pi"}}}


def build(size: int, calls: list[Call]) -> QuantumCircuit:
    """Return the circuit of calls."""
    circuit = QuantumCircuit(size)
    for name, angles, qubits in calls:
        circuit.append(KINDS[name].base_class(*angles), qubits)
    return circuit


def state(circuit: QuantumCircuit) -> Any:
    """Return its amplitudes."""
    return Statevector(circuit).reverse_qargs().data


def measured(steps: Steps) -> QuantumCircuit:
    """Return the circuit of steps."""
    bits = [ClassicalRegister(size, name) for name, size in steps.bits]
    circuit = QuantumCircuit(*(QuantumRegister(size, name) for name, size in steps.qubits), *bits)
    for kind, *values in steps.steps:
        if kind == "if":
            with circuit.if_test((bits[values[0]], values[1])):
                circuit.x(values[2])
        elif kind == "if_bit":
            with circuit.if_test((circuit.clbits[values[0]], values[1])):
                circuit.x(values[2])
        else:
            getattr(circuit, kind)(*values)
    return circuit


def variables(circuit: QuantumCircuit) -> None:
    """Add arithmetic of variables, and tests of expressions."""
    number = circuit.add_var("number", expr.lift(3, types.Uint(8)))
    flag = circuit.add_var("flag", expr.lift(True))  # noqa: FBT003 - it takes nothing by name
    register, bits = circuit.cregs[0], circuit.clbits
    circuit.x(0)
    circuit.measure([0, 1], [0, 1])
    circuit.store(number, expr.bit_or(number, 12))
    circuit.store(number, expr.bit_xor(number, expr.lift(5, types.Uint(8))))
    circuit.store(number, expr.bit_not(number))
    circuit.store(flag, expr.logic_not(expr.logic_and(bits[0], bits[1])))
    with circuit.if_test(expr.logic_and(flag, expr.greater_equal(number, 200))) as otherwise:
        circuit.x(1)
    with otherwise:
        circuit.x(0)
    with circuit.if_test(expr.logic_or(expr.less(register, 1), expr.not_equal(number, 245))):
        circuit.x(2)
    with circuit.if_test(expr.cast(expr.bit_and(register, 1), types.Bool())):
        circuit.x(3)
    circuit.store(bits[3], expr.bit_xor(bits[0], flag))
    circuit.measure([0, 1, 2], [0, 1, 2])


def switches(circuit: QuantumCircuit) -> None:
    """Add switches on a register, an expression and a bit."""
    register = circuit.cregs[0]
    circuit.x(1)
    circuit.measure([0, 1], [0, 1])
    with circuit.switch(register) as case:
        with case(0, 1):
            circuit.x(0)
        with case(2):
            circuit.x(2)
        with case(case.DEFAULT):
            circuit.x(3)
    with circuit.switch(expr.bit_and(register, 6)) as case:
        with case(2), circuit.if_test((circuit.clbits[1], 1)):
            circuit.x(3)
        with case(case.DEFAULT):
            circuit.x(0)
    with circuit.switch(circuit.clbits[0]) as case:
        with case(1):
            circuit.x(1)
        with case(0):
            circuit.x(2)
    circuit.measure(range(4), range(4))


def loops(circuit: QuantumCircuit) -> None:
    """Add loops over ranges and lists, with `break`, `continue`, a parameter, and one that a measurement ends."""
    bits = circuit.clbits
    with circuit.for_loop(range(0, 6, 2), Parameter("x")) as step:
        circuit.rx(step * np.pi / 2, 0)
    with circuit.for_loop([1, 4, 9]):
        circuit.x(1)
        circuit.measure(1, 1)
        with circuit.if_test((bits[1], 0)):
            circuit.break_loop()
        with circuit.if_test((bits[0], 0)):
            circuit.continue_loop()
        circuit.x(2)
    circuit.x(3)
    circuit.measure(3, 3)
    with circuit.while_loop((bits[3], 1)):
        with circuit.if_test(expr.logic_not(bits[2])) as otherwise:
            circuit.x(2)
            circuit.measure(2, 2)
        with otherwise:
            circuit.x(3)
        circuit.measure(3, 3)
    circuit.measure(range(3), range(3))


def boxes(circuit: QuantumCircuit) -> None:
    """Add boxes, stretches and delays."""
    stretch = circuit.add_stretch("stretch")
    with circuit.box(duration=stretch):
        circuit.x(0)
    with circuit.box(duration=100, unit="ns"):
        circuit.cx(0, 1)
    circuit.delay(stretch, 0)
    circuit.delay(10, 1, unit="us")
    circuit.measure(range(4), range(4))


def further() -> Iterator[Further]:
    """Yield classical control, its outcome worked out by hand as Aer lacks some of it, and a vector of parameters."""
    made: list[tuple[Callable[[QuantumCircuit], None], str]]
    made = [(variables, "0011"), (switches, "1010"), (loops, "0101"), (boxes, "0011")]
    for add, outcome in made:
        circuit = QuantumCircuit(4, 4)
        add(circuit)
        yield Further("OpenQASM 3", f"by hand: {add.__name__}", qasm3.dumps(circuit), outcome)
    vector = ParameterVector("theta", 12)
    circuit = QuantumCircuit(2)
    circuit.ry(vector[1] * 2 - vector[11] / 3, 0)
    circuit.rx(vector[1] + vector[11], 1)
    values = {"_theta_1_": 0.4, "_theta_11_": -1.3}
    bound = circuit.assign_parameters({vector[1]: 0.4, vector[11]: -1.3})
    amplitudes = [[value.real, value.imag] for value in state(bound)]
    yield Further("OpenQASM 3", "open: elements of a vector", qasm3.dumps(circuit), amplitudes, None, values)
