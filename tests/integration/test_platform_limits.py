"""What AWS would refuse for its size, its time or its signature, led to the very limit against moto."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from lambda_events import Context, http_event
from test_store import new_task

import callback
from local.translate import load
from tasks.aws import S3_CONFIG
from tasks.payloads import Payloads
from tasks.rows import RESPONSE_BYTES

if TYPE_CHECKING:
    from simulated_aws import Aws

LAMBDA_RESPONSE_BYTES = 6_291_556  # Lambda developer guide, "Lambda quotas": invocation payload


def answered(in_moto: Aws, outcome: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Complete a task with `outcome` and read it; return how many bytes Lambda sends, and the body."""
    from api import handler

    task = new_task()
    in_moto.store.submit(task)
    in_moto.store.complete(in_moto.claimed(task.task_id), outcome)
    answer = handler(http_event("GET", f"/tasks/{task.task_id}"), Context())
    assert answer["statusCode"] == 200
    return len(json.dumps(answer)), json.loads(answer["body"])


@pytest.mark.parametrize(
    ("shots", "where"),
    [
        (RESPONSE_BYTES // 6 - 100, "memory"),  # each shot is sent as \"0\",
        (RESPONSE_BYTES // 6 + 100, "result_url"),
        (4_790_000 // 4, "result_url"),  # 4.79 MB of JSON, 7.2 MB once it is a text inside another
    ],
)
def test_every_result_can_be_read(in_moto: Aws, shots: int, where: str) -> None:
    """What is sent inline fits Lambda's answer with its quotation marks escaped; what does not is an address."""
    sent, body = answered(in_moto, {"result": {"0": shots}, "memory": ["0"] * shots})
    assert sent <= LAMBDA_RESPONSE_BYTES
    assert [name for name in ("memory", "result_url") if name in body] == [where]


def test_an_older_rows_result_is_an_address_when_it_might_not_fit(in_moto: Aws) -> None:
    """A row that has only the length of the JSON is given as if each character of it had to be escaped."""
    from api import handler

    task = new_task()
    in_moto.store.submit(task)
    in_moto.store.complete(in_moto.claimed(task.task_id), {"memory": [f"{index:020b}" for index in range(20_000)]})
    row: dict[str, Any] = in_moto.row(task.task_id) or {}
    from tasks.aws import client

    shown = {}
    for length in (RESPONSE_BYTES // 2, RESPONSE_BYTES // 2 + 1):
        row["outcome_object"]["M"] = {"key": row["outcome_object"]["M"]["key"], "bytes": {"N": str(length)}}
        client("dynamodb").put_item(TableName=in_moto.settings.tasks_table, Item=row)
        body = json.loads(handler(http_event("GET", f"/tasks/{task.task_id}"), Context())["body"])
        shown[length] = [name for name in ("memory", "result_url") if name in body]
    assert list(shown.values()) == [["memory"], ["result_url"]]


@pytest.mark.parametrize("asked", [None, 0, 43_199, 43_200, 10**9])
@pytest.mark.parametrize("attempt", range(1, len(callback.DELAYS) + 1))
def test_a_callbacks_message_is_hidden_within_twelve_hours_of_its_receipt(attempt: int, asked: int | None) -> None:
    """SQS counts from the receipt, and an attempt may have had the message for as long as its queue hides it."""
    queue = load()["Resources"]["CallbackQueue"]["Properties"]
    hidden = callback._delay(attempt, asked)  # noqa: SLF001 - the one place that all of its delays come from
    assert 0 < hidden <= 12 * 3_600 - queue["VisibilityTimeout"]


def regions() -> list[str]:
    """Return every region that boto3 knows S3 in, of all partitions."""
    session = boto3.session.Session()
    return sorted(
        {name for part in session.get_available_partitions() for name in session.get_available_regions("s3", part)}
    )


def test_an_address_of_a_result_is_signed_by_version_four_in_every_region() -> None:
    """Version 2, boto3's own choice in eight of them, is refused for objects under a customer's key."""
    session = boto3.session.Session(aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret")  # noqa: S106
    signed = {}
    for region in regions():
        client = session.client("s3", region_name=region, config=S3_CONFIG)
        signed[region] = parse_qs(urlsplit(Payloads(client, "bucket").url("outcomes/id-1")).query)
    assert len(signed) > 30
    assert [region for region, query in signed.items() if query.get("X-Amz-Algorithm") != ["AWS4-HMAC-SHA256"]] == []
    assert [region for region, query in signed.items() if f"/{region}/s3/" not in query["X-Amz-Credential"][0]] == []
