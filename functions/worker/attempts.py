"""One attempt at a task: from its message and its row, the program to run and what the log says of it.

Attempts that end at about the same time are stored together, in one call: a micro-batch.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Self, TypeVar

from schedule import Program
from tasks.bill import added
from tasks.logs import logged
from tasks.options import Options
from tasks.task import epoch_ms, utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tasks.task import Task

T = TypeVar("T")


@dataclass(slots=True)
class Attempt:
    """A claimed task and its program, the message that led to it, and the fields of the log's lines about it.

    `deliveries` counts how often SQS has delivered the message, this time included. `settled` says that the task's
    lease need not be renewed any more, `stale` that the task is no longer this attempt's.
    """

    task: Task
    program: Program
    message_id: str
    receipt_handle: str
    deliveries: int
    log: Mapping[str, Any]
    trace_header: str | None = None
    settled: bool = False
    stale: bool = False

    @classmethod
    def of(cls, task: Task, record: Mapping[str, Any], log: Mapping[str, Any]) -> Self:
        """Return the attempt of a claimed task; raises ValueError where the task's options are none."""
        about = record["attributes"]
        log = {
            **log,
            "correlation_id": task.correlation_id,
            "attempt": task.attempt,
            "shots": task.shots,
            "owner": task.owner,
            **(logged(task.labels) if task.name or task.tags else {}),
            # The clocks of SQS and of this machine differ a little.
            "queue_ms": max(0, epoch_ms(utc_now()) - int(about["SentTimestamp"])),
        }
        options = Options.from_dict({**task.options, "shots": task.shots})
        program = Program(qc=task.circuit, options=options, log=log, has_run=task.has_run)
        deliveries = int(about["ApproximateReceiveCount"])
        trace_header = about.get("AWSTraceHeader")
        return cls(task, program, record["messageId"], record["receiptHandle"], deliveries, log, trace_header)

    def billed(self, took: Mapping[str, float]) -> Task:
        """Return the task with a bill of what its attempts before this one have cost, and what this one took."""
        return self.task.evolve(bill=added(self.task.bill, took))

    def total_ms(self) -> int:
        """Return how long ago the task was submitted."""
        return max(0, epoch_ms(utc_now()) - epoch_ms(datetime.fromisoformat(self.task.submitted_at)))


def ids_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ids that a message came with: its request's and its trace's, if it has them."""
    ids = {}
    if attribute := record.get("messageAttributes", {}).get("correlation_id"):
        ids["correlation_id"] = str(attribute["stringValue"])
    for part in record["attributes"].get("AWSTraceHeader", "").split(";"):
        if part.startswith("Root="):
            ids["trace_id"] = part.removeprefix("Root=")
    return ids


def micro_batches(source: SimpleQueue[T | None], linger_s: float) -> Iterator[list[T]]:
    """Yield the items of `source` in groups: those that arrive within `linger_s` of the group's first; end at None."""
    more = True
    while more:
        group: list[T] = []
        until = None
        while more:
            try:
                item = source.get(timeout=None if until is None else max(0.0, until - time.monotonic()))
            except Empty:
                break
            if item is None:
                more = False
            else:
                group.append(item)
            until = until or time.monotonic() + linger_s
        if group:
            yield group
