"""A task past its time is not there, though DynamoDB takes up to two days to delete its row."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from lambda_events import Context, http_event

from simulated_aws import BELL

if TYPE_CHECKING:
    from simulated_aws import Aws


def answered(method: str, path: str, **more: Any) -> tuple[int, dict[str, Any]]:
    """Return the status and the body of the api's answer."""
    from api import handler

    answer = handler(http_event(method, path, **more), Context())
    return answer["statusCode"], json.loads(answer["body"])


@pytest.fixture(name="expired")
def fixture_expired(in_moto: Aws) -> str:
    """Give the id of a task of this moment, made with an Idempotency-Key, whose time is over."""
    _, body = answered("POST", "/tasks", body={"qc": BELL}, headers={"Idempotency-Key": "key"})
    in_moto.edit(body["task_id"], expires_at=int(time.time()) - 1)
    return str(body["task_id"])


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/circuit"), ("DELETE", "")])
def test_an_expired_task_is_not_found(in_moto: Aws, expired: str, method: str, path: str) -> None:
    """Whether it is read, its program asked for, or cancelled."""
    status, body = answered(method, f"/tasks/{expired}{path}")
    assert (status, body["code"]) == (404, "task_not_found")
    assert (in_moto.row(expired) or {})["status"] == {"S": "pending"}


def test_an_expired_task_is_not_listed(in_moto: Aws, expired: str) -> None:
    """The index still has it; the list does not."""
    assert answered("GET", "/tasks")[1]["tasks"] == []
    assert in_moto.store.look([expired]) == []


def test_an_expired_tasks_idempotency_key_is_free(in_moto: Aws, expired: str) -> None:
    """The same key makes a task anew, and another body is no reuse."""
    again = {"qc": BELL, "shots": 5}
    status, answer = answered("POST", "/tasks", body=again, headers={"Idempotency-Key": "key"})
    assert (status, answer["task_id"]) == (200, expired)
    assert answered("GET", f"/tasks/{expired}")[1]["shots"] == 5
    in_moto.edit(expired, expires_at=int(time.time()) - 1)
    status, answer = answered("POST", "/tasks/batch", body={"tasks": [{**again, "shots": 6, "idempotency_key": "key"}]})
    assert status == 200, answer
    assert answered("GET", f"/tasks/{expired}")[1]["shots"] == 6
