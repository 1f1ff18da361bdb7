"""What a client hears when a part of AWS does not answer: what is known of its request, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber
from test_api import call, submit

from dry_runs import worker
from simulated_aws import BELL
from tasks import aws

if TYPE_CHECKING:
    from simulated_aws import Aws

UNSTORED = "The service could not confirm that the submission was stored; it may have been."


@pytest.mark.parametrize(
    ("method", "path", "body", "operation", "message"),
    [
        ("POST", "/tasks", {"qc": BELL}, "put_item", UNSTORED),
        ("POST", "/tasks/batch", {"tasks": [{"qc": BELL}, {"qc": BELL}]}, "transact_write_items", UNSTORED),
        (
            "GET",
            "/tasks/{}",
            None,
            "get_item",
            "The service cannot reach its storage at the moment; nothing was changed.",
        ),
        (
            "DELETE",
            "/tasks/{}",
            None,
            "update_item",
            "The service could not confirm the cancellation; the task may be cancelled.",
        ),
    ],
)
def test_a_503_says_what_is_known(
    in_moto: Aws, method: str, path: str, body: Any, operation: str, message: str
) -> None:
    """A write without an answer may have been carried out, a read changes nothing; `Idempotency-Key` is the cure."""
    path = path.format(submit())
    with Stubber(aws.client("dynamodb")) as stub:
        stub.add_client_error(operation, "InternalServerError", http_status_code=500)
        status, headers, answer = call(method, path, body)
    assert (status, headers["retry-after"], answer["code"], answer["message"]) == (503, "5", "unavailable", message)
    assert ("Idempotency-Key" in answer["hint"]) == (method == "POST")


def test_a_cancellation_whose_task_cannot_be_read_may_have_happened(in_moto: Aws) -> None:
    """The task is cancelled, its reading fails: the answer must not say that nothing changed."""
    task_id = submit()
    with Stubber(aws.client("dynamodb")) as stub:
        stub.add_response("update_item", {})
        stub.add_client_error("get_item", "InternalServerError", http_status_code=500)
        status, _, answer = call("DELETE", f"/tasks/{task_id}")
    assert (status, answer["message"]) == (
        503,
        "The service could not confirm the cancellation; the task may be cancelled.",
    )


def test_a_stored_task_that_cannot_be_read_is_accepted(in_moto: Aws) -> None:
    """With `Prefer: wait` the task is stored first; when reading it fails, the answer is that of a plain submission."""
    with Stubber(aws.client("dynamodb")) as stub:
        stub.add_response("put_item", {})
        stub.add_client_error("get_item", "InternalServerError", http_status_code=500)
        status, headers, answer = call("POST", "/tasks", {"qc": BELL}, headers={"Prefer": "wait=1"})
    assert (status, answer["message"]) == (200, "Task submitted successfully.")
    assert "task" not in answer
    assert "preference-applied" not in headers
    assert len(in_moto.messages()) == 1


def test_a_silent_worker_is_named(in_moto: Aws) -> None:
    """A dry run that no worker answered does not blame the storage."""
    with Stubber(worker().client) as stub:
        stub.add_client_error("invoke", "ServiceException", http_status_code=500)
        status, _, answer = call("POST", "/tasks", {"qc": BELL}, query={"dry_run": "true"})
    assert (status, answer["message"]) == (503, "No worker answered the dry run; nothing was stored.")
