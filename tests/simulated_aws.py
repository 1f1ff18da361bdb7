"""AWS in this process, holding what template.yaml defines: SQS and S3 by moto, DynamoDB by MiniStack.

moto's PartiQL knows too little to carry out the store's batches; MiniStack's is checked against AWS by its authors.
"""

from __future__ import annotations

import io
import json
import threading
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from ministack.services import dynamodb as ministack
from moto import mock_aws
from moto.core.models import botocore_stubber as moto_answers
from moto.sqs.models import SQSBackend

from local.ministack_main import stream_statements
from local.translate import load
from tasks import aws
from tasks.open_work import row_of
from tasks.rotated_keys import ROW as ROTATED
from tasks.settings import settings
from tasks.task import Lane

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.awsrequest import AWSPreparedRequest

    from tasks.queue import TaskQueue
    from tasks.store import TaskStore
    from tasks.task import Task

BELL = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
TEMPLATE = load()
# One for all tests: a new session reads botocore's descriptions of the services again, which takes longer than a test.
SESSION = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name="us-east-1")  # noqa: S106 - moto asks for no secret
stream_statements()


NO_VALUE = {"Ref": "AWS::NoValue"}


def resolved(part: Any, *conditions: str) -> Any:
    """Return a part of the template as it is where exactly the named conditions hold."""
    match part:
        case {"Fn::If": [condition, then, otherwise]}:
            return resolved(then if condition in conditions else otherwise, *conditions)
        case dict():
            settled = {name: resolved(value, *conditions) for name, value in part.items()}
            return {name: value for name, value in settled.items() if value != NO_VALUE}
        case list():
            return [value for value in (resolved(value, *conditions) for value in part) if value != NO_VALUE]
    return part


def existing(*conditions: str) -> dict[str, Any]:
    """Return the template's resources that there are where exactly the named conditions hold, as they are there."""
    return {
        name: resolved(resource, *conditions)
        for name, resource in TEMPLATE["Resources"].items()
        if resource.get("Condition") in (None, *conditions)
    }


@dataclass(frozen=True)
class Aws:
    """The resources of template.yaml in moto, and how to make a fresh connection to each."""

    store: TaskStore
    queues: Mapping[Lane, TaskQueue]
    dead_letters: TaskQueue
    settings: Any

    @property
    def queue(self) -> TaskQueue:
        """The small lane's queue."""
        return self.queues[Lane.SMALL]

    def claimed(self, task_id: str) -> Task:
        """Claim a task that nobody holds, as a worker does."""
        task = self.store.claim(task_id)
        assert task is not None
        return task

    def stored(self, task_id: str) -> Task:
        """Return a task that there is, as it is now."""
        task = self.store.get(task_id)
        assert task is not None
        return task

    def row(self, task_id: str) -> dict[str, Any] | None:
        """Return a task's row as DynamoDB holds it."""
        return (
            aws.client("dynamodb")
            .get_item(TableName=self.settings.tasks_table, Key={"task_id": {"S": task_id}})
            .get("Item")
        )

    def rows(self) -> list[dict[str, Any]]:
        """Return every row but those that are about keys: what each has open, and which were rotated."""
        found = aws.client("dynamodb").scan(TableName=self.settings.tasks_table)["Items"]
        return [row for row in found if not row["task_id"]["S"].startswith((row_of(""), ROTATED))]

    def edit(self, task_id: str, **numbers: int) -> None:
        """Set number attributes of a row, to move a lease or a due time into the past."""
        for name, number in numbers.items():
            aws.client("dynamodb").update_item(
                TableName=self.settings.tasks_table,
                Key={"task_id": {"S": task_id}},
                UpdateExpression="SET #name = :number",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues={":number": {"N": str(number)}},
            )

    def forget(self, *task_ids: str) -> None:
        """Delete rows."""
        for task_id in task_ids:
            aws.client("dynamodb").delete_item(TableName=self.settings.tasks_table, Key={"task_id": {"S": task_id}})

    def objects(self) -> list[str]:
        """Return the keys in the payload bucket."""
        listed = aws.client("s3").list_objects_v2(Bucket=self.settings.payload_bucket)
        return [entry["Key"] for entry in listed.get("Contents", [])]

    def messages(self, url: str | None = None) -> list[dict[str, Any]]:
        """Receive all messages of the task queue, without hiding them for longer than the call."""
        sqs = aws.client("sqs")
        found: list[dict[str, Any]] = []
        while batch := sqs.receive_message(
            QueueUrl=url or self.settings.task_queue_url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=30,
            MessageAttributeNames=["All"],
            AttributeNames=["All"],
        ).get("Messages", []):
            found += batch
        for message in found:
            sqs.change_message_visibility(
                QueueUrl=url or self.settings.task_queue_url,
                ReceiptHandle=message["ReceiptHandle"],
                VisibilityTimeout=0,
            )
        return found


class _Body(io.BytesIO):
    """An answer's body as botocore reads it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        """Yield all of it."""
        yield self.read()


_one_at_a_time = threading.Lock()  # as in MiniStack's own process


def ask_ministack(client: Any, service: Any = ministack) -> None:
    """Have one of MiniStack's services answer what a client asks, in this process, in place of moto."""
    client.meta.events.unregister("before-send", moto_answers)
    client.meta.events.register("before-send", partial(_ministack_answers, service))


def _ministack_answers(service: Any, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
    """Answer a prepared request, in place of sending it."""
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()
    }
    body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
    asked = urlsplit(request.url)
    answering = service.handle_request(request.method, unquote(asked.path), headers, body, parse_qs(asked.query))
    with _one_at_a_time, pytest.raises(StopIteration) as done:
        answering.send(None)  # it waits for nothing, so no loop is needed
    status, answered, content = done.value.value
    return AWSResponse(
        request.url, status, answered, _Body(content if isinstance(content, bytes) else content.encode())
    )


@cache
def _client(service: str) -> Any:
    """Return the client that makes what a test finds; the functions' own are made anew for each test."""
    made = SESSION.client(service)  # type: ignore[call-overload]  # its overloads name the services
    if service == "dynamodb":
        ask_ministack(made)
    return made


def _resource(name: str) -> dict[str, Any]:
    properties: dict[str, Any] = TEMPLATE["Resources"][name]["Properties"]
    return properties


def aws_in_moto() -> Iterator[Aws]:
    """Yield the tables, queues and bucket of template.yaml, empty, in an environment that names them."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name, value in {
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }.items():
            patch.setenv(name, value)
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        patch.setattr(boto3, "DEFAULT_SESSION", SESSION)
        # All messages are in one place, and nobody sends one while a call waits.
        receive = SQSBackend.receive_message
        patch.setattr(
            SQSBackend, "receive_message", lambda queues, name, count, _, *more: receive(queues, name, count, 0, *more)
        )
        for cached in (
            aws.client,
            aws.task_store,
            aws.task_queues,
            aws.backlog,
            aws.waits,
            aws.places,
            aws.usage,
            aws.bounds,
            aws.purging,
            aws.rotated_keys,
            aws.dead_letter_queue,
            aws.callback_key,
            aws.callback_queue,
            settings,
        ):
            cached.cache_clear()
        dynamodb, sqs = _client("dynamodb"), _client("sqs")
        ministack.reset()
        ask_ministack(aws.client("dynamodb"))
        table = {
            name: value
            for name, value in resolved(_resource("TasksTable")).items()
            if name in {"BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes"}
        }
        stream = {"StreamEnabled": True, **_resource("TasksTable")["StreamSpecification"]}
        dynamodb.create_table(TableName="tasks", StreamSpecification=stream, **table)
        dead_url = sqs.create_queue(QueueName="dead")["QueueUrl"]
        dead_arn = sqs.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        parameters = {name: str(parameter["Default"]) for name, parameter in TEMPLATE["Parameters"].items()}
        made = {
            "AWS::StackName": "stack",
            "TasksTable": "tasks",
            "PayloadBucket": "payloads",
            "DeadLetterQueue": dead_url,
            "TaskEventBus": "bus",
        }
        _client("events").create_event_bus(Name="bus")
        made["CallbackQueue"] = sqs.create_queue(QueueName="CallbackQueue")["QueueUrl"]
        made["CallbackSecret"] = _client("secretsmanager").create_secret(
            Name="callback", SecretString="the stack's secret"
        )["ARN"]
        for name in ("TaskQueue", "LargeTaskQueue"):
            redrive = {"deadLetterTargetArn": dead_arn, "maxReceiveCount": parameters["MaxReceiveCount"]}
            made[name] = sqs.create_queue(
                QueueName=name,
                Attributes={
                    "VisibilityTimeout": str(_resource(name)["VisibilityTimeout"]),
                    "RedrivePolicy": json.dumps(redrive),
                },
            )["QueueUrl"]
        _client("s3").create_bucket(Bucket="payloads")
        for name, value in TEMPLATE["Globals"]["Function"]["Environment"]["Variables"].items():
            patch.setenv(name, {**parameters, **made}[resolved(value)["Ref"]])
        patch.setenv("DRY_RUN_FUNCTION", "dry-run")
        patch.setenv("API_ENVIRONMENTS", parameters["ApiReservedConcurrency"])
        yield Aws(aws.task_store(), aws.task_queues(), aws.dead_letter_queue(), settings())
