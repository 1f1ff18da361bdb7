"""The protocol as a whole: submissions, deliveries, crashes, sweeps and redrives in any order, on the real store.

The queues are a model here, because SQS promises so little: it may deliver any message at any time, twice, late or
after its task ended, hide it for long, or lose sight of it. The rows are real. No task may end twice, nor by an attempt
that was overtaken; its owner hears of one end, and of another only when an operator has redriven it in between; at the
end, when everything is delivered and swept until nothing is left to do, every task must have ended.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, precondition, rule
from test_store import new_task

from simulated_aws import Aws, aws_in_moto
from sweeper import sweep
from tasks.errors import ErrorCode, StaleAttemptError, TaskError
from tasks.queue import Length, Message
from tasks.task import Lane, Status, Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_RECEIVES = 3


@dataclass(eq=False)
class Sent:
    """A message in a queue; while it is hidden, no receiver gets it."""

    message: Message
    receives: int = 0
    hidden: bool = False


class ModelQueue:
    """A queue whose messages the test delivers as it likes; only what the sweeper and the worker use of it."""

    def __init__(self) -> None:
        self.messages: list[Sent] = []

    def send(self, task_id: str, owner: str, correlation_id: str) -> None:
        """Add a message."""
        del owner, correlation_id
        self.messages.append(Sent(Message.new(task_id)))

    def send_all(self, tasks: Sequence[tuple[str, str, str]]) -> list[str]:
        """Add a message for each; none is refused."""
        for task in tasks:
            self.send(*task)
        return []

    def length(self) -> Length:
        """Return how many there are, and how many of them wait."""
        return Length(len(self.messages), sum(not sent.hidden for sent in self.messages))

    def receive(self, hidden_seconds: int) -> Iterator[list[dict[str, Any]]]:
        """Yield the messages there are."""
        assert hidden_seconds > 0
        for sent in self.messages:
            yield [{"body": sent.message.body, "receiptHandle": "handle"}]

    def hide(self, receipt_handles: Sequence[str], seconds: int) -> None:
        """Do nothing: any message may come at any time here."""


class Protocol(RuleBasedStateMachine):
    """The states are the rows; the rules are everything that may happen."""

    tasks = Bundle("tasks")
    attempts = Bundle("attempts")

    def __init__(self) -> None:
        super().__init__()
        self.aws = TestProtocol.aws
        self.queues = {lane: ModelQueue() for lane in Lane}
        self.dead = ModelQueue()
        self.redrives: Counter[str] = Counter()
        self.ends: dict[str, list[str]] = {}
        self.claims: dict[str, int] = {}
        self.drains = 0

    def teardown(self) -> None:
        """Bring everything to its end and check that nothing is left open."""
        try:
            self.no_task_ends_twice()
            self.the_sweeper_sees_what_is_open()
            self.drain()
            self.owners_hear_of_one_end()
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
            self.queues[Lane.SMALL].send(task.task_id, "alice", "")
        return task.task_id

    @rule(target=attempts, data=st.data(), acknowledged=st.booleans(), batched=st.booleans())
    def deliver(self, data: st.DataObject, *, acknowledged: bool, batched: bool) -> tuple[Task | None, Any]:
        """A message is delivered: a duplicate or stale one may be acknowledged at once, as the worker does."""
        queue = data.draw(st.sampled_from([self.queues[Lane.SMALL], self.queues[Lane.LARGE]]))
        if not (visible := [sent for sent in queue.messages if not sent.hidden]):
            return None, None
        sent = data.draw(st.sampled_from(visible))
        sent.receives += 1
        if sent.receives > MAX_RECEIVES:
            queue.messages.remove(sent)
            self.dead.messages.append(sent)
            return None, None
        task = self.claim(sent.message, batched=batched)
        if task is not None:
            self.claims[task.task_id] = task.attempt
        elif acknowledged:
            queue.messages.remove(sent)
        return task, sent

    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        """A message has been received too often, by workers that died before they claimed its task."""
        if everywhere := [(queue, sent) for queue in self.queues.values() for sent in queue.messages]:
            queue, sent = data.draw(st.sampled_from(everywhere))
            queue.messages.remove(sent)
            self.dead.messages.append(sent)

    @rule(data=st.data(), hidden=st.booleans())
    def hide(self, data: st.DataObject, *, hidden: bool) -> None:
        """A message is hidden, as when a worker dies that has received it, or comes in sight again."""
        if everywhere := [sent for queue in self.queues.values() for sent in queue.messages]:
            data.draw(st.sampled_from(everywhere)).hidden = hidden

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
        if acknowledged:
            self.acknowledge(message)

    @rule(target=attempts, attempt=attempts, batched=st.booleans())
    def overtake(self, attempt: tuple[Task | None, Any], *, batched: bool) -> tuple[Task | None, Any]:
        """A worker freezes past its lease and its message is delivered to another one."""
        task, message = attempt
        self.lose_the_workers()
        again = None if task is None else self.claim(message.message, batched=batched)
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

    @rule(attempt=consumes(attempts), acknowledged=st.booleans())
    def pass_on(self, attempt: tuple[Task | None, Any], *, acknowledged: bool) -> None:
        """A worker of the small lane leaves a task to the large one; it may die before it sends or acknowledges."""
        task, message = attempt
        if task is None:
            return
        with suppress(StaleAttemptError):
            self.aws.store.pass_on(task, Lane.LARGE)
            if acknowledged:
                self.queues[Lane.LARGE].send(task.task_id, "alice", "")
                self.acknowledge(message)

    @rule(attempt=consumes(attempts), acknowledged=st.booleans())
    def give_a_new_message(self, attempt: tuple[Task | None, Any], *, acknowledged: bool) -> None:
        """A task whose turn never came gets a new message; the old one's acknowledgement may get lost."""
        task, message = attempt
        if task is None:
            return
        with suppress(StaleAttemptError):
            self.aws.store.release(task, unstarted=True)
            self.queues[Lane.SMALL].send(task.task_id, "alice", "")
            if acknowledged:
                self.acknowledge(message)

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
        """An operator redrives a dead letter."""
        if self.dead.messages:
            sent = data.draw(st.sampled_from(self.dead.messages))
            self.dead.messages.remove(sent)
            self.note_redrive(sent.message)
            self.queues[data.draw(st.sampled_from([Lane.SMALL, Lane.LARGE]))].messages.append(Sent(sent.message))

    def note_redrive(self, message: Message) -> None:
        """Note that the owner may hear of another end: the dead letter of a task is redriven."""
        row = self.aws.row(message.task_id)
        if row is not None and row.get("dead", {}).get("S") == message.send_id:
            self.redrives[message.task_id] += 1

    # -- what a worker does, alone or in one call with that of an unknown task -------------------------

    def claim(self, message: Message, *, batched: bool) -> Task | None:
        """Claim a task."""
        if not batched:
            return self.aws.store.claim(message.task_id, send_ids={message.send_id})
        claimed, unknown = self.aws.store.claim_all([message, Message(new_task().task_id)])
        assert unknown is None
        assert not isinstance(claimed, Exception)
        return claimed

    def acknowledge(self, sent: Sent) -> None:
        """Delete a message."""
        for queue in self.queues.values():
            if sent in queue.messages:
                queue.messages.remove(sent)

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

    def owners_hear_of_one_end(self) -> None:
        """Each end is a callback to the owner: `failed` is followed by another only where somebody asked for that."""
        for row in self.aws.rows():
            lines = [line["M"]["status"]["S"] for line in row["status_history"]["L"]]
            given = [line for line in lines if Status(line).ended]
            assert len(given) <= 1 + self.redrives[row["task_id"]["S"]], lines
            assert given[:-1] == ["failed"] * (len(given) - 1), lines

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
        sweep(self.aws.store, self.queues, self.dead)  # type: ignore[arg-type]  # the model has what it uses

    def drain(self) -> None:
        """Let workers work and the sweeper sweep until every task has ended; fail if that does not happen."""
        while any(queue.messages for queue in self.queues.values()) or self.open_tasks():
            self.drains += 1
            assert self.drains < 2 * MAX_RECEIVES + 4, "a task does not come to its end"
            self.lose_the_workers()
            for sent in [sent for queue in self.queues.values() for sent in queue.messages]:
                self.acknowledge(sent)
                task = self.aws.store.claim(sent.message.task_id, send_ids={sent.message.send_id})
                if task is not None:
                    self.aws.store.complete(task, {"result": {"0": task.attempt}})
                    self.ends[task.task_id].append("completed")
            self.no_task_ends_twice()
            self.sweep()

    def open_tasks(self) -> list[str]:
        """Return the tasks that have not ended."""
        return [task_id for task_id, status in self.statuses().items() if not status.ended]


Protocol.TestCase.settings = settings(
    max_examples=int(os.environ.get("PROTOCOL_EXAMPLES", "60")),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


class TestProtocol(Protocol.TestCase):  # type: ignore[misc, valid-type]  # made by hypothesis
    """No order of events loses a task or ends it twice."""

    aws: Aws

    @classmethod
    def setUpClass(cls) -> None:
        """Make the table once for all examples, each of which starts with it empty.

        It has two of the index's shards: a sweep asks each one, and two tasks are in no more of them.
        """
        patch = cls.enterClassContext(pytest.MonkeyPatch.context())
        for module in ("tasks.rows", "tasks.table"):
            patch.setattr(f"{module}.OPEN_SHARDS", 2)
        simulated = contextmanager(aws_in_moto)()
        cls.aws = simulated.__enter__()
        cls.addClassCleanup(simulated.__exit__, None, None, None)


def test_a_living_message_does_not_revive_what_a_dead_one_failed(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two messages the first dies and fails the task, the second ends quietly; redriven, the first runs it."""
    monkeypatch.setattr(TestProtocol, "aws", in_moto, raising=False)
    protocol = Protocol()
    protocol.submit(sent=True)
    queue = protocol.queues[Lane.SMALL]
    (first,) = queue.messages
    first.hidden = True
    protocol.sweep()
    assert len(queue.messages) == 2
    queue.messages.remove(first)
    protocol.dead.messages.append(first)
    protocol.sweep()
    protocol.drain()
    assert set(protocol.statuses().values()) == {Status.FAILED}
    protocol.note_redrive(first.message)
    queue.messages.append(Sent(first.message))
    protocol.drain()
    assert set(protocol.statuses().values()) == {Status.COMPLETED}
    protocol.teardown()
