"""The tasks table as it is read: one task, an owner's list, and what the sweeper and operators look at."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from tasks.errors import TaskPurgedError, UnavailableError, UnreadableTaskError
from tasks.logs import Event, logger
from tasks.rows import (
    ALONE,
    LISTED,
    OPEN_SHARDS,
    PURGED_OWNER,
    ROW_VERSION,
    Rows,
    is_expired,
    key_of,
    only,
    tags_in,
    version_of,
)
from tasks.task import Lane, Status, Task, epoch_ms, utc_now

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef

    from tasks.payloads import Payloads
    from tasks.rows import Row

OPEN_TASKS_INDEX = "open-tasks"  # of every task that has not ended: open_shard, due_at; sparse, keys only
OWNERS_INDEX = "tasks-by-owner"  # of every task: owner, submitted_at; keys only, none of which ever changes
MAX_LOOKED_AT = 500  # rows that one page of a list may look at in search of more
MAX_SEARCHED = 5_000  # rows that one request may look at behind these in search of the first
_KEYS = 1_000  # of them in one Query
_GET_BATCH = 100  # most keys in one BatchGetItem
_GET_PAUSES_S = (0.0, 0.1, 0.2, 0.4, 0.8)  # before each try; those after the first, after an answer that left keys out
# After a lease ran out; by then SQS has delivered a dead worker's message again, if it was hidden for the lease.
ABANDONED_AFTER = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class OpenTask:
    """A task that has not ended, as the sweeper's index lists it. `due_at` is in epoch milliseconds."""

    task_id: str
    due_at: int


class Holder(StrEnum):
    """Who has a task that has not ended."""

    NOBODY = "nobody"  # it waits for a worker to receive its message
    WORKER = "worker"  # by its lease
    LATE_WORKER = "late worker"  # whose lease ran out a moment ago
    DEAD_WORKER = "dead worker"  # whose lease ran out ABANDONED_AFTER ago


@dataclass(frozen=True, slots=True)
class Standing:
    """How a task that has not ended stands: whose, in which lane, in whose hands, and when submitted (epoch ms)."""

    owner: str
    lane: Lane
    holder: Holder
    submitted_ms: int


@dataclass(frozen=True, slots=True)
class Position:
    """A place in an owner's list of tasks, newest first: just after this task."""

    submitted_at: str
    task_id: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which tasks of a list are wanted: with one of `statuses`, this name, all of `tags`, submitted after a moment.

    What is empty is any.
    """

    statuses: Collection[str] = ()
    name: str = ""
    tags: Collection[str] = ()
    submitted_after: str = ""

    @property
    def are_all(self) -> bool:
        """Whether every task of the time is."""
        return not (self.statuses or self.name or self.tags)

    def include(self, row: Row) -> bool:
        """Return whether the task of a row of that time is."""
        if self.statuses and row["status"]["S"] not in self.statuses:
            return False
        if self.name and row.get("name", {}).get("S") != self.name:
            return False
        return not self.tags or set(self.tags).issubset(tags_in(row))


@dataclass(frozen=True, slots=True)
class Page:
    """Some of an owner's tasks, newest first, without their outcomes; `following` is None when there are no more."""

    tasks: Sequence[Task]
    following: Position | None


class TaskTable:
    """Reads tasks; one that has expired is not there, and one that was purged is in no list.

    Methods raise UnavailableError if DynamoDB or S3 fails, and those that read one task TaskPurgedError.
    """

    def __init__(self, client: DynamoDBClient, table: str, payloads: Payloads) -> None:
        self._client = client
        self._table = table
        self._payloads = payloads
        self._rows = Rows(payloads)

    def get(self, task_id: str) -> Task | None:
        """Return the task without its circuit's text (see `circuit`), or None when there is none."""
        task = self.glance(task_id)
        return None if task is None else self.with_outcome(task)

    def glance(self, task_id: str, owner: str = "") -> Task | None:
        """Return what `get` does, without looking into the bucket: a large outcome stays there.

        Raises TaskPurgedError when it was the task of this `owner`.
        """
        # The circuit stays behind; it is billed all the same, as DynamoDB bills whole rows.
        row = self._row(task_id, *ALONE, owner=owner)
        return None if row is None else self._rows.task(row)

    def with_outcome(self, task: Task) -> Task:
        """Return what `glance` returned as `get` does; raises PayloadGoneError."""
        return self._rows.with_outcome(task)

    def whole(self, task_id: str, owner: str, *, with_outcome: bool = False) -> Task | None:
        """Return the owner's task with its circuit and all its options, by default without its outcome, or None.

        Raises TaskPurgedError.
        """
        outcome = ("outcome", "outcome_object") if with_outcome else ()
        named = (*LISTED, "options", "options_key", "circuit", "circuit_key", *outcome)
        row = self._row(task_id, *named, owner=owner)
        if row is None or row["owner"]["S"] != owner:
            return None
        return self.with_outcome(self._rows.task_to_run(row))

    def circuit(self, task_id: str, owner: str) -> str | None:
        """Return the text of the owner's circuit, or None when there is no such task of the owner's.

        Raises TaskPurgedError.
        """
        row = self._row(task_id, "owner", "circuit", "circuit_key", owner=owner)
        return self._rows.circuit(row) if row is not None and row["owner"]["S"] == owner else None

    def outcome(self, task_id: str, owner: str) -> Mapping[str, Any] | None:
        """Return the outcome of the owner's task, however large, empty unless it is completed; None without a task.

        Raises TaskPurgedError and PayloadGoneError.
        """
        row = self._row(task_id, *ALONE, owner=owner)
        if row is None or row["owner"]["S"] != owner:
            return None
        return self._rows.whole_outcome(self._rows.task(row))

    def file_url(self, name: str, data: bytes, content_type: str) -> str:
        """Store a file that is made of a task's outcome, for a day, and return a URL that reads it for an hour.

        `name` begins with the task's id, by which a purge finds it.
        """
        key = f"files/{name}"
        self._payloads.put_file(key, data, content_type)
        return self._payloads.url(key)

    def _row(self, task_id: str, *attributes: str, owner: str = "") -> Row | None:
        """Return these attributes of a task's row, or None when there is none; raises TaskPurgedError to its owner."""
        # Strongly consistent: a client that just received an id, or a result, must find it.
        row = row_at(self._client, self._table, task_id, *attributes, PURGED_OWNER, consistent=True)
        if row is None or PURGED_OWNER not in row:
            return row
        if row[PURGED_OWNER]["S"] == owner:
            raise TaskPurgedError
        return None

    def page(
        self,
        owner: str,
        limit: int,
        *,
        wanted: Wanted = Wanted(),
        behind: Position | None = None,
        search: int = MAX_LOOKED_AT,
    ) -> Page:
        """Return the next tasks of an owner's list, newest first: at most `limit`, only those that are `wanted`.

        A page may be shorter and yet have one following, where few tasks are wanted: it ends once MAX_LOOKED_AT rows
        were looked at, or `search` while none was found. A task is in the list some milliseconds after it was stored:
        indexes of DynamoDB follow their table.
        """
        found: list[Task] = []
        looked_at = 0
        while True:
            at_once = limit - len(found) if wanted.are_all else _KEYS if looked_at else _GET_BATCH
            keys, more = self._positions(owner, wanted.submitted_after, behind, at_once)
            for start in range(0, len(keys), _GET_BATCH):
                some = keys[start : start + _GET_BATCH]
                # Consistent: a task that was read as ended is not pending in the list. Far back tasks do not change.
                consistent = looked_at < MAX_LOOKED_AT
                rows = self._rows_of([key.task_id for key in some], LISTED, consistent=consistent)
                for index, key in enumerate(some, start):
                    row = rows.get(key.task_id)  # None: expired a moment ago
                    if row is not None and wanted.include(row):
                        found += self._readable([row])
                    if len(found) == limit:
                        return Page(found, key if more or index + 1 < len(keys) else None)
                looked_at += len(some)
                behind = some[-1]
                if looked_at >= (MAX_LOOKED_AT if found else search):
                    return Page(found, behind if more or behind is not keys[-1] else None)
            if not more:
                return Page(found, None)

    def _positions(
        self, owner: str, submitted_after: str, behind: Position | None, limit: int
    ) -> tuple[list[Position], bool]:
        """Return the next keys of an owner's tasks, newest first, and whether there are more.

        Whatever `behind` says, the owner is the one that the keys are asked for.
        """
        if behind is not None and behind.submitted_at <= submitted_after:
            return [], False  # DynamoDB refuses to start outside of what is asked for
        request: QueryInputTypeDef = {
            "TableName": self._table,
            "IndexName": OWNERS_INDEX,
            "KeyConditionExpression": "#owner = :owner AND submitted_at > :after",
            "ExpressionAttributeNames": {"#owner": "owner"},
            "ExpressionAttributeValues": {":owner": {"S": owner}, ":after": {"S": submitted_after or "0"}},
            "ScanIndexForward": False,
            "Limit": limit + 1,  # one more tells whether there is more
        }
        if behind is not None:
            request["ExclusiveStartKey"] = {
                **key_of(behind.task_id),
                "owner": {"S": owner},
                "submitted_at": {"S": behind.submitted_at},
            }
        try:
            answer = self._client.query(**request)
        except (ClientError, BotoCoreError) as error:
            raise UnavailableError("DynamoDB") from error
        keys = [Position(item["submitted_at"]["S"], item["task_id"]["S"]) for item in answer["Items"]]
        return keys[:limit], len(keys) > limit

    def look(self, task_ids: Sequence[str]) -> list[Task]:
        """Return those of at most 100 tasks that there are, as they stood a moment ago, without circuit or outcome."""
        return self._readable(self._rows_of(task_ids, LISTED, consistent=False).values())

    def _readable(self, rows: Iterable[Row]) -> list[Task]:
        """Return rows as tasks; one that cannot be read is logged, and does not hide the others."""
        tasks = []
        for row in rows:
            try:
                tasks.append(self._rows.task(row))
            except UnreadableTaskError:
                logger.exception("A task cannot be read", event=Event.TASK_UNREADABLE, task_id=row["task_id"]["S"])
        return tasks

    def open_tasks(self, *, due_before: datetime | None = None, due_from: datetime | None = None) -> Iterator[OpenTask]:
        """Yield the tasks that have not ended, by shard and then by due time; all, or those of one side of a moment."""
        query = self._client.get_paginator("query")
        for shard in range(OPEN_SHARDS):
            condition = "open_shard = :shard"
            values: dict[str, AttributeValueTypeDef] = {":shard": {"S": str(shard)}}
            if due_before is not None:
                condition += " AND due_at < :before"
                values[":before"] = {"N": str(epoch_ms(due_before))}
            if due_from is not None:
                condition += " AND due_at >= :from"
                values[":from"] = {"N": str(epoch_ms(due_from))}
            pages = query.paginate(
                TableName=self._table,
                IndexName=OPEN_TASKS_INDEX,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
            )
            try:
                for page in pages:
                    for item in page["Items"]:
                        yield OpenTask(item["task_id"]["S"], int(item["due_at"]["N"]))
            except (ClientError, BotoCoreError) as error:
                raise UnavailableError("DynamoDB") from error

    def standings(self, task_ids: Sequence[str]) -> dict[str, Standing]:
        """Return how those of the tasks stand that have not ended; what this code cannot read is left out."""
        now = utc_now()
        attributes = ("task_id", "owner", "status", "lane", "lease_until", "submitted_at", "version")
        found = {}
        for task_id, row in self._rows_of(task_ids, attributes, consistent=False).items():
            try:
                if version_of(row) <= ROW_VERSION and not Status(row["status"]["S"]).ended:
                    found[task_id] = _standing(row, now)
            except (KeyError, ValueError):
                logger.exception("A task cannot be read", event=Event.TASK_UNREADABLE, task_id=task_id)
        return found

    def _rows_of(self, task_ids: Sequence[str], attributes: Sequence[str], *, consistent: bool) -> dict[str, Row]:
        """Return these attributes of the rows that there are, by task id, which must be among them."""
        projection = only(*attributes, "expires_at", PURGED_OWNER)
        rows = rows_of(self._client, self._table, task_ids, consistent=consistent, **projection)
        return {task_id: row for task_id, row in rows.items() if PURGED_OWNER not in row}


def row_at(client: DynamoDBClient, table: str, key: str, *attributes: str, consistent: bool) -> Row | None:
    """Return these attributes and `expires_at` of a row, None when there is none or it has expired.

    Raises UnavailableError.
    """
    try:
        answer = client.get_item(
            TableName=table, Key=key_of(key), ConsistentRead=consistent, **only(*attributes, "expires_at")
        )
    except (ClientError, BotoCoreError) as error:
        raise UnavailableError("DynamoDB") from error
    row = answer.get("Item")
    return None if row is None or is_expired(row) else row


def rows_of(
    client: DynamoDBClient,
    table: str,
    keys: Sequence[str],
    *,
    consistent: bool,
    **projection: Any,  # noqa: ANN401 - of BatchGetItem
) -> dict[str, Row]:
    """Return the rows with these keys that there are and that have not expired, by key; raises UnavailableError."""
    found: dict[str, Row] = {}
    for start in range(0, len(keys), _GET_BATCH):
        wanted: dict[str, Any] = {
            table: {
                "Keys": [key_of(key) for key in keys[start : start + _GET_BATCH]],
                "ConsistentRead": consistent,
                **projection,
            }
        }
        for pause_s in _GET_PAUSES_S:
            # What a throttled table leaves out comes in an answer that succeeded, so boto3 does not ask again; AWS
            # asks for exponential backoff before the next try (BatchGetItem, UnprocessedKeys): 1.5 s in all.
            if pause_s:
                time.sleep(pause_s)
            try:
                answer = client.batch_get_item(RequestItems=wanted)
            except (ClientError, BotoCoreError) as error:
                raise UnavailableError("DynamoDB") from error
            found |= {row["task_id"]["S"]: row for row in answer["Responses"][table] if not is_expired(row)}
            wanted = answer.get("UnprocessedKeys", {})
            if not wanted:
                break
        else:
            raise UnavailableError("DynamoDB")
    return found


def _standing(row: Row, now: datetime) -> Standing:
    lease_until = int(row["lease_until"]["N"])
    if lease_until == 0:  # pending, returned, or sent for after its worker died
        holder = Holder.NOBODY
    elif lease_until < epoch_ms(now - ABANDONED_AFTER):
        holder = Holder.DEAD_WORKER
    elif lease_until < epoch_ms(now):
        holder = Holder.LATE_WORKER
    else:
        holder = Holder.WORKER
    submitted = datetime.fromisoformat(row["submitted_at"]["S"])
    lane = Lane(row.get("lane", {}).get("S", Lane.SMALL))
    return Standing(row["owner"]["S"], lane, holder, epoch_ms(submitted))


def refused(error: ClientError | BotoCoreError, kind: type[UnavailableError] = UnavailableError) -> Row:
    """Return the row that a condition refused to change, empty if there is none; else raise an error of that kind."""
    if isinstance(error, ClientError) and error.response["Error"]["Code"] == "ConditionalCheckFailedException":
        row: Row = error.response.get("Item", {})  # type: ignore[assignment]  # untyped
        return row
    raise kind("DynamoDB") from error
