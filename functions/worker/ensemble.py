"""Engine for exact results: the mixture of pure states that a program ends in, with the probability of each.

Where `trajectories` draws how many shots go which way, here all ways are gone, each with its probability. So
measurements and resets in the middle, tests of measured bits and errors of their readings and of gates give the exact
mixture.

Law: the sum over branches of probability times projector is the density matrix of the qubits of the program, within
1e-9. A way that is less probable than rounding is not gone, and a loop that some shots never leave is left once those
have a probability below TINY.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from branches import Branches, merge
from pure_states import expectation
from reader.operations import Barrier, Channel, Gate, If, Measure, Reset, Store, While, qubits_of
from tasks.errors import ErrorCode, TaskError
from trajectories import Runner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reader.operations import Compiled, Operation
    from tasks.observables import PauliSum

Array = np.ndarray[Any, Any]

TINY = 1e-12  # a probability
ROUNDING = 1e-15
LARGEST = 2**22  # amplitudes of all branches, 16 bytes each
MOST = 2**16  # branches


class Means:
    """Takes the place of a random generator: it draws the mean, a part of each branch's probability."""

    @staticmethod
    def binomial(weights: Array, chance: Array) -> Array:
        """Return the part of each weight that goes the other way."""
        chance = np.where(chance < ROUNDING, 0.0, np.where(chance > 1 - ROUNDING, 1.0, chance))
        return np.asarray(weights * chance)

    @staticmethod
    def multinomial(weights: Array, chances: Array) -> Array:
        """Return the parts of each weight that go each way, shape (weights, ways)."""
        return np.asarray(weights[:, np.newaxis] * np.where(chances < ROUNDING, 0.0, chances))


class Ensemble:
    """The branches that a program ends in. `qubits` is how many it has, idle ones included."""

    def __init__(self, program: Compiled, *, phased: bool = False) -> None:
        """Run the program; `phased` also keeps the global phase of each branch. Raises TaskError for too many ways."""
        self.qubits = sum(size for _, size in program.registers)
        runner = _Runner(program, phased=phased)
        self.branches = Branches.of(len(runner.rows), [1])
        runner.run(self.branches, program.operations)
        self.branches.times = self.branches.times / self.branches.times.sum()
        if phased:
            self.branches.amplitudes *= np.exp(1j * program.phase)

    def probabilities(self, qubits: Sequence[int]) -> Array:
        """Return the probability of each basis state of these qubits, shape (2^k,); the first is the lowest bit."""
        branches = self.branches
        rows = np.arange(len(branches.amplitudes))
        numbers = np.zeros(len(rows), np.int64)
        offsets = np.zeros(len(branches.times), np.int64)
        for place, qubit in enumerate(qubits):
            if qubit in branches.active:
                numbers |= ((rows >> branches.active.index(qubit)) & 1) << place
            else:
                offsets |= np.asarray(branches.bit(qubit), np.int64) << place
        weights = np.abs(branches.amplitudes) ** 2 * branches.times
        indexes = numbers[:, np.newaxis] | offsets
        return np.bincount(indexes.ravel(), weights.ravel(), minlength=1 << len(qubits))

    def density_matrix(self, qubits: Sequence[int]) -> Array:
        """Return the density matrix of these qubits, shape (2^k, 2^k); the first is the lowest bit of an index."""
        branches = self.branches
        for qubit in qubits:
            if qubit not in branches.active:
                branches.activate(qubit)
        last = len(branches.active) - 1
        wanted = [last - branches.active.index(qubit) for qubit in reversed(qubits)]
        others = [axis for axis in range(last + 2) if axis not in wanted]
        weighted = (branches.axes() * np.sqrt(branches.times)).transpose([*wanted, *others])
        matrix = weighted.reshape(1 << len(qubits), -1)
        return np.asarray(matrix @ matrix.conj().T)

    def statevector(self, qubits: Sequence[int]) -> Array:
        """Return the amplitudes of these qubits, all others 0, shape (2^k,); the first is the lowest bit of an index.

        Raises TaskError for a mixture.
        """
        branches = self._pure()
        for qubit in qubits:
            if qubit not in branches.active:
                branches.activate(qubit)
        found = of_qubits(branches.amplitudes[:, 0], [branches.active.index(qubit) for qubit in qubits])
        others = set(range(self.qubits)).difference(qubits, branches.active)
        return found * 0 if any(int(branches.bit(qubit)) for qubit in others) else found

    def amplitude(self, state: str) -> complex:
        """Return the amplitude of a basis state, a bit string, qubit 0 rightmost; raises TaskError for a mixture."""
        branches = self._pure()
        row = 0
        for qubit, letter in enumerate(reversed(state)):
            if qubit in branches.active:
                row |= int(letter) << branches.active.index(qubit)
            elif int(letter) != int(branches.bit(qubit)):
                return 0j
        return complex(branches.amplitudes[row, 0])

    def _pure(self) -> Branches:
        """Return the one branch."""
        if len(self.branches.times) > 1:
            raise mixed(f"ends in {len(self.branches.times)} states, by its mid-circuit measurements and resets")
        return self.branches

    def expectation(self, terms: PauliSum) -> float:
        """Return the value of an observable."""
        return float(expectation(self.branches, terms) @ self.branches.times)


def of_qubits(amplitudes: Array, places: Sequence[int]) -> Array:
    """Return the amplitudes of the states in which all bits but these are 0, shape (2^k,).

    Place p is bit p of an index into `amplitudes`; the first of `places` is the lowest bit of an index of the result.
    """
    last = len(amplitudes).bit_length() - 2
    wanted = [last - place for place in reversed(places)]
    others = [axis for axis in range(last + 1) if axis not in wanted]
    axes = amplitudes.reshape((2,) * (last + 1)).transpose([*wanted, *others])
    return np.ascontiguousarray(axes.reshape(1 << len(places), -1)[:, 0])


class _Runner(Runner):
    """Runs a program's operations on branches whose times are probabilities."""

    def __init__(self, program: Compiled, *, phased: bool) -> None:
        super().__init__(program, Means())  # type: ignore[arg-type]  # what of a generator is used
        self.phased = phased

    def step(self, branches: Branches, operation: Operation) -> None:
        """Run one operation."""
        if not len(branches.times):  # no way leads here, except for those that a loop has dropped
            return
        if self.phased and not isinstance(operation, Measure | Reset | Store | If | While | Barrier):
            if isinstance(operation, Gate) and operation.name == "gphase":
                branches.amplitudes *= np.exp(1j * operation.parameters[0])
                return
            # A qubit that is a bit loses the phases of diagonal gates.
            for qubit in qubits_of(operation):
                if qubit not in branches.active:
                    branches.activate(qubit)
        super().step(branches, operation)
        if isinstance(operation, Channel) and len(branches.times) > 2 * len(branches.amplitudes):
            branches.become(_fewest(branches))
        if branches.amplitudes.size > LARGEST or len(branches.times) > MOST:
            raise TaskError(
                ErrorCode.CIRCUIT_TOO_LARGE,
                f"The mixture that the program leaves takes more than {MOST:,} states or {LARGEST:,} amplitudes.",
                limit=MOST,
                actual=len(branches.times),
                hint="Ask for counts, where each shot takes one path, or for results of fewer qubits.",
            )

    def loop(self, branches: Branches, operation: While) -> None:
        """Run a loop until all branches have left it, except for those of negligible probability."""
        row = self.rows[operation.cell]
        left = []
        inside = branches
        while len(inside.times):
            stays = inside.cells[row] == 1
            left.append(inside.take(np.flatnonzero(~stays)))
            inside = inside.take(np.flatnonzero(stays & (inside.times >= TINY)))
            self.run(inside, operation.body)
        branches.become(merge(left))


def _fewest(branches: Branches) -> Branches:
    """Return the same mixtures with as many branches as amplitudes for each record of classical bits.

    A mixture is A A^dagger for the matrix A of its weighted states, and with A^dagger = Q R that is R^dagger R.
    """
    bits = [np.broadcast_to(np.asarray(bit), branches.times.shape) for bit in branches.values.values()]
    records = np.vstack([branches.cells, *bits]) if bits or len(branches.cells) else np.zeros((1, len(branches.times)))
    _, group = np.unique(records, axis=1, return_inverse=True)
    group = group.reshape(-1)
    parts = []
    for number in range(int(group.max()) + 1):
        columns = np.flatnonzero(group == number)
        part = branches.take(columns)
        if len(columns) > len(branches.amplitudes):
            weighted = part.amplitudes * np.sqrt(part.times)
            triangle: Any = np.linalg.qr(weighted.conj().T, mode="r")
            states = triangle.conj().T
            weights = np.einsum("ij,ij->j", states, states.conj()).real
            kept = np.flatnonzero(weights > ROUNDING * weights.sum())
            part = part.take(kept, weights[kept])  # all have the same bits
            part.amplitudes = np.ascontiguousarray(states[:, kept] / np.sqrt(weights[kept]))
        parts.append(part)
    return merge(parts)


def mixed(why: str) -> TaskError:
    """Return the error of a program that has no statevector; `why` ends the sentence."""
    return TaskError(
        ErrorCode.UNSUPPORTED_FEATURE,
        f"The program has no statevector: it {why}.",
        hint="Ask for a density_matrix or probabilities, which are those of the mixture.",
    )
