"""The gates a program may use without defining them, by name: what stands further right below wins over the left.

A program's own definition wins over all of them.
"""

from __future__ import annotations

from math import pi

from reader.compiler.foreign_gates import FOREIGN
from reader.compiler.gates import BUILTIN, EXTRAS, STDGATES, Standard, native
from reader.operations import Gate

GATES: dict[str, Standard] = {**FOREIGN, **EXTRAS, **STDGATES, **BUILTIN}

# OpenQASM 2 has no ctrl and so no phases to tell apart: U, u2 and u3 are Qiskit's.
LEGACY_GATES: dict[str, Standard] = {
    **GATES,
    "U": native("u", 3, 1),
    "u2": Standard(2, 1, lambda phi, lam: [Gate("u", (pi / 2, phi, lam), (0,))]),
    "u3": native("u", 3, 1),
}
