"""Ends API keys that were rotated, once their overlap with the key that took their place is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tasks.aws import client
from tasks.errors import UnavailableError
from tasks.logs import Event, logger

if TYPE_CHECKING:
    from datetime import datetime

    from tasks.rotated_keys import RotatedKeys


def end_rotated_keys(keys: RotatedKeys, now: datetime) -> None:
    """Have API Gateway refuse the keys that are due; what fails is logged and left to the next run."""
    try:
        due = keys.due(now)
    except UnavailableError:
        logger.warning(
            "Rotated keys could not be read", event=Event.PART_UNAVAILABLE, part="rotated keys", exc_info=True
        )
        return
    for key_id in due:
        try:
            _disable(key_id)
            keys.remove(key_id)
        except (ClientError, BotoCoreError, UnavailableError):
            logger.exception("A rotated key was not ended", event=Event.KEY_NOT_ENDED, key_id=key_id)
        else:
            logger.info("A rotated key was ended", event=Event.KEY_ENDED, key_id=key_id)


def _disable(key_id: str) -> None:
    """Disable a key; one that was deleted needs nothing."""
    try:
        client("apigateway").update_api_key(
            apiKey=key_id, patchOperations=[{"op": "replace", "path": "/enabled", "value": "false"}]
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "NotFoundException":
            raise
