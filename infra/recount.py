"""`make recount OWNER=<as `make keys` lists>`: count anew what a key has open, should its sums have drifted.

They drift if the notifier does not read the table's stream for a day. The tasks' rows say what is right, but of a task
that has just changed nobody knows whether the sums have its record yet. So nothing is written unless rows and sums stay
as they are for a while, and then only if the sums are still the same. Dollars are left as they are.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local.ministack import LocalStackError
from local.running import deployed
from tasks.errors import UnavailableError
from tasks.open_work import OPEN_SECONDS, OPEN_TASKS, row_of
from tasks.rows import key_of, only
from tasks.table import refused, rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from mypy_boto3_dynamodb import DynamoDBClient

    from tasks.table import TaskTable

SETTLED_S = 15.0  # a record of the stream is added up within a second or two
NAMES = (OPEN_TASKS, OPEN_SECONDS)


class RecountError(Exception):
    """It cannot be done now; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Recounted:
    """What an owner's row of sums had, and what its tasks' rows add up to: tasks, and their compute seconds."""

    was: tuple[Decimal, ...]
    is_now: tuple[Decimal, ...]


def recount(client: DynamoDBClient, table: str, tasks: TaskTable, owner: str) -> Recounted:
    """Write an owner's sums anew if they differ; raises RecountError while they change, and UnavailableError."""
    looks = []
    for pause_s in (0.0, SETTLED_S):
        # Between two looks the stream must catch up; an operator's command may wait, and nothing tells it when.
        time.sleep(pause_s)
        looks.append((_sums(client, table, owner), counted(client, table, tasks, owner)))
    (sums, rows), again = looks
    changing = RecountError(f"Tasks of {owner!r} change: run this again when the key is quiet, or disable it first.")
    if again != (sums, rows):
        raise changing
    was = tuple(Decimal(sums[name]["N"]) if name in sums else Decimal() for name in NAMES)
    if was != rows and not _written(client, table, owner, sums, rows):
        raise changing
    return Recounted(was, rows)


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


def _sums(client: DynamoDBClient, table: str, owner: str) -> Mapping[str, Any]:
    try:
        answer = client.get_item(TableName=table, Key=key_of(row_of(owner)), ConsistentRead=True, **only(*NAMES))
    except (ClientError, BotoCoreError) as error:
        raise UnavailableError("DynamoDB") from error
    return answer.get("Item", {})


def _written(
    client: DynamoDBClient, table: str, owner: str, sums: Mapping[str, Any], rows: tuple[Decimal, ...]
) -> bool:
    """Write the sums if they still are these; return whether they were."""
    conditions = [f"{name} = :was_{name}" if name in sums else f"attribute_not_exists({name})" for name in NAMES]
    values = {f":{name}": {"N": format(number, "f")} for name, number in zip(NAMES, rows, strict=True)}
    try:
        client.update_item(
            TableName=table,
            Key=key_of(row_of(owner)),
            UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in NAMES),
            ConditionExpression=" AND ".join(conditions),
            ExpressionAttributeValues={**values, **{f":was_{name}": value for name, value in sums.items()}},
        )
    except (ClientError, BotoCoreError) as error:
        refused(error)
        return False
    return True


def main(arguments: list[str]) -> int:
    """Count anew and print what changed; return the exit status."""
    parser = argparse.ArgumentParser(prog="make recount", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("owner", help="the owner of the API key, as `make keys` lists it")
    owner = parser.parse_args(arguments).owner
    try:
        stack = deployed(os.environ.get("STACK", ""))
        client = stack.session.client("dynamodb", endpoint_url=stack.endpoint)
        found = recount(client, stack.outputs["TASKS_TABLE_NAME"], stack.task_table(), owner)
    except (RecountError, LocalStackError, UnavailableError) as error:
        print(error, file=sys.stderr)
        return 1
    was, now = (f"{tasks:,} tasks, {seconds:,.3f} s" for tasks, seconds in (found.was, found.is_now))
    print(f"{owner} has {now} open; its sums were right." if was == now else f"{owner} has {now} open, not {was}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
