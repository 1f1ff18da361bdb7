"""`make recount OWNER=<as `make keys` lists>`: count again what a key has open and has used, where its sums drifted.

They drift if a reader of the table's stream stands still for a day. The tasks' rows say what is right, those of purged
tasks too, but of a task that has just changed nobody knows whether the sums have its record yet. So nothing is written
unless rows and sums stay as they are for a while, and then only if the sums are still the same.

What a key has used is counted again for each day of which there still is a task. Rows go TaskRetentionDays after their
submission, so of the oldest of these days some may be missing: there a day is written only if it becomes no less. This
month's dollars, which bound the key, are those of its days. Each row of the key is read, for an eighth of a dollar a
million.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.deployed import deployed
from local.ministack import LocalStackError
from tasks.errors import UnavailableError
from tasks.open_work import OPEN_SECONDS, OPEN_TASKS, dollars_in, row_of
from tasks.purging import WAS, purged_of
from tasks.rows import key_of, only
from tasks.table import OWNERS_INDEX, refused, rows_of
from tasks.task import Status, utc_now
from tasks.usage import Ended, Sums, as_numbers, by_prefix, days_between, key, listing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from tasks.rows import Row
    from tasks.table import TaskTable

SETTLED_S = 75.0  # a record of the stream is added up within a second or two, to what was used within a minute
LONGEST_OPEN = timedelta(days=14)  # as long as SQS keeps a task's message
OPEN = (OPEN_TASKS, OPEN_SECONDS)
MARK = "s/"  # of a shard, in rows of sums


class RecountError(Exception):
    """It cannot be done now; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Recounted:
    """An owner's open tasks, their compute seconds and this month's dollars, as the sums had them and as they are now.

    `days` are those whose usage was wrong; `kept` are those of which rows are missing, left as they were.
    """

    was: tuple[Decimal, ...]
    is_now: tuple[Decimal, ...]
    days: tuple[date, ...] = ()
    kept: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class _Look:
    """What there is at a moment: the row of sums and those of days, and what the tasks' rows add up to.

    All tasks that ended on the day `whole_from` or later still have a row; those of `purged` days, some without tags.
    """

    sums: Row
    days: Mapping[date, Row]
    open_now: tuple[Decimal, Decimal]
    ended: Mapping[date, Sequence[Ended]]
    whole_from: date
    purged: frozenset[date]


class Recount:
    """Counts again for one owner; methods raise UnavailableError."""

    def __init__(self, client: DynamoDBClient, table: str, owner: str, now: datetime) -> None:
        self._client = client
        self._table = table
        self._owner = owner
        self._now = now

    def carry_out(self, tasks: TaskTable) -> Recounted:
        """Write what differs; raises RecountError while tasks or sums change."""
        first = self._look(tasks)
        # Between two looks the stream must catch up; an operator's command may wait, and nothing tells it when.
        time.sleep(SETTLED_S)
        if self._look(tasks) != first:
            raise self._changing()
        days, kept = [], []
        dollars = Decimal()
        for day in {*first.days, *first.ended}:
            row, ends = first.days.get(day, {}), first.ended.get(day, ())
            counted = sum((end.sums for end in ends), Sums())
            if day < first.whole_from and counted.tasks < Sums.of(row).tasks:
                kept.append(day)
                counted = Sums.of(row)
            elif _sums_in(new := self._row(day, ends), day in first.purged) != _sums_in(row, day in first.purged):
                self._write_day(row, new)
                days.append(day)
            if (day.year, day.month) == (self._now.year, self._now.month):
                dollars += counted.cost_usd
        names = (*OPEN, dollars_in(self._now.isoformat()))
        was = tuple(Decimal(first.sums[name]["N"]) if name in first.sums else Decimal() for name in names)
        is_now = (*first.open_now, dollars)
        if was != is_now:
            self._write_sums(names, first.sums, is_now)
        return Recounted(was, is_now, tuple(sorted(days)), tuple(sorted(kept)))

    def _changing(self) -> RecountError:
        return RecountError(
            f"Tasks of {self._owner!r} change: run this again when the key is quiet, or disable it first."
        )

    def _look(self, tasks: TaskTable) -> _Look:
        """Look at everything; consistently, except for the index, which follows its table within a second."""
        names = (*OPEN, dollars_in(self._now.isoformat()))
        sums = rows_of(self._client, self._table, [row_of(self._owner)], consistent=True, **only("task_id", *names))
        ended: defaultdict[date, list[Ended]] = defaultdict(list)
        kept, purged = [timedelta.max], set()
        for row in self._rows():
            kept.append(_moment(row["expires_at"]) - datetime.fromisoformat(row["submitted_at"]["S"]))
            image = {**row, **row.get("was", {}).get("M", {})}
            if image.get("status", {}).get("S") in _ENDS:
                end = Ended.of(image)
                ended[end.day].append(end)
                if "was" in row:
                    purged.add(end.day)
        first = min(ended, default=self._now.date())
        keys = {key(self._owner, day): day for day in days_between(first, self._now.date())}
        rows = rows_of(self._client, self._table, list(keys), consistent=True)
        days = {keys[name]: row for name, row in rows.items()}
        open_now = counted(self._client, self._table, tasks, self._owner)
        retention = min(*kept, timedelta(days=400))
        whole_from = (self._now - retention + LONGEST_OPEN).date()
        return _Look(sums.get(row_of(self._owner), {}), days, open_now, ended, whole_from, frozenset(purged))

    def _rows(self) -> list[Row]:
        """Return what rows of the owner's tasks say of their ends, by their ids, so that two looks are alike."""
        ids = []
        pages = self._client.get_paginator("query")
        try:
            for owner in (self._owner, purged_of(self._owner)):
                for page in pages.paginate(
                    TableName=self._table,
                    IndexName=OWNERS_INDEX,
                    KeyConditionExpression="#owner = :owner",
                    ExpressionAttributeNames={"#owner": "owner"},
                    ExpressionAttributeValues={":owner": {"S": owner}},
                ):
                    ids += [item["task_id"]["S"] for item in page["Items"]]
        except (ClientError, BotoCoreError) as error:
            raise UnavailableError("DynamoDB") from error
        wanted = only("task_id", "owner", "submitted_at", "expires_at", "tags", "was", *WAS)
        rows = rows_of(self._client, self._table, ids, consistent=True, **wanted)
        return [row for _, row in sorted(rows.items())]

    def _row(self, day: date, ends: Sequence[Ended]) -> dict[str, Any]:
        """Return the row of a day, without marks, for tasks that ended on it."""
        tags, changes = by_prefix(ends, frozenset())
        row: dict[str, Any] = {**key_of(key(self._owner, day)), **listing(self._owner, day), **as_numbers(changes)}
        return row | ({"tags": {"SS": sorted(tags)}} if tags else {})

    def _write_day(self, row: Row, new: Mapping[str, Any]) -> None:
        """Put a day's row in the place of what was read."""
        marks = {name: value for name, value in row.items() if name.startswith(MARK)}
        names = ["tasks", "billed_ms", "cost_usd", *marks]
        self._write(
            lambda condition: self._client.put_item(TableName=self._table, Item={**marks, **new}, **condition),
            names,
            row,
        )

    def _write_sums(self, names: Sequence[str], sums: Row, numbers: Sequence[Decimal]) -> None:
        """Set the sums."""
        new = {f":new{at}": {"N": format(number, "f")} for at, number in enumerate(numbers)}
        self._write(
            lambda condition: self._client.update_item(
                TableName=self._table,
                Key=key_of(row_of(self._owner)),
                UpdateExpression="SET " + ", ".join(f"#{at} = :new{at}" for at in range(len(names))),
                **{
                    **condition,
                    "ExpressionAttributeValues": {**condition.get("ExpressionAttributeValues", {}), **new},
                },
            ),
            names,
            sums,
        )

    def _write(self, write: Any, names: Sequence[str], row: Row) -> None:  # noqa: ANN401 - a call of boto3's
        """Write on the condition that these attributes are as in `row`; raises RecountError if they are not."""
        held = {at: name for at, name in enumerate(names) if name in row}
        conditions = [f"#{at} = :was{at}" if at in held else f"attribute_not_exists(#{at})" for at in range(len(names))]
        condition: dict[str, Any] = {
            "ConditionExpression": " AND ".join(conditions),
            "ExpressionAttributeNames": {f"#{at}": name for at, name in enumerate(names)},
        }
        if held:
            condition["ExpressionAttributeValues"] = {f":was{at}": row[name] for at, name in held.items()}
        try:
            write(condition)
        except (ClientError, BotoCoreError) as error:
            refused(error)
            raise self._changing() from error


_ENDS = {str(status) for status in Status if status.ended}


def _moment(seconds: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(seconds["N"]), UTC)


def _sums_in(row: Row, without_tags: bool) -> dict[str, Any]:  # noqa: FBT001 - or with
    """Return a day's row without its marks, and without the tags' sums where purged tasks no longer have theirs."""
    left_out = (MARK, "tag") if without_tags else (MARK,)
    return {name: _comparable(value) for name, value in row.items() if not name.startswith(left_out)}


def _comparable(value: Mapping[str, Any]) -> object:
    """Return an attribute's value so that equal ones are equal: numbers may end in zeros, and sets have no order."""
    if "N" in value:
        return Decimal(value["N"])
    return sorted(value["SS"]) if "SS" in value else value


def counted(client: DynamoDBClient, table: str, tasks: TaskTable, owner: str) -> tuple[Decimal, Decimal]:
    """Return how many tasks of an owner have not ended, and their compute seconds.

    Those that have expired are among them: the stream takes them off when DynamoDB deletes them.
    """
    attributes = only("task_id", "owner", "open_shard", "counted_seconds")  # without `expires_at` none has expired
    rows = rows_of(client, table, [task.task_id for task in tasks.open_tasks()], consistent=True, **attributes)
    seconds = [
        Decimal(row["counted_seconds"]["N"])
        for row in rows.values()
        if row.get("owner", {}).get("S") == owner and "open_shard" in row and "counted_seconds" in row
    ]
    return Decimal(len(seconds)), sum(seconds, Decimal())


def lines(owner: str, found: Recounted) -> list[str]:
    """Return what to print."""

    def shown(numbers: Sequence[Decimal]) -> str:
        tasks, seconds, dollars = numbers
        return f"{tasks:,} tasks of {seconds:,.3f} s open and {dollars:,.6f} dollars this month"

    was, now = shown(found.was), shown(found.is_now)
    lines = [
        f"{owner} has {now}; its sums were right." if found.was == found.is_now else f"{owner} has {now}, not {was}."
    ]
    if found.days:
        lines.append(f"Its usage was wrong on {', '.join(map(str, found.days))}.")
    if found.kept:
        lines.append(f"Not corrected, because tasks of that time have expired: {', '.join(map(str, found.kept))}.")
    return lines


def main(arguments: list[str]) -> int:
    """Count again and print what changed; return the exit status."""
    parser = argparse.ArgumentParser(prog="make recount", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("owner", help="the owner of the API key, as `make keys` lists it")
    owner = parser.parse_args(arguments).owner
    try:
        stack = deployed(os.environ.get("STACK", ""))
        client = stack.session.client("dynamodb", endpoint_url=stack.endpoint)
        recount = Recount(client, stack.outputs["TASKS_TABLE_NAME"], owner, utc_now())
        found = recount.carry_out(stack.task_table())
    except (RecountError, LocalStackError, UnavailableError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(lines(owner, found)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
