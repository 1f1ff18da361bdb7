"""The notifier function on the table's stream, against moto: which changes it tells of, to whom, and in what words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber
from lambda_events import Context
from ministack.services import dynamodb as ministack
from test_store import new_task

import notifier
from simulated_aws import TEMPLATE
from tasks import aws
from tasks.errors import ATTEMPTS_EXHAUSTED, ErrorCode, TaskError
from tasks.queue import Message
from tasks.settings import settings
from tasks.task import Lane, Task, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulated_aws import Aws

URL = "https://hooks.example.com/?token=abc"
ERROR = TaskError(ErrorCode.TIME_LIMIT, "Too slow.")


class Listening:
    """The stream of the tasks table, read as Lambda reads it, and a queue that hears the event bus."""

    def __init__(self, in_moto: Aws) -> None:
        self.aws = in_moto
        self._position = 0
        sqs, events = boto3.client("sqs"), boto3.client("events")
        self.url = sqs.create_queue(QueueName="listening")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        bus = in_moto.settings.task_event_bus
        pattern = {"source": [notifier.SOURCE], "detail-type": [notifier.DETAIL_TYPE]}
        events.put_rule(Name="all", EventBusName=bus, EventPattern=json.dumps(pattern))
        events.put_targets(Rule="all", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])

    def records(self) -> list[dict[str, Any]]:
        """Return what was written to the table since the last call."""
        records = ministack.stream_records_since(self.aws.settings.tasks_table, self._position, 1000)
        self._position += len(records)
        return records

    def tell(self) -> None:
        """Let the notifier tell of them."""
        notifier.handler({"Records": self.records()}, Context())

    def heard(self) -> list[dict[str, Any]]:
        """Return the events that came over the bus, each once, in the order of their ids."""
        events = [json.loads(message["Body"])["detail"] for message in self.aws.messages(self.url)]
        return sorted({event["event_id"]: event for event in events}.values(), key=lambda event: event["event_id"])

    def asked(self) -> list[dict[str, Any]]:
        """Return the messages for the callback function."""
        return [json.loads(message["Body"]) for message in self.aws.messages(self.aws.settings.callback_queue_url)]


@pytest.fixture(name="listening")
def fixture_listening(in_moto: Aws) -> Listening:
    """Give someone who listens."""
    return Listening(in_moto)


def test_each_change_of_a_task_is_an_event(in_moto: Aws, listening: Listening) -> None:
    """Submitted, claimed, completed: the fields are the documented ones, and no circuit, key or count among them."""
    task = new_task()
    in_moto.store.submit(task)
    claimed = in_moto.claimed(task.task_id)
    in_moto.store.complete(claimed, {"result": {"0": 10}, "execution": {}})
    listening.tell()
    stored = in_moto.stored(task.task_id)
    assert listening.heard() == [
        {
            "version": 1,
            "event_id": f"{task.task_id}_{number}",
            "owner": "alice",
            "task_id": task.task_id,
            "status": str(line.status),
            "transitioned_at": line.transitioned_at,
            "submitted_at": task.submitted_at,
            "correlation_id": "correlation",
        }
        for number, line in enumerate(stored.status_history, start=1)
    ]
    assert [event["status"] for event in listening.heard()] == ["pending", "processing", "completed"]


def test_what_workers_do_several_to_a_call_is_told_too(in_moto: Aws, listening: Listening) -> None:
    """Claims and ends that are written by one batch are events each."""
    tasks = [new_task(callback_url=URL) for _ in range(3)]
    for task in tasks:
        in_moto.store.submit(task)
    claimed = in_moto.store.claim_all([Message(task.task_id) for task in tasks])
    in_moto.store.extend_all([task for task in claimed if isinstance(task, Task)])
    in_moto.store.end_all([(task, {"result": {"0": 10}}) for task in claimed if isinstance(task, Task)])
    listening.tell()
    assert [event["status"] for event in listening.heard()] == ["pending", "processing", "completed"] * 3
    assert len(listening.asked()) == 3


def test_what_changes_no_state_is_no_event(in_moto: Aws, listening: Listening) -> None:
    """Heartbeats, giving back, passing on and looks of the sweeper say nothing; nor does a row's end."""
    task = new_task()
    in_moto.store.submit(task)
    claimed = in_moto.claimed(task.task_id)
    listening.records()
    in_moto.store.extend(claimed)
    in_moto.store.release(claimed)
    in_moto.store.pass_on(claimed, Lane.LARGE)
    in_moto.edit(task.task_id, due_at=1)
    (open_task,) = in_moto.store.open_tasks()
    assert in_moto.store.reschedule(open_task, utc_now()) is not None
    records = listening.records()
    assert len(records) == 5
    assert list(notifier.changes(records)) == []


def test_every_way_to_an_end_is_told(in_moto: Aws, listening: Listening) -> None:
    """Failed by the worker, failed by the sweeper, cancelled, claimed twice: each has its event, with its code."""
    failed, dead, cancelled = (new_task() for _ in range(3))
    for task in (failed, dead, cancelled):
        in_moto.store.submit(task)
    claimed = in_moto.claimed(failed.task_id)
    in_moto.store.release(claimed)
    again = in_moto.claimed(failed.task_id)
    in_moto.store.fail(again, ERROR)
    in_moto.store.fail_dead(dead.task_id, ATTEMPTS_EXHAUSTED)
    in_moto.store.cancel(cancelled.task_id, "alice")
    listening.tell()
    given = {task.task_id: [] for task in (failed, dead, cancelled)}
    for event in listening.heard():
        given[event["task_id"]].append((event["status"], event.get("error_code")))
    assert given == {
        failed.task_id: [("pending", None), ("processing", None), ("processing", None), ("failed", "time_limit")],
        dead.task_id: [("pending", None), ("failed", "attempts_exhausted")],
        cancelled.task_id: [("pending", None), ("cancelled", None)],
    }


@pytest.mark.parametrize("publish", ["yes", "no"])
def test_who_wants_to_be_called_is_when_the_task_ends(
    in_moto: Aws, monkeypatch: pytest.MonkeyPatch, publish: str
) -> None:
    """One message a task that ended and has a callback_url, with the body to send; with and without events."""
    monkeypatch.setenv("PUBLISH_EVENTS", publish)
    settings.cache_clear()
    listening = Listening(in_moto)
    wants, silent = new_task(callback_url=URL), new_task()
    for task in (wants, silent):
        in_moto.store.submit(task)
        claimed = in_moto.claimed(task.task_id)
        in_moto.store.complete(claimed, {"result": {"0": 10}, "execution": {}})
    listening.tell()
    (message,) = listening.asked()
    stored = in_moto.stored(wants.task_id)
    ended = stored.status_history[-1].transitioned_at
    assert json.loads(message.pop("body")) == {
        "type": "task.completed",
        "timestamp": ended,
        "data": {
            "task_id": wants.task_id,
            "status": "completed",
            "transitioned_at": ended,
            "submitted_at": wants.submitted_at,
            "correlation_id": "correlation",
        },
    }
    assert message == {"version": 1, "webhook_id": f"{wants.task_id}_3", "owner": "alice", "callback_url": URL}
    assert len(listening.heard()) == (6 if publish == "yes" else 0)


def test_records_that_come_twice_have_the_same_ids(in_moto: Aws, listening: Listening) -> None:
    """Whoever hears twice of a change, or is called twice, can tell."""
    task = new_task(callback_url=URL)
    in_moto.store.submit(task)
    in_moto.store.cancel(task.task_id, "alice")
    records = listening.records()
    for _ in range(2):
        notifier.handler({"Records": records}, Context())
    first, second = listening.asked()
    assert first == second
    assert [event["event_id"] for event in listening.heard()] == [f"{task.task_id}_1", f"{task.task_id}_2"]


def test_more_changes_than_a_call_takes_are_told(in_moto: Aws, listening: Listening) -> None:
    """Calls have ten entries at most."""
    tasks = [new_task(callback_url=URL) for _ in range(23)]
    for task in tasks:
        in_moto.store.submit(task)
        in_moto.store.cancel(task.task_id, "alice")
    listening.tell()
    assert {json.loads(message["body"])["data"]["task_id"] for message in listening.asked()} == {
        task.task_id for task in tasks
    }
    assert len(listening.heard()) == 46


@pytest.mark.parametrize("service", ["events", "sqs"])
def test_what_was_not_taken_is_told_again(in_moto: Aws, listening: Listening, service: Any) -> None:
    """A part that EventBridge or SQS refused fails the batch, which Lambda then hands over again."""
    task = new_task(callback_url=URL)
    in_moto.store.submit(task)
    in_moto.store.cancel(task.task_id, "alice")
    records = listening.records()
    with Stubber(aws.client(service)) as refusing:
        refused: dict[str, Any] = {"ErrorCode": "ThrottlingException", "ErrorMessage": "later"}
        if service == "events":
            refusing.add_response("put_events", {"FailedEntryCount": 1, "Entries": [{"EventId": "1"}, refused]})
        else:
            failure = {"Id": "0", "Code": "InternalError", "SenderFault": False}
            refusing.add_response("send_message_batch", {"Successful": [], "Failed": [failure]})
        with pytest.raises(notifier.NotSentError):
            notifier.handler({"Records": records}, Context())
    notifier.handler({"Records": records}, Context())
    assert len(listening.asked()) == 1
    assert len(listening.heard()) == 2


def test_a_record_that_cannot_be_read_holds_up_nothing(
    in_moto: Aws, listening: Listening, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    """It is logged by its number and passed over; a row that is no task's is not even that."""
    in_moto.store.submit(new_task())
    (good,) = listening.records()
    bad = {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "7", "NewImage": {"status_history": {"L": [{}]}}}}
    other = {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "8", "NewImage": {"task_id": {"S": "x"}}}}
    notifier.handler({"Records": [bad, other, good]}, Context())
    assert len(listening.heard()) == 1
    malformed = [line for line in log_lines() if line["event"] == "record_malformed"]
    assert [line["sequence_number"] for line in malformed] == ["7"]


def test_no_line_of_the_log_has_the_url(
    in_moto: Aws, listening: Listening, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    """It may hold a password."""
    task = new_task(callback_url=URL)
    in_moto.store.submit(task)
    in_moto.store.cancel(task.task_id, "alice")
    listening.tell()
    assert [line["event"] for line in log_lines()] == ["callback_queued", "changes_published"]
    assert "token" not in json.dumps(log_lines())


def test_the_stream_has_what_is_compared() -> None:
    """Old and new rows, from the first change on."""
    properties = TEMPLATE["Resources"]["TasksTable"]["Properties"]
    assert properties["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
