"""What a gate looks like in a drawing: which of its qubits are controls, and the symbol on the others.

The conventions are those of Qiskit's drawers: a control is a dot (by 0 an open one), an X under control a cross in a
circle, a Z or a phase under control one more dot, a swap two crosses; everything else is a box with its name.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import isclose, pi
from typing import TYPE_CHECKING, NamedTuple

from reader.operations import Call, Gate
from reader.outline import PHASE, shown

if TYPE_CHECKING:
    from reader.operations import AnyUnitary

_NAMES = {
    "id": "I",
    "x": "X",
    "y": "Y",
    "z": "Z",
    "h": "H",
    "s": "S",
    "sdg": "S†",
    "t": "T",
    "tdg": "T†",
    "sx": "√X",
    "sxdg": "√X†",
    "p": "P",
    "u1": "U1",
    "rx": "Rx",
    "ry": "Ry",
    "rz": "Rz",
    "r": "R",
    "u": "U",
    "u2": "U2",
    "u3": "U3",
    "rxx": "Rxx",
    "ryy": "Ryy",
    "rzz": "Rzz",
    "rzx": "Rzx",
    "ecr": "ECR",
    "iswap": "iSWAP",
    "dcx": "DCX",
    "xx_plus_yy": "XX+YY",
    "xx_minus_yy": "XX-YY",
    "unitary": "matrix",
}
# Other names of gates, or of gates under controls: how many controls, and of which gate.
_ALSO = {
    "CX": (1, "x"),
    "cnot": (1, "x"),
    "ccnot": (2, "x"),
    "c3x": (3, "x"),
    "c4x": (4, "x"),
    "c3sx": (3, "sx"),
    "c3sqrtx": (3, "sx"),
    "cphase": (1, "p"),
    "cphaseshift": (1, "p"),
    "phaseshift": (0, "p"),
    "phase": (0, "p"),
    "cv": (1, "sx"),
    "v": (0, "sx"),
    "vi": (0, "sxdg"),
    "i": (0, "id"),
    "si": (0, "sdg"),
    "ti": (0, "tdg"),
    "Rz": (0, "rz"),
    "RZZ": (0, "rzz"),
    "xx": (0, "rxx"),
    "yy": (0, "ryy"),
    "zz": (0, "rzz"),
    "U": (0, "u"),
}
# Names that are a `c` for each control before a gate's name.
_CONTROLLED = re.compile(
    r"(c{1,4})((?:sxdg|sdg|tdg|sx|id|r[xyz]|rxx|ryy|rzz|rzx|rccx|dcx|ecr|iswapdg|iswap|swap|xx_minus_yy|xx_plus_yy)"
    r"|[xyzhpstru]|u[123]|U)"
)
_LARGEST_DENOMINATOR = 64
_LONGEST_LABEL = 40


class Symbol(NamedTuple):
    """How a gate is drawn. `controls` are qubits with the values that they control by; the others are `targets`.

    `kind` is what stands on the targets: `cross` (X under control), `dots` (as for a Z under control), `swap` or `box`.
    """

    kind: str
    label: str
    controls: tuple[tuple[int, bool], ...]
    targets: tuple[int, ...]


def symbol_of(gate: AnyUnitary) -> Symbol:
    """Return how a gate is drawn; native ones and calls of any."""
    qubits = gate.qubits
    if not isinstance(gate, Gate):
        name = "matrix" if gate.name == "unitary" else f"power {gate.exponent:g}"  # type: ignore[union-attr]  # a Power
        return Symbol("box", name, (), qubits)
    values: tuple[bool, ...] = ()
    suffix, base, own = "", gate.name, False
    if isinstance(gate, Call):
        values, suffix, own = gate.controls, gate.suffix, gate.own
    if base == PHASE and values and len(values) == len(qubits):
        return Symbol("dots", _labelled("phase", gate.parameters, suffix), tuple(zip(qubits, values, strict=True)), ())
    if base in ("mcx", "mcphase"):
        values, base = (True,) * (len(qubits) - 1), "x" if base == "mcx" else "p"
    elif not own:
        more, base = _base(base)
        values += (True,) * more
    controls = tuple(zip(qubits, values, strict=False))
    targets = qubits[len(values) :]
    if own or suffix:
        kind = "box"
    elif base == "swap":
        kind = "swap"
    elif values and base == "x":
        kind = "cross"
    elif (values and base in ("z", "p", "u1")) or base == "rzz":
        kind = "dots"
    else:
        kind = "box"
    quiet = kind in ("cross", "swap") or (kind == "dots" and base == "z")
    label = "" if quiet else _labelled(base if own else _NAMES.get(base, base), gate.parameters, suffix)
    return Symbol(kind, label, controls, targets)


def _base(name: str) -> tuple[int, str]:
    """Return how many controls a predefined gate has by its name, and the gate that they control."""
    if name in _ALSO:
        return _ALSO[name]
    match = _CONTROLLED.fullmatch(name)
    return (len(match[1]), "u" if match[2] == "U" else match[2]) if match else (0, name)


def _labelled(name: str, parameters: tuple[float, ...], suffix: str) -> str:
    label = name if len(name) <= _LONGEST_LABEL else f"{name[: _LONGEST_LABEL - 1]}…"
    if parameters:
        label += f"({', '.join(angle(value) for value in parameters)})"
    return shown(label + suffix) if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"


def angle(value: float) -> str:
    """Return radians as they are written in papers: a fraction of pi where it is one, else four digits."""
    if value == 0:
        return "0"
    fraction = Fraction(value / pi).limit_denominator(_LARGEST_DENOMINATOR)
    if fraction and abs(fraction) <= _LARGEST_DENOMINATOR and isclose(float(fraction) * pi, value, rel_tol=1e-9):
        top, bottom = abs(fraction.numerator), fraction.denominator
        return f"{'-' if value < 0 else ''}{'' if top == 1 else top}π{'' if bottom == 1 else f'/{bottom}'}"
    return f"{value:.4g}"
