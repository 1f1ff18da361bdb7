"""The gates a program may use without defining them, by name: what stands further right below wins over the left.

A program's own definition wins over all of them.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from math import pi
from typing import TYPE_CHECKING

from reader.compiler.foreign_gates import FOREIGN
from reader.compiler.gates import BUILTIN, EXTRAS, NATIVE, STDGATES, Standard, native
from reader.operations import Call, Gate, on_qubits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reader.operations import AnyUnitary, Unitary
    from reader.text.syntax import GateCall

GATES: dict[str, Standard] = {**FOREIGN, **EXTRAS, **STDGATES, **BUILTIN}

# Names of gates that count in radians in one library and in turns in another, when no definition says it.
TURNS = frozenset(["gpi", "gpi2", "ms"])

# Gates whose parameters count in half turns: their period is 4. That of all others is 4 pi or a part of it.
HALF_TURNS = (GATES["pxz"],)

# OpenQASM 2 has no ctrl and so no phases to tell apart: U, u2 and u3 are Qiskit's.
LEGACY_GATES: dict[str, Standard] = {
    **GATES,
    "U": native("u", 3, 1),
    "u2": Standard(2, 1, lambda phi, lam: [Gate("u", (pi / 2, phi, lam), (0,))]),
    "u3": native("u", 3, 1),
}

# Wide gates by name and width, as Qiskit takes them apart: each part with its places, and the sign of its angle, which
# is a quarter of the gate's own, or else pi/8.
_WIDE_PARTS = {
    ("ccx", 3): "h2 cx12 tdg2 cx02 t2 cx12 t1 tdg2 cx02 cx01 t0 tdg1 cx01 t2 h2",
    ("cswap", 3): "cx21 h2 cx12 tdg2 cx02 t2 cx12 t1 tdg2 cx02 cx01 t0 tdg1 cx01 t2 h2 cx21",
    ("mcphase", 3): "cx02 rz2- cx12 rz2+ cx02 rz2- cx12 rz1+ cx01 rz1- cx01 p0+ rz2+",
    ("mcx", 4): (
        "p0+ p1+ cx01 p1- cx01 p2+ cx12 p2- cx02 p2+ cx12 p2- cx02 "
        "h3 p3+ cx23 p3- cx13 p3+ cx23 p3- cx03 p3+ cx23 p3- cx13 p3+ cx23 p3- cx03 h3"
    ),
}
_LONGEST = 60  # characters of a name with its modifiers
_PART = re.compile(r"([a-z]+)(\d+)([+-]?)")


def parts_of(gate: AnyUnitary) -> Sequence[Unitary]:
    """Return what a predefined gate that is several is made of, over places, without phases; nothing for any other."""
    if isinstance(gate, Call):
        return gate.operations
    if not isinstance(gate, Gate) or gate.name in NATIVE:
        return ()
    return [part for part in GATES[gate.name].expand(*gate.parameters) if part.name != "gphase"]


def wide_parts_of(gate: AnyUnitary) -> Sequence[Gate]:
    """Return what Qiskit takes a gate on three or four qubits apart into, over places; nothing if not known here."""
    if not isinstance(gate, Gate) or (gate.name, len(gate.qubits)) not in _WIDE_PARTS:
        return ()
    return _wide_parts(gate.name, gate.parameters, len(gate.qubits))


@lru_cache(maxsize=256)
def _wide_parts(name: str, parameters: tuple[float, ...], width: int) -> tuple[Gate, ...]:
    """Return a gate of _WIDE_PARTS as gates on one and two qubits, over places."""
    angle = parameters[0] / 4 if parameters else pi / 8
    angles = {"": (), "+": (angle,), "-": (-angle,)}
    found = _PART.findall(_WIDE_PARTS[name, width])
    return tuple(Gate(part, angles[sign], tuple(map(int, places))) for part, places, sign in found)


def natives(operations: Iterable[Unitary]) -> list[Unitary]:
    """Return operations as native ones, to which modifiers can be applied."""
    found: list[Unitary] = []
    for operation in operations:
        if not isinstance(operation, Gate) or operation.name in NATIVE:
            found.append(operation)
            continue
        parts = GATES[operation.name].expand(*operation.parameters)
        # Under controls their phases count.
        found += [on_qubits(part, operation.qubits) if part.qubits else part for part in parts]
    return found


def as_one(node: GateCall, parameters: tuple[float, ...], operations: Sequence[Unitary], qubits: int) -> list[Unitary]:
    """Return a predefined gate with its modifiers as one operation, for noise models: it errs once.

    Its name is that of the controlled gate, if there is one, so that rules for `cry` are for `ctrl @ ry` too.
    """
    from reader.outline import weight_of  # noqa: PLC0415 - plain programs do without

    modifiers = [each.name for each in node.modifiers]
    controlled = GATES.get(f"c{node.name}") if modifiers == ["ctrl"] else None
    known = controlled is not None and (controlled.parameters, controlled.qubits) == (len(parameters), qubits)
    shown = f"c{node.name}" if known else " @ ".join([*modifiers, node.name])[:_LONGEST]
    phases = [operation for operation in operations if operation.name == "gphase"]
    parts = tuple([operation for operation in operations if operation.name != "gphase"])
    places = tuple(range(qubits))
    return [Call.of(shown, parameters, places, (), "", parts, weight_of(parts), own=False), *phases]


def is_several(operations: Sequence[Unitary]) -> bool:
    """Tell whether an expansion has more than one gate beside phases."""
    return sum(operation.name != "gphase" for operation in operations) > 1


@lru_cache(maxsize=1024)  # names with modifiers are the program's
def names_of(name: str, width: int) -> tuple[str, ...]:
    """Return all names of a gate on `width` qubits, its own first: predefined gates that are another are called so."""
    return (name, *(other for other, (one, qubits) in _aliases().items() if one == name and qubits == width))


@cache
def _aliases() -> dict[str, tuple[str, int]]:
    """Return for each predefined gate that is one native gate, beside phases, that gate and its number of qubits."""
    found = {}
    for name, standard in GATES.items():
        parts = [part for part in standard.expand(*[0.5] * standard.parameters) if part.name != "gphase"]
        if len(parts) == 1 and parts[0].name != name and parts[0].qubits == tuple(range(standard.qubits)):
            found[name] = (parts[0].name, standard.qubits)
    return found
