"""BQSKit writes OpenQASM 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bqskit.ir import Circuit, gates
from bqskit.ir.lang.qasm2 import OPENQASM2Language

if TYPE_CHECKING:
    from circuits import Call

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


def build(size: int, calls: list[Call]) -> Circuit:
    """Return the circuit of calls."""
    circuit = Circuit(size)
    for name, angles, qubits in calls:
        circuit.append_gate(_MADE[name], list(qubits), list(angles))
    return circuit


def state(circuit: Circuit) -> Any:
    """Return its amplitudes."""
    return circuit.get_unitary().numpy[:, 0]
