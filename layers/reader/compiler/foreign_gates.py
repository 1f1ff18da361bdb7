"""Gates that other libraries write without a definition, under names that the standard libraries and Qiskit leave free.

Sources: the OpenQASM exporters and matrices of amazon-braket-sdk, pytket-quantinuum (`hqslib1.inc`), mqt-core, BQSKit,
Qibo, QuICT and qoqo; `tests/unit/reader/foreign_gates.json` has each matrix as its package computes it. Angles are
radians. Where two libraries mean different gates by one name (`v` of Braket and of MQT), the note is in the reader's
README.
"""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

from reader.compiler.gates import EXTRAS, STDGATES, Standard, native, sequence
from reader.operations import Gate

if TYPE_CHECKING:
    from reader.operations import Unitary

_MOST_CONTROLS = 4  # that MQT's names are known with
_X0, _X1 = Gate("x", (), (0,)), Gate("x", (), (1,))
_SWAP = Gate("swap", (), (0, 1))


def _gpi(phi: float) -> list[Unitary]:
    return [Gate("gphase", (pi / 2,), ()), Gate("r", (pi, phi), (0,))]


def _gpi2(phi: float) -> list[Unitary]:
    return [Gate("r", (pi / 2, phi), (0,))]


def _ms(phi0: float, phi1: float, theta: float) -> list[Unitary]:
    # exp(-i theta/2 A(phi0) A(phi1)) with A(phi) = cos(phi) X + sin(phi) Y.
    return [
        Gate("rz", (-phi0,), (0,)),
        Gate("rz", (-phi1,), (1,)),
        Gate("rxx", (theta,), (0, 1)),
        Gate("rz", (phi0,), (0,)),
        Gate("rz", (phi1,), (1,)),
    ]


def _xy(theta: float) -> list[Unitary]:
    # exp(i theta/4 (XX + YY))
    return [Gate("rxx", (-theta / 2,), (0, 1)), Gate("ryy", (-theta / 2,), (0, 1))]


def _pswap(phi: float) -> list[Unitary]:
    return [Gate("gphase", (phi / 2,), ()), Gate("rzz", (phi,), (0, 1)), _SWAP]


def _fsim(theta: float, phi: float) -> list[Unitary]:
    return [*_xy(-2 * theta), Gate("cp", (-phi,), (0, 1))]


def _phased_xz(x: float, z: float, axis: float) -> list[Unitary]:
    # Cirq's PhasedXZGate, its exponents in half turns: Z^z Z^a X^x Z^-a.
    return [
        Gate("p", (-pi * axis,), (0,)),
        Gate("gphase", (pi * x / 2,), ()),
        Gate("rx", (pi * x,), (0,)),
        Gate("p", (pi * (axis + z),), (0,)),
    ]


def _rxxyyzz(alpha: float, beta: float, gamma: float) -> list[Unitary]:
    return [Gate("rxx", (alpha,), (0, 1)), Gate("ryy", (beta,), (0, 1)), Gate("rzz", (gamma,), (0, 1))]


def _diagonal(first: float, second: float, both: float) -> list[Unitary]:
    # Its parameters are the phases of 01, 10 and 11.
    return [
        Gate("p", (first,), (1,)),
        Gate("p", (second,), (0,)),
        Gate("cp", (both - first - second,), (0, 1)),
    ]


BRAKET: dict[str, Standard] = {
    "i": native("id", 0, 1),
    "si": native("sdg", 0, 1),
    "ti": native("tdg", 0, 1),
    "v": native("sx", 0, 1),
    "vi": native("sxdg", 0, 1),
    "phaseshift": native("p", 1, 1),
    "prx": native("r", 2, 1),
    "gpi": Standard(1, 1, _gpi),
    "gpi2": Standard(1, 1, _gpi2),
    "cnot": native("cx", 0, 2),
    "ccnot": native("ccx", 0, 3),
    "cv": EXTRAS["csx"],
    "cphaseshift": native("cp", 1, 2),
    "cphaseshift00": Standard(1, 2, lambda phi: [_X0, _X1, Gate("cp", (phi,), (0, 1)), _X0, _X1]),
    "cphaseshift01": Standard(1, 2, lambda phi: [_X0, Gate("cp", (phi,), (0, 1)), _X0]),
    "cphaseshift10": Standard(1, 2, lambda phi: [_X1, Gate("cp", (phi,), (0, 1)), _X1]),
    "pswap": Standard(1, 2, _pswap),
    "xy": Standard(1, 2, _xy),
    "xx": native("rxx", 1, 2),
    "yy": native("ryy", 1, 2),
    "zz": native("rzz", 1, 2),
    "ms": Standard(3, 2, _ms),
}
QUANTINUUM: dict[str, Standard] = {
    "Rz": native("rz", 1, 1),
    "U1q": native("r", 2, 1),
    "ZZ": sequence(2, Gate("rzz", (pi / 2,), (0, 1))),
    "RZZ": native("rzz", 1, 2),
    "Rxxyyzz": Standard(3, 2, _rxxyyzz),
}
BQSKIT: dict[str, Standard] = {
    "st": sequence(1, Gate("p", (pi / 8,), (0,))),
    "pxz": Standard(3, 1, _phased_xz),
    "ct": sequence(2, Gate("cp", (pi / 4,), (0, 1))),
    "b": sequence(2, Gate("rxx", (-pi / 2,), (0, 1)), Gate("ryy", (-pi / 4,), (0, 1))),
    "sqisw": sequence(2, Gate("rxx", (-pi / 4,), (0, 1)), Gate("ryy", (-pi / 4,), (0, 1))),
    "syc": Standard(0, 2, lambda: _fsim(pi / 2, pi / 6)),
    "fsim": Standard(2, 2, _fsim),
    "diag": Standard(3, 2, _diagonal),
    "iccx": sequence(3, Gate("ccx", (), (0, 1, 2)), Gate("cp", (pi / 2,), (0, 1))),
}
QIBO: dict[str, Standard] = {
    "fswap": sequence(2, _SWAP, Gate("cz", (), (0, 1))),
    "csxdg": sequence(2, Gate("h", (), (1,)), Gate("cp", (-pi / 2,), (0, 1)), Gate("h", (), (1,))),
}
QUICT: dict[str, Standard] = {
    "hy": sequence(1, Gate("sdg", (), (0,)), Gate("h", (), (0,)), Gate("s", (), (0,))),
    "sy": sequence(1, Gate("ry", (pi / 2,), (0,))),
    "sydg": sequence(1, Gate("ry", (-pi / 2,), (0,))),
    "sw": sequence(1, Gate("r", (pi / 2, pi / 4), (0,))),
}
QOQO: dict[str, Standard] = {
    "siswap": BQSKIT["sqisw"],
    "siswapdg": sequence(2, Gate("rxx", (pi / 4,), (0, 1)), Gate("ryy", (pi / 4,), (0, 1))),
}
# Quartz's, of its src/quartz/gate/, and the swap of two programs that map circuits to devices, TOQM and OLSQ2.
RESEARCH: dict[str, Standard] = {
    "rx1": sequence(1, Gate("rx", (pi / 2,), (0,))),
    "rx3": sequence(1, Gate("rx", (-pi / 2,), (0,))),
    "ry1": sequence(1, Gate("ry", (pi / 2,), (0,))),
    "ry3": sequence(1, Gate("ry", (3 * pi / 2,), (0,))),
    "rxx1": sequence(2, Gate("rxx", (pi / 2,), (0, 1))),
    "rxx3": sequence(2, Gate("rxx", (3 * pi / 2,), (0, 1))),
    "swp": sequence(2, _SWAP),
    "SWAP": sequence(2, _SWAP),
}
_ISWAPDG = sequence(2, Gate("rxx", (pi / 2,), (0, 1)), Gate("ryy", (pi / 2,), (0, 1)))


def with_controls(base: Standard, count: int) -> Standard:
    """Return a gate with that many controls, which are its first qubits."""

    def expand(*values: float) -> list[Unitary]:
        from reader.compiler.modifiers import controlled  # noqa: PLC0415 - plain programs do without

        return controlled(base.expand(*values), count)

    return Standard(base.parameters, base.qubits + count, expand)


def _mqt() -> dict[str, Standard]:
    """Return MQT's names: under OpenQASM 2 it writes a `c` for each control before any gate's name."""
    bases = {
        **{name: STDGATES[name] for name in ("x", "y", "z", "h", "p", "rx", "ry", "rz", "sx", "id", "swap")},
        **{name: EXTRAS[name] for name in ("r", "sxdg", "dcx", "ecr", "iswap", "rxx", "ryy", "rzz", "rzx", "rccx")},
        **{name: EXTRAS[name] for name in ("xx_minus_yy", "xx_plus_yy")},
        "iswapdg": _ISWAPDG,
        "U": EXTRAS["u"],
    }
    names = {"iswapdg": _ISWAPDG}
    for name, base in bases.items():
        for count in range(1, _MOST_CONTROLS + 1):
            names["c" * count + name] = with_controls(base, count)
    return names


# Names for any number of controls: of the operands the last is the target.
UNDER_CONTROLS: dict[str, Standard] = {
    "mcx": STDGATES["x"],
    "mcy": STDGATES["y"],
    "mcz": STDGATES["z"],
    "mcp": STDGATES["p"],
    "mcphase": STDGATES["p"],
}
FOREIGN: dict[str, Standard] = {**_mqt(), **RESEARCH, **QOQO, **QUICT, **QIBO, **BQSKIT, **QUANTINUUM, **BRAKET}
