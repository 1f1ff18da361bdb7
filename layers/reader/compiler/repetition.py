"""Loop bodies that do the same in every iteration: compiled until that is certain, then repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reader.budget import KNOWN
from reader.compiler.logic import same_bit
from reader.compiler.machine import Decision
from reader.compiler.symbols import serials
from reader.compiler.tree_walk import walk
from reader.errors import too_large
from reader.limits import LIMITS
from reader.swept import Swept
from reader.text import syntax

if TYPE_CHECKING:
    from reader.compiler.machine import Machine
    from reader.compiler.spans import Span
    from reader.compiler.symbols import Variable

TRIES = 3  # iterations to compile before a loop counts as one that keeps changing
MOVING = 1 / 8  # of a try: one that counts measured bits settles late, and again whenever the sum needs another bit


def count_iterations(m: Machine, number: int, at: int) -> None:
    """Count iterations of loops that are unrolled."""
    m.iterations += number
    if m.iterations > LIMITS.loop_iterations:
        too_large(
            f"Loops run for more than {LIMITS.loop_iterations:,} iterations.",
            at,
            LIMITS.loop_iterations,
            m.iterations,
            "Use fewer iterations; a loop without a measurement must end by itself.",
        )


def names_its_variable(m: Machine, node: syntax.For) -> bool:
    """Tell whether the body of a loop uses the loop's variable (or another one of that name)."""
    known = m.named.get(node)
    if known is None:
        known = m.named[node] = any(
            isinstance(part, syntax.Name | syntax.Declaration | syntax.For | syntax.Alias) and part.name == node.name
            for part in walk(m, node.body)
        )
    return known


class Round:
    """One iteration: what it emits, and what the compilation knew when it began.

    An iteration that leaves every variable, cell and test as it found them is followed by one that does the same. So is
    one that has moved spans, such as that of a counter of measured bits, as long as these decide the same.
    """

    def __init__(self, m: Machine) -> None:
        self.start = len(m.ops)
        self.journal = len(m.journal)
        self.serial = next(serials)
        self.counts = m.operations, m.iterations, m.phase
        self.decided = len(m.decisions)
        self.spans = dict(m.spans)
        self.cells = _cells(m)
        # When it has ended, if it leaves all but spans as it found it: how far it moved their ends, what they decided.
        self.moves: dict[Variable, Span] | None = None
        self.decisions: list[Decision] = []

    def is_like_next(self, m: Machine) -> bool:
        """Tell, when the iteration has ended, whether another one would do the same."""
        return self.spans == m.spans and self._is_settled(m)

    def _is_settled(self, m: Machine) -> bool:
        return self.cells == _cells(m) and _unchanged(m, self.journal, self.serial)

    def likes(self, m: Machine, before: Round | None) -> int:
        """Return, when the iteration has ended, how many more would do the same but for moving spans on.

        `before` is the iteration just before it. Where both have left all else as it was and their spans decided alike,
        what an iteration makes of the spans is one linear map for both. It moved them by the same step twice, so it
        moves them by this step again, and every margin with them, until one of the decisions is no longer certain.
        """
        if self.spans.keys() != m.spans.keys() or not self._is_settled(m):
            return 0
        self.moves = {
            variable: (m.spans[variable][0] - low, m.spans[variable][1] - high)
            for variable, (low, high) in self.spans.items()
        }
        self.decisions = m.decisions[self.decided :]
        if before is None or before.moves != self.moves or len(before.decisions) != len(self.decisions):
            return 0
        m.budget.spend(len(self.decisions), m.here)
        times = LIMITS.loop_iterations
        for old, new in zip(before.decisions, self.decisions, strict=True):
            if old.answer != new.answer:
                return 0
            for was, now in zip(old.margins, new.margins, strict=True):
                if now < was:
                    times = min(times, now // (was - now))
        return times

    def repeat(self, m: Machine, times: int, at: int) -> None:
        """Add the same some more times."""
        operations, iterations, phase = self.counts
        count_iterations(m, (m.iterations - iterations) * times, at)
        m.count((m.operations - operations) * times, at)
        m.ops += m.ops[self.start :] * times
        m.phase += (m.phase - phase) * times

    def go_on(self, m: Machine, before: Round, times: int, at: int) -> None:
        """Add as many iterations as `likes` allows, with the spans after them and what these decide in the last one."""
        self.repeat(m, times, at)
        for variable, (low, high) in (self.moves or {}).items():
            span = m.spans[variable]
            m.spans[variable] = span[0] + low * times, span[1] + high * times
        # To a loop around this one they are decisions like all others; those in between are between them.
        m.decisions.append(Decision(("times", times), ()))
        for old, new in zip(before.decisions, self.decisions, strict=True):
            margins = [now + (now - was) * times for was, now in zip(old.margins, new.margins, strict=True)]
            m.decisions.append(Decision(new.answer, tuple(margins)))


def _cells(m: Machine) -> tuple[Any, ...]:
    """Return how many cells there are, which of them are free, and what is known about them."""
    unused = len(m.free) + sum([width * len(row) for width, row in m.rows.items()])
    m.budget.spend((unused + len(m.known) + len(m.signs) + len(m.spans)) >> KNOWN, m.here)
    # In which order free ones are taken is all the same: nobody reads what they hold, known or not.
    rows = {width: sorted(row) for width, row in m.rows.items()}
    known = dict(m.known)
    for cell in m.free:
        known.pop(cell, None)
    for width, row in rows.items():
        for first in row:
            for cell in range(first, first + width):
                known.pop(cell, None)
    return m.cells, sorted(m.free), rows, known, dict(m.signs)


def _unchanged(m: Machine, mark: int, serial: int) -> bool:
    """Tell whether every variable older than the serial has the value that it had when the journal was at the mark."""
    before: dict[Variable, Any] = {}
    for variable, index, old in reversed(m.journal[mark:]):
        if index < 0:
            before[variable] = old
        else:
            data = before.get(variable)
            if data is None:
                data = before[variable] = list(variable.data)
            data[index] = old
    return all(_same(variable.data, old) for variable, old in before.items() if variable.serial < serial)


def _same(now: Any, old: Any) -> bool:  # noqa: ANN401 - any kind of value
    if isinstance(now, list) and isinstance(old, list):
        return all(same_bit(a, b) for a, b in zip(now, old, strict=True))
    return now is old or (type(now) is type(old) and isinstance(now, int | float | complex | Swept) and now == old)
