"""Cirq writes OpenQASM 2 and 3."""

from __future__ import annotations

import random
from math import pi
from typing import TYPE_CHECKING, Any

import cirq
import numpy as np
import sympy
from circuits import ODD_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from circuits import Call

PACKAGE = "cirq-core"
TOLERANCE = 1e-7  # it decomposes gates of two qubits to about 1e-8
_MADE: dict[str, tuple[int, int, Callable[..., cirq.Gate]]] = {
    **{name: (0, 1, lambda name=name: getattr(cirq, name)) for name in ("H", "X", "Y", "Z", "S", "T", "I")},
    **{name: (0, 2, lambda name=name: getattr(cirq, name)) for name in ("CNOT", "CZ", "SWAP", "ISWAP", "ISWAP_INV")},
    **{name: (0, 2, lambda name=name: getattr(cirq, name)) for name in ("SQRT_ISWAP", "XX", "YY", "ZZ")},
    **{name: (0, 3, lambda name=name: getattr(cirq, name)) for name in ("CCX", "CCZ", "CSWAP")},
    **{name: (1, 1, getattr(cirq, name)) for name in ("rx", "ry", "rz")},
    "phased_x": (2, 1, lambda a, b: cirq.PhasedXPowGate(phase_exponent=a / pi, exponent=b / pi)),
    "phased_xz": (
        3,
        1,
        lambda a, b, c: cirq.PhasedXZGate(x_exponent=a / pi, z_exponent=b / pi, axis_phase_exponent=c / pi),
    ),
    "u3": (
        3,
        1,
        lambda a, b, c: cirq.MatrixGate(cirq.unitary(cirq.Circuit(cirq.rz(a)(_Q), cirq.rx(b)(_Q), cirq.rz(c)(_Q)))),
    ),
    **{
        f"{name}_power": (1, size, lambda a, name=name: getattr(cirq, name) ** (a / pi))
        for name, size in {
            "H": 1,
            "X": 1,
            "Y": 1,
            "Z": 1,
            "CNOT": 2,
            "CZ": 2,
            "SWAP": 2,
            "ISWAP": 2,
            "XX": 2,
            "YY": 2,
            "ZZ": 2,
            "CCX": 3,
            "CCZ": 3,
        }.items()
    },
    "fsim": (2, 2, cirq.FSimGate),
    "phased_iswap": (2, 2, lambda a, b: cirq.PhasedISwapPowGate(phase_exponent=a / pi, exponent=b / pi)),
    "ms": (1, 2, cirq.ms),
    "givens": (1, 2, cirq.givens),
    "cphase": (1, 2, cirq.cphase),
    "controlled_y": (1, 2, lambda a: cirq.ControlledGate(cirq.ry(a))),
    "qft": (0, 3, lambda: cirq.QuantumFourierTransformGate(3)),
    "matrix2": (2, 2, lambda a, b: cirq.MatrixGate(cirq.unitary(cirq.FSimGate(a, b)))),
}
_Q = cirq.LineQubit(0)
GATES = {name: (angles, qubits) for name, (angles, qubits, _) in _MADE.items()}
PREPARE = ("ry", "rx", "CNOT")
_UNDECLARED = "comparisons of keys that are no names (`my key`) by a name that it does not declare"
_BACKWARDS = "comparisons of several bits in the other order than the registers that it writes"
EXPORTERS = {
    f"OpenQASM {version[0]}": (lambda circuit, version=version: circuit.to_qasm(version=version, precision=15))
    for version in ("2.0", "3.0")
}


def build(size: int, calls: list[Call]) -> cirq.Circuit:
    """Return the circuit of calls."""
    qubits = cirq.LineQubit.range(size)
    return cirq.Circuit(_MADE[name][2](*angles)(*(qubits[place] for place in places)) for name, angles, places in calls)


def state(circuit: cirq.Circuit) -> Any:
    """Return its amplitudes."""
    return circuit.final_state_vector(dtype=np.complex128)


def further() -> Iterator[tuple[str, ...]]:
    """Yield flips under measured keys, each key measured once, with the bits that Cirq's simulator ends in.

    Then keys and qubits of odd names, and what it writes otherwise.
    """
    for seed in range(30):
        source = random.Random(seed)
        qubits = cirq.LineQubit.range(4)
        circuit = cirq.Circuit()
        keys: list[str] = []
        for number in range(6):
            circuit.append(cirq.X(qubit) for qubit in qubits if source.random() < 0.4)
            circuit.append(cirq.CNOT(*source.sample(qubits, 2)))
            keys.append(f"{source.choice('abXY')}{number}")
            circuit.append(cirq.measure(*source.sample(qubits, source.randint(1, 3)), key=keys[-1]))
            circuit.append(cirq.X(source.choice(qubits)).with_classical_controls(source.choice(keys)))
            if source.random() < 0.3:
                circuit.append(cirq.reset(source.choice(qubits)))
        found = cirq.Simulator().run(circuit).measurements
        text = circuit.to_qasm(version="3.0")
        order = sorted(keys, key=lambda key: text.index(f"m_{key};"))
        outcome = " ".join("".join(str(bit) for bit in reversed(found[key][0])) for key in reversed(order))
        yield "OpenQASM 3", f"{'by hand' if seed == 0 else 'open'}: flips under keys {seed}", text, outcome
    for name in ODD_NAMES:
        for version in ("2.0", "3.0"):
            # A line break in a qubit's name ends the comment that has it, so such a one is not among these.
            circuit = _conditional(cirq.KeyCondition(cirq.MeasurementKey(name)), name, 1)
            yield (
                f"OpenQASM {version[0]}",
                f"key and qubit named {name[:10]!r}",
                circuit.to_qasm(version=version),
                "1 1",
            )
            equal = sympy.Eq(sympy.Symbol(name), 1)
            text = _conditional(cirq.SympyCondition(equal), name, 1).to_qasm(version=version)
            flaw = () if f"m_{name}".isidentifier() and name.isascii() else (_UNDECLARED,)
            yield f"OpenQASM {version[0]}", f"comparison of the key {name[:10]!r}", text, "1 1", *flaw
    for version in ("2.0", "3.0"):
        text = _conditional(cirq.SympyCondition(sympy.Eq(sympy.Symbol("a"), 2)), "a", 2).to_qasm(version=version)
        yield f"OpenQASM {version[0]}", "comparison of two bits", text, "1 01", _BACKWARDS


def _conditional(condition: cirq.Condition, key: str, size: int) -> cirq.Circuit:
    """Return a flip of the first of some measured qubits, and one of another under a condition."""
    qubits = [cirq.NamedQubit(f"{key} {number}") for number in range(3)]
    return cirq.Circuit(
        cirq.X(qubits[0]),
        cirq.measure(*qubits[:size], key=key),
        cirq.X(qubits[2]).with_classical_controls(condition),
        cirq.measure(qubits[2], key="z_"),
    )
