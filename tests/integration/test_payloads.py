"""What of a task lies in the bucket: when it is loaded, when it is not stored, and what is answered once it is gone."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from test_api import call, submit
from test_permissions import MANY

from simulated_aws import BELL
from tasks import aws
from tasks.payloads import Payloads

if TYPE_CHECKING:
    from simulated_aws import Aws


def long(seed: int) -> str:
    """Return a program that no row holds."""
    return f"{BELL} // {random.Random(seed).randbytes(9000).hex()}"


def ended(in_moto: Aws) -> str:
    """Submit a task and complete it with a result that no row holds; return its id."""
    task_id = submit()
    in_moto.store.complete(in_moto.claimed(task_id), MANY)
    return task_id


def test_a_result_that_the_client_has_is_not_loaded(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 304 costs the read of the row; waiting for a change does not load it either."""
    task_id = ended(in_moto)
    status, headers, body = call("GET", f"/tasks/{task_id}")
    assert (status, body["result"]) == (200, MANY["result"])

    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(Payloads, "get", refuse)
    for more in ({}, {"Prefer": "wait=1"}):
        again = call("GET", f"/tasks/{task_id}", headers={"If-None-Match": headers["etag"], **more})
        assert (again[0], again[1]["etag"]) == (304, headers["etag"])


@pytest.mark.parametrize("part", ["", "/circuit"])
def test_what_is_gone_is_told_as_gone(in_moto: Aws, part: str) -> None:
    """The object was deleted: 410 and what to do, not a 503 for ever."""
    task_id = submit({"qc": long(1)})
    in_moto.store.complete(in_moto.claimed(task_id), MANY)
    for key in in_moto.objects():
        aws.client("s3").delete_object(Bucket=in_moto.settings.payload_bucket, Key=key)
    status, _, answer = call("GET", f"/tasks/{task_id}{part}")
    assert (status, answer["code"]) == (410, "payload_gone")


@pytest.mark.parametrize("batch", [False, True])
def test_a_refused_reuse_of_a_key_stores_no_circuit(in_moto: Aws, *, batch: bool) -> None:
    """Nor does a replay: the bucket has the first body's object alone."""

    def send(seed: int) -> Any:
        if batch:
            return call("POST", "/tasks/batch", {"tasks": [{"qc": long(seed), "idempotency_key": "key"}]})
        return call("POST", "/tasks", {"qc": long(seed)}, headers={"Idempotency-Key": "key"})

    assert send(1)[0] == 200
    stored = in_moto.objects()
    status, _, answer = send(2)
    assert (status, answer["code"]) == (422, "idempotency_key_reused")
    assert send(1)[0] == 200
    assert in_moto.objects() == stored


def test_what_is_left_out_and_what_is_given_as_its_default_are_the_same_body(in_moto: Aws) -> None:
    """So a field that a later version adds does not make a retry across a deployment another body."""
    first = submit({"qc": BELL}, headers={"Idempotency-Key": "key"})
    given = {"qc": BELL, "shots": 1024, "seed": None, "memory": False, "method": "automatic"}
    assert submit(given, headers={"Idempotency-Key": "key"}) == first
    assert call("POST", "/tasks", {"qc": BELL, "shots": 1}, headers={"Idempotency-Key": "key"})[0] == 422
    assert len(in_moto.rows()) == 1
