"""The worker function: a batch of SQS messages in, each task claimed, run in a child process and ended.

What this module decides is what becomes of each message. It is acknowledged when its task ended, here or before, or is
somebody else's; it goes back to the queue, alone, by `batchItemFailures` when trying again can help. A task that is too
large for the small lane's worker is passed on to the large lane, whose worker has the last word.
"""

from __future__ import annotations

import os
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from children import Children, Completed, Failed, Program, Returned
from tasks.aws import task_queues, task_store
from tasks.errors import ErrorCode, StaleAttemptError, UnavailableError
from tasks.logs import Event, logger
from tasks.options import Options
from tasks.queue import MalformedMessageError, task_id_of
from tasks.settings import settings
from tasks.task import Lane, Status, epoch_ms, utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from tasks.queue import TaskQueue
    from tasks.store import TaskStore
    from tasks.task import Task

SAFETY_SECONDS = 10  # kept for storing outcomes and giving messages back before Lambda ends the function
HEARTBEATS_PER_LEASE = 3
LARGER_MAY_DO = {ErrorCode.MEMORY_LIMIT, ErrorCode.TIME_LIMIT, ErrorCode.CIRCUIT_TOO_LARGE}
OURS = {ErrorCode.INTERNAL_ERROR, ErrorCode.SIMULATION_ERROR}  # failures to look into, whatever the circuit
WORKER = uuid.uuid4().hex[:8]  # which execution environment, in the log
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
    lane, limits = lane_of(records), children().limits
    # What a task keeps busy of the memory that Lambda bills: in the small lane a child's part, in the large lane all.
    memory_mb = limits.memory_mb // (limits.children if lane is Lane.SMALL else 1)
    logger.append_keys(worker=WORKER, memory_mb=memory_mb, correlation_id=context.aws_request_id)
    batch = Batch(task_store(), task_queues(), lane, children(), deadline, lease_seconds=settings().lease_seconds)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in batch.work(records)]}


def lane_of(records: Sequence[Mapping[str, Any]]) -> Lane:
    """Return the lane of the queue that a batch came from."""
    name = records[0]["eventSourceARN"].rsplit(":", 1)[1]
    return next(lane for lane, queue in task_queues().items() if queue.name == name)


@dataclass(slots=True)
class Attempt:
    """A claimed task, the message that led to it, and the fields of the log's lines about it."""

    task: Task
    message_id: str
    receipt_handle: str
    log: Mapping[str, Any]
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
                log=attempt.log,
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
                "A message is not one of ours",
                event=Event.MESSAGE_MALFORMED,
                reason=str(error),
                message_id=message_id,
                **_ids(record),
            )
            self.failures.append(message_id)
            return
        log = {"task_id": task_id, **_ids(record)}
        try:
            task = self.store.claim(task_id)
        except UnavailableError:
            logger.warning("The task could not be claimed", event=Event.TASK_RETURNED, exc_info=True, **log)
            self.failures.append(message_id)
            return
        if task is None:
            logger.info("The message is a duplicate, or its task has ended", event=Event.MESSAGE_STALE, **log)
            return
        log |= {
            "correlation_id": task.correlation_id,
            "attempt": task.attempt,
            "shots": task.shots,
            "owner": task.owner,
            # The clocks of SQS and of this machine differ a little.
            "queue_ms": max(0, epoch_ms(utc_now()) - int(record["attributes"]["SentTimestamp"])),
        }
        self.attempts.append(Attempt(task, message_id, record["receiptHandle"], log))
        logger.info("Task claimed", event=Event.TASK_CLAIMED, status=task.status, **log)

    def _settle(self, attempt: Attempt, outcome: Completed | Failed | Returned) -> None:
        """Store how the attempt went and decide what becomes of its message."""
        task, log = attempt.task, attempt.log
        attempt.settled = True
        try:
            match outcome:
                case Completed(payload):
                    execution = {**payload.get("execution", {}), "attempt": task.attempt}
                    self.store.complete(task, {**payload, "execution": execution})
                    shown = {name: execution[name] for name in _LOGGED if name in execution}
                    logger.info(
                        "Task completed",
                        event=Event.TASK_COMPLETED,
                        status=Status.COMPLETED,
                        total_ms=_total_ms(task),
                        **shown,
                        **log,
                    )
                case Failed(error) if error.code in LARGER_MAY_DO and self.lane is Lane.SMALL:
                    self.store.pass_on(task, Lane.LARGE)
                    self.queues[Lane.LARGE].send(task.task_id, task.correlation_id)
                    logger.info("Task passed on to the large lane", event=Event.TASK_PASSED_ON, code=error.code, **log)
                case Failed(error, run_ms):
                    self.store.fail(task, error)
                    say = logger.error if error.code in OURS else logger.info
                    say(
                        "Task failed",
                        event=Event.TASK_FAILED,
                        status=Status.FAILED,
                        code=error.code,
                        run_ms=run_ms,
                        total_ms=_total_ms(task),
                        **log,
                    )
                case Returned(reason):
                    self.failures.append(attempt.message_id)
                    self.store.release(task)
                    self.queues[self.lane].hide([attempt.receipt_handle], 0)
                    logger.info("Task returned to the queue", event=Event.TASK_RETURNED, reason=reason, **log)
        except StaleAttemptError:
            # Cancelled, or the lease ran out and another worker took over: its word counts, not ours.
            logger.warning("The task is no longer this attempt's", event=Event.ATTEMPT_STALE, **log)
            if attempt.message_id in self.failures:
                self.failures.remove(attempt.message_id)
        except UnavailableError:
            logger.warning("The outcome could not be stored", event=Event.TASK_RETURNED, exc_info=True, **log)
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
                logger.warning("A lease was not renewed", event=Event.HEARTBEAT_MISSED, exc_info=True, **attempt.log)
        self._hide([attempt.receipt_handle for attempt in self.attempts if not attempt.settled])
        return [index for index in stale if index in running]

    def _hide(self, receipt_handles: Sequence[str]) -> None:
        """Keep the messages hidden for one lease from now: if this worker dies, another has them soon after.

        The queue's own visibility timeout must be six times the function's, half an hour: too long to wait.
        """
        try:
            self.queues[self.lane].hide(receipt_handles, self.lease_seconds + VISIBLE_AFTER_LEASE)
        except UnavailableError:
            logger.warning(
                "Messages stay hidden for the queue's own timeout", event=Event.HEARTBEAT_MISSED, exc_info=True
            )


_LOGGED = ("parse_ms", "run_ms", "num_qubits", "depth", "method")


def _ids(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ids that a message came with: its request's and its trace's, if it has them."""
    ids = {}
    if attribute := record.get("messageAttributes", {}).get("correlation_id"):
        ids["correlation_id"] = str(attribute["stringValue"])
    for part in record["attributes"].get("AWSTraceHeader", "").split(";"):
        if part.startswith("Root="):
            ids["trace_id"] = part.removeprefix("Root=")
    return ids


def _total_ms(task: Task) -> int:
    """Return how long ago the task was submitted."""
    return max(0, epoch_ms(utc_now()) - epoch_ms(datetime.fromisoformat(task.submitted_at)))
