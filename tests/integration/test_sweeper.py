"""The sweeper against moto: what it mends, and that it leaves alone what needs no mending."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lambda_events import Context
from test_store import new_task

from sweeper import Sweep, handler, sweep
from tasks import aws
from tasks.errors import ATTEMPTS_EXHAUSTED
from tasks.task import new_task_id

if TYPE_CHECKING:
    from simulated_aws import Aws


def submitted(in_moto: Aws, *, sent: bool, overdue: bool = True) -> str:
    """Store a task, with its message or without, and make it due for the sweeper."""
    task = new_task()
    in_moto.store.submit(task)
    if sent:
        in_moto.queue.send(task.task_id, task.correlation_id)
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
    assert handler({}, Context()) == {"overdue": 0, "open": 0, "buried": 0, "sent": 0}


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
        assert swept(in_moto) == Sweep(overdue=30, open=30)
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
    assert swept(in_moto) == Sweep(overdue=1, open=1, sent=1)
    assert queued(in_moto) == [task_id]
    assert len(hidden) == 1
    assert swept(in_moto) == Sweep()


def test_a_hidden_message_is_not_replaced_while_others_wait(in_moto: Aws) -> None:
    """While the queue is long, received messages are taken to be worked on."""
    for _ in range(3):
        submitted(in_moto, sent=True)
    aws.client("sqs").receive_message(QueueUrl=in_moto.settings.task_queue_url, MaxNumberOfMessages=1)
    assert swept(in_moto) == Sweep(overdue=3, open=3)


def test_a_running_task_is_left_alone(in_moto: Aws) -> None:
    """A task whose worker keeps its lease is neither sent for nor buried."""
    task_id = submitted(in_moto, sent=False)
    in_moto.store.claim(task_id)
    in_moto.dead_letters.send(task_id, "correlation")
    result = swept(in_moto)
    assert (result.sent, result.buried) == (0, 0)


def test_a_task_whose_message_died_fails_with_the_reason(in_moto: Aws) -> None:
    """A dead-lettered task ends failed and its message stays for an operator, visible."""
    task_id = submitted(in_moto, sent=False)
    in_moto.dead_letters.send(task_id, "correlation")
    assert swept(in_moto) == Sweep(overdue=1, open=0, buried=1, sent=0)
    task = in_moto.stored(task_id)
    assert task.error == ATTEMPTS_EXHAUSTED.as_dict()
    assert [
        json.loads(message["Body"])["task_id"] for message in in_moto.messages(in_moto.settings.dead_letter_queue_url)
    ] == [task_id]


def test_a_foreign_dead_message_is_passed_over(in_moto: Aws) -> None:
    """What is not one of our messages does not stop the sweep."""
    aws.client("sqs").send_message(QueueUrl=in_moto.settings.dead_letter_queue_url, MessageBody="?")
    in_moto.dead_letters.send(new_task_id(), "correlation")
    task_id = submitted(in_moto, sent=False)
    in_moto.dead_letters.send(task_id, "correlation")
    assert swept(in_moto).buried == 1
