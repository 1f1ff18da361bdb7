"""Engine for programs whose shots part ways: statevectors of all shots at once, held once for shots that are alike.

Measurements, resets and noise fork a *branch* in two (`branches.py`). Each branch has a number of shots, and those
numbers are drawn from binomial distributions, which is the same as drawing each shot.

Law: the outcomes have the distribution of the program, run once for each shot. One seed gives the same outcomes
whatever the machine and its memory: what decides the order of the draws depends on the program and the shots alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import channels
from branches import LARGEST, Branches, merge
from counts import Outcomes, concatenate
from logic_arrays import evaluate
from reader.operations import NO_FLIPS, Barrier, Channel, If, Measure, Reset, Store, While, cells_read, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reader.operations import Compiled, Operation

NAME = "trajectories"
VERSIONS = {"numpy": np.__version__}

# With more branches than this, final measurements are made one qubit after the other, all branches at once.
FEW = 8


class Runner:
    """Runs a program's operations on branches."""

    def __init__(self, program: Compiled, generator: np.random.Generator) -> None:
        used = {cell for output in program.outputs for cell in output.cells}
        for operation in walk(program.operations):
            if isinstance(operation, Measure | Store):
                used.add(operation.cell)
            used.update(cells_read(operation))
        self.rows = {cell: row for row, cell in enumerate(sorted(used))}
        self.wanted = [self.rows[cell] for output in program.outputs for cell in output.cells]
        self.operations = program.operations
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
        elif isinstance(operation, Channel):
            channels.apply(branches, operation.error, operation.qubits, self.generator)
        elif not isinstance(operation, Barrier):
            branches.gate(operation)

    def record(self, branches: Branches, operation: Measure) -> None:
        """Write a measured qubit's bit into its cell, readout errors included."""
        row = self.rows[operation.cell]
        bit = branches.bit(operation.qubit)
        branches.cells[row] = bit
        if operation.flips == NO_FLIPS:
            return
        zero_as_one, one_as_zero = operation.flips
        wrong = self.generator.binomial(branches.times, np.where(bit, one_as_zero, zero_as_one))
        if wrong.any():
            forked, stayed = branches.fork(wrong)
            forked.cells[row, stayed:] ^= 1
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
            if operation.flips != NO_FLIPS:
                zero_as_one, one_as_zero = operation.flips
                bit = bit ^ (self.generator.random(shots) < np.where(bit, one_as_zero, zero_as_one))
            cells[self.rows[operation.cell]] = bit
        return Outcomes.of(cells[self.wanted])
