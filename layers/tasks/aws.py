"""Connects a function to AWS on first use: the clients, and the store, queues and secret that its settings name."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tasks.bounds import Bounds
from tasks.errors import UnavailableError
from tasks.open_work import Most
from tasks.payloads import Payloads
from tasks.places import Places, Waits
from tasks.purging import Purging
from tasks.queue import Backlog, Queue, TaskQueue
from tasks.rotated_keys import RotatedKeys
from tasks.settings import settings, variable
from tasks.store import TaskStore
from tasks.task import Lane
from tasks.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

# Standard mode backs off with jitter. Three tries of at most 3 s: a submission ends with the first of its calls
# (circuit, options, row) that fails three times, or continues without its message; that fits API Gateway's 29 s.
CONFIG = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
    user_agent="quantum-circuits-api",  # a fixed one: putting botocore's together took a tenth of each call
    parameter_validation=False,  # our calls are fixed in shape; checking them again costs 0.1 ms each
    s3={"addressing_style": "path"},  # works for local endpoints too, whose host names have no bucket part
)
# In the eight oldest regions boto3 signs URLs by version 2 by default, which S3 refuses for objects under a
# customer's key and in buckets made since June 2020 (S3 user guide, "AWS Signature Version 2 turned off").
S3_CONFIG = CONFIG.merge(Config(signature_version="s3v4"))


@overload
def client(service: Literal["dynamodb"]) -> DynamoDBClient: ...
@overload
def client(service: Literal["s3"]) -> S3Client: ...
@overload
def client(service: Literal["sqs"]) -> SQSClient: ...
@overload
def client(service: Literal["events"]) -> EventBridgeClient: ...
@overload
def client(service: Literal["secretsmanager"]) -> SecretsManagerClient: ...
@overload
def client(service: Literal["apigateway"]) -> Any: ...  # noqa: ANN401 - which has no stubs here
@cache
def client(service: str) -> object:
    """Return the process's one client for `service`; AWS_ENDPOINT_URL sends it to a local stack."""
    config = S3_CONFIG if service == "s3" else CONFIG
    return boto3.client(service, config=config)  # type: ignore[call-overload]  # the overloads above name the services


@cache
def task_store() -> TaskStore:
    """Return the function's store of tasks."""
    return TaskStore(
        client("dynamodb"),
        settings().tasks_table,
        Payloads(client("s3"), settings().payload_bucket),
        lease=timedelta(seconds=settings().lease_seconds),
        retention=timedelta(days=settings().task_retention_days),
    )


@cache
def task_queues() -> Mapping[Lane, TaskQueue]:
    """Return the task queue of each lane."""
    return {
        Lane.SMALL: TaskQueue(client("sqs"), settings().task_queue_url),
        Lane.LARGE: TaskQueue(client("sqs"), settings().large_task_queue_url),
    }


@cache
def backlog() -> Backlog:
    """Return this environment's view of how long the task queues are."""
    return Backlog(
        task_queues(),
        {
            Lane.SMALL: settings().worker_maximum_concurrency,
            Lane.LARGE: settings().large_worker_maximum_concurrency,
        },
    )


@cache
def waits() -> Waits:
    """Return the places for answers that wait."""
    return Waits(client("dynamodb"), settings().tasks_table, settings().max_waits)


@cache
def places() -> Places:
    """Return the places of what is bounded over all environments of a function."""
    return Places(client("dynamodb"), settings().tasks_table)


@cache
def rotated_keys() -> RotatedKeys:
    """Return the API keys that were rotated and still work."""
    return RotatedKeys(client("dynamodb"), settings().tasks_table)


@cache
def purging() -> Purging:
    """Return what removes ended tasks' data."""
    return Purging(client("dynamodb"), settings().tasks_table, Payloads(client("s3"), settings().payload_bucket))


@cache
def usage() -> Usage:
    """Return what the keys have used."""
    return Usage(client("dynamodb"), settings().tasks_table)


@cache
def bounds() -> Bounds:
    """Return what this environment knows of the keys' bounds."""
    at_most = settings()
    return Bounds(
        client("dynamodb"),
        at_most.tasks_table,
        Most(at_most.key_open_tasks, at_most.key_open_seconds, at_most.key_monthly_dollars),
        environments=int(variable("API_ENVIRONMENTS")),
        workers=at_most.worker_maximum_concurrency,
    )


@cache
def dead_letter_queue() -> TaskQueue:
    """Return the queue of messages that were received too often without success."""
    return TaskQueue(client("sqs"), settings().dead_letter_queue_url)


@cache
def callback_queue() -> Queue:
    """Return the queue of callbacks to make."""
    return Queue(client("sqs"), settings().callback_queue_url)


@cache
def callback_key() -> str:
    """Return the stack's secret, from which each owner's is derived; raises UnavailableError."""
    try:
        return client("secretsmanager").get_secret_value(SecretId=settings().callback_secret_id)["SecretString"]
    except (ClientError, BotoCoreError) as error:
        raise UnavailableError("Secrets Manager") from error
