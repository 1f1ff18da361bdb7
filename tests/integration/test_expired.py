"""A task past its time is not there, though DynamoDB takes up to two days to delete its row."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import test_store
import test_worker
from lambda_events import Context, http_event, task_record

from simulated_aws import BELL
from tasks.errors import ATTEMPTS_EXHAUSTED, StaleAttemptError
from tasks.table import OpenTask
from tasks.task import utc_now

if TYPE_CHECKING:
    from simulated_aws import Aws
    from tasks.task import Task


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


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/circuit"), ("GET", "/results/0"), ("DELETE", "")])
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


def _stored(in_moto: Aws, count: int = 2) -> list[Task]:
    tasks = [test_store.new_task() for _ in range(count)]
    in_moto.store.submit_all(tasks)
    return tasks


def _expire(in_moto: Aws, tasks: list[Task]) -> list[dict[str, Any] | None]:
    """Let the tasks' time be over; return their rows."""
    for task in tasks:
        in_moto.edit(task.task_id, expires_at=int(time.time()) - 1)
    return [in_moto.row(task.task_id) for task in tasks]


@pytest.mark.parametrize("count", [1, 2])
def test_an_expired_task_is_not_run(in_moto: Aws, count: int) -> None:
    """Its message ends at the worker as a stale one does, alone or in a batch; the row is left as it is."""
    tasks = _stored(in_moto, count)
    rows = _expire(in_moto, tasks)
    children = test_worker.ScriptedChildren()
    assert test_worker.work(in_moto, [task_record(task.task_id) for task in tasks], children) == []
    assert [in_moto.row(task.task_id) for task in tasks] == rows


@pytest.mark.parametrize("count", [1, 2])
def test_a_task_that_expires_while_it_runs_has_no_attempt(in_moto: Aws, count: int) -> None:
    """As if its row were deleted: heartbeats and results are refused, one by one and in a batch."""
    claimed = [in_moto.claimed(task.task_id) for task in _stored(in_moto, count)]
    rows = _expire(in_moto, claimed)
    refusals = [
        *in_moto.store.extend_all(claimed),
        *in_moto.store.end_all([(task, {"result": {"0": 10}}) for task in claimed]),
    ]
    assert [type(refusal) for refusal in refusals] == [StaleAttemptError] * 2 * count
    assert [in_moto.row(task.task_id) for task in claimed] == rows


def test_an_expired_task_is_neither_failed_nor_sent_for(in_moto: Aws) -> None:
    """Its dead letter and its place in the index of open tasks outlive it; neither brings it back."""
    tasks = _stored(in_moto)
    rows = _expire(in_moto, tasks)
    assert in_moto.store.fail_dead(tasks[0].task_id, ATTEMPTS_EXHAUSTED) is None
    due_at = int((in_moto.row(tasks[1].task_id) or {})["due_at"]["N"])
    assert in_moto.store.reschedule(OpenTask(tasks[1].task_id, due_at), utc_now()) is None
    assert [in_moto.row(task.task_id) for task in tasks] == rows
