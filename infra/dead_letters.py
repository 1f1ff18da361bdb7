"""`make dead-letters` and `make redrive`: look at the messages that failed too often, and give them another chance.

Works on the local stack (what `make up` wrote to .local/env) and, with `STACK=<name>`, on the CloudFormation stack of
that name in the account and region that the AWS tools use. A redriven message claims its task again, although the
sweeper marked it failed.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local import running
from local.ministack import LocalStackError
from tasks.errors import UnavailableError, UnreadableTaskError
from tasks.message import MalformedMessageError, Message
from tasks.queue import BATCH_SIZE
from tasks.task import Lane

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef, MessageTypeDef

    from tasks.table import TaskTable

# How long a message that is looked at stays hidden, should this program be stopped before it shows it again.
LOOK_SECONDS = 60
# SQS counts a message's retention from when it was first sent, wherever it has been since; a redrive counts anew.
KEPT = timedelta(days=14)
MISSING_OPERATION = {"InvalidAction", "UnknownOperationException", "UnsupportedOperation", "NotImplemented"}


class DeadLettersError(Exception):
    """It cannot be done; the message says why."""


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """A stack's two queues and its tasks."""

    sqs: SQSClient
    url: str
    task_queue_urls: Mapping[Lane, str]
    tasks: TaskTable

    @classmethod
    def of(cls, stack: str) -> DeadLetters:
        """Connect to the CloudFormation stack of that name, or to the local one when there is no name."""
        found = running.deployed(stack)
        return cls(
            found.session.client("sqs", endpoint_url=found.endpoint),
            found.outputs["DEAD_LETTER_QUEUE_URL"],
            {Lane.SMALL: found.outputs["TASK_QUEUE_URL"], Lane.LARGE: found.outputs["LARGE_TASK_QUEUE_URL"]},
            found.task_table(),
        )

    def messages(self) -> Iterator[list[MessageTypeDef]]:
        """Yield the messages in batches, each hidden for LOOK_SECONDS, until none comes."""
        while True:
            messages = self.sqs.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=BATCH_SIZE,
                VisibilityTimeout=LOOK_SECONDS,
                WaitTimeSeconds=1,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            if not messages:
                return
            yield messages

    def show(self) -> Iterator[str]:
        """Yield a line for each message, then show the messages to others again."""
        handles = []
        try:
            for messages in self.messages():
                for message in messages:
                    handles.append(message["ReceiptHandle"])
                    yield self.line(message)
        finally:
            for start in range(0, len(handles), BATCH_SIZE):
                self.sqs.change_message_visibility_batch(
                    QueueUrl=self.url,
                    Entries=[
                        {"Id": str(index), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                        for index, handle in enumerate(handles[start : start + BATCH_SIZE])
                    ],
                )

    def line(self, message: MessageTypeDef) -> str:
        """Return what an operator wants to know of a message."""
        attributes = message["Attributes"]
        age = timedelta(seconds=int(time.time() - int(attributes["SentTimestamp"]) / 1000))
        received = f"received {attributes['ApproximateReceiveCount']} times, {age} old, kept for {KEPT - age}"
        try:
            task_id = Message.of(message["Body"]).task_id
        except MalformedMessageError as error:
            return f"{message['MessageId']}  {received}, not one of ours ({error}): {message['Body'][:80]!r}"
        try:
            task = self.tasks.glance(task_id)
        except UnreadableTaskError as error:
            return f"{task_id}  {received}, task cannot be read: {error}"
        if task is None:
            return f"{task_id}  {received}, task unknown or expired"
        why = f" ({task.error['code']})" if task.error else ""
        return f"{task_id}  {received}, task {task.status}{why}, attempt {task.attempt}"

    def redrive(self) -> int:
        """Move all messages back to the queues they came from; return how many went."""
        arn = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        try:
            self.sqs.start_message_move_task(SourceArn=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] not in MISSING_OPERATION:
                raise
            return sum(self.move(messages) for messages in self.messages())
        pause = threading.Event()
        while True:
            newest = self.sqs.list_message_move_tasks(SourceArn=arn, MaxResults=1)["Results"][0]
            if newest["Status"] in {"COMPLETED", "CANCELLED"}:
                return newest["ApproximateNumberOfMessagesMoved"]
            if newest["Status"] == "FAILED":
                raise DeadLettersError(f"SQS stopped moving: {newest['FailureReason']}")
            pause.wait(1)

    def move(self, messages: list[MessageTypeDef]) -> int:
        """Send the messages to their tasks' queues, delete each that was sent, return how many.

        Stopped in between, a message is in both queues: the worker takes the second of two for a duplicate.
        """
        by_lane: dict[Lane, list[MessageTypeDef]] = {}
        for message in messages:
            by_lane.setdefault(self.lane(message), []).append(message)
        moved = 0
        for lane, group in by_lane.items():
            sent = self.sqs.send_message_batch(
                QueueUrl=self.task_queue_urls[lane],
                Entries=[
                    {"Id": str(index), "MessageBody": message["Body"], "MessageAttributes": _attributes(message)}
                    for index, message in enumerate(group)
                ],
            ).get("Successful", [])
            if sent:
                self.sqs.delete_message_batch(
                    QueueUrl=self.url,
                    Entries=[
                        {"Id": entry["Id"], "ReceiptHandle": group[int(entry["Id"])]["ReceiptHandle"]} for entry in sent
                    ],
                )
            moved += len(sent)
        return moved

    def lane(self, message: MessageTypeDef) -> Lane:
        """Return whose queue the message belongs in."""
        try:
            task = self.tasks.glance(Message.of(message["Body"]).task_id)
        except (MalformedMessageError, UnreadableTaskError):
            return Lane.SMALL
        return Lane.SMALL if task is None else task.lane

    def unseen(self) -> int:
        """Return about how many messages somebody else is looking at: the sweeper does, each minute."""
        answer = self.sqs.get_queue_attributes(
            QueueUrl=self.url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessagesNotVisible"])


def _attributes(message: MessageTypeDef) -> Mapping[str, MessageAttributeValueTypeDef]:
    return {
        name: {"DataType": value["DataType"], "StringValue": value["StringValue"]}
        for name, value in message.get("MessageAttributes", {}).items()
        if "StringValue" in value
    }


def main() -> int:
    """Run one command; return the exit status."""
    parser = argparse.ArgumentParser(prog="dead_letters", description=__doc__)
    parser.add_argument("command", choices=["list", "redrive"])
    command = parser.parse_args().command
    try:
        dead_letters = DeadLetters.of(os.environ.get("STACK", ""))
        if command == "redrive":
            print(f"{dead_letters.redrive()} messages moved back to the task queues.")
        else:
            count = 0
            for line in dead_letters.show():
                count += 1
                print(line)
            print(f"{count} dead messages." + (" `make redrive` gives them another chance." if count else ""))
        if unseen := dead_letters.unseen():
            print(f"{unseen} more are hidden for a moment, as while the sweeper looks at them; try again.")
    except (DeadLettersError, LocalStackError, UnavailableError, ClientError, BotoCoreError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
