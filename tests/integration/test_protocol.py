"""The protocol as a whole: submissions, deliveries, crashes, sweeps and redrives in any order, on the real store.

The queue is a model here, because SQS promises so little: it may deliver any message at any time, twice, late or after
its task ended. The rows are real. No task may end twice, nor by an attempt that was overtaken; at the end, when
everything is delivered and swept until nothing is left to do, every task must have ended.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, precondition, rule
from test_store import new_task

from simulated_aws import Aws, aws_in_moto
from sweeper import sweep
from tasks.errors import ErrorCode, StaleAttemptError, TaskError, UnavailableError
from tasks.task import Lane, Status, Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_RECEIVES = 3


class ModelQueue:
    """A queue whose messages the test delivers as it likes; only what the sweeper and the worker use of it."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def send(self, task_id: str, correlation_id: str) -> None:
        """Add a message."""
        self.messages.append({"task_id": task_id, "receives": 0, "correlation_id": correlation_id})

    def size(self) -> int:
        """Return how many there are, delivered or not."""
        return len(self.messages)

    def waiting(self) -> int:
        """Return how many can be received: all of them, at any time."""
        return len(self.messages)

    def receive(self, hidden_seconds: int) -> Iterator[tuple[str, str]]:
        """Yield the messages there are."""
        assert hidden_seconds > 0
        for message in self.messages:
            yield json.dumps({"task_id": message["task_id"]}), "handle"

    def hide(self, receipt_handles: Sequence[str], seconds: int) -> None:
        """Do nothing: any message may come at any time here."""


class Protocol(RuleBasedStateMachine):
    """The states are the rows; the rules are everything that may happen."""

    tasks = Bundle("tasks")
    attempts = Bundle("attempts")

    def __init__(self) -> None:
        super().__init__()
        self.aws = TestProtocol.aws
        self.queue = ModelQueue()
        self.dead = ModelQueue()
        self.ends: dict[str, list[str]] = {}
        self.claims: dict[str, int] = {}
        self.drains = 0

    def teardown(self) -> None:
        """Bring everything to its end and check that nothing is left open."""
        try:
            self.no_task_ends_twice()
            self.the_sweeper_sees_what_is_open()
            self.drain()
        finally:
            self.aws.forget(*self.ends)

    # -- what may happen --------------------------------------------------------------------------------------------

    @initialize(target=tasks)
    def first_task(self) -> str:
        """There is at least one task."""
        return self.submit(sent=True)

    # Two tasks are enough to go wrong, and few enough for their events to meet.
    @precondition(lambda self: len(self.ends) < 2)
    @rule(target=tasks, sent=st.booleans())
    def submit(self, *, sent: bool) -> str:
        """A task is accepted; the api may die before it sends the message."""
        task = new_task()
        self.aws.store.submit(task)
        self.ends[task.task_id] = []
        if sent:
            self.queue.send(task.task_id, "")
        return task.task_id

    @rule(target=attempts, data=st.data(), acknowledged=st.booleans(), batched=st.booleans())
    def deliver(self, data: st.DataObject, *, acknowledged: bool, batched: bool) -> tuple[Task | None, Any]:
        """A message is delivered: a duplicate or stale one may be acknowledged at once, as the worker does."""
        if not self.queue.messages:
            return None, None
        message = data.draw(st.sampled_from(self.queue.messages))
        message["receives"] += 1
        if message["receives"] > MAX_RECEIVES:
            self.queue.messages.remove(message)
            self.dead.messages.append(message)
            return None, None
        task = self.claim(message["task_id"], batched=batched)
        if task is not None:
            self.claims[task.task_id] = task.attempt
        elif acknowledged:
            self.queue.messages.remove(message)
        return task, message

    @rule(attempt=consumes(attempts), ok=st.booleans(), acknowledged=st.booleans(), batched=st.booleans())
    def finish(self, attempt: tuple[Task | None, Any], *, ok: bool, acknowledged: bool, batched: bool) -> None:
        """An attempt ends, however late; its acknowledgement may get lost, which is a second delivery."""
        task, message = attempt
        if task is None:
            return
        # Refused: another worker's attempt, or a cancellation, counts instead.
        with suppress(StaleAttemptError):
            end = {"result": {"0": task.attempt}} if ok else TaskError(ErrorCode.TIME_LIMIT, "Too slow.")
            self.end(task, end, batched=batched)
            self.ends[task.task_id].append("completed" if ok else "failed")
            assert task.attempt == self.claims[task.task_id], "an overtaken attempt was allowed to end the task"
        if acknowledged and message in self.queue.messages:
            self.queue.messages.remove(message)

    @rule(target=attempts, attempt=attempts, batched=st.booleans())
    def overtake(self, attempt: tuple[Task | None, Any], *, batched: bool) -> tuple[Task | None, Any]:
        """A worker freezes past its lease and its message is delivered to another one."""
        task, message = attempt
        self.lose_the_workers()
        again = None if task is None else self.claim(task.task_id, batched=batched)
        if again is not None:
            self.claims[again.task_id] = again.attempt
        return again, message

    @rule(attempt=attempts)
    def beat(self, attempt: tuple[Task | None, Any]) -> None:
        """A worker renews its lease, with another that is nobody's any more."""
        if attempt[0] is not None:
            self.aws.store.extend_all([attempt[0], new_task()])

    @rule(attempt=attempts)
    def give_back(self, attempt: tuple[Task | None, Any]) -> None:
        """A worker returns a task unfinished."""
        if attempt[0] is not None:
            with suppress(StaleAttemptError):
                self.aws.store.release(attempt[0])

    @rule()
    def lose_the_workers(self) -> None:
        """Workers die, or are frozen: their leases run out."""
        for task_id, status in self.statuses().items():
            if status is Status.PROCESSING:
                self.aws.edit(task_id, lease_until=1)

    @rule(task_id=tasks)
    def cancel(self, task_id: str) -> None:
        """The owner gives up."""
        ended = self.statuses()[task_id].ended
        # A second cancellation within the same millisecond takes the first for its own, and changes nothing.
        if self.aws.store.cancel(task_id, "alice") and not ended:
            self.ends[task_id].append("cancelled")

    @rule()
    def lose_nothing_but_time(self) -> None:
        """A minute passes and the sweeper runs."""
        self.sweep()

    @rule(data=st.data())
    def redrive(self, data: st.DataObject) -> None:
        """An operator redrives a dead message."""
        if self.dead.messages:
            message = data.draw(st.sampled_from(self.dead.messages))
            self.dead.messages.remove(message)
            self.queue.messages.append({**message, "receives": 0})

    # -- what a worker does, alone or in one call with the like of a task that nobody knows -------------------------

    def claim(self, task_id: str, *, batched: bool) -> Task | None:
        """Claim a task."""
        if not batched:
            return self.aws.store.claim(task_id)
        claimed, unknown = self.aws.store.claim_all([task_id, new_task().task_id])
        assert unknown is None
        assert not isinstance(claimed, UnavailableError)
        return claimed

    def end(self, task: Task, end: dict[str, Any] | TaskError, *, batched: bool) -> None:
        """End an attempt; raises StaleAttemptError."""
        if batched:
            refusal, unknown = self.aws.store.end_all([(task, end), (new_task(), end)])
            assert isinstance(unknown, StaleAttemptError)
            if refusal is not None:
                raise refusal
        elif isinstance(end, TaskError):
            self.aws.store.fail(task, end)
        else:
            self.aws.store.complete(task, end)

    # -- what must hold ---------------------------------------------------------------------------------------------

    def no_task_ends_twice(self) -> None:
        """Of all attempts and cancellations of a task one at most was allowed to end it."""
        statuses = self.statuses()
        for task_id, ends in self.ends.items():
            assert len(ends) <= 1, (task_id, ends)
            if ends:
                assert statuses[task_id] == ends[0]

    def the_sweeper_sees_what_is_open(self) -> None:
        """The index lists exactly the tasks that have not ended, so none can be forgotten."""
        listed = {open_task.task_id for open_task in self.aws.store.open_tasks()}
        assert listed == {task_id for task_id, status in self.statuses().items() if not status.ended}

    def statuses(self) -> dict[str, Status]:
        """Return every task's status."""
        return {row["task_id"]["S"]: Status(row["status"]["S"]) for row in self.aws.rows()}

    def sweep(self) -> None:
        """Let every open task be due, and sweep."""
        for open_task in list(self.aws.store.open_tasks()):
            self.aws.edit(open_task.task_id, due_at=1)
        sweep(self.aws.store, {Lane.SMALL: self.queue}, self.dead)  # type: ignore[arg-type, dict-item]  # the model has what it uses

    def drain(self) -> None:
        """Let workers work and the sweeper sweep until every task has ended; fail if that does not happen."""
        while self.queue.messages or any(not status.ended for status in self.statuses().values()):
            self.drains += 1
            assert self.drains < 2 * MAX_RECEIVES + 4, "a task does not come to its end"
            self.lose_the_workers()
            for message in list(self.queue.messages):
                self.queue.messages.remove(message)
                task = self.aws.store.claim(message["task_id"])
                if task is not None:
                    self.aws.store.complete(task, {"result": {"0": task.attempt}})
                    self.ends[task.task_id].append("completed")
            self.no_task_ends_twice()
            self.sweep()


Protocol.TestCase.settings = settings(
    max_examples=int(os.environ.get("PROTOCOL_EXAMPLES", "60")),
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


class TestProtocol(Protocol.TestCase):  # type: ignore[misc, valid-type]  # made by hypothesis
    """No order of events loses a task or ends it twice."""

    aws: Aws

    @classmethod
    def setUpClass(cls) -> None:
        """Make the table once for all examples; each starts with it empty."""
        simulated = contextmanager(aws_in_moto)()
        cls.aws = simulated.__enter__()
        cls.addClassCleanup(simulated.__exit__, None, None, None)
