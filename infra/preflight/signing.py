"""Addresses of results: signed so that S3 takes them, in every region that boto3 knows."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import boto3

from preflight.finding import Finding, in_code
from tasks import aws
from tasks.payloads import Payloads

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = "https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}


def regions() -> list[str]:
    """Return every region that boto3 knows S3 in, of all partitions."""
    session = boto3.session.Session()
    partitions = session.get_available_partitions()
    return sorted({region for part in partitions for region in session.get_available_regions("s3", part)})


def check() -> Iterator[Finding]:
    """Yield the regions whose addresses are signed by version 2."""
    refused = []
    with patch.dict(os.environ, CREDENTIALS):
        os.environ.pop("AWS_ENDPOINT_URL", None)
        for region in regions():
            with patch.object(boto3, "client", partial(boto3.client, region_name=region)):
                aws.client.cache_clear()  # type: ignore[attr-defined]  # the decorator behind the overloads has it
                query = parse_qs(urlsplit(Payloads(aws.client("s3"), "bucket").url("key")).query)
            signed = query.get("X-Amz-Algorithm") == ["AWS4-HMAC-SHA256"]
            if not signed or f"/{region}/s3/" not in query["X-Amz-Credential"][0]:
                refused.append(region)
    aws.client.cache_clear()  # type: ignore[attr-defined]
    if refused:
        sentence = f"result_url is signed by version 2 in {', '.join(refused)}: S3 refuses it with a key of one's own."
        yield in_code("layers/tasks/aws.py", "S3_CONFIG =", shown="signature_version", sentence=sentence, page=PAGE)
