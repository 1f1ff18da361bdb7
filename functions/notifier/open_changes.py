"""What the records of the table's stream change in their owners' open work (layers/tasks/open_work.py)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sums import Addition
from tasks.open_work import EVER_SECONDS, EVER_TASKS, OPEN_SECONDS, OPEN_TASKS, dollars_in, row_of
from tasks.task import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def open_changes(records: Sequence[Mapping[str, Any]]) -> Iterator[Addition]:
    """Yield what each record adds; one that is of no task, or of one that nobody counts, adds nothing.

    What counts is the difference of the images before and after, so that whatever ends, revives or deletes a task,
    what was added for it is taken away again once. What cannot be read is passed over; the notifier has logged it.
    """
    for record in records:
        try:
            amounts = _amounts(record["dynamodb"])
            if amounts:
                yield Addition(row_of(_owner(record["dynamodb"])), record["dynamodb"]["SequenceNumber"], amounts)
        except (KeyError, IndexError, ArithmeticError):
            continue


def _amounts(written: Mapping[str, Any]) -> dict[str, Decimal]:
    old, new = written.get("OldImage", {}), written.get("NewImage", {})
    amounts = {
        name: after - before
        for name, before, after in zip((OPEN_TASKS, OPEN_SECONDS), _open(old), _open(new), strict=True)
        if after != before
    }
    if not old:  # a new task
        amounts |= dict(zip((EVER_TASKS, EVER_SECONDS), _open(new), strict=True))
    if new.get("status", {}).get("S") in _BILLABLE:
        for image, sign in ((new, 1), (old, -1)):
            if cost := _cost(image):
                ended_at = image["status_history"]["L"][-1]["M"]["transitioned_at"]["S"]
                amounts[dollars_in(ended_at)] = amounts.get(dollars_in(ended_at), Decimal()) + sign * cost
    return {name: amount for name, amount in amounts.items() if amount}


_ENDS = {str(status) for status in Status if status.ended}
# What a task has cost is taken off again when a redrive brings it back. A row that is purged or replaced takes nothing.
_BILLABLE = _ENDS | {str(Status.PROCESSING)}


def _cost(image: Mapping[str, Any]) -> Decimal:
    """Return what a row's task has cost if it has ended, in all its attempts."""
    if image.get("status", {}).get("S") not in _ENDS:
        return Decimal()
    return Decimal(image.get("cost_usd", {}).get("N", "0"))


def _owner(written: Mapping[str, Any]) -> str:
    owner: str = (written.get("NewImage") or written["OldImage"])["owner"]["S"]
    return owner


def _open(image: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
    """Return what a row counts among its owner's open tasks, and their seconds.

    Rows of before there was such a count have no `counted_seconds`, and are in no sum.
    """
    if "counted_seconds" not in image or "open_shard" not in image:
        return Decimal(), Decimal()
    return Decimal(1), Decimal(image["counted_seconds"]["N"])
