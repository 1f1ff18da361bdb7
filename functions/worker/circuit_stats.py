"""What a program costs, counted in one pass: the step between the reader and the planner."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reader.operations import (
    NO_FLIPS,
    Barrier,
    Channel,
    Gate,
    If,
    Measure,
    Reset,
    Store,
    While,
    cells_read,
    cells_written,
    qubits_of,
    walk,
)
from reader.swept import has_swept

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from reader.operations import AnyUnitary, Compiled, Operation

# Gates that Aer's stabilizer method runs as they are, and rotations that are Clifford at multiples of pi/2.
CLIFFORD = frozenset({"cx", "cy", "cz", "ecr", "h", "id", "s", "sdg", "swap", "sx", "sxdg", "x", "y", "z"})
CLIFFORD_ROTATIONS = frozenset({"rz", "p", "rx"})
TRANSLATED_ROTATIONS = CLIFFORD_ROTATIONS - {"rz"}  # of these, the ones that Aer's stabilizer method lacks
WHILE = While.name
_ANGLE_TOLERANCE = 1e-12
# A tuple, made once: the loop over a program asks for each operation.
_NO_GATES = (Measure, Reset, Channel, Barrier, Store, If, While)
_ROUNDS_OF_WHILE = 1_000  # of a loop whose end is decided while it runs, for counting what happens in it


@dataclass(frozen=True, slots=True)
class CircuitStats:
    """The numbers by which the planner decides.

    `active_qubits` leaves out idle ones, which Aer drops; `gates` counts every gate once, however often a loop runs it;
    `crossings` is the largest number of many-qubit gates across any cut of the line of qubits: a bound on log2 of the
    bond dimension in a matrix product state. `mid_circuit` is True where shots cannot be sampled from one final state,
    `collapses` how often a shot is measured or reset before its final measurements. `final_measurements` and
    `dead_measurements` are positions in the program: of those that nothing follows, and of those whose outcome another
    measurement overwrites unread and whose qubit is at most measured again. `clbits` counts the cells of the outputs
    and those that anything uses. `noisy` is True with
    channels in it, `misread` with measurements that read wrongly, `uneven` where those of one qubit do so
    differently, `paulis` where all its channels are of Paulis.
    """

    num_qubits: int
    active_qubits: int
    gates: int
    depth: int = 0
    mid_circuit: bool = False
    collapses: int = 0
    clifford: bool = False
    control_flow: bool = False
    crossings: int = 0
    clbits: int = 0
    names: frozenset[str] = frozenset()
    first_foreign: str | None = None
    noisy: bool = False
    misread: bool = False
    uneven: bool = False
    paulis: bool = True
    final_measurements: frozenset[int] = field(default=frozenset(), repr=False)
    dead_measurements: frozenset[int] = field(default=frozenset(), repr=False)


def read_stats(program: Compiled) -> CircuitStats:
    """Walk the program once, bodies of tests and loops included."""
    walk_ = _Walk(program)
    walk_.over(program.operations)
    return walk_.stats()


class _Walk:
    """The running totals of one pass; bits are the qubits' numbers, and cells as negative ones."""

    def __init__(self, program: Compiled) -> None:
        self.num_qubits = sum(size for _, size in program.registers)
        self.levels: dict[int, int] = {}
        self.touched: set[int] = set()
        self.cells: set[int] = {cell for output in program.outputs for cell in output.cells}
        self.across = [0] * (self.num_qubits + 1)
        self.names: set[str] = set()
        self.gates = 0
        self.clifford = True
        self.first_foreign: str | None = None
        self.mid_circuit = False
        self.collapses = 0
        self.control_flow = False
        self.noisy = self.misread = self.uneven = False
        self.flips: dict[int, tuple[float, float]] = {}
        self.paulis = True
        # The measurements so far, by the qubit and by the cell that nothing but measurements has used since. Each is in
        # one of the sets: nothing follows it, its qubit alone was measured again, or its outcome is overwritten; or it
        # is in none.
        self.following: dict[int, list[int]] = {}
        self.open: set[int] = set()
        self.remeasured: set[int] = set()
        self.dead: set[int] = set()

    def over(self, operations: Iterable[Operation]) -> None:
        """Count operations: those of a program, or of the body of a test or loop."""
        levels, across, touched, names = self.levels, self.across, self.touched, self.names
        for index, operation in enumerate(operations):
            if isinstance(operation, _NO_GATES):
                self.other(index, operation)
                continue
            # Most of a program: written out, for this loop is what planning costs.
            name = operation.name
            qubits = operation.qubits
            touched.update(qubits)
            if len(qubits) == 1:
                qubit = qubits[0]
                levels[qubit] = levels.get(qubit, 0) + 1
            elif len(qubits) == 2:  # noqa: PLR2004 - a pair
                a, b = qubits
                one, other = levels.get(a, 0), levels.get(b, 0)
                levels[a] = levels[b] = 1 + (one if one > other else other)  # noqa: FURB136 - a call takes longer
                if a > b:
                    a, b = b, a
                across[a] += 1
                across[b] -= 1
            elif qubits:
                self.deepen(qubits)
                across[min(qubits)] += 1
                across[max(qubits)] -= 1
            if self.following:
                self.close(qubits)
            self.gates += 1
            names.add(name)
            if name not in CLIFFORD and not _is_clifford_rotation(operation):
                self.clifford = False
                self.first_foreign = self.first_foreign or name

    def other(self, index: int, operation: Operation) -> None:
        """Count what is not a gate: measurements, resets, control flow; barriers cost nothing."""
        if isinstance(operation, Channel):
            error, on = operation
            self.noisy = True
            self.paulis = self.paulis and error.paulis
            self.touched.update(on)
            if self.following:
                self.close(on)
            if len(on) > 1:
                self.across[min(on)] += 1
                self.across[max(on)] -= 1
            return
        if isinstance(operation, Barrier):
            self.deepen(operation.qubits, by=0)
            return
        self.names.add(operation.name)
        if isinstance(operation, Measure):
            self.misread = self.misread or operation.flips != NO_FLIPS
            self.uneven = self.uneven or self.flips.setdefault(operation.qubit, operation.flips) != operation.flips
            self.touched.add(operation.qubit)
            self.cells.add(operation.cell)
            self.deepen((operation.qubit, ~operation.cell))
            self.collapses += 1
            self.measure(index, operation.qubit, ~operation.cell)
            return
        if isinstance(operation, Reset):
            self.touched.add(operation.qubit)
            self.deepen((operation.qubit,))
            self.close((operation.qubit,))
            self.collapses += 1
            self.mid_circuit = True
            return
        inside = list(walk([operation]))
        qubits = {qubit for inner in inside for qubit in qubits_of(inner)}
        cells = {cell for inner in inside for cell in (*cells_read(inner), *cells_written(inner))}
        self.touched |= qubits
        self.cells |= cells
        bits = [*qubits, *(~cell for cell in cells)]
        self.deepen(bits)
        self.close(bits)
        if isinstance(operation, If):
            self.enter(operation.then)
            self.enter(operation.otherwise)
        elif isinstance(operation, While):
            before = self.collapses
            self.enter(operation.body)
            self.collapses = before + _ROUNDS_OF_WHILE * (self.collapses - before)

    def deepen(self, bits: Collection[int], by: int = 1) -> None:
        """Put an operation on top of all the bits it touches; a barrier only levels them, as Qiskit's depth has it."""
        levels = self.levels
        level = by + max([levels.get(bit, 0) for bit in bits], default=0)
        for bit in bits:
            levels[bit] = level

    def measure(self, index: int, qubit: int, cell: int) -> None:
        """Note a measurement, and what it makes of earlier ones of its qubit and into its cell."""
        for overwritten in self.following.get(cell, ()):
            if overwritten in self.open or overwritten in self.remeasured:
                self.open.discard(overwritten)
                self.remeasured.discard(overwritten)
                self.dead.add(overwritten)
        chain = self.following.setdefault(qubit, [])
        if chain and chain[-1] in self.open:
            self.open.discard(chain[-1])
            self.remeasured.add(chain[-1])
        chain.append(index)
        self.following[cell] = [index]
        self.open.add(index)

    def close(self, bits: Iterable[int]) -> None:
        """Mark earlier measurements of these bits as wanted: something but a measurement follows them."""
        for bit in bits:
            for index in self.following.pop(bit, ()):
                self.open.discard(index)
                self.remeasured.discard(index)
                self.dead.discard(index)
                self.mid_circuit = True

    def enter(self, operations: list[Operation]) -> None:
        """Count the body of a test or loop."""
        self.mid_circuit = self.control_flow = True
        # What a body measures is never final: bodies keep books of their own.
        kept = self.following, self.open, self.remeasured, self.dead
        self.following, self.open, self.remeasured, self.dead = {}, set(), set(), set()
        self.over(operations)
        self.following, self.open, self.remeasured, self.dead = kept

    def stats(self) -> CircuitStats:
        """Close the totals."""
        crossings = height = 0
        for change in self.across:
            height += change
            crossings = max(crossings, height)
        return CircuitStats(
            num_qubits=self.num_qubits,
            active_qubits=len(self.touched),
            gates=self.gates,
            depth=max(self.levels.values(), default=0),
            mid_circuit=self.mid_circuit or bool(self.remeasured),
            collapses=self.collapses - len(self.open) - len(self.dead),
            clifford=self.clifford,
            control_flow=self.control_flow,
            crossings=crossings,
            clbits=len(self.cells),
            names=frozenset(self.names),
            first_foreign=self.first_foreign,
            noisy=self.noisy,
            misread=self.misread,
            uneven=self.uneven,
            paulis=self.paulis,
            final_measurements=frozenset(self.open),
            dead_measurements=frozenset(self.dead),
        )


def _is_clifford_rotation(gate: AnyUnitary) -> bool:
    if not isinstance(gate, Gate) or gate.name not in CLIFFORD_ROTATIONS:
        return False
    # Of a sweep's bindings not all are Clifford, as a rule.
    return not has_swept(gate.parameters) and abs(math.remainder(gate.parameters[0], math.pi / 2)) < _ANGLE_TOLERANCE
