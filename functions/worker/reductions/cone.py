"""The light cone: only what can reach a bit of the counts or an observable is kept.

Walks backwards with what is still to be seen of each qubit: nothing (DEAD), its bit (BIT: it will be measured, or
control what is, before anything else happens to it) or all of it (WHOLE). Measurements and resets are the cone's edges.

Law: the joint distribution of the outputs' cells, and the state of the qubits that are kept, stay as they are. A gate
goes when no qubit of it is to be seen, or only bits that it leaves alone: a diagonal gate before measurements. So does
an error, which preserves the trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader.operations import Barrier, Channel, If, Measure, Reset, Store, While, cells_read
from unitaries import MONOMIAL, is_diagonal_on

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reader.operations import AnyUnitary, Compiled, Operation
    from reductions import Steps

DEAD, BIT, WHOLE = 0, 1, 2


class _Seen:
    """What is still to be seen: of qubits more than nothing, and cells."""

    __slots__ = ("cells", "qubits")

    def __init__(self, qubits: dict[int, int], cells: set[int]) -> None:
        self.qubits = qubits
        self.cells = cells

    def copy(self) -> _Seen:
        return _Seen(dict(self.qubits), set(self.cells))

    def join(self, other: _Seen) -> None:
        """Add what the other sees."""
        for qubit, level in other.qubits.items():
            if level > self.qubits.get(qubit, DEAD):
                self.qubits[qubit] = level
        self.cells |= other.cells

    def same(self, other: _Seen) -> bool:
        return self.qubits == other.qubits and self.cells == other.cells


def light_cone(program: Compiled, steps: Steps, qubits: Iterable[int] = (), level: int = WHOLE) -> Compiled:
    """Return the program without what cannot reach its outputs nor the state of `qubits` at its end.

    With the level BIT, of that state only what a measurement of those qubits would find is kept.
    """
    seen = _Seen(dict.fromkeys(qubits, level), {cell for output in program.outputs for cell in output.cells})
    return program._replace(operations=_back(program.operations, seen, steps))


def _back(operations: list[Operation], seen: _Seen, steps: Steps) -> list[Operation]:
    """Return what is kept of the operations; `seen` is what is seen after them, and then before them."""
    kept: list[Operation] = []
    for operation in reversed(operations):
        steps.spend()
        new = _before(operation, seen, steps)
        if new is not None:
            kept.append(new)
    kept.reverse()
    return kept


def _before(operation: Operation, seen: _Seen, steps: Steps) -> Operation | None:  # noqa: C901, PLR0911 - one for each kind
    """Return what is kept of one operation."""
    if isinstance(operation, Barrier):
        return None
    if isinstance(operation, Measure):
        qubit, cell, _ = operation
        if cell not in seen.cells and seen.qubits.get(qubit, DEAD) <= BIT:
            return None
        seen.cells.discard(cell)
        seen.qubits[qubit] = BIT
        return operation
    if isinstance(operation, Reset):
        return operation if seen.qubits.pop(operation.qubit, DEAD) else None
    if isinstance(operation, Store):
        if operation.cell not in seen.cells:
            return None
        seen.cells.discard(operation.cell)
        seen.cells.update(cells_read(operation))
        return operation
    if isinstance(operation, If):
        other = seen.copy()
        then = _back(operation.then, seen, steps)
        otherwise = _back(operation.otherwise, other, steps)
        steps.spend(len(seen.qubits) + len(seen.cells))
        seen.join(other)
        if not then and not otherwise:
            return None
        seen.cells.update(cells_read(operation))
        return If(operation.condition, then, otherwise)
    if isinstance(operation, While):
        return _loop(operation, seen, steps)
    if isinstance(operation, Channel):
        return operation if _channel(operation, seen.qubits) else None
    return operation if _gate(operation, seen.qubits) else None


def _loop(operation: While, seen: _Seen, steps: Steps) -> Operation | None:
    """Keep a loop that does anything to be seen; what its body needs from the round before is to be seen as well."""
    if not _back(operation.body, seen.copy(), steps):
        return None
    seen.cells.add(operation.cell)
    while True:
        round_before = seen.copy()
        body = _back(operation.body, round_before, steps)
        steps.spend(len(seen.qubits) + len(seen.cells))
        round_before.join(seen)
        if round_before.same(seen):
            return While(operation.cell, body)
        seen.join(round_before)


def _channel(channel: Channel, levels: dict[int, int]) -> bool:
    """Tell whether an error is kept, and note what is seen before it."""
    most = max((levels.get(qubit, DEAD) for qubit in channel.qubits), default=DEAD)
    if most == DEAD:
        return False
    if channel.error.paulis:
        # A Pauli turns bits into bits, qubit by qubit: what was not seen of another one still is not.
        seen = {place for place, qubit in enumerate(channel.qubits) if levels.get(qubit, DEAD)}
        return most == WHOLE or any(
            letter in "XY"
            for _, chosen in channel.error.terms
            for step in chosen
            for place, letter in zip(step.places, step.data, strict=True)
            if place in seen
        )
    levels.update(dict.fromkeys(channel.qubits, WHOLE))
    return True


def _gate(gate: AnyUnitary, levels: dict[int, int]) -> bool:
    """Tell whether a gate is kept, and note what is seen before it."""
    qubits = gate.qubits
    found = [levels.get(qubit, DEAD) for qubit in qubits]
    most = max(found, default=DEAD)
    if most == DEAD:
        return False
    # Where it is diagonal on all that is seen, it is one unitary of the rest for each value of the bits.
    aside = all(is_diagonal_on(gate, at) for at, level in enumerate(found) if level)
    if most == BIT and aside:
        return False
    if most == BIT and gate.name in MONOMIAL:
        # Basis states go to basis states: bits after it are bits before it.
        for qubit in qubits:
            levels[qubit] = BIT
        return True
    for at, qubit in enumerate(qubits):
        levels[qubit] = max(found[at], BIT) if is_diagonal_on(gate, at) else WHOLE
    return True
