"""Independent parts: qubits and cells that nothing connects are programs of their own, and their shots are joined.

First the *tail* is cut off: assignments whose values no later operation needs are worked out from the outcomes. What is
left falls into parts that share no operation. Where nothing but assignments reads a cell, all of them can wait: then
each measurement has a cell of its own, and each *life* of a qubit, from one reset to the next, is a qubit of its own.
So rounds that begin with resets are parts, however their results are added up.

Law: a reset leaves nothing behind, so that what follows may happen to another qubit. Parts are independent, so that the
outcomes of shot k of each, put side by side, are an outcome of the program. Their samples must not depend on each
other: each is given a seed of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reader.operations import (
    Barrier,
    If,
    Measure,
    Node,
    Output,
    Reset,
    Store,
    While,
    cells_read,
    cells_written,
    qubits_of,
    walk,
)
from reductions import moved

if TYPE_CHECKING:
    from reader.operations import Compiled, Operation
    from reductions import Steps


class Parts(NamedTuple):
    """The parts of a program and the stores that follow them; the one output of each part has cells of the whole."""

    parts: list[Compiled]
    tail: list[Store]


def split(program: Compiled, steps: Steps) -> Parts:
    """Return the parts of a program; cells that are in none of them, nor stored by the tail, are 0."""
    operations, tail = _cut(program.operations, steps)
    return Parts(_parts(program, operations, tail, steps), tail)


def split_lives(program: Compiled, steps: Steps) -> Parts:
    """Return the same for a program without tests and loops, each life and each measurement apart."""
    cells = program.cells
    now: dict[int, int] = {}
    qubits = 0
    operations: list[Operation] = []
    tail: list[Store] = []
    for operation in program.operations:
        steps.spend()
        if isinstance(operation, Store):
            tail.append(operation)
        elif isinstance(operation, Reset):
            now.pop(operation.qubit, None)
        elif not isinstance(operation, Barrier):
            for qubit in qubits_of(operation):
                if qubit not in now:
                    now[qubit] = qubits
                    qubits += 1
            placed = moved(operation, now, steps)
            if isinstance(placed, Measure):
                tail.append(Store(placed.cell, Node("bit", cells)))
                placed = placed._replace(cell=cells)
                cells += 1
            operations.append(placed)
    return Parts(_parts(program._replace(cells=cells), operations, tail, steps), tail)


def _parts(program: Compiled, operations: list[Operation], tail: list[Store], steps: Steps) -> list[Compiled]:
    """Return what operations fall into, as programs."""
    wanted = {cell for output in program.outputs for cell in output.cells}
    for store in tail:
        wanted.update(cells_read(store))
    roots = _Roots()
    grouped = _group(operations, roots, steps)
    cells: dict[int, list[int]] = {}
    for cell in sorted(wanted):
        if ~cell in roots.above:
            cells.setdefault(roots.find(~cell), []).append(cell)
    parts = []
    for root, group in grouped.items():
        if root in cells:
            qubits = {qubit for operation in walk(group) for qubit in qubits_of(operation)}
            # In their old order: a chain stays a chain.
            place = {qubit: index for index, qubit in enumerate(sorted(qubits))}
            operations = [moved(operation, place, steps) for operation in group]
            registers = [("q", len(place))] if place else []
            output = Output("bits", tuple(cells[root]))
            parts.append(program._replace(operations=operations, registers=registers, outputs=[output], phase=0.0))
    return parts


def _group(operations: list[Operation], roots: _Roots, steps: Steps) -> dict[int, list[Operation]]:
    """Return the operations by what stands for their qubits and cells, which are joined in `roots`."""
    nodes = []
    for operation in operations:
        node = None
        for inner in walk([operation]):
            steps.spend()
            if isinstance(inner, Barrier):
                continue
            # The sign distinguishes cells from qubits.
            for member in (*qubits_of(inner), *(~cell for cell in (*cells_read(inner), *cells_written(inner)))):
                node = roots.join(node, member)
        nodes.append(node)
    grouped: dict[int, list[Operation]] = {}
    for operation, node in zip(operations, nodes, strict=True):
        if node is not None:
            grouped.setdefault(roots.find(node), []).append(operation)
    return grouped


def _cut(operations: list[Operation], steps: Steps) -> tuple[list[Operation], list[Store]]:
    """Return the operations without the stores that can wait until all of them are done, and those stores."""
    kept: list[Operation] = []
    tail: list[Store] = []
    touched: set[int] = set()  # cells that a later operation reads or writes
    written: set[int] = set()
    for operation in reversed(operations):
        steps.spend()
        if isinstance(operation, Store) and operation.cell not in touched and written.isdisjoint(cells_read(operation)):
            tail.append(operation)
            continue
        kept.append(operation)
        for inner in walk([operation]) if isinstance(operation, If | While) else (operation,):
            steps.spend()
            now = cells_written(inner)
            written.update(now)
            touched.update(now, cells_read(inner))
    kept.reverse()
    tail.reverse()
    return kept, tail


class _Roots:
    """Disjoint sets of numbers."""

    def __init__(self) -> None:
        self.above: dict[int, int] = {}

    def find(self, member: int) -> int:
        """Return the number that stands for a member's set."""
        above = self.above
        while above[member] != member:
            above[member] = member = above[above[member]]
        return member

    def join(self, node: int | None, member: int) -> int:
        """Put a member into a set, new or not; return what stands for it."""
        self.above.setdefault(member, member)
        root = self.find(member)
        if node is None:
            return root
        other = self.find(node)
        self.above[root] = other
        return other
