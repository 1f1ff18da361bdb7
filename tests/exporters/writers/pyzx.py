"""PyZX writes OpenQASM 2 and 3."""

from __future__ import annotations

from fractions import Fraction
from math import pi
from typing import TYPE_CHECKING, Any

from circuits import UNDECLARED, Further
from pyzx import Circuit
from pyzx.circuit.gates import gate_types
from pyzx.symbolic import new_var

if TYPE_CHECKING:
    from collections.abc import Iterator

    from circuits import Call, Steps

PACKAGE = "pyzx"
GATES = {
    **dict.fromkeys(["HAD", "NOT", "Z", "S", "T", "SX"], (0, 1)),
    **dict.fromkeys(["ZPhase", "XPhase", "YPhase"], (1, 1)),
    **dict.fromkeys(["CNOT", "CZ", "CY", "CHAD", "CSX", "SWAP"], (0, 2)),
    **dict.fromkeys(["CRX", "CRY", "CRZ", "CPhase", "RXX", "RZZ"], (1, 2)),
    "U2": (2, 1),
    "U3": (3, 1),
    "CU3": (3, 2),
    "CU": (4, 2),
    **dict.fromkeys(["CCZ", "TOF", "CSWAP"], (0, 3)),
}
PREPARE = ("YPhase", "XPhase", "CNOT")
EXPORTERS = {
    "OpenQASM 2": lambda circuit: circuit.to_qasm(version=2),
    "OpenQASM 3": lambda circuit: circuit.to_qasm(version=3),
}
MEASURED = {"OpenQASM 2": frozenset(["x", "cx", "swap", "measure"])}
REGISTERS = "none"
NAMES = ("phase",), ("theta", "phi"), ("theta", "phi", "rho"), ("theta", "phi", "rho", "gamma")


def build(size: int, calls: list[Call]) -> Circuit:
    """Return the circuit of calls; its angles are fractions of half turns."""
    circuit = Circuit(size)
    for name, angles, qubits in calls:
        values = [Fraction(angle / pi).limit_denominator(1 << 20) for angle in angles]
        kind = gate_types[name]
        if len(values) > 1:
            circuit.add_gate(kind(*qubits, *values))
        else:
            circuit.add_gate(kind(*qubits, *([values[0]] if values else [])))
    return circuit


def state(circuit: Circuit) -> Any:
    """Return its amplitudes."""
    return circuit.to_matrix()[:, 0]


def measured(steps: Steps) -> Circuit:
    """Return the circuit of steps."""
    circuit = Circuit(4)
    kinds = {"x": "NOT", "cx": "CNOT", "swap": "SWAP", "measure": "Measurement"}
    for kind, *values in steps.steps:
        circuit.add_gate(kinds[kind], *values)
    return circuit


def further() -> Iterator[Further]:
    """Yield a symbol as each exporter writes it."""
    for exporter, export in EXPORTERS.items():
        circuit = Circuit(1)
        circuit.add_gate("XPhase", 0, phase=2 * new_var("alpha", is_bool=False))
        yield Further(exporter, "a symbol", export(circuit), None, f"{UNDECLARED}, and products with a `⋅`")
