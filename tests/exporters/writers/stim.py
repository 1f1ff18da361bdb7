"""Stim writes OpenQASM 2 and 3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import stim

if TYPE_CHECKING:
    from circuits import Call, Steps

PACKAGE = "stim"
TOLERANCE = 1e-5  # it computes in single precision
_KINDS = [data for data in stim.gate_data().values() if data.is_unitary]
GATES = {data.name: (0, 2 if data.is_two_qubit_gate else 1) for data in _KINDS if not data.name.startswith("SPP")}
PREPARE = ("H", "S", "CX")
_WRITTEN_AS_OTHERS = ["SQRT_Y_DAG", "H_XY", "H_NXY", "H_NXZ", "C_ZYX", "C_NXYZ", "C_XYNZ", "C_ZNYX"]
EXPORTERS = {
    "OpenQASM 2": lambda circuit: circuit.to_qasm(open_qasm_version=2),
    "OpenQASM 3": lambda circuit: circuit.to_qasm(open_qasm_version=3),
}
_FLAW = f"{', '.join(_WRITTEN_AS_OTHERS)} as other gates"
FLAWS = {exporter: {_FLAW: lambda call: call.name in _WRITTEN_AS_OTHERS} for exporter in EXPORTERS}
MEASURED = dict.fromkeys(EXPORTERS, frozenset(["x", "cx", "swap", "barrier", "reset"]))
REGISTERS = "none"


def build(size: int, calls: list[Call]) -> stim.Circuit:
    """Return the circuit of calls; the rotations that prepare are H and S."""
    circuit = stim.Circuit()
    for name, _, qubits in calls:
        circuit.append(name, qubits)
    return circuit


def state(circuit: stim.Circuit) -> Any:
    """Return its amplitudes."""
    simulator = stim.TableauSimulator()
    simulator.do(circuit)
    return np.asarray(simulator.state_vector(endian="big"))


def measured(steps: Steps) -> stim.Circuit:
    """Return the circuit of steps, its measurements all at the end: Stim numbers their bits."""
    circuit = stim.Circuit()
    for kind, *values in steps.steps:
        if kind == "barrier":
            circuit.append("TICK")
        else:
            circuit.append(
                {"reset": "R", "measure": "M"}.get(kind, kind.upper()), values[:1] if kind == "measure" else values
            )
    return circuit
