"""Places for answers that wait: each keeps an environment of the api busy, so how many do at a time is bounded.

Half of the places are open to one owner, which ones follows from a hash of the owner: no owner holds more than that
half, and all together hold no more than there are.
"""

from __future__ import annotations

import hashlib
import random
from datetime import timedelta
from typing import TYPE_CHECKING

from tasks.places import Places

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from mypy_boto3_dynamodb import DynamoDBClient

TRIES = 3  # places that are looked at before there is none: each costs a write


class Waits:
    """The places; `most` of them in all, and `most_of_owner` for one owner."""

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
