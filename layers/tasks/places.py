"""Places in the table: how many do something at a time, over all environments of a function, which know no other.

There is a row for each place, and who is at it holds one by a conditional write, so nothing is counted that could go
wrong. A place that nobody gave back is free again when its time is over.
"""

from __future__ import annotations

import hashlib
import random
import uuid
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tasks.logs import Event, logger
from tasks.rows import key_of, seconds
from tasks.task import epoch_ms, utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

TRIES = 3  # places that an answer looks at before there is none: each costs a write
MARGIN = timedelta(seconds=2)  # for the last read before an answer
KEPT = timedelta(days=1)  # a row, after which DynamoDB deletes it: there may be one for each host that strangers name


class Places:
    """The places that are rows of a table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    @contextmanager
    def held(self, rows: Sequence[str], time: timedelta) -> Iterator[bool]:
        """Hold one of the rows for at most so long; gives False where none is free, without an error whatever failed.

        Each that is looked at costs a write.
        """
        token = uuid.uuid4().hex
        until = utc_now() + time + MARGIN
        free = "attribute_not_exists(held_until) OR held_until < :now"
        row = next((row for row in rows if self._write(row, token, until, free)), None)
        try:
            yield row is not None
        finally:
            if row is not None:
                self._write(row, token, None, "claim = :token")

    def _write(self, row: str, token: str, until: datetime | None, condition: str) -> bool:
        """Say until when a place is held, if the condition holds; return whether it was written."""
        now = utc_now()
        values = {
            ":until": {"N": str(epoch_ms(until) if until else 0)},
            ":token": {"S": token},
            ":expires": seconds(now + KEPT),
        }
        if ":now" in condition:
            values[":now"] = {"N": str(epoch_ms(now))}
        try:
            self._client.update_item(
                TableName=self._table,
                Key=key_of(row),
                UpdateExpression="SET held_until = :until, claim = :token, expires_at = :expires",
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
            )
        except (ClientError, BotoCoreError) as error:
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
            if code != "ConditionalCheckFailedException":
                logger.warning("No place could be taken", event=Event.PART_UNAVAILABLE, part="places", exc_info=True)
            return False
        return True


class Waits:
    """The places for answers that wait: each keeps an environment of the api busy. `most` of them, half for one owner.

    Which half follows from a hash of the owner: no owner holds more than that, and all together no more than there are.
    """

    def __init__(self, client: DynamoDBClient, table: str, most: int) -> None:
        self._places = Places(client, table)
        self.most = most
        self.most_of_owner = (most + 1) // 2

    def place(self, owner: str, seconds: float) -> AbstractContextManager[bool]:
        """Hold a place for at most `seconds`; gives False where none was found, without an error whatever failed."""
        return self._places.held(self._rows(owner), timedelta(seconds=seconds))

    def _rows(self, owner: str) -> list[str]:
        """Return the keys of some of the owner's places, in any order."""
        first = int.from_bytes(hashlib.sha256(owner.encode()).digest()[:8])
        own = [f"wait-{(first + index) % self.most}" for index in range(self.most_of_owner)]
        return random.sample(own, min(TRIES, len(own)))
