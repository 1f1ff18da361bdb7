"""Purging: of a task that has ended, its circuit, options, result and labels are removed at once.

What is left, until the task would have expired, is a row that says whose it was, when it was purged, and under `was`
how it ended and what it had cost, for `make recount`. Its owner reads `task_purged`; its message, should there be one,
finds nothing to do; no list has it, as the index has it under an owner that nobody is.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from tasks.errors import PurgeUnconfirmedError, UnavailableError
from tasks.rows import PURGED_OWNER, key_of
from tasks.table import refused, row_at
from tasks.task import Status, rfc3339, utc_now

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from tasks.payloads import Payloads
    from tasks.rows import Row

# A worker finds a cancellation at its next heartbeat, a third of a lease later; one that is dead finds none.
STOPS_WITHIN = timedelta(seconds=60)
_ENDS = {f":{status}": {"S": str(status)} for status in Status if status.ended}


# What is kept of a task, so that what its owner has used can be counted again.
WAS = ("status", "status_history", "shots", "bindings", "billed_ms", "cost_usd")


def purged_of(owner: str) -> str:
    """Return the owner under whom the index lists an owner's purged tasks; no API key has such an id."""
    return f"purged/{owner}"


class Purging:
    """Removes what ended tasks hold; methods raise UnavailableError."""

    def __init__(self, client: DynamoDBClient, table: str, payloads: Payloads) -> None:
        self._client = client
        self._table = table
        self._payloads = payloads

    def purge(self, task_id: str, owner: str) -> bool:
        """Purge the owner's task; return False, with nothing changed, when it has not ended or is not there.

        A cancelled task has ended once its worker has stopped it and billed it, after STOPS_WITHIN at the latest.
        The bucket comes first: after a fault in between, the row is still there to be purged. Raises
        PurgeUnconfirmedError once something may be gone.
        """
        wanted = ("owner", "claim", "submitted_at", *WAS)
        row = row_at(self._client, self._table, task_id, *wanted, consistent=True) or {}
        is_owners = row.get("owner", {}).get("S") == owner
        if not is_owners or row.get("status") not in _ENDS.values() or _is_stopping(row):
            return False
        try:
            self._payloads.delete_of(task_id)
        except UnavailableError as error:
            raise PurgeUnconfirmedError(error.service) from error
        return self._replace(task_id, owner, row)

    def _replace(self, task_id: str, owner: str, row: Row) -> bool:
        """Put what is left in the place of an ended task's row; return False when it has not ended after all."""
        was: dict[str, Any] = {name: row[name] for name in WAS if name in row}
        was["status_history"] = {"L": row["status_history"]["L"][-1:]}
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    **key_of(task_id),
                    PURGED_OWNER: {"S": owner},
                    "purged_at": {"S": rfc3339(utc_now())},
                    "expires_at": row["expires_at"],
                    "owner": {"S": purged_of(owner)},
                    "submitted_at": row["submitted_at"],
                    "was": {"M": was},
                },
                ConditionExpression=f"#owner = :owner AND #status IN ({', '.join(_ENDS)})",
                ExpressionAttributeNames={"#owner": "owner", "#status": "status"},
                ExpressionAttributeValues={":owner": {"S": owner}, **_ENDS},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except (ClientError, BotoCoreError) as error:
            # Its own first try, whose answer was lost, may have been carried out; so may somebody else's.
            return refused(error, PurgeUnconfirmedError).get(PURGED_OWNER, {}).get("S") == owner
        return True


def _is_stopping(row: Row) -> bool:
    """Return whether a worker may still run a task that was cancelled, and is to say what that took."""
    if row["status"]["S"] != Status.CANCELLED or "claim" not in row:
        return False
    cancelled_at = datetime.fromisoformat(row["status_history"]["L"][-1]["M"]["transitioned_at"]["S"])
    return utc_now() < cancelled_at + STOPS_WITHIN
