"""The usage function: changes of the tasks table in; what each key has used, day by day, added up in the table's rows.

Each end counts exactly once. Lambda delivers the records of a shard of the stream in order, and delivers some of them
again after a failure, or when a mapping begins again with the stream's 24 hours. So each row says up to which sequence
number of each shard it has been added up, and one conditional write adds the rest and advances that number. The mapping
has windows because only then an event names its shard.

What a task has cost, in all its attempts, is what its row says at its end. A task that had failed because of a dead
letter, and that a redrive brings back, is subtracted again: its row's second end is added in its place. The bill of a
cancelled task may grow once more, when its worker has stopped: the difference is added.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from shards import ANSWER, position_of, shard_of
from sums import Stretch, add_once, added_up_to
from tasks.aws import client
from tasks.errors import UnavailableError
from tasks.logs import Event, logger
from tasks.settings import settings
from tasks.task import Status
from tasks.usage import Ended, Sums, as_numbers, by_prefix, key, listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from tasks.rows import Row

TRIES = 10  # of one write whose row others change: the consumers of other shards, and this one's own earlier call
MAX_SEEN = 1_000  # rows whose tags this environment remembers; a row that has others refuses the write, and says so
_tags_seen: dict[str, frozenset[str]] = {}


@dataclass(frozen=True, slots=True)
class Entry(Ended):
    """What one change of a task adds to a day of its owner's; a task that runs again is taken off by a negative one."""

    position: str  # in the shard; later ones are greater


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Add up the changes; raises when a row could not be written: Lambda then calls again with the same records."""
    logger.append_keys(correlation_id=context.aws_request_id)
    records = event.get("Records", ())  # a window's last call may have none
    shard = shard_of(event)
    by_row: defaultdict[tuple[str, date], list[Entry]] = defaultdict(list)
    for entry in entries(records):
        by_row[entry.owner, entry.day].append(entry)
    for (owner, day), found in by_row.items():
        UsageRow(owner, day, shard).add(found)
    logger.info("Added up what was used", event=Event.USAGE_ADDED, rows=len(by_row), records=len(records))
    return dict(ANSWER)


def entries(records: Sequence[Mapping[str, Any]]) -> Iterator[Entry]:
    """Yield what the stream's records add; one that cannot be read is logged and passed over."""
    for record in records:
        try:
            yield from list(_entries(record["dynamodb"]))
        except (KeyError, ValueError, IndexError):
            sequence_number = record.get("dynamodb", {}).get("SequenceNumber")
            logger.exception("A record is not valid", event=Event.RECORD_MALFORMED, sequence_number=sequence_number)


def _entries(written: Mapping[str, Any]) -> Iterator[Entry]:
    new, old = written.get("NewImage", {}), written.get("OldImage", {})
    status, before = new.get("status", {}).get("S"), old.get("status", {}).get("S")
    position = position_of(written["SequenceNumber"])
    if status in _ENDS and before not in _ENDS:
        yield _entry(position, new, 1)
    elif status == Status.PROCESSING and before == Status.FAILED:
        yield _entry(position, old, -1)
    elif status == before == Status.CANCELLED:  # it was counted when it was cancelled, and its worker has stopped now
        more, counted = _entry(position, new, 0), _entry(position, old, 0)
        if more.sums != counted.sums:
            yield replace(more, sums=more.sums + -counted.sums)


_ENDS = {str(status) for status in Status if status.ended}


def _entry(position: str, row: Row, tasks: int) -> Entry:
    """Return what so many tasks more, or one fewer, with a row as this one add."""
    ended = Ended.of(row)
    sums = replace(ended.sums, tasks=abs(tasks))
    return Entry(ended.owner, ended.day, ended.status, -sums if tasks < 0 else sums, ended.tags, position)


class UsageRow:
    """The row of an owner's day, as the records of one shard are added to it."""

    def __init__(self, owner: str, day: date, shard: str) -> None:
        self._owner = owner
        self._day = day
        self._shard = shard
        self._key = key(owner, day)

    def add(self, found: Sequence[Entry]) -> None:
        """Add entries in their order, except for what the row has already; raises UnavailableError."""
        known, fresh = _tags_seen.get(self._key, frozenset()), found
        for _ in range(TRIES):
            tags, changes = by_prefix(fresh, known)
            row = self._write(fresh, changes, tags, known)
            if row is None:
                if len(_tags_seen) >= MAX_SEEN:
                    _tags_seen.clear()
                _tags_seen[self._key] = known | tags
                return
            known = frozenset(row.get("tags", {}).get("SS", ()))
            fresh = [entry for entry in found if entry.position > added_up_to(row, self._shard)]
            if not fresh:
                return
        raise UnavailableError("DynamoDB")

    def _write(
        self, fresh: Sequence[Entry], changes: Mapping[str, Sums], tags: frozenset[str], known: frozenset[str]
    ) -> Row | None:
        """Add `changes` and `tags`; return the row instead if it is beyond the first entry.

        If it gets tags beside those `known`, it must have exactly these: together there are not too many.
        """
        adds: dict[str, Mapping[str, Any]] = {**as_numbers(changes)}
        if tags:
            adds["tags"] = {"SS": sorted(tags)}
        only_if: list[str] = []
        values = {}
        if tags - known:
            only_if = ["tags = :known" if known else "attribute_not_exists(tags)"]
            values = {":known": {"SS": sorted(known)}} if known else {}
        stretch = Stretch(self._shard, fresh[0].position, fresh[-1].position)
        return add_once(
            client("dynamodb"),
            settings().tasks_table,
            self._key,
            stretch,
            adds,
            sets=listing(self._owner, self._day),
            only_if=only_if,
            values=values,
        )
