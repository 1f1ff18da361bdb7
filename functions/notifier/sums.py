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
from tasks.errors import UnavailableError
from tasks.rows import key_of
from tasks.table import refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

# A shard's records are gone from the stream after 24 hours (DynamoDB developer guide), and with them its mark's use.
MARK_SECONDS = 30 * 3600
ROW_SECONDS = 62 * 24 * 3600  # how long a row is kept to which nothing is added


@dataclass(frozen=True, slots=True)
class Addition:
    """What one record, by its sequence number in its shard, adds to the attributes of the row `row`."""

    row: str
    sequence_number: str
    amounts: Mapping[str, Decimal]


@dataclass
class Sums:
    """The rows of sums in a table, and the attribute for the shard that is read."""

    client: DynamoDBClient
    table: str
    shard: str
    now: float = field(default_factory=time.time)

    def add(self, additions: Iterable[Addition]) -> None:
        """Add what was not added before; raises UnavailableError, and whoever tries again adds the rest."""
        by_row: defaultdict[str, list[Addition]] = defaultdict(list)
        for addition in additions:
            by_row[addition.row].append(addition)
        for row, its_own in by_row.items():
            new = sorted(its_own, key=lambda addition: position_of(addition.sequence_number))
            while new and (there := self._add(row, new)):  # some of them were added before
                mark = there[self.shard]["M"]["to"]["S"]
                new = [each for each in new if position_of(each.sequence_number) > mark]

    def _add(self, row: str, additions: Sequence[Addition]) -> Mapping[str, Any]:
        """Add to one row, in order; return the row instead if it has the first of them already, else nothing."""
        amounts: defaultdict[str, Decimal] = defaultdict(Decimal)
        for addition in additions:
            for name, amount in addition.amounts.items():
                amounts[name] += amount
        names = {f"#{index}": name for index, name in enumerate(amounts)}
        values: dict[str, Any] = {
            f":{index}": {"N": format(amount, "f")} for index, amount in enumerate(amounts.values())
        }
        mark = {"to": {"S": position_of(additions[-1].sequence_number)}, "at": {"N": str(int(self.now))}}
        adds = ", ".join(f"{name} {value}" for name, value in zip(names, values, strict=True))
        try:
            answer = self.client.update_item(
                TableName=self.table,
                Key=key_of(row),
                UpdateExpression=f"ADD {adds} SET #mark = :mark, expires_at = :expires",
                ConditionExpression="attribute_not_exists(#mark) OR #mark.#to < :first",
                ExpressionAttributeNames={**names, "#mark": self.shard, "#to": "to"},
                ExpressionAttributeValues={
                    **values,
                    ":mark": {"M": mark},
                    ":expires": {"N": str(int(self.now) + ROW_SECONDS)},
                    ":first": {"S": position_of(additions[0].sequence_number)},
                },
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except (ClientError, BotoCoreError) as error:
            return refused(error)
        self._forget_marks(row, answer["Attributes"])
        return {}

    def _forget_marks(self, row: str, attributes: Mapping[str, Any]) -> None:
        """Remove marks of shards that are gone: DynamoDB begins new shards a few times a day."""
        gone = [
            name
            for name, value in attributes.items()
            if name.startswith(PREFIX) and int(value["M"]["at"]["N"]) < self.now - MARK_SECONDS
        ]
        if not gone:
            return
        names = {f"#{index}": name for index, name in enumerate(gone)}
        try:
            self.client.update_item(
                TableName=self.table,
                Key=key_of(row),
                UpdateExpression=f"REMOVE {', '.join(names)}",
                ExpressionAttributeNames=names,
            )
        except (ClientError, BotoCoreError) as error:
            raise UnavailableError("DynamoDB") from error
