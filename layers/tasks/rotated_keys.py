"""API keys that were rotated and still work: one row of the tasks table, by which the sweeper ends those that are due.

API Gateway knows no date on which a key ends. `make keys ROTATE=...` writes it into this row, an attribute a key, as
epoch seconds under the key's id, and tags the key: the sweeper may change keys with this tag alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tasks.errors import UnavailableError
from tasks.rows import key_of, seconds
from tasks.table import rows_of

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

ROW = "rotated-keys"
TAG = "rotated-in"  # whose value is the stack's name


class RotatedKeys:
    """The row; methods raise UnavailableError."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, key_id: str, ends_at: datetime) -> None:
        """Have the sweeper end a key."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=key_of(ROW),
                UpdateExpression="SET #key = :ends_at",
                ExpressionAttributeNames={"#key": key_id},
                ExpressionAttributeValues={":ends_at": seconds(ends_at)},
            )
        except (ClientError, BotoCoreError) as error:
            raise UnavailableError("DynamoDB") from error

    def due(self, now: datetime) -> list[str]:
        """Return the ids of the keys whose time is over."""
        row = rows_of(self._client, self._table, [ROW], consistent=False).get(ROW, {})
        return sorted(name for name, value in row.items() if "N" in value and int(value["N"]) <= now.timestamp())

    def remove(self, key_id: str) -> None:
        """Forget a key that has ended."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=key_of(ROW),
                UpdateExpression="REMOVE #key",
                ExpressionAttributeNames={"#key": key_id},
            )
        except (ClientError, BotoCoreError) as error:
            raise UnavailableError("DynamoDB") from error
