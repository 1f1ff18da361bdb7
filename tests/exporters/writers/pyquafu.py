"""Quafu writes OpenQASM 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from circuits import Further
from quafu import QuantumCircuit, simulate
from quafu.elements import Parameter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from circuits import Call, Steps

PACKAGE = "pyquafu"
GATES = {
    **dict.fromkeys(["id", "h", "x", "y", "z", "t", "tdg", "s", "sdg", "sx", "sxdg", "sy", "sydg", "w", "sw"], (0, 1)),
    **dict.fromkeys(["rx", "ry", "rz", "p"], (1, 1)),
    **dict.fromkeys(["cnot", "cy", "cz", "cs", "ct", "swap", "iswap"], (0, 2)),
    **dict.fromkeys(["cp", "rxx", "ryy", "rzz"], (1, 2)),
    **dict.fromkeys(["toffoli", "fredkin", "mcx", "mcy", "mcz"], (0, 3)),
}
PREPARE = ("ry", "rx", "cnot")
FLAWS = {
    "OpenQASM 2": {
        "sx and sxdg, which are its own simulator's sxdg and sx": lambda call: call.name in ("sx", "sxdg"),
        "cs, which is its own simulator's cx": lambda call: call.name == "cs",
    }
}
EXPORTERS = {"OpenQASM 2": QuantumCircuit.to_openqasm}
_LEFT_OUT = "conditions and resets not at all, so that a conditional gate always runs"
MEASURED = {"OpenQASM 2": frozenset(["x", "cx", "swap", "barrier"])}
REGISTERS = "none"


def build(size: int, calls: list[Call]) -> QuantumCircuit:
    """Return the circuit of calls."""
    circuit = QuantumCircuit(size)
    for name, angles, qubits in calls:
        if name.startswith("mc"):
            getattr(circuit, name)(list(qubits[:-1]), qubits[-1])
        else:
            getattr(circuit, name)(*qubits, *angles)
    return circuit


def state(circuit: QuantumCircuit) -> Any:
    """Return its amplitudes; its first qubit is the least significant one."""
    vector = np.asarray(simulate(circuit).get_statevector())
    return vector.reshape([2] * circuit.num).transpose().ravel()


def measured(steps: Steps) -> QuantumCircuit:
    """Return the circuit of steps, its measurements all at the end."""
    circuit = QuantumCircuit(4, 4)
    kept = [values for kind, *values in steps.steps if kind == "measure"]
    for kind, *values in steps.steps:
        if kind == "barrier":
            circuit.barrier([0, 1, 2, 3])
        elif kind != "measure":
            getattr(circuit, "cnot" if kind == "cx" else kind)(*values)
    circuit.measure([qubit for qubit, _ in kept], [bit for _, bit in kept])
    return circuit


def further() -> Iterator[Further]:
    """Yield what it writes otherwise; its own simulator ends in 00."""
    for title, outcome, act in (
        ("condition", "00", _conditional),
        ("reset", "00", lambda circuit: circuit.x(0).reset([0])),
    ):
        circuit = QuantumCircuit(2, 2)
        act(circuit)
        circuit.measure([0, 1], [0, 1])
        yield Further("OpenQASM 2", title, circuit.to_openqasm(), outcome, _LEFT_OUT)
    circuit = QuantumCircuit(1)
    circuit.rx(0, Parameter("a", 0.4))
    half = [[np.cos(0.2), 0.0], [0.0, -np.sin(0.2)]]
    yield Further("OpenQASM 2", "parameter's value", circuit.to_openqasm(), half)
    text = circuit.to_openqasm(with_para=True)
    yield Further("OpenQASM 2", "parameter", text, half, "with_para=True as `a = 0.4;`, which is no OpenQASM")


def _conditional(circuit: QuantumCircuit) -> None:
    circuit.measure([0], [0])
    with circuit.cif([0], 1):
        circuit.x(1)
