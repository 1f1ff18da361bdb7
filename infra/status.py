"""`make status`: what the system holds and does now, on one screen; with `STACK=<name>`, of a stack in the cloud.

It costs next to nothing however much there is: the queues' depths are SQS's own numbers, the open tasks come from their
sparse index, of the first hundred of them the rows too, what was used today is in one row a key, and the rest is a few
queries to the last hour's log lines.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from insights import QueryError, saved_queries
from local.deployed import deployed
from local.ministack import LocalStackError
from local.translate import load
from logs import LogGroups, LogsError
from tasks.errors import UnavailableError
from tasks.queue import TaskQueue
from tasks.task import utc_now
from tasks.usage import Sums

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from insights import Result
    from local.deployed import Deployed
    from tasks.task import Task
    from tasks.usage import DayUsage

MOST_COUNTED = 10_000  # open tasks; there may be more
MOST_LOOKED_AT = 100  # of their rows
QUEUES = {"small lane": "TASK_QUEUE_URL", "large lane": "LARGE_TASK_QUEUE_URL", "dead letters": "DEAD_LETTER_QUEUE_URL"}
WINDOW = timedelta(hours=1)  # of what the log is asked
QUERIES = ("ended-tasks", "workers", "sweeps", "last-errors")
ERRORS_SHOWN = 5
OWNERS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Status:
    """What there is to show. `depths` are (waiting, in flight) by queue; `looked_at` are the open tasks due first."""

    depths: dict[str, tuple[int, int]]
    open_tasks: int
    looked_at: Sequence[Task]
    answers: dict[str, Result]
    used: Mapping[str, DayUsage]  # today, by owner

    def lines(self, now: datetime) -> Iterator[str]:
        """Yield the screen's lines."""
        yield f"{'queue':16}{'waiting':>10}{'in flight':>12}"
        for name, (waiting, in_flight) in self.depths.items():
            yield f"{name:16}{waiting:>10}{in_flight:>12}"
        yield ""
        yield f"open tasks      {self.open_tasks}{'+' if self.open_tasks == MOST_COUNTED else ''}{self._states()}"
        if self.looked_at:
            oldest = min(self.looked_at, key=lambda task: task.submitted_at)
            age = now - datetime.fromisoformat(oldest.submitted_at)
            yield f"oldest          {oldest.task_id}  {oldest.status}, attempt {oldest.attempt}, {_age(age)} old"
        ended = ", ".join(f"{row['tasks']} {row['status']}" for row in self.answers["ended-tasks"].rows) or "none"
        yield f"ended tasks     {ended} (in the last hour)"
        for note in sorted({note for answer in self.answers.values() for note in answer.notes}):
            yield f"but             {note}"
        workers = [f"{row['environments']} of {row['memory_mb']} MB" for row in self.answers["workers"].rows]
        yield f"workers         {', '.join(workers) or 'none'} (in the last hour)"
        yield from self._usage()
        sweeps = self.answers["sweeps"].rows
        yield f"sweeper         {_age(now - _moment(sweeps[0])) + ' ago' if sweeps else 'not in the last hour'}"
        yield ""
        errors = self.answers["last-errors"].rows[:ERRORS_SHOWN]
        yield "last errors" if errors else "last errors     none in the last hour"
        for row in errors:
            what = " ".join(row[name] for name in ("code", "reason", "exception_name", "uncaught") if name in row)
            when, task_id = row["@timestamp"][11:19], row.get("task_id", "")
            yield f"  {when}  {row.get('service', ''):8}{row.get('event', ''):18} {task_id:36}  {what}"

    def _usage(self) -> Iterator[str]:
        """Yield what was used today, in all and by those who used most: what their `GET /usage` says."""
        yield f"used today      {_shown(sum((used.total for used in self.used.values()), Sums()))}"
        most = sorted(self.used.items(), key=lambda item: item[1].total.cost_usd, reverse=True)
        for owner, used in most[:OWNERS_SHOWN]:
            yield f"  {owner:32}  {_shown(used.total)}"
        if len(most) > OWNERS_SHOWN:
            yield f"  and {len(most) - OWNERS_SHOWN} keys more"

    def _states(self) -> str:
        states = Counter(str(task.status) for task in self.looked_at)
        if not states:
            return ""
        counted = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        return f"  ({counted}{'' if len(self.looked_at) >= self.open_tasks else f' of the first {MOST_LOOKED_AT}'})"


def status_of(stack: Deployed, groups: LogGroups, now: datetime) -> Status:
    """Look at a stack; raises UnavailableError, and what its logs raise."""
    outputs = stack.outputs
    tasks = stack.task_table()
    sqs = stack.session.client("sqs", endpoint_url=stack.endpoint)
    depths = {}
    for name, output in QUEUES.items():
        queue = TaskQueue(sqs, outputs[output])
        waiting = queue.waiting()
        depths[name] = (waiting, max(0, queue.size() - waiting))
    found = sorted(islice(tasks.open_tasks(), MOST_COUNTED), key=lambda task: task.due_at)
    looked_at = tasks.look([task.task_id for task in found[:MOST_LOOKED_AT]])
    saved = saved_queries(load())
    end_ms = int(now.timestamp() * 1000)
    start_ms = end_ms - int(WINDOW.total_seconds() * 1000)
    with ThreadPoolExecutor(len(QUERIES)) as threads:
        asked = {name: threads.submit(groups.ask, saved[name].text, start_ms, end_ms) for name in QUERIES}
        answers = {name: answer.result() for name, answer in asked.items()}
    return Status(depths, len(found), looked_at, answers, stack.usage().of_all(now.date()))


def _shown(sums: Sums) -> str:
    return f"{sums.tasks:,} tasks, {sums.shots:,} shots, {sums.billed_ms / 1000:,.3f} s, ${sums.cost_usd:.8f}"


def _moment(row: dict[str, str]) -> datetime:
    return datetime.fromisoformat(row["@timestamp"]).replace(tzinfo=UTC)


def _age(age: timedelta) -> str:
    return str(max(timedelta(), timedelta(seconds=int(age.total_seconds()))))


def main() -> int:
    """Show the status; return the exit status."""
    name = os.environ.get("STACK", "")
    try:
        stack = deployed(name)
        now = utc_now()
        status = status_of(stack, LogGroups.of(stack), now)
    except (LocalStackError, LogsError, QueryError, UnavailableError, ClientError, BotoCoreError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{stack.name}, {now:%Y-%m-%d %H:%M:%S} UTC\n")
    print("\n".join(status.lines(now)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
