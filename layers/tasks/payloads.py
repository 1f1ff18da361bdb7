"""The private bucket, for what does not fit a task's row: circuits, options and outcomes (gzip), and files to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tasks.errors import PayloadGoneError, UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

URL_SECONDS = 3600
FOLDERS = ("circuits", "options", "outcomes", "files")  # the beginnings of keys, each before a task's id


class Payloads:
    """The bucket that holds what does not fit a row."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, packed: bytes, content_type: str) -> None:
        """Store what `rows.pack` returned under `key`; raises UnavailableError."""
        try:
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=packed, ContentType=content_type, ContentEncoding="gzip"
            )
        except (ClientError, BotoCoreError) as error:
            raise UnavailableError("S3") from error

    def put_file(self, key: str, data: bytes, content_type: str) -> None:
        """Store a file that is read as it is, by its URL; raises UnavailableError."""
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType=content_type)
        except (ClientError, BotoCoreError) as error:
            raise UnavailableError("S3") from error

    def get(self, key: str) -> bytes:
        """Return what was put under `key`; raises PayloadGoneError, else UnavailableError."""
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except (ClientError, BotoCoreError) as error:
            # S3 answers so to callers that may list the bucket, else AccessDenied, which can have other reasons.
            if isinstance(error, ClientError) and error.response["Error"]["Code"] == "NoSuchKey":
                raise PayloadGoneError(key) from error
            raise UnavailableError("S3") from error

    def delete_of(self, task_id: str) -> None:
        """Delete whatever is stored of a task, what lost attempts left too; raises UnavailableError."""
        try:
            for folder in FOLDERS:
                # One page has 1,000 of them; a task has one object, and at most one an attempt.
                listed = self._client.list_objects_v2(Bucket=self._bucket, Prefix=f"{folder}/{task_id}-")
                if keys := [each["Key"] for each in listed.get("Contents", ())]:
                    answer = self._client.delete_objects(
                        Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
                    )
                    if answer.get("Errors"):
                        raise UnavailableError("S3")
        except (ClientError, BotoCoreError) as error:
            raise UnavailableError("S3") from error

    def url(self, key: str) -> str:
        """Return a URL that reads `key` without credentials for URL_SECONDS."""
        return self._client.generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=URL_SECONDS
        )
