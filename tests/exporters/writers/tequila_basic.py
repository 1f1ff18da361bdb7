"""Tequila writes OpenQASM 2 and 3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tequila
from circuits import Further
from tequila import gates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from circuits import Call

PACKAGE = "tequila-basic"
GATES = {
    **dict.fromkeys(["H", "X", "Y", "Z", "S", "T"], (0, 1)),
    **dict.fromkeys(["Rx", "Ry", "Rz", "Phase"], (1, 1)),
    "u1": (1, 1),
    "u2": (2, 1),
    "u3": (3, 1),
    **dict.fromkeys(["c X", "c Y", "c Z", "c H", "c S", "c T"], (0, 2)),
    **dict.fromkeys(["c Rx", "c Ry", "c Rz", "c Phase", "ExpPauli"], (1, 2)),
    **dict.fromkeys(["cc X", "cc Z"], (0, 3)),
    "QubitExcitation": (1, 4),
}
_MADE_OF_CNOT = ("ExpPauli", "QubitExcitation", "cc X", "cc Z")
PREPARE = ("Ry", "Rx", "c X")
PREPARES = {"OpenQASM 3": ("Ry", "Rx", "")}  # it writes no gate of two qubits
EXPORTERS = {
    "OpenQASM 2": lambda circuit: tequila.export_open_qasm(circuit, version="2.0"),
    "OpenQASM 3": lambda circuit: tequila.export_open_qasm(circuit, version="3.0"),
}


FLAWS = {
    "OpenQASM 3": {
        "controlled gates as ctrl @ without the control": lambda call: (
            call.name[:2] == "c " or call.name in _MADE_OF_CNOT
        )
    }
}


def _gate(name: str, angles: tuple[float, ...], qubits: tuple[int, ...]) -> Any:
    controls, _, kind = name.rpartition(" ")
    targets = list(qubits[len(controls) :])
    under: dict[str, Any] = {"control": list(qubits[: len(controls)])} if controls else {}
    if kind == "ExpPauli":
        return gates.ExpPauli(paulistring=f"X({targets[0]})Y({targets[1]})", angle=angles[0])
    if kind == "QubitExcitation":
        return gates.QubitExcitation(target=targets, angle=angles[0])
    if kind in ("u1", "u2", "u3"):
        names = {"u1": ["lambd"], "u2": ["phi", "lambd"], "u3": ["theta", "phi", "lambd"]}[kind]
        return getattr(gates, kind)(**dict(zip(names, angles, strict=True)), target=targets, **under)
    if angles:
        return getattr(gates, kind)(angle=angles[0], target=targets, **under)
    return getattr(gates, kind)(target=targets, **under)


def build(size: int, calls: list[Call]) -> Any:
    """Return the circuit of calls."""
    circuit = tequila.QCircuit()
    for call in calls:
        circuit += _gate(*call)
    return circuit


def state(circuit: Any) -> Any:
    """Return its amplitudes."""
    return tequila.simulate(circuit, backend="qulacs").to_array()


def further() -> Iterator[Further]:
    """Yield a rotation by a variable: OpenQASM 3 alone is written without its value."""
    circuit = gates.Rx(angle=tequila.Variable("a"), target=0)
    text = tequila.export_open_qasm(circuit, version="3.0", variables={"a": 0.4})
    half = [[np.cos(0.2), 0.0], [0.0, -np.sin(0.2)]]
    yield Further("OpenQASM 3", "a variable", text, half, "variables as `let a: float;`, which is no OpenQASM")
