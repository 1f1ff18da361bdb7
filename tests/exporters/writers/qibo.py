"""Qibo writes OpenQASM 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import qibo
from circuits import AS_THEY_ARE, KEYWORDS, NO_NAMES
from qibo import Circuit, gates

if TYPE_CHECKING:
    from circuits import Call, Steps

PACKAGE = "qibo"
qibo.set_backend("numpy")
GATES = {
    **dict.fromkeys(["H", "X", "Y", "Z", "SX", "SXDG", "S", "SDG", "T", "TDG", "I"], (0, 1)),
    **dict.fromkeys(["RX", "RY", "RZ", "GPI", "GPI2", "U1"], (1, 1)),
    **dict.fromkeys(["U2", "PRX"], (2, 1)),
    "U3": (3, 1),
    **dict.fromkeys(["CNOT", "CY", "CZ", "CSX", "CSXDG", "SWAP", "iSWAP", "FSWAP"], (0, 2)),
    **dict.fromkeys(["CRX", "CRY", "CRZ", "CU1", "RXX", "RYY", "RZZ"], (1, 2)),
    "CU3": (3, 2),
    **dict.fromkeys(["TOFFOLI", "CCZ"], (0, 3)),
}
PREPARE = ("RY", "RX", "CNOT")
EXPORTERS = {"OpenQASM 2": Circuit.to_qasm}
MEASURED = {"OpenQASM 2": frozenset(["x", "cx", "swap"])}
REGISTERS = "bits"
NAMED = {"OpenQASM 2": {AS_THEY_ARE: KEYWORDS[2] | NO_NAMES}}

FLAWS = {
    "OpenQASM 2": {"CU3 as cu3, which has another phase since OpenQASM's first draft": lambda call: call.name == "CU3"}
}


def build(size: int, calls: list[Call]) -> Circuit:
    """Return the circuit of calls."""
    circuit = Circuit(size)
    circuit.add(getattr(gates, name)(*qubits, *angles) for name, angles, qubits in calls)
    return circuit


def state(circuit: Circuit) -> Any:
    """Return its amplitudes."""
    return circuit().state()


def measured(steps: Steps) -> Circuit:
    """Return the circuit of steps, its measurements all at the end, one for each register."""
    circuit = Circuit(sum(size for _, size in steps.qubits))
    kinds = {"x": gates.X, "cx": gates.CNOT, "swap": gates.SWAP}
    kept = {values[1]: values[0] for kind, *values in steps.steps if kind == "measure"}
    circuit.add(kinds[kind](*values) for kind, *values in steps.steps if kind != "measure")
    first = 0
    for name, size in steps.bits:
        circuit.add(gates.M(*(kept[first + place] for place in range(size)), register_name=name))
        first += size
    return circuit
