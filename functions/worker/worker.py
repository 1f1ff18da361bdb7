"""The worker function: a batch of SQS messages in, each task claimed, run in a child process and ended.

What this module decides is what becomes of each message. It is acknowledged when its task ended, here or before, or is
somebody else's; it goes back to the queue, alone, by `batchItemFailures` when trying again can help. A task that is too
large for the small lane's worker is passed on to the large lane, whose worker has the last word.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from children import Children, Completed, Failed, Program, Returned
from tasks.aws import task_queues, task_store
from tasks.errors import ErrorCode, StaleAttemptError, UnavailableError
from tasks.logs import logger
from tasks.options import Options
from tasks.queue import MalformedMessageError, task_id_of
from tasks.settings import settings
from tasks.task import Lane

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from tasks.queue import TaskQueue
    from tasks.store import TaskStore
    from tasks.task import Task

SAFETY_SECONDS = 10  # kept for storing outcomes and giving messages back before Lambda ends the function
HEARTBEATS_PER_LEASE = 3
LARGER_MAY_DO = {ErrorCode.MEMORY_LIMIT, ErrorCode.TIME_LIMIT, ErrorCode.CIRCUIT_TOO_LARGE}
VISIBLE_AFTER_LEASE = 5  # seconds: who receives the message again must find the lease already run out


@cache
def children() -> Children:
    """Return the processes that run circuits; made with the execution environment and kept as long as it lives."""
    memory_mb = int(os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"])
    return Children(0, memory_mb=memory_mb, time_limit_s=settings().time_limit_seconds)


if os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
    children()  # In Lambda: their imports run while the environment starts, not when the first batch waits.


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Work on one batch of SQS messages."""
    deadline = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - SAFETY_SECONDS
    records = event["Records"]
    batch = Batch(
        task_store(), task_queues(), lane_of(records), children(), deadline, lease_seconds=settings().lease_seconds
    )
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in batch.work(records)]}


def lane_of(records: Sequence[Mapping[str, Any]]) -> Lane:
    """Return the lane of the queue that a batch came from."""
    name = records[0]["eventSourceARN"].rsplit(":", 1)[1]
    return next(lane for lane, queue in task_queues().items() if queue.name == name)


@dataclass(slots=True)
class Attempt:
    """A claimed task and the message that led to it."""

    task: Task
    message_id: str
    receipt_handle: str
    settled: bool = False


@dataclass(slots=True)
class Batch:
    """One invocation's messages; `deadline` is on time.monotonic's clock."""

    store: TaskStore
    queues: Mapping[Lane, TaskQueue]
    lane: Lane
    children: Children
    deadline: float
    lease_seconds: int
    attempts: list[Attempt] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def work(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """Work on every message and return the ids of those that must be delivered again."""
        self._hide([record["receiptHandle"] for record in records])
        for record in records:
            self._claim(record)
        programs = [
            Program(
                qc=attempt.task.circuit,
                options=Options.from_dict({**attempt.task.options, "shots": attempt.task.shots}),
            )
            for attempt in self.attempts
        ]
        outcomes = self.children.run(
            programs, deadline=self.deadline, tick=self._beat, tick_every_s=self.lease_seconds / HEARTBEATS_PER_LEASE
        )
        for index, outcome in outcomes:
            self._settle(self.attempts[index], outcome)
        return self.failures

    def _claim(self, record: Mapping[str, Any]) -> None:
        message_id = record["messageId"]
        try:
            task_id = task_id_of(record["body"])
        except MalformedMessageError as error:
            # Back to the queue and so, in time, into the dead-letter queue: an operator should see it.
            logger.error(
                "A message is not one of ours", event="message_malformed", reason=str(error), message_id=message_id
            )
            self.failures.append(message_id)
            return
        log: dict[str, Any] = {"task_id": task_id, "correlation_id": _correlation_id(record)}
        try:
            task = self.store.claim(task_id)
        except UnavailableError:
            logger.warning("The task could not be claimed", event="task_returned", exc_info=True, **log)
            self.failures.append(message_id)
            return
        if task is None:
            logger.info("The message is a duplicate, or its task has ended", event="message_stale", **log)
            return
        self.attempts.append(Attempt(task, message_id, record["receiptHandle"]))
        received = int(record["attributes"]["ApproximateFirstReceiveTimestamp"])
        sent = int(record["attributes"]["SentTimestamp"])
        logger.info(
            "Task claimed",
            event="task_claimed",
            status=task.status,
            attempt=task.attempt,
            queue_ms=received - sent,
            **log,
        )

    def _settle(self, attempt: Attempt, outcome: Completed | Failed | Returned) -> None:
        """Store how the attempt went and decide what becomes of its message."""
        task = attempt.task
        log: dict[str, Any] = {"task_id": task.task_id, "correlation_id": task.correlation_id, "attempt": task.attempt}
        attempt.settled = True
        try:
            match outcome:
                case Completed(payload):
                    execution = {**payload.get("execution", {}), "attempt": task.attempt}
                    self.store.complete(task, {**payload, "execution": execution})
                    shown = {name: execution[name] for name in _LOGGED if name in execution}
                    logger.info(
                        "Task completed", event="task_completed", status="completed", shots=task.shots, **shown, **log
                    )
                case Failed(error) if error.code in LARGER_MAY_DO and self.lane is Lane.SMALL:
                    self.store.pass_on(task, Lane.LARGE)
                    self.queues[Lane.LARGE].send(task.task_id, task.correlation_id)
                    logger.info("Task passed on to the large lane", event="task_passed_on", code=error.code, **log)
                case Failed(error):
                    self.store.fail(task, error)
                    logger.info("Task failed", event="task_failed", status="failed", code=error.code, **log)
                case Returned(reason):
                    self.failures.append(attempt.message_id)
                    self.store.release(task)
                    self.queues[self.lane].hide([attempt.receipt_handle], 0)
                    logger.info("Task returned to the queue", event="task_returned", reason=reason, **log)
        except StaleAttemptError:
            # Cancelled, or the lease ran out and another worker took over: its word counts, not ours.
            logger.warning("The task is no longer this attempt's", event="attempt_stale", **log)
            if attempt.message_id in self.failures:
                self.failures.remove(attempt.message_id)
        except UnavailableError:
            logger.warning("The outcome could not be stored", event="task_returned", exc_info=True, **log)
            if attempt.message_id not in self.failures:
                self.failures.append(attempt.message_id)

    def _beat(self, running: Sequence[int]) -> list[int]:
        """Renew the leases of what has not ended; return which of the running ones must stop."""
        stale = []
        for index, attempt in enumerate(self.attempts):
            if attempt.settled:
                continue
            try:
                self.store.extend(attempt.task)
            except StaleAttemptError:
                stale.append(index)
            except UnavailableError:
                logger.warning(
                    "A lease was not renewed", event="heartbeat_missed", task_id=attempt.task.task_id, exc_info=True
                )
        self._hide([attempt.receipt_handle for attempt in self.attempts if not attempt.settled])
        return [index for index in stale if index in running]

    def _hide(self, receipt_handles: Sequence[str]) -> None:
        """Keep the messages hidden for one lease from now: if this worker dies, another has them soon after.

        The queue's own visibility timeout must be six times the function's, half an hour: too long to wait.
        """
        try:
            self.queues[self.lane].hide(receipt_handles, self.lease_seconds + VISIBLE_AFTER_LEASE)
        except UnavailableError:
            logger.warning("Messages stay hidden for the queue's own timeout", event="heartbeat_missed", exc_info=True)


_LOGGED = ("parse_ms", "run_ms", "num_qubits", "depth", "method")


def _correlation_id(record: Mapping[str, Any]) -> str:
    return str(record.get("messageAttributes", {}).get("correlation_id", {}).get("stringValue", ""))
