"""Qubits reused: a qubit that is done gives its place to one that has not begun.

A qubit's *life* is what happens to it from its first operation, or a reset, to its last before a reset. Operations are
put into an order in which few lives overlap: again and again, the life that needs fewest new ones to begin is brought
to its end, with all that it depends on. Where no life is open a new section begins, as in each round of a loop that
resets all its qubits first; it is put in order by itself. Then each life is given a place that is free, and is reset
there if it has been used before.

Law: operations that share a qubit or a cell stay in order, and every life begins in |0>. So the joint distribution of
all cells stays as it is. Noise follows its gate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reader.operations import Barrier, If, Reset, While, cells_read, cells_written, qubits_of, walk
from reductions import moved

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reader.operations import Compiled, Operation
    from reductions import Steps


class _Step(NamedTuple):
    """An operation and the lives it belongs to."""

    operation: Operation
    lives: tuple[int, ...]
    places: dict[int, int]  # qubit -> life


def reuse_qubits(program: Compiled, steps: Steps) -> Compiled:
    """Return the program on as few qubits as the order found needs."""
    lived, count = _lives(program.operations, steps)
    best: list[_Step] = []
    for start, stop, first, end in _sections(lived, count):
        section = [step._replace(lives=tuple([life - first for life in step.lives])) for step in lived[start:stop]]
        orders = [list(range(len(section))), _schedule(section, end - first, steps)]
        order = min(orders, key=lambda each: _peak([section[index].lives for index in each], end - first))
        best += [lived[start + index] for index in order]
    return _placed(program, best, count, steps)


def _lives(operations: Sequence[Operation], steps: Steps) -> tuple[list[_Step], int]:
    """Return the operations with their lives; resets begin one, and barriers and what a reset undoes are left out."""
    now: dict[int, int] = {}
    count = 0
    lived: list[_Step] = []
    for operation in operations:
        if isinstance(operation, Barrier):
            continue
        if isinstance(operation, Reset):
            now.pop(operation.qubit, None)
            continue
        qubits = dict.fromkeys(qubits_of(operation))
        if isinstance(operation, If | While):
            qubits = {}
            for inner in walk([operation]):
                steps.spend()
                if not isinstance(inner, Barrier):
                    qubits.update(dict.fromkeys(qubits_of(inner)))
        steps.spend(1 + len(qubits))
        for qubit in qubits:
            if qubit not in now:
                now[qubit] = count
                count += 1
        places = {qubit: now[qubit] for qubit in qubits}
        lived.append(_Step(operation, tuple(places.values()), places))
    return lived, count


def _last(lived: list[_Step], count: int) -> list[int]:
    """Return the last step of each life."""
    last = [0] * count
    for index, step in enumerate(lived):
        for life in step.lives:
            last[life] = index
    return last


def _sections(lived: list[_Step], count: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield the steps of each section, from one to before another, and its lives, which are numbered as they begin."""
    last = _last(lived, count)
    start = first = begun = 0
    ends = -1  # the last step of all lives that have begun
    for index, step in enumerate(lived):
        if index > ends >= 0 and any(life >= begun for life in step.lives):
            yield start, index, first, begun
            start, first = index, begun
        for life in step.lives:
            if life >= begun:
                begun, ends = life + 1, max(ends, last[life])
    yield start, len(lived), first, begun


def _schedule(lived: list[_Step], count: int, steps: Steps) -> list[int]:
    """Return an order of the steps that keeps few lives open at a time."""
    before, opened = _needs(lived, steps)
    last = _last(lived, count)
    needed = [opened[index] for index in last]
    done = bytearray(len(lived))
    order: list[int] = []
    begun = 0
    waiting = sorted(range(count), key=last.__getitem__)
    while waiting:
        steps.spend(len(waiting))
        nearest = min(waiting, key=lambda life: (needed[life] & ~begun).bit_count())
        waiting.remove(nearest)
        begun |= needed[nearest]
        _emit(last[nearest], before, done, order)
    # What has no qubit at all, and all that no qubit's end depends on.
    for index in range(len(lived)):
        if not done[index]:
            _emit(index, before, done, order)
    return order


def _needs(lived: list[_Step], steps: Steps) -> tuple[list[list[int]], list[int]]:
    """Return for each step the steps just before it, and as bits the lives that have begun once it is done."""
    before: list[list[int]] = []
    opened: list[int] = []
    latest: dict[int, int] = {}  # life -> its latest step
    writer: dict[int, int] = {}
    readers: dict[int, list[int]] = {}
    for index, step in enumerate(lived):
        reads: set[int] = set()
        writes: set[int] = set()
        for inner in walk([step.operation]):
            steps.spend()
            reads.update(cells_read(inner))
            writes.update(cells_written(inner))
        mine = {latest[life] for life in step.lives if life in latest}
        mine.update(writer[cell] for cell in reads | writes if cell in writer)
        for cell in writes:
            mine.update(readers.pop(cell, ()))
            writer[cell] = index
        for cell in reads - writes:
            readers.setdefault(cell, []).append(index)
        mask = 0
        for life in step.lives:
            mask |= 1 << life
            latest[life] = index
        mine.discard(index)
        steps.spend(len(mine))
        for other in mine:
            mask |= opened[other]
        before.append(sorted(mine))
        opened.append(mask)
    return before, opened


def _emit(index: int, before: list[list[int]], done: bytearray, order: list[int]) -> None:
    """Add a step after all that it depends on, in their old order."""
    found = []
    stack = [index]
    while stack:
        step = stack.pop()
        if not done[step]:
            done[step] = 1
            found.append(step)
            stack += before[step]
    order += sorted(found)


def _peak(lives: list[tuple[int, ...]], count: int) -> int:
    """Return how many lives are open at once in this order."""
    last = [0] * count
    for index, each in enumerate(lives):
        for life in each:
            last[life] = index
    begun: set[int] = set()
    now = peak = 0
    for index, each in enumerate(lives):
        for life in each:
            if life not in begun:
                begun.add(life)
                now += 1
        peak = max(peak, now)
        now -= sum(last[life] == index for life in each)
    return peak


def _placed(program: Compiled, lived: list[_Step], count: int, steps: Steps) -> Compiled:
    """Return the program with a place for each life."""
    last = _last(lived, count)
    place: dict[int, int] = {}
    free: list[int] = []
    places = 0
    operations: list[Operation] = []
    for index, step in enumerate(lived):
        for life in step.lives:
            if life in place:
                continue
            if free:
                place[life] = free.pop()
                operations.append(Reset(place[life]))
            else:
                place[life] = places
                places += 1
        operations.append(moved(step.operation, {qubit: place[life] for qubit, life in step.places.items()}, steps))
        free += [place[life] for life in step.lives if last[life] == index]
    return program._replace(operations=operations, registers=[("q", places)] if places else [])
