"""New tasks in the table: each submitted once, whatever is sent again, by a client or by boto3."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from tasks.errors import KeyReusedError, SubmissionUnconfirmedError, TaskPurgedError
from tasks.rows import ALONE, PURGED_OWNER, seconds
from tasks.table import TaskTable, refused
from tasks.task import utc_now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import PutTypeDef, TransactWriteItemTypeDef

    from tasks.payloads import Payloads
    from tasks.rows import Row
    from tasks.task import Task

# How long the sweeper leaves a new task to its message: with its minute, a lost message is replaced within 90 seconds.
SWEEP_AFTER = timedelta(seconds=30)
MAX_TASKS_AT_ONCE = 100  # most writes in one TransactWriteItems, which may have 4 MB in all


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of a submission: the task as stored, and whether an earlier one with the same key stored it."""

    task: Task
    replayed: bool


class Submissions(TaskTable):
    """Stores new tasks for `retention`, and reads them as any TaskTable."""

    def __init__(self, client: DynamoDBClient, table: str, payloads: Payloads, *, retention: timedelta) -> None:
        super().__init__(client, table, payloads)
        self._retention = retention

    def submit(self, task: Task) -> Submission:
        """Store a new task; with an id made from an Idempotency-Key, return the earlier task instead if there is one.

        Raises KeyReusedError when that earlier task came from another body, TaskPurgedError when it was purged.
        """
        if earlier := self._earlier(task):
            return self._resubmission(task, earlier)
        try:
            self._client.put_item(**self._unused(task))
        except (ClientError, BotoCoreError) as error:
            return self._resubmission(task, refused(error, SubmissionUnconfirmedError))
        return Submission(task, replayed=False)

    def submit_all(self, tasks: Sequence[Task]) -> list[Submission]:
        """Store up to MAX_TASKS_AT_ONCE new tasks, all of them or none; what `submit` does for each.

        Raises KeyReusedError, with nothing stored, when the id of one of them stands for another body.
        """
        submissions = {
            task.task_id: self._resubmission(task, earlier) for task in tasks if (earlier := self._earlier(task))
        }
        puts: dict[str, TransactWriteItemTypeDef] = {
            task.task_id: {"Put": self._unused(task)} for task in tasks if task.task_id not in submissions
        }
        while new := [task for task in tasks if task.task_id not in submissions]:
            try:
                # A transaction costs twice the writes of single puts, and leaves no half of a batch behind. Of its
                # own first try, should boto3 repeat it, DynamoDB knows by the token that boto3 adds.
                self._client.transact_write_items(TransactItems=[puts[task.task_id] for task in new])
            except (ClientError, BotoCoreError) as error:
                reasons: list[dict[str, Any]] = getattr(error, "response", {}).get("CancellationReasons", [])
                there = {
                    task.task_id: self._resubmission(task, reason["Item"])
                    for task, reason in zip(new, reasons, strict=False)
                    if reason.get("Code") == "ConditionalCheckFailed"
                }
                if not there:  # throttled, or at the same moment as another transaction with the same tasks
                    raise SubmissionUnconfirmedError("DynamoDB") from error
                submissions |= there
            else:
                submissions |= {task.task_id: Submission(task, replayed=False) for task in new}
        return [submissions[task.task_id] for task in tasks]

    def _earlier(self, task: Task) -> Row | None:
        """Return the row that has this task's id already, if the task were to leave objects in the bucket.

        Those are stored before the row is, and a refused reuse of an Idempotency-Key must not leave its circuit there.
        No other id can be in use. What fits the row costs no such look.
        """
        return (
            self._row(task.task_id, *ALONE, owner=task.owner)
            if is_keyed(task.task_id) and not self._rows.fits(task)
            else None
        )

    def _unused(self, task: Task) -> PutTypeDef:
        """Return what puts the task's row if its id is unused; what does not fit the row is in the bucket by then."""
        now = utc_now()
        return {
            "TableName": self._table,
            "Item": self._rows.new(task, due_at=now + SWEEP_AFTER, expires_at=now + self._retention),
            "ConditionExpression": "attribute_not_exists(task_id) OR expires_at <= :now",
            "ExpressionAttributeValues": {":now": seconds(now)},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _resubmission(self, task: Task, row: Row) -> Submission:
        """Return the earlier task that has the id of this one; raises KeyReusedError and TaskPurgedError."""
        if PURGED_OWNER in row:
            raise TaskPurgedError
        existing = self._rows.task(row)
        if existing.request_hash != task.request_hash:
            raise KeyReusedError(task.task_id)
        own = (existing.submitted_at, existing.correlation_id) == (task.submitted_at, task.correlation_id)
        return Submission(existing, replayed=not own)


def is_keyed(task_id: str) -> bool:
    """Return whether a task's id was made from an Idempotency-Key: those are UUIDs of version 8, others are random."""
    return task_id[14] == "8"
