"""What reading may cost: one budget for each request, shared by all the texts and bindings that it brings."""

from __future__ import annotations

import time

from reader.errors import too_large
from reader.limits import LIMITS

# What things cost, in units of about a microsecond of CPU. They are counted, not timed, so that an answer does not
# depend on the machine or on what else it does.
TOKEN = 2  # reading it, and its part of the syntax tree
STEP = 2
NODE = 2  # looking at a node of the syntax tree once more
OPERATION = 1
PLACE = 2  # a bit that is assigned, or a bit or qubit that is named as one of many
CHOICE = 1  # of one of two bits, by a measured one
MEASURED = 12  # an operator on measured numbers, however few of their bits are measured
DIVIDED = 40  # one that divides them
ATTEMPT = 6  # remembering how things were before a statement, once something is measured
BRANCH = 30  # both sides of a test, and what they have in common
SHRINK = 3  # an expression that has become too long and is stored
ANGLE = 6  # an operator on angles
MODIFIED = 4  # an operation under a modifier
EXACT = 20  # an operator on numbers that no float holds
KNOWN = 4  # a copy of what is known about bits costs a unit for every 2**KNOWN of them
BINDING = 100
CHARACTERS = 8  # that cost one unit
EXPRESSION = 60  # one that stands alone between plain gate lines

POWER = 500  # of a matrix, and beside it:
POWER_OPERATION = 25  # for each operation of the gate that is raised to it

_GLANCE = 2_000  # units between two looks at the clock


class Budget:
    """Work that a request may still cause; `spend` refuses what goes over it, and whatever follows.

    The count decides alone, as it must where an accepted text is read again. With `seconds`, what takes more of this
    thread's CPU from now on is refused too: the backstop for a cost that is not counted right.
    """

    def __init__(self, work: int = LIMITS.work, *, seconds: float | None = None) -> None:
        self.limit = work
        self.spent = 0
        self.seconds = seconds
        self.started = 0.0 if seconds is None else time.thread_time()
        self.look = 0 if seconds is not None else self.limit
        self.exhausted = False

    def share(self, part: int) -> Budget:
        """Return a budget of one part in `part` of what is left, by the same clock, for what may be in vain."""
        share = Budget((self.limit - self.spent) // part, seconds=self.seconds)
        share.started = self.started
        return share

    def waive(self, seconds: float) -> None:
        """Leave out of the clock what a share took in vain."""
        self.started += seconds

    def spend(self, work: int, at: int = -1) -> None:
        """Count work that is about to be done, or was done just now, for what stands at the offset."""
        self.spent += work
        if self.spent >= self.look:
            self._settle(at)

    def _settle(self, at: int) -> None:
        """Refuse to continue if the budget is used up; else say when to look again."""
        if self.exhausted or self.spent > self.limit:
            self.exhausted = True
            too_large(
                f"Reading this takes more than {self.limit:,} units of work.",
                at,
                self.limit,
                self.spent,
                "Use fewer statements, expressions or inputs in one request.",
            )
        if self.seconds is not None:
            used = time.thread_time() - self.started
            if used > self.seconds:
                self.exhausted = True
                self.look = 0
                too_large(
                    f"Reading this takes more than {self.seconds:g} seconds.",
                    at,
                    self.seconds,
                    round(used, 2),
                    "Use fewer statements, expressions or inputs in one request.",
                )
        self.look = min(self.spent + _GLANCE, self.limit) if self.seconds is not None else self.limit
