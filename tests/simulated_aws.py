"""AWS in this process, holding what template.yaml defines: SQS and S3 by moto, DynamoDB by MiniStack.

moto's PartiQL knows too little to carry out the store's batches; MiniStack's is checked against AWS by its authors.
"""

from __future__ import annotations

import io
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlparse, urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from ministack.services import dynamodb as ministack
from moto import mock_aws
from moto.core import models as moto_models
from moto.core.models import DEFAULT_ACCOUNT_ID as ACCOUNT
from moto.core.models import botocore_stubber as moto_answers
from moto.events.models import events_backends
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sqs.models import SQSBackend, sqs_backends

from local.ministack_main import stream_statements
from local.translate import load
from tasks import aws
from tasks.open_work import row_of
from tasks.rotated_keys import ROW as ROTATED
from tasks.settings import settings
from tasks.task import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from botocore.awsrequest import AWSPreparedRequest
    from botocore.config import Config

    from tasks.queue import TaskQueue
    from tasks.store import TaskStore
    from tasks.task import Task

BELL = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
TEMPLATE = load()
REGION = "us-east-1"
SQS_URL = urlparse(f"https://sqs.{REGION}.amazonaws.com")
stream_statements()
# What moto answers the requests library, which reads files here; what boto3 asks does not come this way.
moto_models.RESPONSES_METHODS[:] = ["GET"]


class Session(boto3.Session):
    """A session that makes a client of the functions once, and lends it to one test after another.

    Making one takes longer than most tests. A client that a test has changed, or that has tried a call again, which
    its later retries count, is not lent again.
    """

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self._free: dict[tuple[str, Config | None], list[Any]] = {}
        self._lent: list[tuple[tuple[str, Config | None], Any]] = []
        self._changed: set[int] = set()

    def client(self, service: str, **how: Any) -> Any:  # type: ignore[override]  # its overloads name the services
        """Return a client that is as it was made, and that nobody else has."""
        config = how.get("config")
        if how.keys() - {"config"} or config not in (None, aws.CONFIG, aws.S3_CONFIG):
            return super().client(service, **how)  # type: ignore[call-overload]
        free = self._free.setdefault((service, config), [])
        made = free.pop() if free else self._watched(super().client(service, **how))  # type: ignore[call-overload]
        self._lent.append(((service, config), made))
        return made

    @contextmanager
    def lending(self) -> Iterator[None]:
        """Take back at the end what was lent: no test uses a client of another one at the same time."""
        try:
            yield
        finally:
            for key, lent in self._lent:
                if id(lent) not in self._changed:
                    self._free[key].append(lent)
            self._lent.clear()
            self._changed.clear()

    def _watched(self, made: Any) -> Any:
        """Have a client note that it is no longer as it was made."""

        def tried_again(attempts: int, **_: Any) -> None:
            if attempts > 1:
                self._changed.add(id(made))

        if made.meta.service_model.service_name == "dynamodb":
            ask_ministack(made)
        events = made.meta.events
        events.register("needs-retry", tried_again)
        for name in ("register", "register_first", "register_last", "unregister"):
            setattr(events, name, partial(self._change, id(made), getattr(events, name)))
        return made

    def _change(self, made: int, change: Callable[..., None], *what: Any, **how: Any) -> None:
        self._changed.add(made)
        change(*what, **how)


# One for all tests: a new session reads botocore's descriptions of the services again, which takes longer than a test.
SESSION = Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name=REGION)  # noqa: S106 - moto asks for no secret


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


def _resource(name: str) -> dict[str, Any]:
    properties: dict[str, Any] = TEMPLATE["Resources"][name]["Properties"]
    return properties


def _secret(name: str, text: str) -> str:
    """Keep a secret; return its ARN."""
    kept = secretsmanager_backends[ACCOUNT][REGION].create_secret(
        name=name,
        secret_string=text,
        secret_binary=None,
        description="",
        tags=[],
        kms_key_id=None,
        client_request_token=None,
        replica_regions=[],
        force_overwrite=False,
    )
    arn: str = json.loads(kept)["ARN"]
    return arn


def aws_in_moto() -> Iterator[Aws]:
    """Yield the tables, queues and bucket of template.yaml, empty, in an environment that names them."""
    with pytest.MonkeyPatch.context() as patch, mock_aws(), SESSION.lending():
        for name, value in {
            "AWS_DEFAULT_REGION": REGION,
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
        ministack.reset()
        table = {
            name: value
            for name, value in resolved(_resource("TasksTable")).items()
            if name in {"BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes"}
        }
        stream = {"StreamEnabled": True, **_resource("TasksTable")["StreamSpecification"]}
        aws.client("dynamodb").create_table(TableName="tasks", StreamSpecification=stream, **table)  # type: ignore[arg-type]
        # In moto's own state: each call of the services would take a tenth of a short test.
        sqs = sqs_backends[ACCOUNT][REGION]
        dead = sqs.create_queue("dead")
        parameters = {name: str(parameter["Default"]) for name, parameter in TEMPLATE["Parameters"].items()}
        made = {
            "AWS::StackName": "stack",
            "TasksTable": "tasks",
            "PayloadBucket": "payloads",
            "DeadLetterQueue": dead.url(SQS_URL),
            "TaskEventBus": "bus",
        }
        events_backends[ACCOUNT][REGION].create_event_bus("bus")
        made["CallbackQueue"] = sqs.create_queue("CallbackQueue").url(SQS_URL)
        made["CallbackSecret"] = _secret("callback", "the stack's secret")
        for name in ("TaskQueue", "LargeTaskQueue"):
            redrive = {"deadLetterTargetArn": dead.queue_arn, "maxReceiveCount": parameters["MaxReceiveCount"]}
            made[name] = sqs.create_queue(
                name,
                VisibilityTimeout=str(_resource(name)["VisibilityTimeout"]),
                RedrivePolicy=json.dumps(redrive),
            ).url(SQS_URL)
        s3_backends[ACCOUNT]["aws"].create_bucket("payloads", REGION)
        for name, value in TEMPLATE["Globals"]["Function"]["Environment"]["Variables"].items():
            patch.setenv(name, {**parameters, **made}[resolved(value)["Ref"]])
        patch.setenv("DRY_RUN_FUNCTION", "dry-run")
        patch.setenv("API_ENVIRONMENTS", parameters["ApiReservedConcurrency"])
        yield Aws(aws.task_store(), aws.task_queues(), aws.dead_letter_queue(), settings())
