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
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.deployed import deployed
from local.ministack import LocalStackError
from tasks.errors import UnavailableError, UnreadableTaskError
from tasks.queue import MalformedMessageError, Message, TaskQueue
from tasks.task import Lane

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_sqs import SQSClient

    from tasks.table import TaskTable

# How long a message that is looked at stays hidden, should this program be stopped before it shows it again.
LOOK_SECONDS = 60
# SQS counts a message's retention from when it was first sent, wherever it has been since; a redrive counts again.
KEPT = timedelta(days=14)
MISSING_OPERATION = {"InvalidAction", "UnknownOperationException", "UnsupportedOperation", "NotImplemented"}


class DeadLettersError(Exception):
    """It cannot be done; the message says why."""


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """A stack's queues and its tasks; `sqs` moves all messages at once, where it can."""

    sqs: SQSClient
    queue: TaskQueue
    task_queues: Mapping[Lane, TaskQueue]
    tasks: TaskTable

    @classmethod
    def of(cls, stack: str) -> DeadLetters:
        """Connect to the CloudFormation stack of that name, or to the local one when there is no name."""
        found = deployed(stack)
        return cls.at(found.session.client("sqs", endpoint_url=found.endpoint), found.outputs, found.task_table())

    @classmethod
    def at(cls, sqs: SQSClient, urls: Mapping[str, str], tasks: TaskTable) -> DeadLetters:
        """Return what SQS has at the URLs that the stack's outputs name."""
        lanes = {Lane.SMALL: urls["TASK_QUEUE_URL"], Lane.LARGE: urls["LARGE_TASK_QUEUE_URL"]}
        queues = {lane: TaskQueue(sqs, url) for lane, url in lanes.items()}
        return cls(sqs, TaskQueue(sqs, urls["DEAD_LETTER_QUEUE_URL"]), queues, tasks)

    def show(self) -> Iterator[str]:
        """Yield a line for each message, then show the messages to others again."""
        handles = []
        try:
            for records in self.queue.receive(LOOK_SECONDS):
                for record in records:
                    handles.append(record["receiptHandle"])
                    yield self.line(record)
        finally:
            self.queue.hide(handles, 0)

    def line(self, record: Mapping[str, Any]) -> str:
        """Return what an operator wants to know of a message."""
        attributes = record["attributes"]
        age = timedelta(seconds=int(time.time() - int(attributes["SentTimestamp"]) / 1000))
        received = f"received {attributes['ApproximateReceiveCount']} times, {age} old, kept for {KEPT - age}"
        try:
            task_id = Message.of(record["body"]).task_id
        except MalformedMessageError as error:
            return f"{record['messageId']}  {received}, not a valid message ({error}): {record['body'][:80]!r}"
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
        arn = self.queue.arn()
        try:
            self.sqs.start_message_move_task(SourceArn=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] not in MISSING_OPERATION:
                raise
            return sum(self.move(records) for records in self.queue.receive(LOOK_SECONDS))
        pause = threading.Event()
        while True:
            newest = self.sqs.list_message_move_tasks(SourceArn=arn, MaxResults=1)["Results"][0]
            if newest["Status"] in {"COMPLETED", "CANCELLED"}:
                return newest["ApproximateNumberOfMessagesMoved"]
            if newest["Status"] == "FAILED":
                raise DeadLettersError(f"SQS stopped moving: {newest['FailureReason']}")
            pause.wait(1)

    def move(self, records: Sequence[Mapping[str, Any]]) -> int:
        """Send the messages to their tasks' queues, delete each that was sent, return how many.

        Stopped in between, a message is in both queues: the worker takes the second of two for a duplicate.
        """
        places = [self.place(record) for record in records]
        moved = 0
        for lane, queue in self.task_queues.items():
            ours = [(record, owner) for record, (of, owner) in zip(records, places, strict=True) if of is lane]
            refused = queue.send_again([record for record, _ in ours], [owner for _, owner in ours])
            for index, (record, _) in enumerate(ours):
                if index not in refused:
                    self.queue.delete(record["receiptHandle"])
                    moved += 1
        return moved

    def place(self, record: Mapping[str, Any]) -> tuple[Lane, str]:
        """Return whose queue a message belongs in, and whose its task is (empty where nobody knows)."""
        try:
            task = self.tasks.glance(Message.of(record["body"]).task_id)
        except (MalformedMessageError, UnreadableTaskError):
            task = None
        return (Lane.SMALL, "") if task is None else (task.lane, task.owner)

    def unseen(self) -> int:
        """Return about how many messages somebody else is looking at: the sweeper does, each minute."""
        length = self.queue.length()
        return length.held - length.waiting


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
            print(
                f"{count} dead letter{'s' * (count != 1)}."
                + (" `make redrive` runs their tasks again." if count else "")
            )
        if unseen := dead_letters.unseen():
            print(f"{unseen} more are hidden for a moment, as while the sweeper looks at them; try again.")
    except (DeadLettersError, LocalStackError, UnavailableError, ClientError, BotoCoreError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
