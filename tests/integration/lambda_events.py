"""Builds the events that Lambda hands to the functions, and the context it hands with them."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Context:
    """What the functions use of Lambda's context; `seconds` is the time the invocation has left."""

    seconds: float = 300
    function_name: str = "function"
    memory_limit_in_mb: int = 1769
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id: str = "request"
    started: float = field(default_factory=time.monotonic)

    def get_remaining_time_in_millis(self) -> int:
        """Return the time left."""
        return int((self.started + self.seconds - time.monotonic()) * 1000)


def http_event(
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
    query: dict[str, str | list[str]] | None = None,
    api_key_id: str | None = "alice",
) -> dict[str, Any]:
    """Return an API Gateway REST event of stage v1; a body that is not a string goes as JSON.

    A name of the query that has a list of values is there so often.
    """
    values = {name: [value] if isinstance(value, str) else value for name, value in (query or {}).items()}
    sent = {"Host": "example.org", "X-Forwarded-Proto": "https", **(headers or {})}
    if body is not None:
        sent.setdefault("Content-Type", "application/json")
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": {name: value[-1] for name, value in values.items()} or None,
        "multiValueQueryStringParameters": values or None,
        "requestContext": {
            "path": f"/v1{path}",
            "stage": "v1",
            "identity": {"sourceIp": "192.0.2.1", "apiKeyId": api_key_id},
        },
        "body": body if body is None or isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    }


def sqs_record(
    body: str, *, message_id: str | None = None, receipt_handle: str = "", receives: int = 1
) -> dict[str, Any]:
    """Return one record of an SQS event."""
    now = str(int(time.time() * 1000))
    return {
        "messageId": message_id or str(uuid.uuid4()),
        "receiptHandle": receipt_handle or str(uuid.uuid4()),
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": str(receives),
            "SentTimestamp": now,
            "ApproximateFirstReceiveTimestamp": now,
            "MessageGroupId": "alice",
        },
        "messageAttributes": {"correlation_id": {"stringValue": "correlation", "dataType": "String"}},
        "eventSource": "aws:sqs",
    }


def task_record(task_id: str, message_id: str | None = None) -> dict[str, Any]:
    """Return the record of a task's message."""
    return sqs_record(json.dumps({"version": 1, "task_id": task_id}), message_id=message_id)
