"""The dead-letter tools against moto, and against the answers that only AWS gives."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from test_store import new_task
from test_worker import set_row

import dead_letters
from dead_letters import DeadLetters, DeadLettersError
from simulated_aws import TEMPLATE
from tasks import aws
from tasks.errors import ATTEMPTS_EXHAUSTED
from tasks.task import Lane, new_task_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulated_aws import Aws

ARN = "arn:aws:sqs:us-east-1:123456789012:dead"


class WithoutMoveTask:
    """An SQS client as most stand-ins have it; `refuse` tells which of the bodies it does not take."""

    def __init__(self, client: Any, refuse: Callable[[str], bool] = lambda _: False) -> None:
        self._client = client
        self._refuse = refuse

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def start_message_move_task(self, **_: Any) -> None:
        """Be missing."""
        raise ClientError({"Error": {"Code": "InvalidAction"}}, "StartMessageMoveTask")

    def send_message_batch(self, **request: Any) -> Any:
        """Take some of the messages."""
        taken = [entry for entry in request["Entries"] if not self._refuse(entry["MessageBody"])]
        refused = [{"Id": entry["Id"]} for entry in request["Entries"] if entry not in taken]
        if taken:
            self._client.send_message_batch(**request | {"Entries": taken})
        return {"Failed": refused}


def tools(in_moto: Aws, sqs: Any = None) -> DeadLetters:
    """Return the tools for what moto holds."""
    urls = {
        "TASK_QUEUE_URL": in_moto.settings.task_queue_url,
        "LARGE_TASK_QUEUE_URL": in_moto.settings.large_task_queue_url,
        "DEAD_LETTER_QUEUE_URL": in_moto.settings.dead_letter_queue_url,
    }
    return DeadLetters.at(sqs or WithoutMoveTask(aws.client("sqs")), urls, in_moto.store)


def dead(in_moto: Aws, lane: Lane = Lane.SMALL) -> str:
    """Store a task whose message is a dead letter."""
    task = new_task()
    in_moto.store.submit(task)
    if lane is Lane.LARGE:
        claimed = in_moto.claimed(task.task_id)
        in_moto.store.pass_on(claimed, Lane.LARGE)
    in_moto.dead_letters.send(task.task_id, "alice", "correlation")
    return task.task_id


def bodies(in_moto: Aws, url: str) -> list[str]:
    """Return the task ids of a queue's messages, sorted."""
    return sorted(json.loads(message["Body"])["task_id"] for message in in_moto.messages(url))


def test_each_message_is_shown_with_its_task(in_moto: Aws) -> None:
    """A line says how often and when the message was received and what became of its task; looking consumes nothing."""
    failed, unknown = dead(in_moto), new_task_id()
    in_moto.store.fail_dead(failed, ATTEMPTS_EXHAUSTED)
    in_moto.dead_letters.send(unknown, "alice", "correlation")
    aws.client("sqs").send_message(QueueUrl=in_moto.settings.dead_letter_queue_url, MessageBody="?")
    for look in (1, 2):
        lines = [
            re.sub(r"0:00:\d\d old, kept for 1[34] days, \d+:\d\d:\d\d", "young", line)
            for line in tools(in_moto).show()
        ]
        assert f"{failed}  received {look} times, young, task failed (attempts_exhausted), attempt 0" in lines
        assert f"{unknown}  received {look} times, young, task unknown or expired" in lines
        assert sum("not a valid message (not JSON): '?'" in line for line in lines) == 1
        assert len(lines) == 3


def test_how_long_messages_are_kept_is_the_templates() -> None:
    """From a message's first sending on, in whichever queue."""
    for name in ("TaskQueue", "LargeTaskQueue", "DeadLetterQueue"):
        seconds = TEMPLATE["Resources"][name]["Properties"]["MessageRetentionPeriod"]
        assert dead_letters.KEPT.total_seconds() == seconds


def test_a_task_that_cannot_be_read_does_not_end_the_list(in_moto: Aws) -> None:
    """Its line says so, and its message is redriven with the others."""
    bad, good = dead(in_moto), dead(in_moto)
    set_row(in_moto, bad, lane={"S": "middle"})
    assert sorted("cannot be read" in line for line in tools(in_moto).show()) == [False, True]
    assert tools(in_moto).redrive() == 2
    assert bodies(in_moto, in_moto.settings.task_queue_url) == sorted([bad, good])


def test_redriven_messages_go_to_their_tasks_queues(in_moto: Aws) -> None:
    """Where AWS's own operation is missing each message is sent to its lane's queue, attributes too, and deleted."""
    small, large = dead(in_moto), dead(in_moto, Lane.LARGE)
    assert tools(in_moto).redrive() == 2
    assert bodies(in_moto, in_moto.settings.large_task_queue_url) == [large]
    (message,) = in_moto.messages()
    assert json.loads(message["Body"])["task_id"] == small
    assert message["MessageAttributes"]["correlation_id"]["StringValue"] == "correlation"
    assert in_moto.messages(in_moto.settings.dead_letter_queue_url) == []


def test_redriven_messages_count_as_their_owners(in_moto: Aws) -> None:
    """Each is in the group of its task's owner, also one that had none; without a task it keeps its own."""
    of_alice, gone = dead(in_moto), new_task_id()
    in_moto.dead_letters.send(gone, "bob", "correlation")
    in_moto.dead_letters.send(dead(in_moto), "", "correlation")
    assert tools(in_moto).redrive() == 4
    groups = [(json.loads(message["Body"])["task_id"], group_of(message)) for message in in_moto.messages()]
    assert dict(groups)[of_alice] == "alice"
    assert [group for _, group in groups].count("alice") == 3
    assert dict(groups)[gone] == "bob"


def group_of(message: dict[str, Any]) -> str | None:
    """Return whose a received message counts as."""
    group: str | None = message["Attributes"].get("MessageGroupId")
    return group


def test_what_could_not_be_sent_stays_dead(in_moto: Aws) -> None:
    """A message is deleted only after it was sent."""
    stays, goes = dead(in_moto), dead(in_moto)
    sqs = WithoutMoveTask(aws.client("sqs"), refuse=lambda body: stays in body)
    assert tools(in_moto, sqs).redrive() == 1
    assert bodies(in_moto, in_moto.settings.task_queue_url) == [goes]
    assert tools(in_moto).unseen() == 1  # hidden for a minute, then there again


def moving(in_moto: Aws, *results: dict[str, Any]) -> DeadLetters:
    """Return the tools with an AWS that moves messages and says `results`, one at a look."""
    client = boto3.client("sqs")
    stub = Stubber(client)
    stub.add_response("get_queue_attributes", {"Attributes": {"QueueArn": ARN}})
    stub.add_response("start_message_move_task", {"TaskHandle": "handle"}, {"SourceArn": ARN})
    for result in results:
        stub.add_response("list_message_move_tasks", {"Results": [result]}, {"SourceArn": ARN, "MaxResults": 1})
    stub.activate()
    return tools(in_moto, client)


def test_aws_moves_the_messages_itself(in_moto: Aws) -> None:
    """On AWS the messages are moved by StartMessageMoveTask, to the queues they came from, and waited for."""
    running = {"Status": "RUNNING", "ApproximateNumberOfMessagesMoved": 1}
    completed = {"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 3}
    assert moving(in_moto, running, completed).redrive() == 3


def test_a_move_that_failed_says_why(in_moto: Aws) -> None:
    """AWS's reason for not moving is given."""
    with pytest.raises(DeadLettersError, match="SQS stopped moving: AccessDenied"):
        moving(in_moto, {"Status": "FAILED", "FailureReason": "AccessDenied"}).redrive()


def test_a_stack_in_the_cloud_is_found_by_its_outputs(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a name, queues and table are those of the CloudFormation stack's outputs."""
    outputs = {
        "TasksTableName": "tasks",
        "TaskQueueUrl": "https://sqs/1/small",
        "LargeTaskQueueUrl": "https://sqs/1/large",
        "DeadLetterQueueUrl": "https://sqs/1/dead",
        "PayloadBucketName": "payloads",
    }
    session = boto3.session.Session()
    cloudformation = session.client("cloudformation")
    stub = Stubber(cloudformation)
    described = {
        "StackName": "production",
        "CreationTime": 0,
        "StackStatus": "CREATE_COMPLETE",
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
    }
    stub.add_response("describe_stacks", {"Stacks": [described]}, {"StackName": "production"})
    stub.activate()
    real = session.client
    monkeypatch.setattr(
        session, "client", lambda name, **more: cloudformation if name == "cloudformation" else real(name, **more)
    )
    monkeypatch.setattr(boto3.session, "Session", lambda: session)
    found = DeadLetters.of("production")
    assert found.queue.name == "dead"
    assert {lane: queue.name for lane, queue in found.task_queues.items()} == {Lane.SMALL: "small", Lane.LARGE: "large"}


def test_without_a_stack_it_says_so(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With nothing running here and no name given the command says what to do, and fails."""
    monkeypatch.setenv("LOCAL_DIR", str(tmp_path))
    monkeypatch.delenv("STACK", raising=False)
    monkeypatch.setattr("sys.argv", ["dead_letters", "list"])
    assert dead_letters.main() == 1
    assert "make up" in capsys.readouterr().err
