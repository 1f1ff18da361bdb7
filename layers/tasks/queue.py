"""The queues, and every call of SQS: messages of tasks, for the workers, and of callbacks, for the notifier.

The row is the truth; a task's message carries its id. Its group is the task's owner: SQS serves quiet owners
before those that keep the workers busy ("fair queues" of its developer guide), each in the order of sending.
"""

from __future__ import annotations

import json
import math
import secrets
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from tasks.errors import UnavailableError
from tasks.settings import optional
from tasks.task import Lane, is_task_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_sqs import SQSClient

MESSAGE_VERSION = 1
FRESH_SECONDS = 5.0  # how long a queue's length is taken for what it was
TYPICAL_SECONDS = {Lane.SMALL: 0.05, Lane.LARGE: 20.0}  # for which each task that waits will keep a worker busy
BATCH_SIZE = 10  # most messages in one call of SQS
_COUNTS: Final = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class MalformedMessageError(Exception):
    """The message was not written by this system, or by a version of it that this one does not know."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message: the task's id, and what tells this sending from all others of the same task.

    `send_id` outlives the dead-letter queue and its redrive, which give a message a new id of SQS's. It is empty in
    messages of before there were any.
    """

    task_id: str
    send_id: str = ""

    @classmethod
    def of(cls, body: str) -> Message:
        """Read a message's body; raises MalformedMessageError."""
        try:
            given: Any = json.loads(body)
        except ValueError as error:
            raise MalformedMessageError("not JSON") from error
        if not isinstance(given, dict) or not is_task_id(str(given.get("task_id"))):
            raise MalformedMessageError("no task_id")
        version = given.get("version", MESSAGE_VERSION)
        if not isinstance(version, int) or version > MESSAGE_VERSION:
            raise MalformedMessageError("a newer version")
        return cls(str(given["task_id"]), str(given.get("send_id", ""))[:32])

    @classmethod
    def new(cls, task_id: str) -> Message:
        """Return a message that no other is like."""
        return cls(task_id, secrets.token_hex(6))

    @property
    def body(self) -> str:
        """The message as text."""
        fields = {"version": MESSAGE_VERSION, "task_id": self.task_id, "send_id": self.send_id}
        return json.dumps(fields, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Length:
    """About how many messages a queue holds: all of them, and those among them that wait for a receiver."""

    held: int
    waiting: int


class Queue:
    """One queue of SQS; every method raises UnavailableError when SQS does not answer."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    @property
    def name(self) -> str:
        """The queue's name, which is also the last part of its ARN."""
        return self._url.rsplit("/", 1)[1]

    def send_body(self, body: str, *, delay_seconds: int = 0, **more: Any) -> None:  # noqa: ANN401 - of SendMessage
        """Send one message, to be received after a delay of at most 15 minutes."""
        delay = {"DelaySeconds": delay_seconds} if delay_seconds else {}
        try:
            self._client.send_message(QueueUrl=self._url, MessageBody=body, **delay, **more)  # type: ignore[arg-type]
        except (ClientError, BotoCoreError) as error:
            raise UnavailableError("SQS") from error

    def send_bodies(self, bodies: Sequence[str], more: Sequence[Mapping[str, Any]] = ()) -> list[int]:
        """Send messages, with `more` of each; return the indices of those that SQS refused.

        Some may have been sent when UnavailableError is raised.
        """
        refused: list[int] = []
        for start in range(0, len(bodies), BATCH_SIZE):
            entries: list[Any] = [
                {"Id": str(index), "MessageBody": body, **(more[index] if more else {})}
                for index, body in enumerate(bodies[start : start + BATCH_SIZE], start)
            ]
            try:
                answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            except (ClientError, BotoCoreError) as error:
                raise UnavailableError("SQS") from error
            refused += [int(failure["Id"]) for failure in answer.get("Failed", [])]
        return refused

    def hide(self, receipt_handles: Sequence[str], seconds: int) -> None:
        """Keep received messages from other receivers for `seconds` from now; 0 gives them back at once.

        A handle that SQS no longer knows is passed over: its message was settled, or has been received again.
        Raises UnavailableError.
        """
        for start in range(0, len(receipt_handles), BATCH_SIZE):
            try:
                self._client.change_message_visibility_batch(
                    QueueUrl=self._url,
                    Entries=[
                        {"Id": str(index), "ReceiptHandle": handle, "VisibilityTimeout": seconds}
                        for index, handle in enumerate(receipt_handles[start : start + BATCH_SIZE])
                    ],
                )
            except (ClientError, BotoCoreError) as error:
                raise UnavailableError("SQS") from error

    def length(self) -> Length:
        """Return about how many messages there are, those in flight and delayed included; raises UnavailableError."""
        try:
            answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=_COUNTS)
        except (ClientError, BotoCoreError) as error:
            raise UnavailableError("SQS") from error
        numbers = answer["Attributes"]
        waiting, in_flight, delayed = (int(numbers[name]) for name in _COUNTS)
        return Length(waiting + in_flight + delayed, waiting)

    def arn(self) -> str:
        """Return the queue's ARN; raises UnavailableError."""
        try:
            answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        except (ClientError, BotoCoreError) as error:
            raise UnavailableError("SQS") from error
        return answer["Attributes"]["QueueArn"]

    def size(self) -> int:
        """Return about how many messages the queue holds, in flight and delayed included; raises UnavailableError."""
        return self.length().held

    def waiting(self) -> int:
        """Return about how many messages wait for a receiver, those in flight left out; raises UnavailableError."""
        return self.length().waiting

    def next_record(self, wait_seconds: int) -> dict[str, Any] | None:
        """Return the next message as Lambda hands it to a function, None if none comes; raises UnavailableError."""
        return next(iter(self._records(1, wait_seconds)), None)

    def delete(self, receipt_handle: str) -> None:
        """Acknowledge a received message; raises UnavailableError, and the message comes again."""
        try:
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=receipt_handle)
        except (ClientError, BotoCoreError) as error:
            raise UnavailableError("SQS") from error

    def receive(self, hidden_seconds: int) -> Iterator[list[dict[str, Any]]]:
        """Yield the messages there are as `next_record` does, ten at most at a time, each hidden for `hidden_seconds`.

        It ends when none comes. Raises UnavailableError.
        """
        while records := self._records(BATCH_SIZE, wait_seconds=1, VisibilityTimeout=hidden_seconds):
            yield records

    def _records(self, most: int, wait_seconds: int, **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - of ReceiveMessage
        try:
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=most,
                WaitTimeSeconds=wait_seconds,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
                **more,
            )
        except (ClientError, BotoCoreError) as error:
            raise UnavailableError("SQS") from error
        return [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "messageAttributes": {
                    name: {"stringValue": value.get("StringValue")}
                    for name, value in message.get("MessageAttributes", {}).items()
                },
            }
            for message in answer.get("Messages", [])
        ]


class TaskQueue(Queue):
    """A queue of task messages, each in the group of its task's owner."""

    def send(
        self, task_id: str, owner: str, correlation_id: str, trace_header: str | None = None, *, delay_seconds: int = 0
    ) -> None:
        """Ask for the owner's `task_id` to be worked on.

        X-Ray links the work to the trace of `trace_header`, or else of this invocation.
        """
        more = {**group_of(owner), **_attributes(correlation_id), **_trace(trace_header)}
        self.send_body(Message.new(task_id).body, delay_seconds=delay_seconds, **more)

    def send_all(self, tasks: Sequence[tuple[str, str, str]]) -> list[str]:
        """Send a message for each (task id, owner, correlation id); return the task ids that SQS refused."""
        trace = _trace()
        bodies = [Message.new(task_id).body for task_id, _, _ in tasks]
        more = [{**group_of(owner), **_attributes(correlation_id), **trace} for _, owner, correlation_id in tasks]
        return [tasks[index][0] for index in self.send_bodies(bodies, more)]

    def send_again(self, records: Sequence[Mapping[str, Any]], owners: Sequence[str]) -> list[int]:
        """Send messages that were received elsewhere as they were; return the indices of those that SQS refused.

        One whose task's owner nobody knows (empty) keeps the group that it has.
        """
        more = []
        for record, owner in zip(records, owners, strict=True):
            correlation_id = record["messageAttributes"].get("correlation_id", {}).get("stringValue")
            group = owner or record["attributes"].get("MessageGroupId", "")
            more.append({**group_of(group), **(_attributes(correlation_id) if correlation_id else {})})
        return self.send_bodies([record["body"] for record in records], more)


@dataclass(slots=True)
class Backlog:
    """How long the queues are, looked at no more often than every FRESH_SECONDS."""

    queues: Mapping[Lane, TaskQueue]
    workers: Mapping[Lane, int]  # most environments of the lane's worker
    _seen: dict[Lane, tuple[float, int]] = field(default_factory=dict)

    def seconds(self, lane: Lane) -> float:
        """Return about how long a new message waits for a worker."""
        looked_at, waiting = self._seen.get(lane, (-math.inf, 0))
        if monotonic() - looked_at > FRESH_SECONDS:
            try:
                waiting = self.queues[lane].waiting()
            except UnavailableError:
                waiting = 0  # a guess is not worth an error
            self._seen[lane] = (monotonic(), waiting)
        return waiting * TYPICAL_SECONDS[lane] / self.workers[lane]


def group_of(owner: str) -> dict[str, str]:
    """Return what makes SQS count a message as the owner's; one without an owner (empty) counts as a tenant's own."""
    return {"MessageGroupId": owner} if owner else {}


def _attributes(correlation_id: str) -> dict[str, Any]:
    return {"MessageAttributes": {"correlation_id": {"DataType": "String", "StringValue": correlation_id}}}


def _trace(header: str | None = None) -> dict[str, Any]:
    """Return what makes X-Ray link the worker's run to the request's trace, without its SDK.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html
    """
    header = header or optional("_X_AMZN_TRACE_ID")
    if not header:
        return {}
    return {"MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": header}}}
