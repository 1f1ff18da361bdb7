"""The sweeper against moto: what it mends, and that it leaves alone what needs no mending."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from lambda_events import Context
from test_store import new_task
from test_worker import set_row

import sweeper
from sweeper import OVERTAKEN_AFTER, Sweep, handler, sweep
from tasks import aws
from tasks.errors import ATTEMPTS_EXHAUSTED
from tasks.rows import ROW_VERSION
from tasks.task import Lane, epoch_ms, new_task_id, utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulated_aws import Aws


def submitted(in_moto: Aws, *, sent: bool, overdue: bool = True) -> str:
    """Store a task, with its message or without, and make it due for the sweeper."""
    task = new_task()
    in_moto.store.submit(task)
    if sent:
        in_moto.queue.send(task.task_id, task.owner, task.correlation_id)
    if overdue:
        in_moto.edit(task.task_id, due_at=1)
    return task.task_id


def swept(in_moto: Aws) -> Sweep:
    """Run the sweeper once."""
    return sweep(in_moto.store, in_moto.queues, in_moto.dead_letters)


def queued(in_moto: Aws) -> list[str]:
    """Return the task ids in the queue, sorted."""
    return sorted(json.loads(message["Body"])["task_id"] for message in in_moto.messages())


def test_an_idle_system_costs_one_look(in_moto: Aws) -> None:
    """With nothing overdue nothing else is asked of AWS."""
    submitted(in_moto, sent=True, overdue=False)
    assert handler({}, Context()) == {"overdue": 0, "waiting": 0, "soon": 0, "failed": 0, "sent": 0}


def test_a_task_whose_message_was_never_sent_is_sent(in_moto: Aws) -> None:
    """The api died between writing the row and sending: the sweeper sends, once."""
    task_id = submitted(in_moto, sent=False)
    assert swept(in_moto).sent == 1
    assert queued(in_moto) == [task_id]
    assert swept(in_moto) == Sweep()


def test_a_new_task_is_left_to_its_message(in_moto: Aws) -> None:
    """A task whose message may still be on its way is not due."""
    submitted(in_moto, sent=False, overdue=False)
    assert swept(in_moto).sent == 0


def test_a_long_queue_is_not_made_longer(in_moto: Aws) -> None:
    """However long tasks have waited, nothing is sent while there is a message for each."""
    task_ids = sorted(submitted(in_moto, sent=True) for _ in range(30))
    for _ in range(3):
        assert swept(in_moto) == Sweep(overdue=30, waiting=30)
    assert queued(in_moto) == task_ids


def test_a_lost_message_among_many_is_replaced_by_one(in_moto: Aws) -> None:
    """With three messages missing three are sent."""
    for _ in range(10):
        submitted(in_moto, sent=True)
    for _ in range(3):
        submitted(in_moto, sent=False)
    assert swept(in_moto).sent == 3
    assert len(queued(in_moto)) == 13
    assert swept(in_moto).sent == 0


def test_an_abandoned_task_is_sent_for_in_any_case(in_moto: Aws) -> None:
    """A task whose worker died gets a message even though its own is still hidden in the queue."""
    task_id = submitted(in_moto, sent=True)
    in_moto.store.claim(task_id)
    in_moto.edit(task_id, lease_until=1)
    assert swept(in_moto).sent == 1
    assert queued(in_moto) == [task_id, task_id]


def test_a_task_whose_message_is_held_by_nobody_is_sent_for(in_moto: Aws) -> None:
    """A worker died between receiving a message and claiming its task: once no message waits, another is sent."""
    task_id = submitted(in_moto, sent=True)
    hidden = aws.client("sqs").receive_message(QueueUrl=in_moto.settings.task_queue_url)["Messages"]
    assert swept(in_moto) == Sweep(overdue=1, sent=1)
    assert queued(in_moto) == [task_id]
    assert len(hidden) == 1
    assert swept(in_moto) == Sweep()


def test_a_hidden_message_is_not_replaced_while_others_wait(in_moto: Aws) -> None:
    """While the queue is long, received messages are taken to be worked on."""
    for _ in range(3):
        submitted(in_moto, sent=True)
    aws.client("sqs").receive_message(QueueUrl=in_moto.settings.task_queue_url, MaxNumberOfMessages=1)
    assert swept(in_moto) == Sweep(overdue=3, waiting=3)


def test_a_running_task_is_left_alone(in_moto: Aws) -> None:
    """A task whose worker keeps its lease is neither sent for nor failed."""
    task_id = submitted(in_moto, sent=False)
    in_moto.store.claim(task_id)
    in_moto.dead_letters.send(task_id, "alice", "correlation")
    result = swept(in_moto)
    assert (result.sent, result.failed) == (0, 0)


def test_a_task_whose_message_died_fails_with_the_reason(in_moto: Aws) -> None:
    """A dead-lettered task ends failed and its message stays for an operator, visible."""
    task_id = submitted(in_moto, sent=False)
    in_moto.dead_letters.send(task_id, "alice", "correlation")
    assert swept(in_moto) == Sweep(overdue=1, failed=1)
    task = in_moto.stored(task_id)
    assert task.error == ATTEMPTS_EXHAUSTED.as_dict()
    assert [
        json.loads(message["Body"])["task_id"] for message in in_moto.messages(in_moto.settings.dead_letter_queue_url)
    ] == [task_id]


def test_a_foreign_dead_message_is_passed_over(in_moto: Aws) -> None:
    """What is not one of our messages does not stop the sweep."""
    aws.client("sqs").send_message(QueueUrl=in_moto.settings.dead_letter_queue_url, MessageBody="?")
    in_moto.dead_letters.send(new_task_id(), "alice", "correlation")
    task_id = submitted(in_moto, sent=False)
    in_moto.dead_letters.send(task_id, "alice", "correlation")
    assert swept(in_moto).failed == 1


def claimed_later(in_moto: Aws, *, overdue: bool, after: timedelta = OVERTAKEN_AFTER * 2) -> str:
    """Store a task that was submitted that much later than the others here, and let a worker have it."""
    task_id = submitted(in_moto, sent=True, overdue=False)
    in_moto.claimed(task_id)
    if overdue:
        in_moto.edit(task_id, due_at=1)
    for row in in_moto.rows():
        if row["task_id"]["S"] != task_id and row["status"]["S"] == "pending":
            due = utc_now() - after
            in_moto.edit(row["task_id"]["S"], due_at=epoch_ms(due))
    return task_id


def test_a_busy_lane_does_not_hide_the_other_ones_loss(in_moto: Aws) -> None:
    """Messages without a task in the small lane, as of tasks that were cancelled, do not stand for a large one's."""
    for _ in range(5):
        in_moto.queue.send(new_task_id(), "alice", "cancelled")
    task = new_task(lane=Lane.LARGE)
    in_moto.store.submit(task)
    in_moto.edit(task.task_id, due_at=1)
    assert swept(in_moto) == Sweep(overdue=1, sent=1)
    assert in_moto.queues[Lane.LARGE].size() == 1


@pytest.mark.parametrize("overdue", [True, False])
def test_a_task_that_was_overtaken_is_sent_for(in_moto: Aws, *, overdue: bool) -> None:
    """However many messages there are: one of a task that was submitted minutes later has been received."""
    for _ in range(5):
        in_moto.queue.send(new_task_id(), "alice", "cancelled")
    lost = submitted(in_moto, sent=False)
    assert [swept(in_moto).sent for _ in range(3)] == [0, 0, 0]
    claimed_later(in_moto, overdue=overdue)
    assert swept(in_moto).sent == 1
    assert lost in queued(in_moto)
    assert swept(in_moto).sent == 0


def test_a_task_that_waits_in_order_is_not_sent_for(in_moto: Aws) -> None:
    """A worker has one that was submitted a little later: SQS keeps the order only roughly."""
    submitted(in_moto, sent=True)
    claimed_later(in_moto, overdue=False, after=OVERTAKEN_AFTER / 2)
    assert swept(in_moto) == Sweep(overdue=1, waiting=1)


def test_a_task_that_another_owners_overtook_is_not_sent_for(in_moto: Aws) -> None:
    """SQS serves quiet owners first: behind a long queue of one's own there is nothing to mend."""
    submitted(in_moto, sent=True)
    others = claimed_later(in_moto, overdue=False)
    set_row(in_moto, others, owner={"S": "bob"})
    assert swept(in_moto) == Sweep(overdue=1, waiting=1)


def test_a_task_that_was_given_back_is_not_abandoned(in_moto: Aws) -> None:
    """Released, or passed on to the other lane, it has a message; in a long queue it is no reason to send another."""
    released, passed_on = (submitted(in_moto, sent=False) for _ in range(2))
    in_moto.store.release(in_moto.claimed(released))
    in_moto.store.pass_on(in_moto.claimed(passed_on), Lane.LARGE)
    assert swept(in_moto) == Sweep()  # they are not even due
    for lane, task_id in ((Lane.SMALL, released), (Lane.LARGE, passed_on)):
        in_moto.queues[lane].send(task_id, "alice", "correlation")
        in_moto.edit(task_id, due_at=1)
    assert swept(in_moto) == Sweep(overdue=2, waiting=2)


def test_an_abandoned_task_is_sent_for_once(in_moto: Aws) -> None:
    """From then on it waits like any other: in a long queue it must not get another message each minute."""
    abandoned = submitted(in_moto, sent=True)
    in_moto.claimed(abandoned)
    in_moto.edit(abandoned, lease_until=1)
    assert swept(in_moto).sent == 1
    in_moto.edit(abandoned, due_at=1)
    assert swept(in_moto) == Sweep(overdue=1, waiting=1)


def test_one_run_sends_no_more_than_it_may(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever for: the bound is for the abandoned, the lost and both lanes together."""
    monkeypatch.setattr(sweeper, "MAX_SENT", 3)
    for task_id in [submitted(in_moto, sent=False) for _ in range(4)]:
        in_moto.claimed(task_id)
        in_moto.edit(task_id, lease_until=1)
    submitted(in_moto, sent=False)
    assert swept(in_moto) == Sweep(overdue=5, waiting=2, sent=3)
    assert swept(in_moto) == Sweep(overdue=2, waiting=1, sent=1)  # the other's turn comes when the queue is empty


@pytest.mark.parametrize("attributes", [{"lane": {"S": "middle"}}, {"submitted_at": {"S": "yesterday"}}])
@pytest.mark.parametrize("version", [ROW_VERSION, ROW_VERSION + 1])
def test_a_row_that_cannot_be_read_is_passed_over(in_moto: Aws, attributes: Any, version: int) -> None:
    """Its own is not sent for; what is newer is left to newer code; the others are."""
    bad, good = submitted(in_moto, sent=False), submitted(in_moto, sent=False)
    set_row(in_moto, bad, version={"N": str(version)}, **attributes)
    assert swept(in_moto) == Sweep(overdue=2, sent=1)
    assert queued(in_moto) == [good]


def test_a_run_that_leaves_tasks_waiting_looks_again(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice, if there is the time: a minute is long for a task whose message a dead worker holds."""
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        aws.client("sqs").purge_queue(QueueUrl=in_moto.settings.task_queue_url)

    monkeypatch.setattr(sweeper, "sleep", pause)
    submitted(in_moto, sent=True)
    waiting = {"overdue": 1, "waiting": 1, "soon": 0, "failed": 0, "sent": 0}
    assert handler({"looks": 1}, Context()) == waiting  # type: ignore[arg-type]
    assert handler({}, Context(seconds=33)) == waiting  # type: ignore[arg-type]
    assert pauses == []
    assert handler({"looks": 2}, Context()) == {**waiting, "waiting": 0, "sent": 1}  # type: ignore[arg-type]
    assert pauses == [sweeper.PAUSE_SECONDS]


def test_what_was_sent_for_is_looked_at_again_in_the_same_run(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that dies of the second message too costs less than half a minute more, not a whole one."""
    now = utc_now()
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        aws.client("sqs").receive_message(QueueUrl=in_moto.settings.task_queue_url)  # by a worker that dies of it

    monkeypatch.setattr(sweeper, "sleep", pause)
    monkeypatch.setattr(sweeper, "utc_now", lambda: now + timedelta(seconds=sum(pauses)))
    submitted(in_moto, sent=False)
    assert handler({}, Context())["sent"] == 1  # type: ignore[arg-type]
    assert len(pauses) == sweeper.MOST_LOOKS - 1
    assert sum(pauses) > sweeper.PUT_OFF.total_seconds()
    third_to_next_run = 60 - sum(pauses)
    assert sweeper.PUT_OFF.total_seconds() + third_to_next_run < 60


def test_what_will_be_overdue_soon_is_looked_at_again(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message lost a quarter of a minute ago is replaced within this run, not the next; a new task is left alone."""
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        in_moto.edit(lost, due_at=1)

    monkeypatch.setattr(sweeper, "sleep", pause)
    lost = submitted(in_moto, sent=False, overdue=False)
    assert handler({}, Context())["sent"] == 0  # type: ignore[arg-type]
    assert pauses == []
    in_moto.edit(lost, due_at=epoch_ms(utc_now() + sweeper.SOON / 2))
    assert handler({"looks": 2}, Context())["sent"] == 1  # type: ignore[arg-type]
    assert pauses == [sweeper.PAUSE_SECONDS]
    assert queued(in_moto) == [lost]


def test_what_sqs_does_not_take_is_left_to_a_later_look(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ten tasks to a call, those whose messages are refused do not count as sent."""
    task_ids = sorted(submitted(in_moto, sent=False) for _ in range(12))
    send, calls = in_moto.queue.send_bodies, []

    def send_bodies(bodies: Sequence[str], more: Sequence[Mapping[str, Any]] = ()) -> list[int]:
        calls.append(len(bodies))
        return [0, *send(bodies[1:], more[1:])]

    monkeypatch.setattr(in_moto.queue, "send_bodies", send_bodies)
    assert swept(in_moto).sent == 10
    assert calls == [10, 2]
    monkeypatch.undo()
    left = set(task_ids) - set(queued(in_moto))
    assert len(left) == 2
    soon = {task.task_id for task in in_moto.store.open_tasks(due_before=utc_now() + sweeper.PUT_OFF)}
    assert left <= soon  # to be looked at again
