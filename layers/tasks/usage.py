"""What each key has used, day by day: rows of the tasks table beside its tasks, written by functions/notifier/usage.py.

| attribute               | of the row `usage/<owner>/<day>`                                                  |
|-------------------------|-----------------------------------------------------------------------------------|
| tasks, shots,           | sums over the owner's tasks that ended on that day (UTC): how many, the shots of  |
| billed_ms, cost_usd     | the completed ones, milliseconds and US dollars of all their attempts             |
| <status>/<one of these> | the same of those that ended with this status                                     |
| tag/<tag>/<the same>    | the same of those with this tag                                                   |
| tags                    | those tags, a set: the first MAX_TAGS of the day; others are summed up under ""    |
| s/<shard>               | up to where a shard of the table's stream has been added up                       |
| owner, submitted_at     | `usage/<day>` and the owner: the index of owners lists who has used what on a day |
| expires_at              | after KEPT                                                                        |

A task counts on the day on which it ended, once it has; one that is redriven leaves the day on which it had failed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tasks.errors import UnavailableError
from tasks.open_work import OpenWork, row_of
from tasks.rows import key_of, seconds, tags_in
from tasks.table import OWNERS_INDEX, rows_of
from tasks.task import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from tasks.rows import Row

KEPT = timedelta(days=400)
MAX_TAGS = 50  # of one owner and day that are summed up by themselves: a row has 400 KB, and each write costs by it
ENDS = tuple(status for status in Status if status.ended)
FIELDS = ("tasks", "shots", "billed_ms", "cost_usd")


@dataclass(frozen=True, slots=True)
class Sums:
    """How many tasks, how many shots completed ones had, and the worker's milliseconds and US dollars for all."""

    tasks: int = 0
    shots: int = 0
    billed_ms: int = 0
    cost_usd: Decimal = Decimal(0)

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.tasks + other.tasks,
            self.shots + other.shots,
            self.billed_ms + other.billed_ms,
            self.cost_usd + other.cost_usd,
        )

    def __neg__(self) -> Sums:
        return Sums(-self.tasks, -self.shots, -self.billed_ms, -self.cost_usd)

    @classmethod
    def of(cls, row: Row, prefix: str = "") -> Sums:
        """Return the sums that a row has under names with this prefix."""
        tasks, shots, billed_ms, cost_usd = (row.get(prefix + name, {}).get("N", "0") for name in FIELDS)
        return cls(int(tasks), int(shots), int(billed_ms), Decimal(cost_usd))


@dataclass(frozen=True, slots=True)
class Ended:
    """A task that has ended: whose it is, on which day (UTC) it ended and how, what it adds to the sums, its tags."""

    owner: str
    day: date
    status: Status
    sums: Sums
    tags: Sequence[str]

    @classmethod
    def of(cls, row: Row) -> Ended:
        """Return the one that a row holds."""
        status = Status(row["status"]["S"])
        ended_at = datetime.fromisoformat(row["status_history"]["L"][-1]["M"]["transitioned_at"]["S"])
        sums = Sums(
            tasks=1,
            shots=int(row["shots"]["N"]) * int(row.get("bindings", {}).get("N", "1")) * (status is Status.COMPLETED),
            billed_ms=int(row.get("billed_ms", {}).get("N", "0")),
            cost_usd=Decimal(row.get("cost_usd", {}).get("N", "0")),
        )
        return Ended(row["owner"]["S"], ended_at.astimezone(UTC).date(), status, sums, tags_in(row))


@dataclass(frozen=True, slots=True)
class DayUsage:
    """One owner's usage of one day. The sums of `tags` overlap: a task counts with each of its tags."""

    total: Sums = Sums()
    statuses: Mapping[Status, Sums] = field(default_factory=dict)
    tags: Mapping[str, Sums] = field(default_factory=dict)

    @classmethod
    def of(cls, row: Row) -> DayUsage:
        """Return what a row holds."""
        tags = row.get("tags", {}).get("SS", ())
        return cls(
            Sums.of(row),
            {status: Sums.of(row, status_prefix(status)) for status in ENDS},
            {tag: Sums.of(row, tag_prefix(tag)) for tag in tags} | _others(row),
        )


class Usage:
    """Reads what owners have used; each method raises UnavailableError."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def days(self, owner: str, first: date, last: date) -> dict[date, DayUsage]:
        """Return an owner's usage of each day from `first` to `last` on which one of its tasks ended."""
        keys = {key(owner, day): day for day in days_between(first, last)}
        rows = rows_of(self._client, self._table, list(keys), consistent=False)
        return _days_in(rows, keys)

    def days_and_open_work(
        self, owner: str, first: date, last: date, now: datetime
    ) -> tuple[dict[date, DayUsage], OpenWork]:
        """Return what `days` does and, of the same call for up to 99 days, what the owner has open and has spent."""
        keys = {key(owner, day): day for day in days_between(first, last)}
        rows = rows_of(self._client, self._table, [*keys, row_of(owner)], consistent=False)
        return _days_in(rows, keys), OpenWork.of(rows.get(row_of(owner), {}), now)

    def forget_tags(self, owner: str, today: date) -> None:
        """Remove an owner's tags, and what was summed up by them, from all days that there can be."""
        keys = [key(owner, day) for day in days_between(today - KEPT, today)]
        rows = rows_of(self._client, self._table, keys, consistent=True)
        for each, row in rows.items():
            if names := {f"#{at}": name for at, name in enumerate(_tag_names(row))}:
                try:
                    self._client.update_item(
                        TableName=self._table,
                        Key=key_of(each),
                        UpdateExpression=f"REMOVE {', '.join(names)}",
                        ExpressionAttributeNames=names,
                    )
                except (ClientError, BotoCoreError) as error:
                    raise UnavailableError("DynamoDB") from error

    def of_all(self, day: date) -> dict[str, DayUsage]:
        """Return the day's usage of each owner that has any."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=OWNERS_INDEX,
            KeyConditionExpression="#owner = :day",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":day": {"S": listed_as(day)}},
        )
        try:
            owners = [item["submitted_at"]["S"] for page in pages for item in page["Items"]]
        except (ClientError, BotoCoreError) as error:
            raise UnavailableError("DynamoDB") from error
        rows = rows_of(self._client, self._table, [key(owner, day) for owner in owners], consistent=False)
        return {row["submitted_at"]["S"]: DayUsage.of(row) for row in rows.values()}


def _days_in(rows: Mapping[str, Row], keys: Mapping[str, date]) -> dict[date, DayUsage]:
    return {day: DayUsage.of(rows[each]) for each, day in keys.items() if each in rows}


def _tag_names(row: Row) -> list[str]:
    return [name for name in row if name == "tags" or name.startswith("tag/")]


def by_prefix(ends: Iterable[Ended], known: frozenset[str]) -> tuple[frozenset[str], dict[str, Sums]]:
    """Return which tags get sums of their own in a row that has `known`, and what its sums get, by their prefixes."""
    tags: set[str] = set()
    changes: defaultdict[str, Sums] = defaultdict(Sums)
    for end in ends:
        changes[""] += end.sums
        changes[status_prefix(end.status)] += end.sums
        for tag in end.tags:
            if tag in known or len(known | tags) < MAX_TAGS:
                tags.add(tag)
        for prefix in {tag_prefix(tag if tag in tags else "") for tag in end.tags}:
            changes[prefix] += end.sums
    return frozenset(tags), changes


def as_numbers(changes: Mapping[str, Sums]) -> dict[str, AttributeValueTypeDef]:
    """Return the attributes for sums by their prefixes; those that are zero have none."""
    return {
        prefix + name: {"N": format(number, "f") if isinstance(number, Decimal) else str(number)}
        for prefix, sums in changes.items()
        for name in FIELDS
        if (number := getattr(sums, name))
    }


def key(owner: str, day: date) -> str:
    """Return the key of the row of an owner's day."""
    return f"usage/{owner}/{day.isoformat()}"


def listed_as(day: date) -> str:
    """Return the owner under whom the index lists the rows of a day; no API key has such an id."""
    return f"usage/{day.isoformat()}"


def listing(owner: str, day: date) -> dict[str, AttributeValueTypeDef]:
    """Return the attributes of a row of usage beside its sums: by which it is listed, and when it expires."""
    expires_at = datetime.combine(day, time(), UTC) + KEPT
    return {"owner": {"S": listed_as(day)}, "submitted_at": {"S": owner}, "expires_at": seconds(expires_at)}


def status_prefix(status: Status) -> str:
    """Return what the names of a status's sums begin with."""
    return f"{status}/"


def tag_prefix(tag: str) -> str:
    """Return what the names of a tag's sums begin with; "" stands for tags that are not summed up by themselves."""
    return f"tag/{tag}/"


def days_between(first: date, last: date) -> Iterator[date]:
    """Yield the days from `first` to `last`, both included."""
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _others(row: Row) -> dict[str, Sums]:
    return {"": Sums.of(row, tag_prefix(""))} if tag_prefix("") + "tasks" in row else {}
