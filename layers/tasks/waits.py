"""Places for answers that wait: how many do at a time, over all environments of the api, is bounded in the table.

An environment knows nothing of the others, and each answer that waits keeps one busy. So there is a row for each place,
and who waits holds one by a conditional write. Half of the places are open to one owner, which ones follows from a hash
of the owner: no owner holds more than that half, all together hold no more than there are, and nothing is counted that
could go wrong. A place that nobody gave back is free again when its wait would have ended.
"""

from __future__ import annotations

import hashlib
import random
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tasks.logs import Event, logger
from tasks.rows import key_of
from tasks.task import epoch_ms, utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

TRIES = 3  # places that are looked at before there is none: each costs a write
MARGIN_MS = 2_000  # for the last read before an answer


class Waits:
    """The places; `most` of them in all, and `most_of_owner` for one owner."""

    def __init__(self, client: DynamoDBClient, table: str, most: int) -> None:
        self._client = client
        self._table = table
        self.most = most
        self.most_of_owner = (most + 1) // 2

    @contextmanager
    def place(self, owner: str, seconds: float) -> Iterator[bool]:
        """Hold a place for at most `seconds`; gives False where none was found, without an error whatever failed."""
        token = uuid.uuid4().hex
        row = self._taken(owner, token, seconds)
        try:
            yield row is not None
        finally:
            if row is not None:
                self._write(row, token, until=0, condition="claim = :token")

    def _taken(self, owner: str, token: str, seconds: float) -> str | None:
        """Take one of the owner's places; return its row's key."""
        until = epoch_ms(utc_now()) + int(seconds * 1000) + MARGIN_MS
        for row in self._places(owner):
            if self._write(row, token, until, "attribute_not_exists(held_until) OR held_until < :now"):
                return row
        return None

    def _places(self, owner: str) -> list[str]:
        """Return the keys of some of the owner's places, in any order."""
        first = int.from_bytes(hashlib.sha256(owner.encode()).digest()[:8])
        own = [f"wait-{(first + index) % self.most}" for index in range(self.most_of_owner)]
        return random.sample(own, min(TRIES, len(own)))

    def _write(self, row: str, token: str, until: int, condition: str) -> bool:
        """Say until when a place is held, if the condition holds; return whether it was written."""
        values = {":until": {"N": str(until)}, ":token": {"S": token}}
        if ":now" in condition:
            values[":now"] = {"N": str(epoch_ms(utc_now()))}
        try:
            self._client.update_item(
                TableName=self._table,
                Key=key_of(row),
                UpdateExpression="SET held_until = :until, claim = :token",
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
            )
        except (ClientError, BotoCoreError) as error:
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
            if code != "ConditionalCheckFailedException":
                logger.warning(
                    "The places for waiting do not answer", event=Event.PART_UNAVAILABLE, part="waits", exc_info=True
                )
            return False
        return True
