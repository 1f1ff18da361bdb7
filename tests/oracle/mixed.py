"""A mixed state under noise, in numpy: what the interpreter runs a program over when its gates or readings err."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from oracle.channels import Map, Rules
from oracle.quantum import Matrix, apply_matrix

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Noise:
    """Errors after gates and at measurements, as a task's `noise` names them.

    After a gate on n qubits, n = 1 or 2, follows rho -> (1 - p) rho + p tr_n(rho) I/2^n with p = `one_qubit` or
    `two_qubit`. A measurement of a 0 reads 1 with `prob_meas1_prep0`, that of a 1 reads 0 with `prob_meas0_prep1`; the
    qubit is left as it was found, not as it was read. A reset does not err.
    """

    one_qubit: float = 0.0
    two_qubit: float = 0.0
    prob_meas1_prep0: float = 0.0
    prob_meas0_prep1: float = 0.0
    rules: Rules = field(default=Rules(()))

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """Read a task's `noise`, refusing what is not here."""
        if "rules" in given:
            rest = {name: value for name, value in given.items() if name != "rules"}
            return replace(cls.from_dict(rest), rules=Rules(tuple(given["rules"])))
        values = {name: value for kind in given.values() for name, value in kind.items()}
        if unknown := values.keys() - {field.name for field in fields(cls)}:
            raise ValueError(f"the oracle knows no {sorted(unknown)}")
        return cls(**values)

    @property
    def on_gates(self) -> bool:
        """Whether gates err."""
        return self.one_qubit > 0 or self.two_qubit > 0 or bool(self.rules.given)

    def misread(self, qubit: int) -> tuple[float, float]:
        """Return the chances of a wrong bit for a 0 and for a 1 of a qubit."""
        of_rules = self.rules.misread(qubit)
        return of_rules if any(of_rules) else (self.prob_meas1_prep0, self.prob_meas0_prep1)


class MixedState:
    """The density matrix of a program's qubits, all starting in |0>; qubit k has the axes k and width + k."""

    def __init__(self, noise: Noise) -> None:
        self.noise = noise
        self._tensor: Matrix = np.ones((), dtype=complex)

    @property
    def width(self) -> int:
        """How many qubits there are."""
        return self._tensor.ndim // 2

    def add(self, count: int) -> tuple[int, ...]:
        """Add that many qubits in |0> and return their numbers."""
        first = self.width
        for _ in range(count):
            width = self.width
            ground = np.array([[1, 0], [0, 0]], dtype=complex)
            self._tensor = np.moveaxis(np.multiply.outer(self._tensor, ground), 2 * width, width)
        return tuple(range(first, first + count))

    def apply(self, matrix: Matrix, qubits: tuple[int, ...], name: str = "") -> None:
        """Apply a unitary matrix, and the errors of a gate of that name on so many qubits."""
        self.err("before", name, qubits)
        self._tensor = self._both_sides(matrix, qubits)
        self._scramble(qubits)
        self.err("after", name, qubits)

    def err(self, when: str, name: str, qubits: tuple[int, ...], seconds: float = 0.0) -> None:
        """Apply what the rules have before or after an operation."""
        for found, places in self.noise.rules.around(when, name, qubits, seconds):
            self._tensor = found.applied(self._tensor, places)

    def pass_through(self, channel: Map, qubits: tuple[int, ...]) -> None:
        """Apply a channel, to the first of its qubits as the least significant."""
        self._tensor = channel.applied(self._tensor, qubits)

    def _scramble(self, qubits: tuple[int, ...]) -> None:
        chance = {1: self.noise.one_qubit, 2: self.noise.two_qubit}.get(len(qubits), 0.0)
        if chance:
            self._tensor = (1 - chance) * self._tensor + chance * self._scrambled(qubits)

    def reset(self, qubit: int) -> None:
        """Put one qubit into |0>, whatever it was entangled with left as it looks without it."""
        self.err("before", "reset", (qubit,))
        low = self._part(qubit, 0) + self._part(qubit, 1)
        self._tensor = np.zeros_like(self._tensor)
        self._tensor[self._block(qubit, 0)] = low
        self.err("after", "reset", (qubit,))

    def chance_of_one(self, qubit: int) -> float:
        """Return the probability that measuring this qubit reads 1."""
        zero, one = (self._trace(self._part(qubit, outcome)) for outcome in (0, 1))
        truly = min(1.0, max(0.0, one / (zero + one)))
        one_for_0, zero_for_1 = self.noise.misread(qubit)
        return truly * (1 - zero_for_1) + (1 - truly) * one_for_0

    def project(self, qubit: int, read: int) -> None:
        """Keep what is known once this qubit was measured and `read` was read."""
        misread = self.noise.misread(qubit)
        kept = np.zeros_like(self._tensor)
        for outcome in (0, 1):
            likelihood = 1 - misread[outcome] if outcome == read else misread[outcome]
            kept[self._block(qubit, outcome)] = likelihood * self._part(qubit, outcome)
        self._tensor = kept / self._trace(kept)

    def expectation(self, pauli: str) -> float:
        """Return tr(rho P) for one letter a qubit, the rightmost qubit 0's."""
        letters = {
            "I": np.eye(2),
            "X": np.array([[0, 1], [1, 0]]),
            "Y": np.array([[0, -1j], [1j, 0]]),
            "Z": np.diag([1, -1]),
        }
        tensor = self._tensor
        for qubit, letter in enumerate(reversed(pauli)):
            tensor = apply_matrix(letters[letter].astype(complex), tensor, (qubit,))
        return self._trace(tensor)

    def density(self) -> Matrix:
        """Return the matrix, qubit 0 the lowest bit of an index."""
        side = 1 << self.width
        rows, columns = reversed(range(self.width)), reversed(range(self.width, 2 * self.width))
        return self._tensor.transpose([*rows, *columns]).reshape(side, side)

    def _both_sides(self, matrix: Matrix, qubits: tuple[int, ...]) -> Matrix:
        left = apply_matrix(matrix, self._tensor, qubits)
        return apply_matrix(matrix.conj(), left, tuple(self.width + qubit for qubit in qubits))

    def _scrambled(self, qubits: tuple[int, ...]) -> Matrix:
        """Return the state with these qubits replaced by fully mixed ones."""
        mixed = self._tensor
        for qubit in qubits:
            halves = np.zeros_like(mixed)
            low = (mixed[self._block(qubit, 0)] + mixed[self._block(qubit, 1)]) / 2
            halves[self._block(qubit, 0)] = halves[self._block(qubit, 1)] = low
            mixed = halves
        return mixed

    def _block(self, qubit: int, outcome: int) -> tuple[Any, ...]:
        index: list[Any] = [slice(None)] * (2 * self.width)
        index[qubit] = index[self.width + qubit] = outcome
        return tuple(index)

    def _part(self, qubit: int, outcome: int) -> Matrix:
        return np.asarray(self._tensor[self._block(qubit, outcome)])

    @staticmethod
    def _trace(tensor: Matrix) -> float:
        side = 1 << (tensor.ndim // 2)
        return float(np.trace(tensor.reshape(side, side)).real)
