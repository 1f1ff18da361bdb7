"""A shard of the table's stream and the positions in it, as rows of sums hold them: up to where they have its records.

Lambda names the shard in an event only where the mapping has windows (TumblingWindowInSeconds). At a window's end it
calls once more, perhaps without records; an answer without a `state` it takes for a failure.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

ANSWER: Final[Mapping[str, Any]] = {"state": {}}  # of a function that is called with windows
PREFIX = "s/"  # of the attributes for shards


def shard_of(event: Mapping[str, Any]) -> str:
    """Return the attribute for the shard that an event's records are of: short, as a row has several.

    MiniStack names none: its streams are of one shard.
    """
    shard_id = event.get("shardId", "the only one")
    return PREFIX + base64.urlsafe_b64encode(hashlib.sha256(shard_id.encode()).digest()[:6]).decode()


def position_of(sequence_number: str) -> str:
    """Return a sequence number as a text that is greater for greater numbers: its length comes first."""
    number = str(int(sequence_number))
    return f"{len(number):02}{number}"
