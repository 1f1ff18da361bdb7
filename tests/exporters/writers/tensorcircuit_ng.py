"""TensorCircuit writes OpenQASM 2 through Qiskit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorcircuit

if TYPE_CHECKING:
    from circuits import Call, Steps

tensorcircuit.set_dtype("complex128")
PACKAGE = "tensorcircuit-ng"
TOLERANCE = 1e-6  # its matrices of t and others have single precision
_ONE = ("theta",)
_PARAMETERS = {
    **dict.fromkeys(["rx", "ry", "rz", "phase", "crx", "cry", "crz", "cphase", "rxx", "ryy", "rzz"], _ONE),
    "u": ("theta", "phi", "lbd"),
    "r": ("theta", "alpha", "phi"),
    "cu": ("theta", "phi", "lbd"),
}
GATES = {
    **dict.fromkeys(["h", "x", "y", "z", "s", "sd", "t", "td", "i", "wroot"], (0, 1)),
    **dict.fromkeys(["rx", "ry", "rz", "phase"], (1, 1)),
    **dict.fromkeys(["u", "r"], (3, 1)),
    **dict.fromkeys(["cnot", "cz", "cy", "swap", "iswap"], (0, 2)),
    **dict.fromkeys(["crx", "cry", "crz", "cphase", "rxx", "ryy", "rzz"], (1, 2)),
    "cu": (3, 2),
    **dict.fromkeys(["toffoli", "fredkin"], (0, 3)),
}
PREPARE = ("ry", "rx", "cnot")
EXPORTERS = {"OpenQASM 2": tensorcircuit.Circuit.to_openqasm}
MEASURED = {"OpenQASM 2": frozenset(["x", "cx", "swap", "barrier"])}
REGISTERS = "none"


def build(size: int, calls: list[Call]) -> Any:
    """Return the circuit of calls."""
    circuit = tensorcircuit.Circuit(size)
    for name, angles, qubits in calls:
        getattr(circuit, name)(*qubits, **dict(zip(_PARAMETERS.get(name, ()), angles, strict=True)))
    return circuit


def state(circuit: Any) -> Any:
    """Return its amplitudes."""
    return np.asarray(circuit.state())


def measured(steps: Steps) -> Any:
    """Return the circuit of steps; each qubit has a bit of its own number."""
    circuit = tensorcircuit.Circuit(4)
    for kind, *values in steps.steps:
        if kind == "measure":
            circuit.measure_instruction(values[0])
        elif kind == "barrier":
            circuit.barrier_instruction(0, 1, 2, 3)
        else:
            getattr(circuit, kind)(*values)
    return circuit
