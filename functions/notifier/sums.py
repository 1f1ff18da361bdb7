"""Sums over the table's stream, in rows of the table itself: each record is added once, however often it comes.

Lambda hands records over at least once, those of a shard in order the first time. A row of sums holds for each shard
the position of the last record that was added, and adding is one write on the condition that this position is before
those which are added. So a batch that comes again, in part or in other company, and a stream that is read from its
beginning again, add nothing twice.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from shards import PREFIX, position_of
from tasks.rows import key_of
from tasks.table import refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from tasks.rows import Row

# A shard's records are gone from the stream after 24 hours (DynamoDB developer guide), and with them its mark's use.
MARK_SECONDS = 30 * 3600


@dataclass(frozen=True, slots=True)
class Stretch:
    """Records of a shard, given by its attribute, from the position of the first to that of the last."""

    shard: str
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Addition:
    """What one record, by its sequence number in its shard, adds to the attributes of the row `row`."""

    row: str
    sequence_number: str
    amounts: Mapping[str, Decimal]


def add_once(  # noqa: PLR0913 - a write, and what it writes on which condition
    client: DynamoDBClient,
    table: str,
    row: str,
    stretch: Stretch,
    adds: Mapping[str, Mapping[str, Any]],
    *,
    sets: Mapping[str, Mapping[str, Any]] | None = None,
    only_if: Sequence[str] = (),
    values: Mapping[str, Mapping[str, Any]] | None = None,
    now: float | None = None,
) -> Row | None:
    """Add numbers and sets to a row's attributes, and set others; return the row instead if it has the first record.

    `only_if` has further conditions, upon whose failure the row is returned too. Raises UnavailableError.
    """
    at = time.time() if now is None else now
    mark = {"to": {"S": stretch.last}, "at": {"N": str(int(at))}}
    added = {f"#{index}": name for index, name in enumerate(adds)}
    given = {f"#s{index}": name for index, name in enumerate(sets or {})}
    update = "SET " + ", ".join(["#mark = :mark", *(f"{name} = :{name[1:]}" for name in given)])
    if added:
        update += " ADD " + ", ".join(f"{name} :{name[1:]}" for name in added)
    try:
        answer = client.update_item(
            TableName=table,
            Key=key_of(row),
            UpdateExpression=update,
            ConditionExpression=" AND ".join(["(attribute_not_exists(#mark) OR #mark.#to < :first)", *only_if]),
            ExpressionAttributeNames={"#mark": stretch.shard, "#to": "to", **added, **given},
            ExpressionAttributeValues={
                ":mark": {"M": mark},
                ":first": {"S": stretch.first},
                **{f":{index}": value for index, value in enumerate(adds.values())},
                **{f":s{index}": value for index, value in enumerate((sets or {}).values())},
                **(values or {}),
            },
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        _forget_marks(client, table, row, answer["Attributes"], at)
    except (ClientError, BotoCoreError) as error:
        return refused(error)
    return None


def added_up_to(row: Row, shard: str) -> str:
    """Return the position up to which a row has the records of a shard; "" is before all of them."""
    return row[shard]["M"]["to"]["S"] if shard in row else ""


def _forget_marks(client: DynamoDBClient, table: str, row: str, attributes: Row, now: float) -> None:
    """Remove marks of shards that are gone: DynamoDB begins new shards a few times a day."""
    gone = [
        name
        for name, value in attributes.items()
        if name.startswith(PREFIX) and int(value["M"]["at"]["N"]) < now - MARK_SECONDS
    ]
    if not gone:
        return
    names = {f"#{index}": name for index, name in enumerate(gone)}
    client.update_item(
        TableName=table,
        Key=key_of(row),
        UpdateExpression=f"REMOVE {', '.join(names)}",
        ExpressionAttributeNames=names,
    )


@dataclass
class SumRows:
    """The rows of sums in a table, and the attribute for the shard that is read."""

    client: DynamoDBClient
    table: str
    shard: str
    now: float = field(default_factory=time.time)

    def add(self, additions: Iterable[Addition]) -> None:
        """Add what was not added before; raises UnavailableError; another try adds the rest."""
        by_row: defaultdict[str, list[Addition]] = defaultdict(list)
        for addition in additions:
            by_row[addition.row].append(addition)
        for row, its_own in by_row.items():
            new = sorted(its_own, key=lambda addition: position_of(addition.sequence_number))
            while new and (there := self._add(row, new)):  # some of them were added before
                mark = added_up_to(there, self.shard)
                new = [each for each in new if position_of(each.sequence_number) > mark]

    def _add(self, row: str, additions: Sequence[Addition]) -> Row | None:
        """Add to one row, in order; return the row instead if it has the first of them already."""
        amounts: defaultdict[str, Decimal] = defaultdict(Decimal)
        for addition in additions:
            for name, amount in addition.amounts.items():
                amounts[name] += amount
        stretch = Stretch(
            self.shard, position_of(additions[0].sequence_number), position_of(additions[-1].sequence_number)
        )
        adds = {name: {"N": format(amount, "f")} for name, amount in amounts.items()}
        return add_once(self.client, self.table, row, stretch, adds, now=self.now)
