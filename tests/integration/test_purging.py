"""Purging ended tasks: what is gone, what is answered from then on, and to whom, through the handlers against moto."""

from __future__ import annotations

import json
import random
import time
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError
from lambda_events import Context
from test_api import call, submit
from test_notifier import Listening
from test_owners import OF_ONE_TASK
from test_store import new_task

import notifier
import usage
from purge import Purged, purge_owner
from simulated_aws import BELL
from tasks import aws, purging
from tasks.errors import ATTEMPTS_EXHAUSTED, ErrorCode, TaskError
from tasks.queue import Message
from tasks.task import utc_now

if TYPE_CHECKING:
    from simulated_aws import Aws

DRAW = random.Random(1)
LARGE = BELL + "".join(f" rz({DRAW.random()}) q[0];" for _ in range(2_000))  # more than a row takes, packed too
SWEPT = "input float a; qubit q; rx(a) q; measure q; //" + "".join(f"{DRAW.random()}" for _ in range(2_000))
MANY = {"result": {f"{DRAW.getrandbits(60):060b}": 1 for _ in range(2_000)}}
MARKS = ("marker-of-the-name", "marker-of-the-tag", "marker-of-the-url", "rx(")


def large(in_moto: Aws, **headers: str) -> str:
    """Return the id of a completed task with all that one can have, most of it in the bucket."""
    body = {
        "qc": SWEPT,
        "inputs": [{"a": DRAW.random()} for _ in range(400)],
        "shots": 10,
        "name": "marker-of-the-name",
        "tags": ["marker-of-the-tag"],
        "callback_url": "https://marker-of-the-url.example.com/",
    }
    task_id = submit(body, headers=headers)
    first = in_moto.claimed(task_id)
    in_moto.store._rows.outcome(first, MANY)  # noqa: SLF001 - as a worker that was overtaken leaves one behind
    in_moto.store.release(first)
    in_moto.store.complete(in_moto.claimed(task_id), MANY)
    return task_id


def purge(task_id: str, key: str = "alice") -> tuple[int, Any]:
    """Ask to purge a task."""
    status, _, answer = call("DELETE", f"/tasks/{task_id}", query={"purge": "true"}, api_key_id=key)
    return status, answer


def test_all_that_a_task_held_is_gone(in_moto: Aws) -> None:
    """Nothing of it is in the table or the bucket, where others' objects stay; the row goes when it would have."""
    other = large(in_moto)
    others = in_moto.objects()
    task_id = large(in_moto)
    row = in_moto.row(task_id)
    assert row is not None
    assert len(in_moto.objects()) == len(others) + 4  # circuit, options, an outcome of each attempt
    assert purge(task_id) == (200, {"task_id": task_id, "message": "Task purged."})
    assert in_moto.objects() == others
    left = in_moto.row(task_id)
    assert left is not None
    assert set(left) == {"task_id", "purged_owner", "purged_at", "expires_at", "owner", "submitted_at", "was"}
    assert (left["owner"]["S"], left["submitted_at"]) == ("purged/alice", row["submitted_at"])
    assert set(left["was"]["M"]) == {"status", "status_history", "shots", "bindings"}
    assert left["expires_at"] == row["expires_at"]
    assert [each["task_id"] for each in call("GET", "/tasks")[2]["tasks"]] == [other]


def test_every_address_says_that_it_was_purged(in_moto: Aws) -> None:
    """410 to its owner, also to a submission with its key; to another key it is unknown."""
    task_id = large(in_moto, **{"Idempotency-Key": "key"})
    assert purge(task_id)[0] == 200
    asked: list[tuple[str, str, dict[str, Any]]] = [
        *((method, path.replace("{task_id}", task_id), {}) for method, path in OF_ONE_TASK),
        ("GET", f"/tasks/{task_id}/circuit", {"query": {"format": "svg"}}),
        ("DELETE", f"/tasks/{task_id}", {"query": {"purge": "true"}}),
    ]
    assert len(asked) > 4
    for method, path, more in asked:
        status, _, answer = call(method, path, **more)
        assert (status, answer["code"]) == (410, "task_purged")
        unknown = call(method, path.replace(task_id, "00000000-0000-4000-8000-000000000000"), api_key_id="bob", **more)
        others = call(method, path, api_key_id="bob", **more)
        assert (others[0], others[2]["code"]) == (404, "task_not_found")
        assert {**others[2], "correlation_id": ""} == {**unknown[2], "correlation_id": ""}
    for qc in (BELL, LARGE):
        status, _, answer = call("POST", "/tasks", {"qc": qc}, headers={"Idempotency-Key": "key"})
        assert (status, answer["code"]) == (410, "task_purged")
    assert in_moto.objects() == []


def test_another_keys_task_is_not_purged(in_moto: Aws) -> None:
    """It is unknown to whoever asks, and whole afterwards."""
    task_id = large(in_moto)
    before = (in_moto.rows(), in_moto.objects())
    assert purge(task_id, "bob")[0] == 404
    assert (in_moto.rows(), in_moto.objects()) == before


def test_a_task_that_has_not_ended_is_not_purged(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pending and running ones can be once they are cancelled, running ones once their worker has billed them.

    A worker that is dead bills nothing; after a minute nobody waits for it.
    """
    pending, running, abandoned = submit(), submit(), submit()
    claimed = in_moto.claimed(running)
    in_moto.store.claim(abandoned)
    for task_id in (pending, running, abandoned):
        status, answer = purge(task_id)
        assert (status, answer["code"]) == (409, "task_not_ended")
        assert call("DELETE", f"/tasks/{task_id}")[0] == 200
    assert purge(pending)[0] == 200
    for task_id in (running, abandoned):
        status, headers, answer = call("DELETE", f"/tasks/{task_id}", query={"purge": "true"})
        assert (status, answer["code"], headers["retry-after"]) == (409, "task_not_ended", "20")
    in_moto.store.bill_cancelled(claimed.evolve(bill={"billed_ms": 1, "cost_usd": 1e-8}))
    assert purge(running)[0] == 200
    monkeypatch.setattr(purging, "STOPS_WITHIN", timedelta(0))
    assert purge(abandoned)[0] == 200


def test_a_cancelled_task_waits_for_its_last_attempt(in_moto: Aws) -> None:
    """What an earlier attempt has cost does not say that the worker has stopped."""
    task_id = submit()
    in_moto.store.release(in_moto.claimed(task_id).evolve(bill={"billed_ms": 1, "cost_usd": 1e-8}))
    claimed = in_moto.claimed(task_id)
    call("DELETE", f"/tasks/{task_id}")
    assert purge(task_id)[0] == 409
    in_moto.store.bill_cancelled(claimed.evolve(bill={"billed_ms": 2, "cost_usd": 2e-8}))
    assert purge(task_id)[0] == 200


def test_a_purged_tasks_message_finds_nothing_to_do(in_moto: Aws) -> None:
    """A worker that receives it, and a sweeper that meets it among the dead, pass it over."""
    task = new_task()
    in_moto.store.submit(task)
    in_moto.store.fail_dead(task.task_id, ATTEMPTS_EXHAUSTED, "send")
    assert purge(task.task_id)[0] == 200
    assert in_moto.store.claim(task.task_id, send_ids=("send",)) is None
    assert in_moto.store.claim_all([Message(task.task_id), Message(task.task_id)]) == [None, None]
    assert in_moto.store.fail_dead(task.task_id, TaskError(ErrorCode.TIME_LIMIT, "Slow."), "send") is None
    assert in_moto.store.cancel(task.task_id, "alice") is False
    assert in_moto.store.standings([task.task_id]) == {}


@pytest.mark.parametrize("operation", ["get_item", "list_objects_v2", "delete_objects", "put_item"])
@pytest.mark.parametrize("carried_out", [False, True])
def test_a_purge_that_fails_half_way_can_be_repeated(
    in_moto: Aws, monkeypatch: pytest.MonkeyPatch, operation: str, *, carried_out: bool
) -> None:
    """Whichever call gets no answer: 503, which says what may have happened, and the next purge leaves nothing."""
    task_id = large(in_moto)
    client: Any = aws.client("s3" if "objects" in operation else "dynamodb")
    do = getattr(client, operation)

    def fail(**request: Any) -> Any:
        if carried_out:
            do(**request)
        raise ReadTimeoutError(endpoint_url="AWS")

    with monkeypatch.context() as failing:
        failing.setattr(client, operation, fail)
        status, answer = purge(task_id)
    assert (status, answer["code"]) == (503, "unavailable")
    assert ("may be gone" in answer["message"]) == (operation != "get_item")
    assert purge(task_id)[0] == (410 if (operation, carried_out) == ("put_item", True) else 200)
    assert in_moto.objects() == []
    assert not any(mark in json.dumps(in_moto.rows(), default=str) for mark in MARKS)


def test_what_a_task_used_stays_counted(in_moto: Aws) -> None:
    """A purge is no change of state: no event, no callback, and the task's usage neither lost nor doubled."""
    listening = Listening(in_moto)
    task_id = large(in_moto)
    records = listening.records()
    assert purge(task_id)[0] == 200
    of_the_purge = listening.records()
    for batch in (records, of_the_purge):
        usage.handler({"Records": batch}, Context())
        assert call("GET", "/usage")[2]["total"]["tasks"] == 1
    assert len(of_the_purge) == 1
    assert list(notifier.changes(of_the_purge)) == []


def test_a_keys_data_is_purged_by_one_command(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its tasks' states, over pages; tags of its usage too; another key's data stays."""
    monkeypatch.setattr("purge.PAUSE_S", 0.0)
    usage._tags_seen.clear()  # noqa: SLF001 - of other tests' tables
    bobs = submit({"qc": BELL, "tags": ["bobs"]}, api_key_id="bob")
    ended, pending, running = large(in_moto), submit({"qc": BELL, "name": MARKS[0]}), submit()
    claimed = in_moto.claimed(running).evolve(bill={"billed_ms": 1, "cost_usd": 1e-8})
    # In place of the command's pause: meanwhile the worker stops.
    pause = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: in_moto.store.bill_cancelled(claimed))
    monkeypatch.setattr("purge.time", pause)
    in_moto.store.submit_all([new_task() for _ in range(100)])
    listening = Listening(in_moto)
    usage.handler({"Records": listening.records()}, Context())
    assert [line["tag"] for line in call("GET", "/usage", query={"by": "tag"})[2]["usage"]] == [MARKS[1]]
    purged = purge_owner(in_moto.store, aws.purging(), aws.usage(), "alice", utc_now().date())
    assert purged == Purged(tasks=103, cancelled=102)
    assert in_moto.objects() == []
    assert not any(mark in json.dumps(in_moto.rows(), default=str) for mark in MARKS)
    for task_id in (ended, pending, running):
        assert call("GET", f"/tasks/{task_id}")[0] == 410
    assert call("GET", "/tasks")[2]["tasks"] == []
    assert call("GET", "/usage", query={"by": "tag"})[2]["usage"] == []
    assert call("GET", "/usage")[2]["total"]["tasks"] == 1  # numbers stay
    assert call("GET", f"/tasks/{bobs}", api_key_id="bob")[2]["tags"] == ["bobs"]
