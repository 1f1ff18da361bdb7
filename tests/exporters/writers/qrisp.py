"""Qrisp writes OpenQASM 2 and 3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circuits import CONSTANTS
from qrisp import Clbit, QuantumCircuit, Qubit
from sympy import Symbol

if TYPE_CHECKING:
    from circuits import Call, Steps

PACKAGE = "qrisp"
GATES = {
    **dict.fromkeys(["h", "x", "y", "z", "s", "s_dg", "t", "t_dg", "sx", "sx_dg", "id"], (0, 1)),
    **dict.fromkeys(["rx", "ry", "rz", "p"], (1, 1)),
    "r": (2, 1),
    "u3": (3, 1),
    **dict.fromkeys(["cx", "cy", "cz", "swap"], (0, 2)),
    **dict.fromkeys(["cp", "rxx", "rzz"], (1, 2)),
    "xxyy": (2, 2),
    **dict.fromkeys(["mcx", "ccx"], (0, 3)),
}
PREPARE = ("ry", "rx", "cx")
EXPORTERS = {"OpenQASM 2": QuantumCircuit.to_qasm2, "OpenQASM 3": QuantumCircuit.to_qasm3}
_FLAW = "r as the usual gate of that name, where its own turns about another axis"
FLAWS = {exporter: {_FLAW: lambda call: call.name == "r"} for exporter in EXPORTERS}
MEASURED = dict.fromkeys(EXPORTERS, frozenset(["x", "cx", "swap", "barrier", "reset", "measure"]))

SYMBOLIC = {"OpenQASM 3": {"symbols named by constants (`pi`, `tau`, `euler`) as they are": CONSTANTS}}
symbol = Symbol

NAMED = {
    "OpenQASM 2": {"a register named `pi` as it is": {"pi"}},
    "OpenQASM 3": {"registers named by constants (`pi`, `tau`) as they are": {"pi", "tau", "π"}},
}


def build(size: int, calls: list[Call]) -> QuantumCircuit:
    """Return the circuit of calls."""
    circuit = QuantumCircuit(size)
    for name, angles, qubits in calls:
        if name == "mcx":
            circuit.mcx(list(qubits[:-1]), qubits[-1])
        else:
            getattr(circuit, name)(*angles, *qubits)
    return circuit


def state(circuit: QuantumCircuit) -> Any:
    """Return its amplitudes."""
    return circuit.get_unitary()[:, 0]


def measured(steps: Steps) -> QuantumCircuit:
    """Return the circuit of steps; each qubit and bit is a register."""
    circuit = QuantumCircuit()
    for name, size in steps.qubits:
        for place in range(size):
            circuit.add_qubit(Qubit(f"{name}{place or ''}"))
    for name, size in steps.bits:
        for place in range(size):
            circuit.add_clbit(Clbit(f"{name}{place or ''}"))
    for kind, *values in steps.steps:
        if kind == "barrier":
            circuit.barrier(circuit.qubits)
        elif kind == "measure":
            circuit.measure(circuit.qubits[values[0]], circuit.clbits[values[1]])
        else:
            getattr(circuit, kind)(*(circuit.qubits[value] for value in values))
    return circuit
