"""The store of tasks: each change of a task is one conditional write, and this table has all of them.

| method    | from                                                       | to         | guarded by                     |
|-----------|------------------------------------------------------------|------------|--------------------------------|
| submit    | nothing, or a task that has expired                        | pending    | the id being unused            |
| submit_all| the same                                                   | pending    | every one's id being unused    |
| claim     | pending; processing, lease run out; failed, message dead   | processing | status, lease, `dead`, version |
| extend    | processing                                                 | processing | the attempt                    |
| release   | processing                                                 | processing | the attempt; the lease ends    |
| pass_on   | processing                                                 | processing | the attempt; the lease ends    |
| bill_attempt | processing                                              | processing | the attempt                    |
| complete  | processing                                                 | completed  | the attempt                    |
| fail      | processing                                                 | failed     | the attempt                    |
| cancel    | pending, processing                                        | cancelled  | the owner                      |
| bill_cancelled | cancelled                                             | cancelled  | the attempt, its `claim` there |
| fail_dead | pending; processing, lease run out                         | failed     | the status and the lease       |
| reschedule| pending; processing, lease run out (it ends)               | the same   | these, and `due_at`            |

A task that failed because of a dead letter is claimed again by that message alone, which only a redrive brings back:
of several messages of one task the others end quietly, so a failed task never completes by itself.

`attempt` counts claims and fences: after a newer claim the older worker's writes are refused. A write whose answer was
lost on the wire is sent again by boto3 and then refused by its own first try; each method knows its own write in the
refused row and calls that success.

A worker's claims, heartbeats and endings go several to a call: `claim_all`, `extend_all` and `end_all` send statements
of BatchExecuteStatement, the only batch of DynamoDB's whose writes have conditions. Each statement is carried out or
refused by itself and costs what UpdateItem would. They cover the plain cases with the plainest PartiQL; whatever a
statement did not settle (a lease that ran out, a redriven task, throttling) is settled by the single write.

This module has a worker's attempts; submissions.py has new tasks, supervision.py what owners and the sweeper do.
A task that has expired is not there, for any of these, though DynamoDB may take two days to delete its row.

What a row looks like is in rows.py, how tasks are read in table.py, and several writes in one call in statements.py.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from tasks.errors import (
    PROGRAM_GONE,
    NewerTaskError,
    PayloadGoneError,
    StaleAttemptError,
    TaskError,
    UnavailableError,
    UnreadableTaskError,
)
from tasks.rows import (
    ROW_VERSION,
    Change,
    billed,
    failure,
    history,
    history_line,
    is_expired,
    is_self_contained,
    key_of,
    seconds,
    shard_of,
    version_of,
)
from tasks.statements import execute, row_in, statement
from tasks.submissions import SWEEP_AFTER
from tasks.supervision import LEFT_BEHIND, Supervision
from tasks.table import refused
from tasks.task import Status, Task, Transition, epoch_ms, rfc3339, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime, timedelta
    from typing import TypeAlias

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        BatchStatementRequestTypeDef,
    )

    from tasks.payloads import Payloads
    from tasks.queue import Message
    from tasks.rows import Row
    from tasks.task import Lane

    Claim: TypeAlias = Task | UnavailableError | UnreadableTaskError | None
    Refusal: TypeAlias = StaleAttemptError | UnavailableError

_CALLS_AT_A_TIME = 5  # of the single writes and reads that a batch has left over


class TaskStore(Supervision):
    """Writes tasks, and reads them as any TaskTable; each method raises UnavailableError if DynamoDB or S3 fails."""

    def __init__(
        self, client: DynamoDBClient, table: str, payloads: Payloads, *, lease: timedelta, retention: timedelta
    ) -> None:
        super().__init__(client, table, payloads, retention=retention)
        self._lease = lease

    # -- a worker's attempt ---------------------------------------------------------------------------------------

    def claim(self, task_id: str, token: str | None = None, *, send_ids: Collection[str] = ("",)) -> Task | None:
        """Take the task for this worker, with its circuit; None when it has ended, is unknown or another holds it.

        `send_ids` are those of the messages that ask for it. A claim that was made before with the same `token` is
        this one.
        Raises NewerTaskError, UnreadableTaskError (the task is this worker's all the same), and PayloadGoneError when
        its program is gone; the task has failed then.
        """
        now = utc_now()
        token = token or uuid.uuid4().hex
        dead: dict[str, AttributeValueTypeDef] = {f":dead{at}": {"S": send_id} for at, send_id in enumerate(send_ids)}
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=key_of(task_id),
                UpdateExpression=(
                    "SET #status = :processing, attempt = attempt + :one, lease_until = :lease, claim = :claim,"
                    " status_history = list_append(status_history, :line),"
                    # Only a task that failed so has left the index; any other they leave as it is, which costs nothing.
                    " open_shard = if_not_exists(open_shard, :shard), due_at = if_not_exists(due_at, :due)"
                    " REMOVE dead, #error"
                ),
                ConditionExpression=(
                    "(#status = :pending OR (#status = :processing AND lease_until < :now)"
                    f" OR (#status = :failed AND dead IN ({', '.join(dead)})))"
                    " AND (attribute_not_exists(#version) OR #version <= :version) AND expires_at > :now_s"
                ),
                ExpressionAttributeNames={"#status": "status", "#error": "error", "#version": "version"},
                ExpressionAttributeValues={
                    ":pending": {"S": str(Status.PENDING)},
                    ":processing": {"S": str(Status.PROCESSING)},
                    ":failed": {"S": str(Status.FAILED)},
                    **dead,
                    ":version": {"N": str(ROW_VERSION)},
                    ":one": {"N": "1"},
                    ":now": {"N": str(epoch_ms(now))},
                    ":now_s": seconds(now),
                    ":lease": {"N": str(epoch_ms(now + self._lease))},
                    ":claim": {"S": token},
                    ":line": history(_taken(now)),
                    ":shard": {"S": shard_of(task_id)},
                    ":due": {"N": str(epoch_ms(now + SWEEP_AFTER))},
                },
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
            row: Row = answer["Attributes"]
        except (ClientError, BotoCoreError) as error:
            row = refused(error)
            if version_of(row) > ROW_VERSION and not _is_out_of_reach(row, now, send_ids):
                raise NewerTaskError(f"version {version_of(row)}") from None
            if row.get("claim", {}).get("S") != token:
                return None
        return self._to_run(row)

    def _to_run(self, row: Row) -> Task:
        """Return a claimed row as a task; raises what `claim` does."""
        try:
            return self._rows.task_to_run(row)
        except PayloadGoneError:
            self.fail(self._rows.task(row), PROGRAM_GONE)
            raise

    def claim_all(self, messages: Sequence[Message]) -> list[Claim]:
        """Return for each message what `claim` would, or raise; a task that is named twice is claimed once."""
        send_ids: defaultdict[str, set[str]] = defaultdict(set)
        for message in messages:
            send_ids[message.task_id].add(message.send_id)
        now, token = utc_now(), uuid.uuid4().hex
        answers = execute(self._client, [self._claiming(task_id, token, now) for task_id in send_ids])
        found: dict[str, Claim] = {}
        waiting: dict[str, Callable[[], Task | None]] = {}
        for task_id, answer in zip(send_ids, answers, strict=True):
            row = row_in(answer)
            ours = row.get("claim", {}).get("S") == token
            if isinstance(answer, UnavailableError):
                found[task_id] = answer
            elif ours and is_self_contained(row):
                found[task_id] = _outcome_of(partial(self._to_run, row))
            elif ours:
                waiting[task_id] = partial(self._to_run, row)
            elif not _is_out_of_reach(row, now, send_ids[task_id]):
                waiting[task_id] = partial(self.claim, task_id, token, send_ids=send_ids[task_id])
        if len(waiting) == 1:
            ((task_id, claiming),) = waiting.items()
            found[task_id] = _outcome_of(claiming)
        elif waiting:
            with ThreadPoolExecutor(_CALLS_AT_A_TIME) as threads:
                found |= zip(waiting, threads.map(_outcome_of, waiting.values()), strict=True)
        return [found.pop(message.task_id, None) for message in messages]

    def extend(self, task: Task) -> None:
        """Renew the lease of this attempt; raises StaleAttemptError when it is no longer the task's attempt."""
        self._write_attempt(task, Change({"lease_until": {"N": str(epoch_ms(utc_now() + self._lease))}}))

    def extend_all(self, tasks: Sequence[Task]) -> list[Refusal | None]:
        """Renew the lease of each attempt; return for each what `extend` would raise, else None."""
        change = Change({"lease_until": {"N": str(epoch_ms(utc_now() + self._lease))}})
        return self._write_attempts([(task, change) for task in tasks])

    def release(self, task: Task, *, unstarted: bool = False) -> None:
        """Give the task back unfinished, with its bill: end its lease, so that the next receiver can claim it at once.

        `unstarted` says that this attempt never began to run. Raises StaleAttemptError.
        """
        sets = _given_back(task)
        if unstarted:
            sets["unstarted"] = {"N": str(task.unstarted + 1)}
        self._write_attempt(task, Change(sets))

    def pass_on(self, task: Task, lane: Lane) -> None:
        """Give the task to the workers of another lane, unfinished, with its bill; raises StaleAttemptError."""
        self._write_attempt(task, Change(_given_back(task) | {"lane": {"S": str(lane)}}))

    def bill_attempt(self, task: Task) -> None:
        """Store what the task has cost so far, when this attempt leaves it to its lease; raises StaleAttemptError."""
        self._write_attempt(task, Change(billed(task.bill)))

    def complete(self, task: Task, outcome: Mapping[str, Any]) -> None:
        """Store the outcome (`result`, `execution`, ...) of this attempt, ending the task; raises StaleAttemptError."""
        self._write_attempt(task, self._ending(task, outcome))

    def fail(self, task: Task, error: TaskError) -> None:
        """Store why this attempt cannot succeed and end the task; raises StaleAttemptError."""
        self._write_attempt(task, self._ending(task, error))

    def end_all(self, endings: Sequence[tuple[Task, Mapping[str, Any] | TaskError]]) -> list[Refusal | None]:
        """Complete or fail each attempt; return for each what `complete` or `fail` would raise, else None."""
        refusals: list[Refusal | None] = [None] * len(endings)
        changes = {}
        for index, (task, end) in enumerate(endings):
            try:
                changes[index] = (task, self._ending(task, end))
            except UnavailableError as error:  # the bucket, that is
                refusals[index] = error
        for index, refusal in zip(changes, self._write_attempts(list(changes.values())), strict=True):
            refusals[index] = refusal
        return refusals

    def bill_cancelled(self, task: Task) -> None:
        """Store what a cancelled task has cost, when this attempt has stopped; no other task's bill is changed.

        A cancelled task keeps its `claim` until then.
        """
        try:
            self._client.update_item(
                TableName=self._table,
                Key=key_of(task.task_id),
                UpdateExpression="SET billed_ms = :billed_ms, cost_usd = :cost_usd REMOVE claim",
                ConditionExpression="#status = :cancelled AND attempt = :attempt AND attribute_exists(claim)",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={
                    ":cancelled": {"S": str(Status.CANCELLED)},
                    ":attempt": {"N": str(task.attempt)},
                    **{f":{name}": value for name, value in billed(task.bill).items()},
                },
            )
        except (ClientError, BotoCoreError) as error:
            refused(error)

    # -- a worker's writes, one in a call and several -------------------------------------------------------------

    def _ending(self, task: Task, end: Mapping[str, Any] | TaskError) -> Change:
        """Return what ends the task's row, its bill included; an outcome that does not fit is in the bucket by then."""
        if isinstance(end, TaskError):
            status, notes = Status.FAILED, end.message
            sets = {"error": failure(end)}
        else:
            status, notes = Status.COMPLETED, "The circuit was run."
            sets = self._rows.outcome(task, end)
        sets["status"] = {"S": str(status)}
        sets |= billed(task.bill)
        # Nobody else can have added to the history since the claim, for this attempt would be stale.
        line = Transition(status, rfc3339(utc_now()), notes)
        sets["status_history"] = history(*task.status_history, line)
        return Change(sets, removes=LEFT_BEHIND)

    def _write_attempt(self, task: Task, change: Change) -> None:
        """Change the row if this attempt is still the task's; raises StaleAttemptError."""
        expression, names, values = change.as_expression()
        try:
            self._client.update_item(
                TableName=self._table,
                Key=key_of(task.task_id),
                UpdateExpression=expression,
                ConditionExpression="#status = :processing AND attempt = :attempt AND expires_at > :now_s",
                ExpressionAttributeNames={"#status": "status", **names},
                ExpressionAttributeValues={
                    ":processing": {"S": str(Status.PROCESSING)},
                    ":attempt": {"N": str(task.attempt)},
                    ":now_s": seconds(utc_now()),
                    **values,
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except (ClientError, BotoCoreError) as error:
            if not change.made_by(task, refused(error)):
                raise StaleAttemptError(task.task_id) from None

    def _write_attempts(self, changes: Sequence[tuple[Task, Change]]) -> list[Refusal | None]:
        """Do what `_write_attempt` would with each; return what it would raise, else None."""
        answers = execute(
            self._client,
            [statement(self._table, task.task_id, Status.PROCESSING, task.attempt, change) for task, change in changes],
        )
        refusals: list[Refusal | None] = []
        for (task, change), answer in zip(changes, answers, strict=True):
            refusal: Refusal | None = None
            if isinstance(answer, UnavailableError):
                refusal = answer
            elif "Error" in answer and (row := row_in(answer)):
                refusal = None if change.made_by(task, row) else StaleAttemptError(task.task_id)
            elif "Error" in answer:
                try:
                    self._write_attempt(task, change)
                except (StaleAttemptError, UnavailableError) as error:
                    refusal = error
            refusals.append(refusal)
        return refusals

    def _claiming(self, task_id: str, token: str, now: datetime) -> BatchStatementRequestTypeDef:
        """Return the statement that claims a task for the first time."""
        change = Change(
            {
                "status": {"S": str(Status.PROCESSING)},
                "attempt": {"N": "1"},
                "lease_until": {"N": str(epoch_ms(now + self._lease))},
                "claim": {"S": token},
                "status_history[999]": history_line(_taken(now)),  # past its end: added there
            }
        )
        claiming = statement(self._table, task_id, Status.PENDING, 0, change)
        return {
            **claiming,
            # A row of before there were versions is not claimed by this; `claim` looks into it.
            "Statement": claiming["Statement"] + ' AND "version" <= ? RETURNING ALL NEW *',
            "Parameters": [*claiming["Parameters"], {"N": str(ROW_VERSION)}],
        }


def _outcome_of(claiming: Callable[[], Task | None]) -> Claim:
    """Return what claiming a task came to, an error that is one task's included."""
    try:
        return claiming()
    except (UnavailableError, UnreadableTaskError) as error:
        return error


def _is_out_of_reach(row: Row, now: datetime, send_ids: Collection[str]) -> bool:
    """Return whether a row's task is another worker's, has ended or expired, for messages with these `send_id`."""
    if is_expired(row):
        return True
    status = row.get("status", {}).get("S")
    if status == Status.PROCESSING:
        return int(row["lease_until"]["N"]) >= epoch_ms(now)
    if status == Status.FAILED:
        return row.get("dead", {}).get("S") not in send_ids
    return status in {Status.COMPLETED, Status.CANCELLED}


def _given_back(task: Task) -> dict[str, AttributeValueTypeDef]:
    """Return what an attempt changes that gives its task back; for a while the sweeper leaves it to its message."""
    due_at = epoch_ms(utc_now() + SWEEP_AFTER)
    return {"lease_until": {"N": "0"}, "due_at": {"N": str(due_at)}, **billed(task.bill)}


def _taken(now: datetime) -> Transition:
    return Transition(Status.PROCESSING, rfc3339(now), "A worker took the task.")
