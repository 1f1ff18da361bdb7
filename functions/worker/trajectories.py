"""Engine for programs whose shots part ways: statevectors of all shots at once, held once for shots that are alike.

Measurements, resets and noise fork a *branch* in two (`branches.py`). Each branch has a number of shots, and those
numbers are drawn from binomial distributions, which is the same as drawing each shot.

Law: the outcomes have the distribution of the program, run once for each shot. One seed gives the same outcomes
whatever the machine and its memory: what decides the order of the draws depends on the program and the shots alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from branches import LARGEST, Branches, merge
from counts import Outcomes, concatenate
from logic_arrays import evaluate
from reader.operations import Barrier, If, Measure, Reset, Store, While, cells_read, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from noise import PauliNoise
    from reader.operations import Compiled, Operation

NAME = "trajectories"
VERSIONS = {"numpy": np.__version__}

# With more branches than this, final measurements are made one qubit after the other, all branches at once.
FEW = 8


class Runner:
    """Runs a program's operations on branches."""

    def __init__(self, program: Compiled, noise: PauliNoise | None, generator: np.random.Generator) -> None:
        used = {cell for output in program.outputs for cell in output.cells}
        for operation in walk(program.operations):
            if isinstance(operation, Measure | Store):
                used.add(operation.cell)
            used.update(cells_read(operation))
        self.rows = {cell: row for row, cell in enumerate(sorted(used))}
        self.wanted = [self.rows[cell] for output in program.outputs for cell in output.cells]
        self.operations = program.operations
        self.noise = noise
        self.generator = generator

    def outcomes(self, shots: int) -> Outcomes:
        """Run the program `shots` times."""
        finals = self.finals()
        body = len(self.operations) - finals
        waiting = [(Branches.of(len(self.rows), [shots]), 0)]
        found = []
        while waiting:
            branches, at = waiting.pop()
            while at < body:
                self.step(branches, self.operations[at])
                at += 1
                if branches.amplitudes.size > LARGEST and len(branches.times) > 1:
                    middle = len(branches.times) // 2
                    waiting.append((branches.take(np.arange(middle, len(branches.times))), at))
                    branches = branches.take(np.arange(middle))
            if finals and len(branches.times) <= FEW:
                found += [
                    self.sample(branches, column, self.operations[body:]) for column in range(len(branches.times))
                ]
            else:
                for operation in self.operations[body:]:
                    self.step(branches, operation)
                found.append(Outcomes.of(branches.cells[self.wanted], branches.times))
        joined = concatenate(found)
        if joined.times is None and len(found) > 1:
            # They stand branch by branch: who wants single shots must mix them, as where outcomes have their times.
            return Outcomes(joined.rows, np.ones(len(joined.rows), np.int64))
        return joined

    def finals(self) -> int:
        """Return how many operations at the end are measurements of a qubit each."""
        seen: set[int] = set()
        count = 0
        for operation in reversed(self.operations):
            if isinstance(operation, Measure) and operation.qubit not in seen:
                seen.add(operation.qubit)
            elif not isinstance(operation, Barrier):
                break
            count += 1
        return count

    def run(self, branches: Branches, operations: Iterable[Operation]) -> None:
        """Run operations."""
        for operation in operations:
            self.step(branches, operation)

    def step(self, branches: Branches, operation: Operation) -> None:
        """Run one operation."""
        if isinstance(operation, Measure):
            branches.collapse(operation.qubit, self.generator)
            self.record(branches, operation)
        elif isinstance(operation, Reset):
            branches.collapse(operation.qubit, self.generator)
            branches.values[operation.qubit] = 0
        elif isinstance(operation, Store):
            branches.cells[self.rows[operation.cell]] = evaluate(operation.value, branches.cells, self.rows)
        elif isinstance(operation, If):
            self.test(branches, operation)
        elif isinstance(operation, While):
            self.loop(branches, operation)
        elif not isinstance(operation, Barrier):
            branches.gate(operation)
            if self.noise is not None:
                chance = self.noise.chance(operation)
                if chance:
                    self.err(branches, operation.qubits, chance)

    def record(self, branches: Branches, operation: Measure) -> None:
        """Write a measured qubit's bit into its cell, readout errors included."""
        row = self.rows[operation.cell]
        bit = branches.bit(operation.qubit)
        branches.cells[row] = bit
        if self.noise is None or not self.noise.on_readout:
            return
        chance = np.where(bit, self.noise.one_as_zero, self.noise.zero_as_one)
        wrong = self.generator.binomial(branches.times, chance)
        if wrong.any():
            forked, stayed = branches.fork(wrong)
            forked.cells[row, stayed:] ^= 1
            branches.become(forked)

    def err(self, branches: Branches, qubits: tuple[int, ...], chance: float) -> None:
        """Apply to each shot, with that chance, one of the Paulis on these qubits but the identity."""
        wrong = self.generator.binomial(branches.times, chance)
        if not wrong.any():
            return
        paulis = 4 ** len(qubits) - 1
        which = np.flatnonzero(wrong)
        each = self.generator.multinomial(wrong[which], np.full(paulis, 1 / paulis))
        stay = np.flatnonzero(branches.times - wrong)
        columns, times, ends = [stay], [(branches.times - wrong)[stay]], [len(stay)]
        for pauli in range(paulis):
            hit = np.flatnonzero(each[:, pauli])
            columns.append(which[hit])
            times.append(each[hit, pauli])
            ends.append(ends[-1] + len(hit))
        forked = branches.take(np.concatenate(columns), np.concatenate(times))
        for pauli in range(1, paulis + 1):
            at = slice(ends[pauli - 1], ends[pauli])
            if at.start == at.stop:
                continue
            for position, qubit in enumerate(qubits):
                letter = (pauli >> (2 * position)) & 3
                if letter & 1:
                    forked.flip(qubit, at)
                if letter & 2:
                    forked.sign(qubit, at)
        branches.become(forked)

    def test(self, branches: Branches, operation: If) -> None:
        """Run both sides of a test, each on the branches that take it."""
        value = evaluate(operation.condition, branches.cells, self.rows)
        yes = np.flatnonzero(value)
        if len(yes) == len(branches.times):
            self.run(branches, operation.then)
        elif not len(yes):
            self.run(branches, operation.otherwise)
        else:
            taken = branches.take(yes)
            other = branches.take(np.flatnonzero(value == 0))
            self.run(taken, operation.then)
            self.run(other, operation.otherwise)
            branches.become(merge([taken, other]))

    def loop(self, branches: Branches, operation: While) -> None:
        """Run a loop until all branches have left it."""
        row = self.rows[operation.cell]
        done = []
        inside = branches
        while True:
            value = inside.cells[row]
            if not value.all():
                done.append(inside.take(np.flatnonzero(value == 0)))
                inside = inside.take(np.flatnonzero(value))
                if not len(inside.times):
                    break
            self.run(inside, operation.body)
        branches.become(merge(done))

    def sample(self, branches: Branches, column: int, finals: Sequence[Operation]) -> Outcomes:
        """Return what the final measurements of one branch give, all qubits at once."""
        shots = int(branches.times[column])
        rows = len(branches.amplitudes)
        parts = branches.amplitudes[:, column].copy().view(float).reshape(rows, 2) if rows > 1 else None
        cells = np.repeat(branches.cells[:, column : column + 1], shots, axis=1)
        if parts is not None:
            ladder = np.cumsum(np.einsum("ij,ij->i", parts, parts))
            drawn = np.searchsorted(ladder, self.generator.random(shots) * ladder[-1], side="right")
            drawn = np.minimum(drawn, rows - 1)
        for operation in finals:
            if not isinstance(operation, Measure):
                continue
            qubit = operation.qubit
            if qubit in branches.active:
                bit: Any = (drawn >> branches.active.index(qubit)) & 1
            else:
                known = branches.bit(qubit)
                bit = np.full(shots, known if isinstance(known, int) else known[column])
            if self.noise is not None and self.noise.on_readout:
                chance = np.where(bit, self.noise.one_as_zero, self.noise.zero_as_one)
                bit = bit ^ (self.generator.random(shots) < chance)
            cells[self.rows[operation.cell]] = bit
        return Outcomes.of(cells[self.wanted])
