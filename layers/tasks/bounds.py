"""What one key may have open and spend in a month, checked before its tasks are stored.

Nothing is counted on a task's way. An environment of the api reads the owner's sums (open_work.py) at most once in
LOOK_SECONDS, and accepts a small part of the bound by what it knows. For more it writes itself a grant into the owner's
row, for as long, on the condition that nobody has been granted anything since it knew the row: some of what is left
once all grants are taken off. The write returns the sums too. A look and a grant serve many tasks, so they are rare.

However many environments serve a key at the same time, it therefore has at most its bound and a tenth of that: what is
accepted without grants, a FREE_PART of the bound in each of three looks, which neither grants nor what an environment
counts as its own may know of yet. More it can have only where the sums are more than ADDED_WITHIN behind, or DynamoDB
does not answer, when each environment goes by what it knew. Where several serve a key, a task counts twice for up to
ADDED_WITHIN, in the sums and among what was accepted or granted: near its bound a key may be refused what the next look
has room for. Of a bound below FREE_PART times the environments nothing is accepted without a grant.
"""

from __future__ import annotations

import math
import uuid
from collections import deque
from dataclasses import dataclass, field
from time import time
from typing import TYPE_CHECKING

from tasks.errors import Bound, OverBoundError, UnavailableError
from tasks.logs import Event, logger
from tasks.open_work import Grant, Most, OpenWork, read_open_work, write_grants
from tasks.task import utc_now

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

LOOK_SECONDS = 10.0
ADDED_WITHIN = 5.0  # seconds after a task was accepted, until the sums have it
FREE_PART = 40  # a fortieth of a bound is what all environments together accept in LOOK_SECONDS without grants
GRANTED_PART = 8  # an eighth of what is left is granted at a time, at most
GROWTH = 4  # times what an environment has accepted in ADDED_WITHIN and accepts now: few ask often, none takes too much
TRIES = 20  # of one grant, should others be granted something at the same moment
LONGEST_RETRY_AFTER = 60
TYPICAL_SECONDS = 0.05  # for which a task keeps a worker busy
MAX_OWNERS = 10_000  # whose sums an environment remembers


@dataclass(slots=True)
class _Known:
    """What an environment knows of an owner since it last read its row, and how much of it may be accepted.

    `tasks_left` and `seconds_left` are below the bounds, `tasks_free` and `seconds_free` need no grant any more. All
    become less by what the environment accepts; `accepted` has when, and how many tasks of how many seconds. `pending`
    are the tasks and seconds of these that the sums did not have at that time, `since` those that it accepted later.
    """

    read_at: float
    month: tuple[int, int]
    work: OpenWork
    most: Most
    tasks_left: float
    seconds_left: float
    tasks_free: float
    seconds_free: float
    accepted: deque[tuple[float, int, float]]
    pending: tuple[float, float]
    since: tuple[float, float] = (0, 0.0)
    grant: str = ""  # the name of its own


@dataclass(slots=True)
class Bounds:
    """The bounds of every key: tasks and their compute seconds that have not ended, dollars in a month.

    `most` are those of keys that have none of their own. `environments` is how many there may be of the api, `workers`
    how many tasks run at a time, for the time after which a refused submission is worth another try.
    """

    client: DynamoDBClient
    table: str
    most: Most
    environments: int
    workers: int
    _known: dict[str, _Known] = field(default_factory=dict)

    def check(self, owner: str, tasks: int, seconds: float) -> None:
        """Raise OverBoundError if that many more tasks, of that many compute seconds in all, exceed a bound."""
        now = time()
        known = self._known.get(owner)
        if known is None or now - known.read_at >= LOOK_SECONDS:
            known = self._look(owner)
        moment = utc_now()
        spent = known.work.dollars if known.month == (moment.year, moment.month) else 0.0
        if spent >= known.most.dollars:
            raise OverBoundError(Bound.DOLLARS, known.most.dollars, spent, 0, until=next_month(moment))
        self._refuse(known, tasks, seconds)
        if tasks > known.tasks_free or seconds > known.seconds_free:
            self._ask(owner, known, tasks, seconds)

    def accepted(self, owner: str, tasks: int, seconds: float) -> None:
        """Count tasks that were checked and are stored now, until the sums have them."""
        known = self._known[owner]
        known.tasks_left -= tasks
        known.tasks_free -= tasks
        known.seconds_left -= seconds
        known.seconds_free -= seconds
        known.since = known.since[0] + tasks, known.since[1] + seconds
        known.accepted.append((time(), tasks, seconds))

    def _refuse(self, known: _Known, tasks: int, seconds: float) -> None:
        """Raise OverBoundError if less is left."""
        most, missing = known.most, tasks - known.tasks_left
        if missing > 0:
            in_use = most.tasks - known.tasks_left
            raise OverBoundError(Bound.TASKS, most.tasks, in_use, tasks, self._retry_after(missing * TYPICAL_SECONDS))
        missing = seconds - known.seconds_left
        if missing > 0:
            in_use = most.seconds - known.seconds_left
            raise OverBoundError(Bound.SECONDS, most.seconds, in_use, seconds, self._retry_after(missing))

    def _look(self, owner: str) -> _Known:
        """Read an owner's row, and return what is known now."""
        try:
            return self._learnt(owner, read_open_work(self.client, self.table, owner, utc_now()))
        except UnavailableError:
            # What stores the task refuses the request, if DynamoDB stays silent.
            _warn()
            known = self._known.get(owner) or self._learnt(owner, OpenWork())
            known.read_at = time()
            return known

    def _learnt(self, owner: str, work: OpenWork) -> _Known:
        """Remember what an owner's row says now, less what others are granted and this environment just accepted."""
        now, moment = time(), utc_now()
        earlier = self._known.get(owner)
        accepted = earlier.accepted if earlier else deque[tuple[float, int, float]]()
        while accepted and accepted[0][0] < now - ADDED_WITHIN:
            accepted.popleft()
        name = earlier.grant if earlier else ""
        others = [Grant.of(value) for each, value in (work.grants or {}).items() if each != name]
        pending = float(sum(each[1] for each in accepted)), sum(each[2] for each in accepted)
        if earlier and not others:
            # What the sums have had since the last look is this environment's.
            had = work.ever_tasks - earlier.work.ever_tasks, work.ever_seconds - earlier.work.ever_seconds
            pending = (
                min(pending[0], max(0.0, earlier.pending[0] + earlier.since[0] - had[0])),
                min(pending[1], max(0.0, earlier.pending[1] + earlier.since[1] - had[1])),
            )
        granted = [each for each in others if each.until > now * 1000]
        most = self.most.but(work.own)
        tasks_left = most.tasks - work.tasks - sum(each.tasks for each in granted) - int(pending[0])
        used_seconds = work.seconds + sum(each.seconds for each in granted) + pending[1]
        free = FREE_PART * self.environments
        known = _Known(
            now,
            (moment.year, moment.month),
            work,
            most,
            tasks_left,
            most.seconds - used_seconds,
            min(tasks_left, most.tasks // free),
            min(most.seconds - used_seconds, most.seconds / free),
            accepted,
            pending,
            grant=name,
        )
        if len(self._known) >= MAX_OWNERS:
            self._known.clear()
        self._known[owner] = known
        return known

    def _ask(self, owner: str, known: _Known, tasks: int, seconds: float) -> None:
        """Grant this environment so much, and some more; raises OverBoundError if less is left."""
        try:
            for _ in range(TRIES):
                self._refuse(known, tasks, seconds)
                known.grant = known.grant or uuid.uuid4().hex[:12]  # not before: what a snapshot has, many have
                of_late = (
                    tasks + sum(each[1] for each in known.accepted),
                    seconds + sum(each[2] for each in known.accepted),
                )
                more_tasks = max(tasks, min(math.floor(known.tasks_left / GRANTED_PART), GROWTH * of_late[0]))
                more_seconds = max(seconds, min(known.seconds_left / GRANTED_PART, GROWTH * of_late[1]))
                # What the sums may not have yet is in it too. Grants that are over stay for a look: see _learnt.
                grant = Grant(
                    more_tasks + int(known.pending[0] + known.since[0]),
                    more_seconds + known.pending[1] + known.since[1],
                    round((time() + LOOK_SECONDS + ADDED_WITHIN) * 1000),
                )
                was, kept = known.work.grants, (known.read_at - LOOK_SECONDS) * 1000
                live = {name: value for name, value in (was or {}).items() if Grant.of(value).until > kept}
                granted, row = write_grants(
                    self.client, self.table, owner, was, {**live, known.grant: grant.as_value()}
                )
                known = self._learnt(owner, OpenWork.of(row, utc_now()))
                if granted:
                    self._refuse(known, tasks, seconds)
                    known.tasks_free = min(more_tasks, known.tasks_left)
                    known.seconds_free = min(more_seconds, known.seconds_left)
                    return
        except UnavailableError:
            _warn()
            return
        raise UnavailableError("DynamoDB")

    def _retry_after(self, seconds: float) -> int:
        """Return after how many seconds so much work will be done, but not before the next look."""
        return min(LONGEST_RETRY_AFTER, max(math.ceil(LOOK_SECONDS), math.ceil(seconds / self.workers)))


def _warn() -> None:
    logger.warning("A key's open work could not be read", event=Event.PART_UNAVAILABLE, part="bounds", exc_info=True)


def next_month(now: datetime) -> datetime:
    """Return when the month of a moment ends."""
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first.replace(year=now.year + 1, month=1) if now.month == 12 else first.replace(month=now.month + 1)  # noqa: PLR2004 - December
