"""Rewrites of a program that leave its distribution of outcomes as it is and make it cheaper to run.

    program ── known values ── light cone ── parts ── reused qubits ── engine

Each module has one rewrite, a function of a program, independent of engines; its docstring has the law it keeps.
Noise is in the program: channels stay where their effect can be seen, and so do measurements that read wrongly.
`Steps` bounds the work: a rewrite that would take longer gives up, and the program runs as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader.operations import Barrier, If, Measure, Reset, Store, While

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reader.operations import Operation


class GiveUp(Exception):  # noqa: N818 - not an error: the program runs as it was
    """The rewrite is not worth its time."""


class Steps:
    """How many more operations may be looked at."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self, steps: int = 1) -> None:
        """Count steps; raises GiveUp where they are used up."""
        self.left -= steps
        if self.left < 0:
            raise GiveUp


def moved(operation: Operation, place: Mapping[int, int], steps: Steps) -> Operation:  # noqa: PLR0911 - one for each kind
    """Return an operation on other qubits; those of a barrier that have no place are left out."""
    steps.spend()
    if isinstance(operation, If):
        then = [moved(inner, place, steps) for inner in operation.then]
        return If(operation.condition, then, [moved(inner, place, steps) for inner in operation.otherwise])
    if isinstance(operation, While):
        return While(operation.cell, [moved(inner, place, steps) for inner in operation.body])
    if isinstance(operation, Measure):
        return operation._replace(qubit=place[operation.qubit])
    if isinstance(operation, Reset):
        return Reset(place[operation.qubit])
    if isinstance(operation, Barrier):
        return Barrier(tuple([place[qubit] for qubit in operation.qubits if qubit in place]))
    if isinstance(operation, Store):
        return operation
    return operation._replace(qubits=tuple([place[qubit] for qubit in operation.qubits]))
