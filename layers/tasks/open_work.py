"""What an owner has open and has spent this month: one row an owner, which the notifier adds up and the api reads.

A task counts from its submission until it ends, with the compute seconds of its row's `counted_seconds`: what the api
estimates, at most the time that one task may run, and as long for a program that may loop for ever. What an ended task
has cost counts for the month of its end, UTC. The notifier adds each change of the table's stream once, a second or two
after it (functions/notifier/sums.py).

| attribute         | what it holds                                             |
|-------------------|-----------------------------------------------------------|
| open_tasks        | tasks that have not ended                                 |
| open_seconds      | their compute seconds                                     |
| dollars_<month>   | what tasks that ended in it have cost, as dollars_2026-11 |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.table import row_at

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

OPEN_TASKS = "open_tasks"
OPEN_SECONDS = "open_seconds"


@dataclass(frozen=True, slots=True)
class OpenWork:
    """An owner's tasks that have not ended, their compute seconds, and the dollars that a month has cost."""

    tasks: int = 0
    seconds: float = 0.0
    dollars: float = 0.0


def row_of(owner: str) -> str:
    """Return the key of the owner's row."""
    return f"OPEN#{owner}"


def dollars_in(moment: str) -> str:
    """Return the attribute for the month of a moment in RFC 3339, UTC."""
    return f"dollars_{moment[:7]}"


def read_open_work(client: DynamoDBClient, table: str, owner: str, now: datetime) -> OpenWork:
    """Return an owner's sums as they were a moment ago; raises UnavailableError."""
    dollars = dollars_in(now.isoformat())
    row = row_at(client, table, row_of(owner), OPEN_TASKS, OPEN_SECONDS, dollars, consistent=False) or {}
    numbers = {name: float(value["N"]) for name, value in row.items()}
    return OpenWork(
        max(0, int(numbers.get(OPEN_TASKS, 0))), max(0.0, numbers.get(OPEN_SECONDS, 0.0)), numbers.get(dollars, 0.0)
    )
