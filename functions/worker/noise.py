"""Noise as a chance of Pauli errors after each gate and of a wrong bit from each measurement, for all engines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reader.operations import AnyUnitary
    from tasks.options import Noise

# The gates that noise is defined for; others are taken apart into these first.
ONE_QUBIT = frozenset(
    {"h", "id", "p", "rx", "ry", "rz", "s", "sdg", "sx", "sxdg", "t", "tdg", "u", "u1", "u2", "u3", "x", "y", "z"}
)
TWO_QUBIT = frozenset({"cp", "cx", "cy", "cz", "ecr", "rxx", "ryy", "rzx", "rzz", "swap"})


@dataclass(frozen=True, slots=True)
class PauliNoise:
    """After a gate of one or two qubits, with a chance, one of the 3 or 15 Paulis other than the identity on them.

    A depolarizing channel of parameter p, rho -> (1 - p) rho + p I/2^n, is that with the chance p (1 - 1/4^n).
    `zero_as_one` and `one_as_zero` are the chances that a measurement records the wrong bit.
    """

    one_qubit: float = 0.0
    two_qubit: float = 0.0
    zero_as_one: float = 0.0
    one_as_zero: float = 0.0

    @classmethod
    def of(cls, noise: Noise | None) -> PauliNoise:
        """Return a request's noise in these terms."""
        if noise is None:
            return cls()
        return cls(noise.one_qubit * 3 / 4, noise.two_qubit * 15 / 16, noise.prob_meas1_prep0, noise.prob_meas0_prep1)

    @property
    def on_gates(self) -> bool:
        """Whether gates are noisy."""
        return self.one_qubit > 0 or self.two_qubit > 0

    @property
    def on_readout(self) -> bool:
        """Whether measurements are noisy."""
        return self.zero_as_one > 0 or self.one_as_zero > 0

    def chance(self, gate: AnyUnitary) -> float:
        """Return the chance of an error after a gate."""
        if gate.name in ONE_QUBIT:
            return self.one_qubit
        return self.two_qubit if gate.name in TWO_QUBIT else 0.0

    def acts_on(self, gate: AnyUnitary) -> bool:
        """Tell whether a gate is followed by noise, or is decomposed into gates that are."""
        if gate.name in ONE_QUBIT:
            return self.one_qubit > 0
        return self.two_qubit > 0 if gate.name in TWO_QUBIT else self.on_gates and gate.name != "gphase"

    def covers(self, names: frozenset[str]) -> bool:
        """Tell whether noise follows each of these gates directly, without decomposing any of them first."""
        return not self.on_gates or names <= ONE_QUBIT | TWO_QUBIT | {"gphase"}
