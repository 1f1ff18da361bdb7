"""The standard libraries' gates and Qiskit's, each in terms of the few that the simulator is given.

Sources: the OpenQASM 3.0 standard library (stdgates.inc), qelib1.inc of OpenQASM 2 and the names that Qiskit exports.
Only names of `NATIVE` reach the simulator, so a user's gate that is called like one of Aer's cannot be mistaken for it.
"""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING, NamedTuple

from reader.operations import Gate, gate_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from reader.operations import Unitary

# Qiskit's matrices; `gphase` has no qubits, `mcx` and `mcphase` any number of controls before the target.
NATIVE = frozenset(
    [
        "id",
        "x",
        "y",
        "z",
        "h",
        "s",
        "sdg",
        "t",
        "tdg",
        "sx",
        "sxdg",
        "p",
        "rx",
        "ry",
        "rz",
        "r",
        "u",
        "cx",
        "cy",
        "cz",
        "cp",
        "swap",
        "ccx",
        "cswap",
        "rxx",
        "ryy",
        "rzz",
        "rzx",
        "ecr",
        "mcx",
        "mcphase",
        "gphase",
        "power",
    ]
)


class Standard(NamedTuple):
    """A predefined gate: how many parameters and qubits it takes, and what it does.

    `expand` takes the parameters and returns operations over places 0 to `qubits` - 1.
    """

    parameters: int
    qubits: int
    expand: Callable[..., list[Unitary]]
    native: str = ""  # the one native gate that it is, with its parameters and qubits as they stand


def native(name: str, parameters: int, qubits: int) -> Standard:
    """Return a gate that is one of `NATIVE` by another name."""
    places = tuple(range(qubits))
    return Standard(parameters, qubits, lambda *values: [gate_from((name, values, places))], name)


def sequence(qubits: int, *operations: Gate) -> Standard:
    """Return a gate without parameters that is some operations in order."""
    fixed: list[Unitary] = list(operations)
    return Standard(0, qubits, lambda: fixed)


def controlled_u(theta: float, phi: float, lam: float, gamma: float) -> list[Unitary]:
    """Return exp(i gamma) u(theta, phi, lam) on qubit 1, controlled by qubit 0."""
    return [
        Gate("p", (gamma + (phi + lam) / 2,), (0,)),
        Gate("p", ((lam - phi) / 2,), (1,)),
        Gate("cx", (), (0, 1)),
        Gate("u", (-theta / 2, 0.0, -(phi + lam) / 2), (1,)),
        Gate("cx", (), (0, 1)),
        Gate("u", (theta / 2, phi, 0.0), (1,)),
    ]


def _controlled_rotation(name: str) -> Callable[[float], list[Unitary]]:
    def expand(theta: float) -> list[Unitary]:
        return [
            Gate(name, (theta / 2,), (1,)),
            Gate("cx", (), (0, 1)),
            Gate(name, (-theta / 2,), (1,)),
            Gate("cx", (), (0, 1)),
        ]

    return expand


def _crx(theta: float) -> list[Unitary]:
    return [Gate("h", (), (1,)), *_controlled_rotation("rz")(theta), Gate("h", (), (1,))]


def _rccx(a: int, b: int, c: int) -> list[Gate]:
    # Margolus' simplified Toffoli, as in qelib1.inc.
    return [
        Gate("u", (pi / 2, 0.0, pi), (c,)),
        Gate("p", (pi / 4,), (c,)),
        Gate("cx", (), (b, c)),
        Gate("p", (-pi / 4,), (c,)),
        Gate("cx", (), (a, c)),
        Gate("p", (pi / 4,), (c,)),
        Gate("cx", (), (b, c)),
        Gate("p", (-pi / 4,), (c,)),
        Gate("u", (pi / 2, 0.0, pi), (c,)),
    ]


def _rc3x() -> list[Gate]:
    half = [
        Gate("u", (pi / 2, 0.0, pi), (3,)),
        Gate("p", (pi / 4,), (3,)),
        Gate("cx", (), (2, 3)),
        Gate("p", (-pi / 4,), (3,)),
        Gate("u", (pi / 2, 0.0, pi), (3,)),
    ]
    return [
        *half,
        Gate("cx", (), (0, 3)),
        Gate("p", (pi / 4,), (3,)),
        Gate("cx", (), (1, 3)),
        Gate("p", (-pi / 4,), (3,)),
        Gate("cx", (), (0, 3)),
        Gate("p", (pi / 4,), (3,)),
        Gate("cx", (), (1, 3)),
        Gate("p", (-pi / 4,), (3,)),
        *half,
    ]


def _u2(phi: float, lam: float) -> list[Unitary]:
    # In OpenQASM 3 u2 and u3 have determinant one; the phase matters under ctrl only.
    return [Gate("gphase", (-(phi + lam) / 2,), ()), Gate("u", (pi / 2, phi, lam), (0,))]


def _u3(theta: float, phi: float, lam: float) -> list[Unitary]:
    return [Gate("gphase", (-(phi + lam) / 2,), ()), Gate("u", (theta, phi, lam), (0,))]


def _builtin_u(theta: float, phi: float, lam: float) -> list[Unitary]:
    # OpenQASM 3's U is 2 pi periodic, which makes it exp(i theta/2) times Qiskit's (spec, "Built-in gates").
    return [Gate("gphase", (theta / 2,), ()), Gate("u", (theta, phi, lam), (0,))]


def _xx_plus_yy(theta: float, beta: float = 0.0) -> list[Unitary]:
    return [
        Gate("rz", (beta,), (0,)),
        Gate("rz", (-pi / 2,), (1,)),
        Gate("sx", (), (1,)),
        Gate("rz", (pi / 2,), (1,)),
        Gate("s", (), (0,)),
        Gate("cx", (), (1, 0)),
        Gate("ry", (-theta / 2,), (1,)),
        Gate("ry", (-theta / 2,), (0,)),
        Gate("cx", (), (1, 0)),
        Gate("sdg", (), (0,)),
        Gate("rz", (-pi / 2,), (1,)),
        Gate("sxdg", (), (1,)),
        Gate("rz", (pi / 2,), (1,)),
        Gate("rz", (-beta,), (0,)),
    ]


def _xx_minus_yy(theta: float, beta: float = 0.0) -> list[Unitary]:
    return [
        Gate("rz", (-beta,), (1,)),
        Gate("rz", (-pi / 2,), (0,)),
        Gate("sx", (), (0,)),
        Gate("rz", (pi / 2,), (0,)),
        Gate("s", (), (1,)),
        Gate("cx", (), (0, 1)),
        Gate("ry", (theta / 2,), (0,)),
        Gate("ry", (-theta / 2,), (1,)),
        Gate("cx", (), (0, 1)),
        Gate("sdg", (), (1,)),
        Gate("rz", (-pi / 2,), (0,)),
        Gate("sxdg", (), (0,)),
        Gate("rz", (pi / 2,), (0,)),
        Gate("rz", (beta,), (1,)),
    ]


def _c3sx() -> list[Unitary]:
    # ctrl(3) @ sx: its target rotation is a phase between two h, and so a phase on all four.
    return [Gate("h", (), (3,)), Gate("mcphase", (pi / 2,), (0, 1, 2, 3)), Gate("h", (), (3,))]


_H1 = Gate("h", (), (1,))

# What stdgates.inc defines.
STDGATES: dict[str, Standard] = {
    **{name: native(name, 0, 1) for name in ["id", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx"]},
    **{name: native(name, 1, 1) for name in ("p", "rx", "ry", "rz")},
    **{name: native(name, 0, 2) for name in ("cx", "cy", "cz", "swap")},
    **{name: native(name, 0, 3) for name in ("ccx", "cswap")},
    "cp": native("cp", 1, 2),
    "crx": Standard(1, 2, _crx),
    "cry": Standard(1, 2, _controlled_rotation("ry")),
    "crz": Standard(1, 2, _controlled_rotation("rz")),
    "ch": sequence(
        2,
        Gate("s", (), (1,)),
        _H1,
        Gate("t", (), (1,)),
        Gate("cx", (), (0, 1)),
        Gate("tdg", (), (1,)),
        _H1,
        Gate("sdg", (), (1,)),
    ),
    "cu": Standard(4, 2, controlled_u),
    "CX": native("cx", 0, 2),
    "phase": native("p", 1, 1),
    "cphase": native("cp", 1, 2),
    "u1": native("p", 1, 1),
    "u2": Standard(2, 1, _u2),
    "u3": Standard(3, 1, _u3),
}
# What Qiskit exports without a definition, and qelib1.inc defines beyond that.
EXTRAS: dict[str, Standard] = {
    "u": native("u", 3, 1),
    "u0": Standard(1, 1, lambda _gamma: [Gate("id", (), (0,))]),
    "r": native("r", 2, 1),
    "sxdg": native("sxdg", 0, 1),
    "cu1": native("cp", 1, 2),
    "cu3": Standard(3, 2, lambda theta, phi, lam: controlled_u(theta, phi, lam, 0.0)),
    "csx": sequence(2, _H1, Gate("cp", (pi / 2,), (0, 1)), _H1),
    "cs": sequence(2, Gate("cp", (pi / 2,), (0, 1))),
    "csdg": sequence(2, Gate("cp", (-pi / 2,), (0, 1))),
    "rxx": native("rxx", 1, 2),
    "ryy": native("ryy", 1, 2),
    "rzz": native("rzz", 1, 2),
    "rzx": native("rzx", 1, 2),
    "ecr": native("ecr", 0, 2),
    "dcx": sequence(2, Gate("cx", (), (0, 1)), Gate("cx", (), (1, 0))),
    "iswap": sequence(
        2,
        Gate("s", (), (0,)),
        Gate("s", (), (1,)),
        Gate("h", (), (0,)),
        Gate("cx", (), (0, 1)),
        Gate("cx", (), (1, 0)),
        _H1,
    ),
    "ccz": sequence(3, Gate("h", (), (2,)), Gate("ccx", (), (0, 1, 2)), Gate("h", (), (2,))),
    "rccx": sequence(3, *_rccx(0, 1, 2)),
    "rc3x": sequence(4, *_rc3x()),
    "rcccx": sequence(4, *_rc3x()),
    "c3x": native("mcx", 0, 4),
    "c4x": native("mcx", 0, 5),
    "c3sx": Standard(0, 4, _c3sx),
    "c3sqrtx": Standard(0, 4, _c3sx),
    "xx_plus_yy": Standard(2, 2, _xx_plus_yy),
    "xx_minus_yy": Standard(2, 2, _xx_minus_yy),
}
BUILTIN: dict[str, Standard] = {"U": Standard(3, 1, _builtin_u)}
