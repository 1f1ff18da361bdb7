"""MindQuantum writes OpenQASM 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circuits import Further
from mindquantum.core import gates
from mindquantum.core.circuit import Circuit
from mindquantum.io import OpenQASM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from circuits import Call, Steps

PACKAGE = "mindquantum"
GATES = {
    **dict.fromkeys(["H", "X", "Y", "Z", "S", "T", "SX", "I"], (0, 1)),
    **dict.fromkeys(["RX", "RY", "RZ", "PhaseShift"], (1, 1)),
    "U3": (3, 1),
    **dict.fromkeys(["SWAP", "ISWAP"], (0, 2)),
    **dict.fromkeys(["Rxx", "Ryy", "Rzz", "SWAPalpha", "Givens"], (1, 2)),
    **dict.fromkeys(["c X", "c Y", "c Z", "c H", "c S", "c T", "c SX"], (0, 2)),
    **dict.fromkeys(["c RX", "c RY", "c RZ", "c PhaseShift"], (1, 2)),
    "FSim": (2, 2),
    "c SWAP": (0, 3),
    "cc X": (0, 3),
}
PREPARE = ("RY", "RX", "c X")
EXPORTERS = {"OpenQASM 2": OpenQASM().to_string}
MEASURED = {"OpenQASM 2": frozenset(["x", "cx", "swap"])}
REGISTERS = "none"
FLAWS = {"OpenQASM 2": {"two controls as `ccx <function ...>`, which is no OpenQASM": lambda call: call.name == "cc X"}}


def build(size: int, calls: list[Call]) -> Circuit:
    """Return the circuit of calls."""
    circuit = Circuit()
    for name, angles, qubits in calls:
        controls, _, kind = name.rpartition(" ")
        gate = getattr(gates, kind)
        gate = gate(*angles) if angles else gate
        circuit += gate.on(list(qubits[len(controls) :]), list(qubits[: len(controls)]))
    return circuit


def state(circuit: Circuit) -> Any:
    """Return its amplitudes; its first qubit is the least significant one."""
    vector = circuit.get_qs()
    return vector.reshape([2] * circuit.n_qubits).transpose().ravel()


def measured(steps: Steps) -> Circuit:
    """Return the circuit of steps; its bits are numbered in the order of measurements."""
    circuit = Circuit()
    for kind, *values in steps.steps:
        if kind == "measure":
            circuit += gates.Measure(f"key {values[1]}").on(values[0])
        elif kind == "cx":
            circuit += gates.X.on(values[1], values[0])
        else:
            circuit += getattr(gates, kind.upper()).on(values)
    return circuit


def further() -> Iterator[Further]:
    """Yield a rotation by a symbol, and what it is where the symbol is pi: a flip."""
    circuit = Circuit() + gates.RX("alpha").on(0)
    text = OpenQASM().to_string(circuit)
    yield Further("OpenQASM 2", "a symbol", text, [[0.0, 0.0], [1.0, 0.0]], "symbols as the number 0")
