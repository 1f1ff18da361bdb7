"""QuTiP's circuits are written as OpenQASM 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qutip_qip.circuit import QubitCircuit
from qutip_qip.qasm import circuit_to_qasm_str

if TYPE_CHECKING:
    from circuits import Call, Steps

PACKAGE = "qutip-qip"
GATES = {
    **dict.fromkeys(["X", "Y", "Z", "S", "T", "SNOT", "SQRTNOT"], (0, 1)),
    **dict.fromkeys(["RX", "RY", "RZ"], (1, 1)),
    "QASMU": (3, 1),
    **dict.fromkeys(["CNOT", "CS", "CT", "SWAP"], (0, 2)),
    **dict.fromkeys(["CRX", "CRY", "CRZ"], (1, 2)),
    "TOFFOLI": (0, 3),
}
PREPARE = ("RY", "RX", "CNOT")
EXPORTERS = {"OpenQASM 2": circuit_to_qasm_str}
MEASURED = {"OpenQASM 2": frozenset(["x", "cx", "swap", "measure"])}
REGISTERS = "none"
FLAWS = {
    "OpenQASM 2": {
        "SQRTNOT as its inverse": lambda call: call.name == "SQRTNOT",
        "an angle of 0 not at all": lambda call: call.angles == (0.0,),
    }
}


def build(size: int, calls: list[Call]) -> QubitCircuit:
    """Return the circuit of calls."""
    circuit = QubitCircuit(size)
    for name, angles, qubits in calls:
        controls = 2 if name == "TOFFOLI" else int(name.startswith("C"))
        values: dict[str, Any] = {"controls": list(qubits[:controls])} if controls else {}
        if angles:
            values["arg_value"] = angles[0] if len(angles) == 1 else list(angles)
        circuit.add_gate(name, targets=list(qubits[controls:]), **values)
    return circuit


def state(circuit: QubitCircuit) -> Any:
    """Return its amplitudes."""
    return circuit.compute_unitary().full()[:, 0]


def measured(steps: Steps) -> QubitCircuit:
    """Return the circuit of steps."""
    circuit = QubitCircuit(4, num_cbits=4)
    for kind, *values in steps.steps:
        if kind == "measure":
            circuit.add_measurement("M", targets=[values[0]], classical_store=values[1])
        elif kind == "cx":
            circuit.add_gate("CNOT", controls=values[0], targets=values[1])
        else:
            circuit.add_gate(kind.upper(), targets=values)
    return circuit
