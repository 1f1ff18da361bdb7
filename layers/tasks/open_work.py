"""What an owner has open and has spent this month: one row an owner, which the notifier adds up and the api reads.

A task counts from its submission until it ends, with the compute seconds of its row's `counted_seconds`: what the api
estimates, at most the time that one task may run, and as long for a program that may loop for ever. What an ended task
has cost counts for the month of its end, UTC. The notifier adds each change of the table's stream once, a second or two
after it (functions/notifier/sums.py).

| attribute         | what it holds                                                                   |
|-------------------|---------------------------------------------------------------------------------|
| open_tasks        | tasks that have not ended                                                       |
| open_seconds      | their compute seconds                                                           |
| ever_tasks,       | all tasks that were ever submitted, and their compute seconds                   |
| ever_seconds      |                                                                                 |
| dollars_<month>   | what tasks that ended in it have cost, as dollars_2026-11                       |
| most_tasks,       | the owner's own bounds, where `make keys` gave it some: see Most                |
| most_seconds,     |                                                                                 |
| most_dollars      |                                                                                 |
| grants            | what environments of the api may accept, by a name of each: see bounds.py       |
| s/<shard>         | up to where a shard of the table's stream has been added up                     |

The row stays for as long as the table: its bounds outlive its tasks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from tasks.rows import key_of
from tasks.table import refused, row_at

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

    from tasks.rows import Row

OPEN_TASKS = "open_tasks"
OPEN_SECONDS = "open_seconds"
EVER_TASKS = "ever_tasks"
EVER_SECONDS = "ever_seconds"
GRANTS = "grants"


@dataclass(frozen=True, slots=True)
class Most:
    """The most that an owner may have: tasks that have not ended, their compute seconds, and dollars in a month."""

    tasks: float
    seconds: float
    dollars: float

    def but(self, own: Mapping[str, float]) -> Most:
        """Return these, except for what an owner has of its own."""
        return Most(**{each.name: own.get(each.name, getattr(self, each.name)) for each in fields(self)})


@dataclass(frozen=True, slots=True)
class Grant:
    """How many tasks, of how many compute seconds, an environment may accept; others count them until then (ms)."""

    tasks: int
    seconds: float
    until: int

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Self:
        """Return the one that an attribute holds."""
        held = value["M"]
        return cls(int(held["tasks"]["N"]), float(held["seconds"]["N"]), int(held["until"]["N"]))

    def as_value(self) -> dict[str, Any]:
        """Return it as an attribute."""
        numbers = {"tasks": self.tasks, "seconds": f"{self.seconds:.3f}", "until": self.until}
        return {"M": {name: {"N": str(number)} for name, number in numbers.items()}}


@dataclass(frozen=True, slots=True)
class OpenWork:
    """An owner's tasks that have not ended, their compute seconds, and the dollars that a month has cost.

    `own` has the bounds that are the owner's own, by their names in Most, and `grants` is the attribute as it was read.
    `ever_tasks` and `ever_seconds` are those that the sums have had in all.
    """

    tasks: int = 0
    seconds: float = 0.0
    dollars: float = 0.0
    own: Mapping[str, float] = field(default_factory=dict)
    grants: Mapping[str, Any] | None = field(default=None, compare=False)
    ever_tasks: int = field(default=0, compare=False)
    ever_seconds: float = field(default=0.0, compare=False)

    @classmethod
    def of(cls, row: Row, now: datetime) -> OpenWork:
        """Return what an owner's row holds."""

        def number(name: str) -> float:
            return float(row.get(name, {}).get("N", "0"))

        return cls(
            max(0, int(number(OPEN_TASKS))),
            max(0.0, number(OPEN_SECONDS)),
            max(0.0, number(dollars_in(now.isoformat()))),
            {
                each.name: int(text) if text.isdecimal() else float(text)
                for each in fields(Most)
                if (text := row.get(f"most_{each.name}", {}).get("N"))
            },
            row.get(GRANTS, {}).get("M"),
            int(number(EVER_TASKS)),
            number(EVER_SECONDS),
        )


def row_of(owner: str) -> str:
    """Return the key of the owner's row."""
    return f"OPEN#{owner}"


def dollars_in(moment: str) -> str:
    """Return the attribute for the month of a moment in RFC 3339, UTC."""
    return f"dollars_{moment[:7]}"


def attributes(now: datetime) -> tuple[str, ...]:
    """Return the names of what `OpenWork.of` looks at."""
    own = (f"most_{each.name}" for each in fields(Most))
    return (OPEN_TASKS, OPEN_SECONDS, EVER_TASKS, EVER_SECONDS, dollars_in(now.isoformat()), *own, GRANTS)


def read_open_work(client: DynamoDBClient, table: str, owner: str, now: datetime) -> OpenWork:
    """Return an owner's sums as they were a moment ago; raises UnavailableError."""
    return OpenWork.of(row_at(client, table, row_of(owner), *attributes(now), consistent=False) or {}, now)


def write_grants(
    client: DynamoDBClient, table: str, owner: str, was: Mapping[str, Any] | None, grants: Mapping[str, Any]
) -> tuple[bool, Row]:
    """Write an owner's grants if they still are what they were; return whether, and the row as it is now.

    Raises UnavailableError.
    """
    values: dict[str, Any] = {":grants": {"M": grants}}
    condition = f"attribute_not_exists({GRANTS})"
    if was is not None:
        values[":was"] = {"M": was}
        condition = f"{GRANTS} = :was"
    try:
        answer = client.update_item(
            TableName=table,
            Key=key_of(row_of(owner)),
            UpdateExpression=f"SET {GRANTS} = :grants",
            ConditionExpression=condition,
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except (ClientError, BotoCoreError) as error:
        return False, refused(error)
    return True, answer["Attributes"]


def set_most(client: DynamoDBClient, table: str, owner: str, own: Mapping[str, float]) -> None:
    """Give an owner bounds of its own, by their names in Most; raises botocore's errors."""
    client.update_item(
        TableName=table,
        Key=key_of(row_of(owner)),
        UpdateExpression="SET " + ", ".join(f"most_{name} = :{name}" for name in own),
        ExpressionAttributeValues={
            f":{name}": {"N": format(Decimal(str(number)), "f")} for name, number in own.items()
        },
    )
