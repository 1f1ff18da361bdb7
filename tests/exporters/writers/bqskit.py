"""BQSKit writes OpenQASM 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bqskit.ir import Circuit, gates
from bqskit.ir.gates.measure import MeasurementPlaceholder
from bqskit.ir.lang.qasm2 import OPENQASM2Language
from circuits import AS_THEY_ARE, KEYWORDS, NO_NAMES

if TYPE_CHECKING:
    from circuits import Call, Steps

PACKAGE = "bqskit"


def _written() -> dict[str, Any]:
    found = {}
    for name in gates.__all__:
        kind = getattr(gates, name)
        try:
            gate = kind()
            gate.get_unitary([0.3] * gate.num_params)
            plain = set(gate.radixes) == {2} and gate.num_qudits < 4
        except Exception:  # noqa: BLE001, S112 - it takes what no plain gate takes
            continue
        if plain:
            found[name.removesuffix("Gate")] = gate
    return found


_MADE = _written()
GATES = {name: (gate.num_params, gate.num_qudits) for name, gate in _MADE.items()}
PREPARE = ("RY", "RX", "CNOT")
EXPORTERS = {"OpenQASM 2": OPENQASM2Language().encode}
MEASURED = {"OpenQASM 2": frozenset(["x", "cx", "swap", "barrier", "reset"])}
REGISTERS = "bits"
NAMED = {"OpenQASM 2": {AS_THEY_ARE: KEYWORDS[2] | NO_NAMES}}


def build(size: int, calls: list[Call]) -> Circuit:
    """Return the circuit of calls."""
    circuit = Circuit(size)
    for name, angles, qubits in calls:
        circuit.append_gate(_MADE[name], list(qubits), list(angles))
    return circuit


def state(circuit: Circuit) -> Any:
    """Return its amplitudes."""
    return circuit.get_unitary().numpy[:, 0]


def measured(steps: Steps) -> Circuit:
    """Return the circuit of steps, its measurements all at the end."""
    width = sum(size for _, size in steps.qubits)
    circuit = Circuit(width)
    bits = [(name, place) for name, size in steps.bits for place in range(size)]
    kept: dict[int, tuple[str, int]] = {}
    made = {"x": gates.XGate(), "cx": gates.CNOTGate(), "swap": gates.SwapGate(), "reset": gates.Reset()}
    for kind, *values in steps.steps:
        if kind == "measure":
            kept[values[0]] = bits[values[1]]
        elif kind == "barrier":
            circuit.append_gate(gates.BarrierPlaceholder(width), list(range(width)))
        else:
            circuit.append_gate(made[kind], values)
    circuit.append_gate(MeasurementPlaceholder(list(steps.bits), kept), list(kept))
    return circuit
