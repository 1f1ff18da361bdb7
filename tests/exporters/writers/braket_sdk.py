"""Amazon Braket writes OpenQASM 3 with pragmas of its own."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np
from braket.circuits import Circuit, FreeParameter, Gate, Instruction, gates
from braket.circuits.serialization import IRType, OpenQASMSerializationProperties, QubitReferenceType
from braket.devices import LocalSimulator
from circuits import CONSTANTS, NO_SYMBOLS, SYMBOLS_AS_THEY_ARE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from circuits import Call, Steps

PACKAGE = "amazon-braket-sdk"
GATES = {
    name: (len(inspect.signature(gate.__init__).parameters) - 1, gate.fixed_qubit_count())
    for name, gate in vars(gates).items()
    if inspect.isclass(gate) and gate.__module__ == gates.__name__ and name not in ("Unitary", "PulseGate", "GPhase")
}
PREPARE = ("Ry", "Rx", "CNot")


def build(size: int, calls: list[Call]) -> Circuit:
    """Return the circuit of calls."""
    circuit = Circuit()
    for name, angles, qubits in calls:
        circuit.add_instruction(Instruction(getattr(Gate, name)(*angles), qubits))
    return circuit


def state(circuit: Circuit) -> Any:
    """Return its amplitudes."""
    return LocalSimulator().run(circuit.copy().state_vector(), shots=0).result().values[0]


def text(circuit: Circuit) -> str:
    """Return its text."""
    return str(circuit.to_ir(ir_type=IRType.OPENQASM).source)


def physical(circuit: Circuit) -> str:
    """Return its text with hardware qubits."""
    properties = OpenQASMSerializationProperties(qubit_reference_type=QubitReferenceType.PHYSICAL)
    return str(circuit.to_ir(ir_type=IRType.OPENQASM, serialization_properties=properties).source)


def verbatim(circuit: Circuit) -> str:
    """Return its text as a verbatim box."""
    return str(Circuit().add_verbatim_box(circuit).to_ir(ir_type=IRType.OPENQASM).source)


EXPORTERS = {"virtual qubits": text, "physical qubits": physical, "verbatim box": verbatim}
MEASURED = dict.fromkeys(["virtual qubits", "physical qubits"], frozenset(["x", "cx", "swap"]))
REGISTERS = "none"
_THIRDS = "a sum of a symbol divided by a whole number as `a/3 + 1/3`, where 1/3 is 0"
SYMBOLIC = {
    exporter: {_THIRDS: frozenset(["(a + 1) / 3"]), SYMBOLS_AS_THEY_ARE: CONSTANTS | NO_SYMBOLS}
    for exporter in EXPORTERS
}
symbol = FreeParameter


def further() -> Iterator[tuple[str, str, str, Any]]:
    """Yield matrices, modifiers and powers."""
    source = np.random.default_rng(18)
    for number in range(20):
        circuit = Circuit()
        for place in range(3):
            circuit.ry(place, 0.4 + place).rx(place, 1.1)
        for qubits in (1, 2):
            size = 1 << qubits
            matrix = np.linalg.qr(source.normal(size=(size, size)) + 1j * source.normal(size=(size, size)))[0]
            circuit.unitary(matrix=matrix, targets=[int(place) for place in source.permutation(3)[:qubits]])
        first, second, third = (int(place) for place in source.permutation(3))
        circuit.h(first, control=[second], power=float(source.choice([0.5, -1, 2, 0.3])))
        circuit.rz(second, float(source.normal()), control=[first, third], control_state=[0, 1])
        circuit.swap(first, third, control=[second]).gphase(0.3).s(first, power=-1)
        yield (
            "virtual qubits",
            f"{'by hand' if number == 0 else 'open'}: matrices and modifiers {number}",
            text(circuit),
            amplitudes(circuit),
        )


def amplitudes(circuit: Circuit) -> list[list[float]]:
    """Return its amplitudes, each as its real and its imaginary part."""
    return [[complex(value).real, complex(value).imag] for value in state(circuit)]


def measured(steps: Steps) -> Circuit:
    """Return the circuit of steps; its bits are numbered in the order of measurements."""
    circuit = Circuit()
    for kind, *values in steps.steps:
        getattr(circuit, "cnot" if kind == "cx" else kind)(*values[: 1 if kind == "measure" else 2])
    return circuit
