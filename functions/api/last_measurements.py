"""Which measurements end a program: scripts save the state before them, and leave out those that are overwritten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader.operations import Barrier, Measure, cells_read, cells_written, qubits_of, walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reader.operations import Operation


def without_overwritten(operations: Sequence[Operation]) -> list[Operation]:
    """Return the operations without measurements into bits that others overwrite unread, of qubits measured at most.

    Where Aer samples one state, a bit that is measured twice has the readout errors of both.
    """
    kept: list[Operation] = []
    overwritten: set[int] = set()
    used: set[int] = set()
    for operation in reversed(operations):
        if isinstance(operation, Measure):
            if operation.cell in overwritten and operation.qubit not in used:
                continue
            overwritten.add(operation.cell)
        else:
            for inner in walk([operation]):
                overwritten -= {*cells_read(inner), *cells_written(inner)}
                used.update(() if isinstance(inner, Barrier) else qubits_of(inner))
        kept.append(operation)
    kept.reverse()
    return kept


def final(operations: Sequence[Operation]) -> set[int]:
    """Return the places of the measurements whose qubit and bit nothing uses afterwards."""
    found: set[int] = set()
    qubits: set[int] = set()
    cells: set[int] = set()
    for at in range(len(operations) - 1, -1, -1):
        operation = operations[at]
        if isinstance(operation, Measure) and operation.qubit not in qubits and operation.cell not in cells:
            found.add(at)
        for inner in walk([operation]):
            qubits.update(() if isinstance(inner, Barrier) else qubits_of(inner))
            cells.update(cells_read(inner), cells_written(inner))
    return found
