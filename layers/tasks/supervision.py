"""What others than a worker do to a task: its owner cancels it, the sweeper ends it or has it looked at again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tasks.errors import CancellationUnconfirmedError
from tasks.rows import failure, history, key_of, seconds
from tasks.submissions import Submissions
from tasks.table import refused
from tasks.task import Status, Transition, epoch_ms, rfc3339, utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from tasks.errors import TaskError
    from tasks.rows import Row
    from tasks.table import OpenTask
    from tasks.task import Task

LEFT_BEHIND = ("open_shard", "due_at", "lease_until")  # what a task that ends does not keep
_END = "SET #status = :status, status_history = list_append(status_history, :line)"
_LEAVING = f" REMOVE {', '.join(LEFT_BEHIND)}"


class Supervision(Submissions):
    """Changes of a task that no attempt makes; store.py has the table of all changes."""

    def cancel(self, task_id: str, owner: str) -> bool:
        """End the owner's task unless it has ended; say whether it did. A running one stops at its next heartbeat."""
        ending = _ended(Status.CANCELLED, "Its owner cancelled the task.")
        try:
            self._client.update_item(
                TableName=self._table,
                Key=key_of(task_id),
                UpdateExpression=_END + _LEAVING,
                ConditionExpression="#owner = :owner AND #status IN (:pending, :processing) AND expires_at > :now",
                ExpressionAttributeNames={"#status": "status", "#owner": "owner"},
                ExpressionAttributeValues={
                    ":owner": {"S": owner},
                    ":now": seconds(utc_now()),
                    ":pending": {"S": str(Status.PENDING)},
                    ":processing": {"S": str(Status.PROCESSING)},
                    **ending,
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except (ClientError, BotoCoreError) as error:
            return _has_line(refused(error, CancellationUnconfirmedError), ending)
        return True

    def fail_dead(self, task_id: str, error: TaskError, send_id: str = "") -> Task | None:
        """End a task whose message lies in the dead-letter queue; None if a worker has it, it has ended or is unknown.

        Unlike any other failure this one can be undone, by the message with this `send_id` alone: redriven, it claims
        the task again. Raises UnreadableTaskError, the task having failed.
        """
        now = utc_now()
        ending = _ended(Status.FAILED, error.message)
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=key_of(task_id),
                UpdateExpression=_END + ", #error = :error, dead = :send_id" + _LEAVING,
                ConditionExpression=(
                    "(#status = :pending OR (#status = :processing AND lease_until < :now)) AND expires_at > :now_s"
                ),
                ExpressionAttributeNames={"#status": "status", "#error": "error"},
                ExpressionAttributeValues={
                    ":pending": {"S": str(Status.PENDING)},
                    ":processing": {"S": str(Status.PROCESSING)},
                    ":now": {"N": str(epoch_ms(now))},
                    ":now_s": seconds(now),
                    ":error": failure(error),
                    ":send_id": {"S": send_id},
                    **ending,
                },
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except (ClientError, BotoCoreError) as raised:
            row = refused(raised)
            return self._rows.task(row) if _has_line(row, ending) else None
        return self._rows.task(answer["Attributes"])

    def reschedule(self, open_task: OpenTask, due_at: datetime) -> Task | None:
        """Claim the right to send the task's message again, and put its next look off to `due_at`.

        A lease that ran out ends with it: the task is nobody's from then on. None when another sweeper was faster, a
        worker holds the task, or it has ended. Raises UnreadableTaskError.
        """
        now = utc_now()
        due: AttributeValueTypeDef = {"N": str(epoch_ms(due_at))}
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=key_of(open_task.task_id),
                UpdateExpression="SET due_at = :due, lease_until = :none",
                ConditionExpression=(
                    "due_at = :was AND (#status = :pending OR (#status = :processing AND lease_until < :now))"
                    " AND expires_at > :now_s"
                ),
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={
                    ":due": due,
                    ":none": {"N": "0"},
                    ":was": {"N": str(open_task.due_at)},
                    ":pending": {"S": str(Status.PENDING)},
                    ":processing": {"S": str(Status.PROCESSING)},
                    ":now": {"N": str(epoch_ms(now))},
                    ":now_s": seconds(now),
                },
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except (ClientError, BotoCoreError) as error:
            row = refused(error)
            # Written by our own first try, whose answer was lost? A sweeper that wrote the same millisecond sends too.
            return self._rows.task(row) if row.get("due_at") == due else None
        return self._rows.task(answer["Attributes"])


def _ended(status: Status, notes: str) -> dict[str, AttributeValueTypeDef]:
    """Return the values for _END."""
    return {":status": {"S": str(status)}, ":line": history(Transition(status, rfc3339(utc_now()), notes))}


def _has_line(row: Row, ending: Mapping[str, AttributeValueTypeDef]) -> bool:
    """Return whether the row's history ends with the very line that `ending` adds: our own first try wrote it."""
    return row.get("status_history", {"L": []})["L"][-1:] == ending[":line"]["L"]
