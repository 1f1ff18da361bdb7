"""The worker function: a batch of SQS messages in, each task claimed, run in a child process and ended.

This module decides what becomes of each message. A message is acknowledged when its task has ended, or when another
worker has it. It goes back to the queue, alone, by `batchItemFailures` when trying again can help. A task that is too
large for the small lane's worker is passed on to the large lane, whose worker has the last word.

The main thread feeds the children and waits for nothing else while they run. A second thread hides the messages and
stores what has ended, a third renews the leases: a DynamoDB that answers slowly stops neither the others nor a child.
"""

from __future__ import annotations

import gc
import os
import sys
import time
import uuid
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cache
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from admission import LARGER_MAY_DO
from attempts import Attempt, ids_of, micro_batches
from children import Children
from dry_run import dry_run
from tasks.aws import task_queues, task_store
from tasks.bill import added, bill
from tasks.errors import (
    PROGRAM_GONE,
    ErrorCode,
    NewerTaskError,
    PayloadGoneError,
    StaleAttemptError,
    TaskError,
    UnavailableError,
    UnreadableTaskError,
)
from tasks.logs import Event, Metric, logger, measured
from tasks.queue import MalformedMessageError, Message
from tasks.settings import optional, settings, variable
from tasks.task import Lane, Status
from verdicts import Completed, Failed, Returned

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Future

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from tasks.queue import TaskQueue
    from tasks.store import TaskStore
    from tasks.task import Task
    from verdicts import Outcome

SAFETY_SECONDS = 10  # kept for storing outcomes and giving messages back before Lambda ends the function
HEARTBEATS_PER_LEASE = 3
TICK_S = 1.0  # how soon a cancelled task is stopped, once a heartbeat has noticed
LINGER_S = 0.02  # how long an attempt that ended waits for others to be stored in the same call
OF_THE_MACHINE = {"killed", "unavailable"}  # reasons of an outcome that are not the fault of the program
OURS = {ErrorCode.INTERNAL_ERROR, ErrorCode.SIMULATION_ERROR}  # failures to look into, whatever the circuit
WORKER = uuid.uuid4().hex[:8]  # which execution environment, in the log
UNSTORED_BYTES = 32 * 2**20  # of results that wait to be stored; with more, no program starts until some are
NEWER_SECONDS = 60  # until this or another worker tries again whether it can read a task of a newer version
VISIBLE_AFTER_LEASE = 5  # seconds: when the message is received again, the lease must already have run out


@cache
def children() -> Children:
    """Return the processes that run circuits; made with the execution environment and kept as long as it lives."""
    memory_mb = int(variable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"))
    return Children(0, memory_mb=memory_mb, time_limit_s=settings().time_limit_seconds)


if optional("AWS_LAMBDA_FUNCTION_NAME"):
    # In Lambda: the children's imports run, and the clients are made, while the environment starts.
    children()
    task_store()
    task_queues()
    gc.freeze()  # what is there by now stays: the garbage collector need not look at it again and again


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Work on one batch of SQS messages; or answer the api's question what a task would take (see dry_run.py)."""
    if "dry_run" in event:
        logger.append_keys(worker=WORKER, correlation_id=event.get("correlation_id"))
        return dry_run(event["dry_run"], children(), settings().large_worker)
    deadline = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - SAFETY_SECONDS
    records = event["Records"]
    batch = Batch(
        task_store(),
        task_queues(),
        lane_of(records),
        children(),
        deadline,
        lease_seconds=settings().lease_seconds,
        large_time_limit_s=settings().large_time_limit_seconds,
    )
    logger.append_keys(worker=WORKER, memory_mb=batch.memory_mb, correlation_id=context.aws_request_id)
    failures = batch.work(records)
    if batch.useless and not batch.judged:
        # What ended is stored, and what did not comes back after its lease; the next environment may be a sound one.
        logger.critical("This environment cannot run circuits; it ends", event=Event.ENVIRONMENT_ENDED)
        end_environment()
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failures]}


def end_environment() -> None:
    """End this process, upon which Lambda makes a new environment; the batch's messages stay hidden for their lease."""
    sys.stdout.flush()
    os._exit(1)


def lane_of(records: Sequence[Mapping[str, Any]]) -> Lane:
    """Return the lane of the queue that a batch came from."""
    name = records[0]["eventSourceARN"].rsplit(":", 1)[1]
    return next(lane for lane, queue in task_queues().items() if queue.name == name)


@dataclass(slots=True)
class Batch:
    """One invocation's messages; `deadline` is on time.monotonic's clock."""

    store: TaskStore
    queues: Mapping[Lane, TaskQueue]
    lane: Lane
    children: Children
    deadline: float
    lease_seconds: int
    large_time_limit_s: float
    attempts: list[Attempt] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2))
    beat_every_s: float = 0.0
    beating: Future[None] | None = None
    next_beat: float = 0.0
    judged: int = 0  # programs that ran to an end, whichever
    useless: int = 0  # programs that this environment could not run, for no fault of theirs
    hidden: bool = False  # by us, for a lease; before that for the queue's own timeout
    ended_bytes: int = 0  # of results; written by the main thread alone
    settled_bytes: int = 0  # the same, by the second thread alone
    measures: defaultdict[Metric, list[float]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.beat_every_s = self.lease_seconds / HEARTBEATS_PER_LEASE

    @property
    def memory_mb(self) -> int:
        """What a task keeps busy of the memory that Lambda bills: in the small lane a child's part, else all (MiB)."""
        limits = self.children.limits
        return limits.memory_mb // (limits.children if self.lane is Lane.SMALL else 1)

    def work(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """Work on every message and return the ids of those that must be delivered again."""
        outcomes: SimpleQueue[tuple[Attempt, Outcome] | None] = SimpleQueue()
        with self.threads:
            storing = self.threads.submit(self._store, [record["receiptHandle"] for record in records], outcomes)
            try:
                self._claim(records)
                self._run(outcomes)
            finally:
                outcomes.put(None)
            while not wait([storing], timeout=self.beat_every_s).done:
                self._tick(())  # what waits to be stored is still ours
            storing.result()
        if self.failures and not self.hidden:
            failed = set(self.failures)
            self._hide([record["receiptHandle"] for record in records if record["messageId"] in failed])
        # One line for all: a task's own would cost a third more bytes of log.
        self.measures[Metric.BATCH_SIZE].append(len(records))
        logger.info("Batch done", event=Event.BATCH_DONE, **measured(self.measures))
        return self.failures

    def _claim(self, records: Sequence[Mapping[str, Any]]) -> None:
        wanted = []
        for record in records:
            try:
                wanted.append((Message.of(record["body"]), record))
            except MalformedMessageError as error:
                # Back to the queue and so, in time, into the dead-letter queue: an operator should see it.
                logger.error(
                    "A message is not valid",
                    event=Event.MESSAGE_MALFORMED,
                    reason=str(error),
                    message_id=record["messageId"],
                    **ids_of(record),
                )
                self.failures.append(record["messageId"])
        claims = self.store.claim_all([message for message, _ in wanted])
        for (message, record), claim in zip(wanted, claims, strict=True):
            log = {"task_id": message.task_id, **ids_of(record)}
            match claim:
                case None:
                    logger.info("The message is a duplicate, or its task has ended", event=Event.MESSAGE_STALE, **log)
                case UnavailableError():
                    reason = _reason(claim)
                    logger.warning(
                        "The task could not be claimed", event=Event.TASK_RETURNED, reason=reason, exc_info=claim, **log
                    )
                    self.failures.append(record["messageId"])
                case PayloadGoneError():
                    gone = {"status": Status.FAILED, **measured({Metric.FAILED: [1]}, code=PROGRAM_GONE.code)}
                    logger.error("Task failed: its program is no longer stored", event=Event.TASK_FAILED, **gone, **log)
                case NewerTaskError():
                    self._leave_to_newer(message, record, log)
                case UnreadableTaskError():
                    self._give_back_unread(record, claim, log)
                case _:
                    try:
                        self._begin(Attempt.of(claim, record, log))
                    except ValueError as error:
                        self._give_back_unread(record, error, log)

    def _begin(self, attempt: Attempt) -> None:
        """Note an attempt."""
        self.attempts.append(attempt)
        logger.info("Task claimed", event=Event.TASK_CLAIMED, status=attempt.task.status, **attempt.log)
        self.measures[Metric.QUEUE_MS].append(attempt.log["queue_ms"])
        if attempt.task.attempt > 1:
            self.measures[Metric.RETRIED].append(1)

    def _give_back_unread(self, record: Mapping[str, Any], error: Exception, log: Mapping[str, Any]) -> None:
        """Return the message of a task that this code should be able to read, and cannot."""
        # An operator should see it: it comes back after the lease, and dies in the dead-letter queue in the end.
        logger.error("The task cannot be read", event=Event.TASK_UNREADABLE, reason=repr(error), exc_info=error, **log)
        self.failures.append(record["messageId"])

    def _leave_to_newer(self, message: Message, record: Mapping[str, Any], log: Mapping[str, Any]) -> None:
        """Put off a task that a newer version wrote: a new message, for SQS counts the deliveries of the old one."""
        correlation_id, attributes = log.get("correlation_id") or message.task_id, record["attributes"]
        owner, trace_header = attributes.get("MessageGroupId", ""), attributes.get("AWSTraceHeader")
        try:
            self.queues[self.lane].send(
                message.task_id, owner, correlation_id, trace_header, delay_seconds=NEWER_SECONDS
            )
        except UnavailableError:
            self.failures.append(record["messageId"])
        logger.warning("The task waits for newer code", event=Event.TASK_RETURNED, reason="newer", **log)

    def _run(self, outcomes: SimpleQueue[tuple[Attempt, Outcome] | None]) -> None:
        """Run what was claimed, and put each attempt with its outcome into the queue as it ends."""
        programs = [attempt.program for attempt in self.attempts]
        self.next_beat = time.monotonic() + self.beat_every_s
        ended = self.children.run(
            programs, deadline=self.deadline, tick=self._tick, tick_every_s=TICK_S, hold=self._is_full
        )
        for index, outcome in ended:
            self.judged += not isinstance(outcome, Returned)
            self.useless += isinstance(outcome, Returned) and outcome.reason in OF_THE_MACHINE
            self.ended_bytes += _size(outcome)
            outcomes.put((self.attempts[index], outcome))

    def _is_full(self) -> bool:
        """Return whether results come faster than they are stored: this process's memory is for a few of them."""
        return self.ended_bytes - self.settled_bytes > UNSTORED_BYTES

    # -- in the second thread ---------------------------------------------------------------------------------------

    def _store(self, receipt_handles: Sequence[str], outcomes: SimpleQueue[tuple[Attempt, Outcome] | None]) -> None:
        """Hide the messages, then store outcomes until there are no more."""
        self._hide(receipt_handles)
        for group in micro_batches(outcomes, LINGER_S):
            self._settle(group)
            for attempt, _ in group:
                attempt.settled = True
            self.settled_bytes += sum(_size(outcome) for _, outcome in group)

    def _settle(self, group: Sequence[tuple[Attempt, Outcome]]) -> None:
        """Store how attempts went and decide what becomes of their messages."""
        ends: list[tuple[Attempt, Mapping[str, Any] | TaskError]] = []
        bills: list[dict[str, float]] = []  # of these attempts alone; a task's has those before them too
        fields: list[dict[str, Any]] = []  # for the log's lines
        for attempt, outcome in group:
            match outcome:
                case Completed(payload):
                    execution = payload.get("execution", {})
                    run_ms = execution.get("parse_ms", 0.0) + execution.get("run_ms", 0.0)
                    bills.append(bill(run_ms, self.memory_mb))
                    total = added(attempt.task.bill, bills[-1])
                    execution = {**execution, "attempt": attempt.task.attempt, **total}
                    ends.append((attempt, {**payload, "execution": execution}))
                    fields.append({name: execution[name] for name in _LOGGED if name in execution})
                case Failed(error, run_ms) if not self._may_pass_on(outcome):
                    ends.append((attempt, error))
                    bills.append(bill(run_ms, self.memory_mb))
                    total = added(attempt.task.bill, bills[-1])
                    fields.append({"code": error.code, "run_ms": run_ms, **total})
                case Failed() | Returned():
                    self._hand_on(attempt, outcome)
        refusals = self.store.end_all(
            [(attempt.billed(took), end) for (attempt, end), took in zip(ends, bills, strict=True)]
        )
        for (attempt, end), took, shown, refusal in zip(ends, bills, fields, refusals, strict=True):
            shown["total_ms"] = attempt.total_ms()
            if refusal is not None:
                self._take_refusal(attempt, refusal, took)
                continue
            self._measure(shown)
            if isinstance(end, TaskError):
                say = logger.error if end.code in OURS else logger.info
                line = {**shown, **measured({Metric.FAILED: [1]}, code=end.code), **attempt.log}
                say("Task failed", event=Event.TASK_FAILED, status=Status.FAILED, **line)
            else:
                shown["status"] = Status.COMPLETED
                logger.info("Task completed", event=Event.TASK_COMPLETED, **shown, **attempt.log)

    def _measure(self, shown: Mapping[str, Any]) -> None:
        """Note the numbers of a task that ended, completed if it has no code."""
        self.measures[Metric.RUN_MS].append(shown.get("run_ms", 0.0))
        self.measures[Metric.TOTAL_MS].append(shown["total_ms"])
        self.measures[Metric.FAULTS].append(shown.get("code") in OURS)
        if "code" not in shown:
            self.measures[Metric.COMPLETED].append(1)

    def _may_pass_on(self, failed: Failed) -> bool:
        """Return whether the large lane's worker may do what failed here.

        What ran for its time limit without an end is not run for as long again: only a longer limit can help it.
        """
        if self.lane is Lane.LARGE or failed.error.code not in LARGER_MAY_DO:
            return False
        return not failed.ran_out_of_time or self.large_time_limit_s > self.children.limits.time_limit_s

    def _hand_on(self, attempt: Attempt, outcome: Failed | Returned) -> None:
        """Leave the task to the large lane, or to the next receiver of its message."""
        took, log = bill(outcome.run_ms, self.memory_mb), attempt.log
        task = attempt.billed(took) if outcome.run_ms else attempt.task
        try:
            if isinstance(outcome, Failed):
                self.store.pass_on(task, Lane.LARGE)
                self.queues[Lane.LARGE].send(task.task_id, task.owner, task.correlation_id, attempt.trace_header)
                code = outcome.error.code
                logger.info("Task passed on to the large lane", event=Event.TASK_PASSED_ON, code=code, **log)
            elif outcome.reason in OF_THE_MACHINE:
                # Left to its lease, and the message to its visibility timeout: at once it might meet the same machine.
                self.failures.append(attempt.message_id)
                if outcome.run_ms:
                    self.store.bill_attempt(task)
                logger.info("Task returned to the queue", event=Event.TASK_RETURNED, reason=outcome.reason, **log)
            else:
                self.store.release(task, unstarted=not outcome.started)
                cut_off = outcome.reason == "deadline" and outcome.started
                if outcome.reason != "stopped" and not cut_off and attempt.deliveries > 1:
                    # SQS counts deliveries and gives up after some; a task whose turn never came has done nothing to
                    # deserve that, so it gets a new message, and this one is acknowledged.
                    self.queues[self.lane].send(task.task_id, task.owner, task.correlation_id, attempt.trace_header)
                else:
                    self.failures.append(attempt.message_id)
                    self.queues[self.lane].hide([attempt.receipt_handle], 0)
                logger.info("Task returned to the queue", event=Event.TASK_RETURNED, reason=outcome.reason, **log)
        except (StaleAttemptError, UnavailableError) as refusal:
            self._take_refusal(attempt, refusal, took)

    def _take_refusal(
        self, attempt: Attempt, refusal: StaleAttemptError | UnavailableError, took: Mapping[str, Any]
    ) -> None:
        """Note that an attempt, which `took` so much, could not change its task."""
        if isinstance(refusal, StaleAttemptError):
            # Cancelled, or the lease ran out and another worker took over: its word counts, not ours.
            logger.warning("The task is no longer this attempt's", event=Event.ATTEMPT_STALE, **took, **attempt.log)
            self._bill_cancelled(attempt.billed(took))
            return
        logger.warning(
            "The outcome could not be stored",
            event=Event.TASK_RETURNED,
            reason=_reason(refusal),
            exc_info=refusal,
            **took,  # which no row has
            **attempt.log,
        )
        if attempt.message_id not in self.failures:
            self.failures.append(attempt.message_id)

    def _bill_cancelled(self, task: Task) -> None:
        """Store what a task's attempt took until it was cancelled, if it was; should that fail, it is in the log."""
        try:
            self.store.bill_cancelled(task)
        except UnavailableError as error:
            logger.warning(
                "The bill of a cancelled task could not be stored",
                event=Event.ATTEMPT_STALE,
                task_id=task.task_id,
                reason=_reason(error),
            )

    # -- the heartbeat ----------------------------------------------------------------------------------------------

    def _tick(self, running: Sequence[int]) -> list[int]:
        """Renew the leases when that is due; return which of the running tasks must stop."""
        now = time.monotonic()
        if now >= self.next_beat and (self.beating is None or self.beating.done()):
            self.next_beat = now + self.beat_every_s
            self.beating = self.threads.submit(self._beat)
        return [index for index in running if self.attempts[index].stale]

    def _beat(self) -> None:
        """Renew the leases of what has not ended, in a third thread."""
        try:
            self._renew()
        except Exception:  # noqa: BLE001 - nothing else would log it, and the leases would run out
            logger.exception("Leases were not renewed", event=Event.HEARTBEAT_MISSED)

    def _renew(self) -> None:
        held = [attempt for attempt in self.attempts if not (attempt.settled or attempt.stale)]
        for attempt, refusal in zip(held, self.store.extend_all([attempt.task for attempt in held]), strict=True):
            if isinstance(refusal, StaleAttemptError):
                attempt.stale = True
            elif refusal is not None:
                logger.warning("A lease was not renewed", event=Event.HEARTBEAT_MISSED, exc_info=refusal, **attempt.log)
        self._hide([attempt.receipt_handle for attempt in held if not (attempt.settled or attempt.stale)])

    def _hide(self, receipt_handles: Sequence[str]) -> None:
        """Keep the messages hidden for one lease from now: if this worker dies, another has them soon after.

        The queue's own visibility timeout must be six times the function's, half an hour: too long to wait.
        """
        try:
            self.queues[self.lane].hide(receipt_handles, self.lease_seconds + VISIBLE_AFTER_LEASE)
            self.hidden = True
        except UnavailableError:
            logger.warning(
                "Messages stay hidden for the queue's own timeout", event=Event.HEARTBEAT_MISSED, exc_info=True
            )


_LOGGED = ("parse_ms", "run_ms", "billed_ms", "cost_usd", "num_qubits", "depth", "method", "engine", "reduced")


def _size(outcome: Outcome) -> int:
    return outcome.size if isinstance(outcome, Completed) else 0


def _reason(error: UnavailableError) -> str:
    """Return the error that AWS answered with, or the failure to reach it, for the log."""
    return repr(error.__cause__ or error)
