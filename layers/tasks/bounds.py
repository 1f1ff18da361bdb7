"""What one key may have open and spend in a month, checked before its tasks are stored.

Nothing is counted on a task's way: an environment looks at the owner's sums (open_work.py) at most once in
LOOK_SECONDS, and adds what it has accepted itself since. It does not know what others have accepted since its look, nor
what any of them, itself included, had a moment before it: the sums have that about two seconds later. So no
environment takes a key past a limit by what it knows; where n serve a key at the same time, each may accept what was
left when it looked, and the key has at most its limit and n - 1 times that rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from tasks.errors import Bound, OverBoundError, UnavailableError
from tasks.logs import Event, logger
from tasks.open_work import OpenWork, read_open_work
from tasks.task import utc_now

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

LOOK_SECONDS = 10.0
LONGEST_RETRY_AFTER = 60
TYPICAL_SECONDS = 0.05  # for which a task keeps a worker busy
MAX_OWNERS = 10_000  # whose sums an environment remembers


@dataclass(slots=True)
class _Known:
    """What an environment knows of an owner: the sums at its last look, and what it has accepted itself since."""

    looked_at: float
    month: tuple[int, int]
    open_work: OpenWork
    tasks: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Bounds:
    """The bounds of every key: tasks and their compute seconds that have not ended, dollars in a month.

    `workers` is how many tasks run at a time, for the time after which a refused submission is worth another try.
    """

    client: DynamoDBClient
    table: str
    tasks: int
    seconds: float
    dollars: float
    workers: int
    _known: dict[str, _Known] = field(default_factory=dict)

    def check(self, owner: str, tasks: int, seconds: float) -> None:
        """Raise OverBoundError if so many more tasks, of so many compute seconds in all, are too many."""
        known = self._look(owner)
        now = utc_now()
        spent = known.open_work.dollars if known.month == (now.year, now.month) else 0.0
        if spent >= self.dollars:
            raise OverBoundError(Bound.DOLLARS, self.dollars, spent, 0, until=next_month(now))
        open_tasks = known.open_work.tasks + known.tasks
        if open_tasks + tasks > self.tasks:
            wait = (open_tasks + tasks - self.tasks) * TYPICAL_SECONDS
            raise OverBoundError(Bound.TASKS, self.tasks, open_tasks, tasks, self._retry_after(wait))
        open_seconds = known.open_work.seconds + known.seconds
        if open_seconds + seconds > self.seconds:
            wait = open_seconds + seconds - self.seconds
            raise OverBoundError(Bound.SECONDS, self.seconds, open_seconds, seconds, self._retry_after(wait))

    def accepted(self, owner: str, tasks: int, seconds: float) -> None:
        """Count tasks that were checked and are stored now, until the next look finds them in the sums."""
        known = self._known[owner]
        known.tasks += tasks
        known.seconds += seconds

    def _look(self, owner: str) -> _Known:
        known = self._known.get(owner)
        if known is not None and monotonic() - known.looked_at < LOOK_SECONDS:
            return known
        now = utc_now()
        try:
            looked = _Known(monotonic(), (now.year, now.month), read_open_work(self.client, self.table, owner, now))
        except UnavailableError:
            # What stores the task tells its sender, should DynamoDB be silent for longer.
            logger.warning("A key's open work is not known", event=Event.PART_UNAVAILABLE, part="bounds", exc_info=True)
            looked = known or _Known(0.0, (now.year, now.month), OpenWork())
            looked.looked_at = monotonic()
        if len(self._known) >= MAX_OWNERS:
            self._known.clear()
        self._known[owner] = looked
        return looked

    def _retry_after(self, seconds: float) -> int:
        """Return after how long so many compute seconds will have been worked off, but not before the next look."""
        return min(LONGEST_RETRY_AFTER, max(math.ceil(LOOK_SECONDS), math.ceil(seconds / self.workers)))


def next_month(now: datetime) -> datetime:
    """Return when the month of a moment ends."""
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first.replace(year=now.year + 1, month=1) if now.month == 12 else first.replace(month=now.month + 1)  # noqa: PLR2004 - December
