"""Whose tasks are whose: two keys, every route of the application, and nothing of the one reaches the other."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from lambda_events import Context, http_event
from test_notifier import Listening

import usage
from api import create_app, handler
from listing import cursor_of
from simulated_aws import BELL
from tasks import aws
from tasks.open_work import set_most
from tasks.table import Position
from tasks.task import utc_now

if TYPE_CHECKING:
    from simulated_aws import Aws

PATHS = create_app().openapi()["paths"]
ROUTES = [(method.upper(), path) for path, methods in PATHS.items() for method in methods]
OF_ONE_TASK = [(method, path.replace("{index}", "0")) for method, path in ROUTES if "{task_id}" in path]
UNKNOWN = "00000000-0000-4000-8000-000000000000"
SECRETS = ("alices-correlation", "alices-name", "alices-tag", "77777")  # words and a number that no other task has


def queries(method: str, path: str) -> list[dict[str, str | list[str]]]:
    """Return queries of a route: none, and each parameter that the OpenAPI document has, with alice's values."""
    found: list[dict[str, str | list[str]]] = [{}]
    for parameter in PATHS[path][method.lower()].get("parameters", []):
        if parameter["in"] == "query":
            text, schema = parameter["name"], json.dumps(parameter["schema"])
            kinds = [parameter["schema"], *parameter["schema"].get("anyOf", [])]
            choices = ["true"] if '"boolean"' in schema else []
            choices += [
                value for kind in kinds for value in kind.get("enum", [kind["const"]] if "const" in kind else [])
            ]
            known = {"name": ["alices-name"], "tag": ["alices-tag"], "cursor": [ALICES_CURSOR], "width": ["400"]}
            known |= {"submitted_after": ["2020-01-01T00:00:00Z"], "limit": ["100"]}
            known |= {name: [utc_now().date().isoformat()] for name in ("from", "to")}
            found += [{text: value} for value in choices or known.get(text, ["0"])]
    return found


# Of the first place in alice's list that there can be.
ALICES_CURSOR = cursor_of(Position("2100-01-01T00:00:00.000Z", "ffffffff-ffff-4fff-8fff-ffffffffffff"), "alice")


def answer(
    method: str,
    path: str,
    key_id: str | None,
    body: Any = None,
    query: dict[str, str | list[str]] | None = None,
    **headers: str,
) -> tuple[int, dict[str, Any]]:
    """Send a request with the key; return status and headers with body, the request's own ids left out."""
    sent = {"X-Correlation-ID": f"{key_id}s-own", **headers}
    answered = handler(http_event(method, path, body, sent, query, api_key_id=key_id), Context())
    return answered["statusCode"], {"body": answered["body"], **answered["headers"], **answered["multiValueHeaders"]}


@pytest.fixture(name="alices")
def fixture_alices(in_moto: Aws) -> list[str]:
    """Give the ids of a pending, a running and a completed task of alice's."""
    ids = []
    for number in range(3):
        status, answered = answer(
            "POST",
            "/tasks",
            "alice",
            {"qc": BELL, "shots": 77_777, "name": "alices-name", "tags": ["alices-tag"]},
            **{"X-Correlation-ID": "alices-correlation", "Idempotency-Key": f"key-{number}"},
        )
        assert status == 200, answered
        ids.append(json.loads(answered["body"])["task_id"])
    for task_id in ids[1:]:
        in_moto.store.claim(task_id)
    ended = in_moto.stored(ids[2])
    exact = {"type": "probabilities", "qubits": [0, 1], "values": [0.5, 0.0, 0.0, 0.5]}
    in_moto.store.complete(ended, {"result": {"00": 77_777}, "results": [exact]})
    set_most(aws.client("dynamodb"), in_moto.settings.tasks_table, "alice", {"seconds": 7_777_700})
    usage.handler({"Records": Listening(in_moto).records()}, Context())
    used = json.loads(answer("GET", "/usage", "alice")[1]["body"])
    assert (used["total"]["shots"], used["bounds"]["open_seconds"]["limit"]) == (77_777, 7_777_700)
    listed = answer("GET", "/tasks", "alice", query={"cursor": ALICES_CURSOR, "tag": "alices-tag"})[1]["body"]
    assert [task["task_id"] for task in json.loads(listed)["tasks"]] == ids[::-1]
    assert answer("GET", f"/tasks/{ids[2]}/results/0", "alice")[0] == 200
    return ids


@pytest.mark.parametrize(("method", "path"), OF_ONE_TASK)
def test_anothers_task_is_answered_as_one_that_does_not_exist(
    in_moto: Aws, alices: list[str], method: str, path: str
) -> None:
    """On every route with a task's id, whatever its query, the answers are alike to the last byte; nothing changes."""
    before = in_moto.rows()
    for query in queries(method, path.replace("/0", "/{index}")):
        unknown = answer(method, path.replace("{task_id}", UNKNOWN), "bob", query=query)
        assert unknown[0] == 404
        for task_id in alices:
            assert answer(method, path.replace("{task_id}", task_id), "bob", query=query) == unknown
    assert in_moto.rows() == before


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route not in OF_ONE_TASK])
def test_no_other_route_tells_of_anothers_tasks(in_moto: Aws, alices: list[str], method: str, path: str) -> None:
    """Whatever bob asks, with alice's Idempotency-Keys too, no id and no other trace of hers is in the answer."""
    before = {row["task_id"]["S"]: row for row in in_moto.rows()}
    task = {"qc": BELL, "shots": 5}
    for body in (None, task, {"tasks": [task]}, alices, {"task_id": alices[0]}):
        if method == "GET" and body is not None:
            continue
        for query in queries(method, path) if body in (None, task) else [{}]:
            _, answered = answer(method, path, "bob", body, query, **{"Idempotency-Key": "key-0"})
            text = json.dumps(answered)
            assert not [secret for secret in (*alices, *SECRETS) if secret in text]
    after = {row["task_id"]["S"]: row for row in in_moto.rows()}
    assert {task_id: after[task_id] for task_id in before} == before


def test_each_owner_has_a_callback_secret_of_its_own(in_moto: Aws) -> None:
    """Always the same for the one, and another for the other."""
    alices, again, bobs = (
        json.loads(answer("GET", "/callback-secret", key)[1]["body"]) for key in ("alice", "alice", "bob")
    )
    assert alices == again
    assert alices["secret"] != bobs["secret"]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_without_a_key_there_are_no_tasks(in_moto: Aws, alices: list[str], method: str, path: str) -> None:
    """Should one get past API Gateway, every route of tasks refuses it, and the others tell nothing."""
    before = in_moto.rows()
    status, answered = answer(method, path.replace("{task_id}", alices[0]), None, {"qc": BELL})
    if re.match("/tasks|/callback-secret|/usage", path):
        assert (status, json.loads(answered["body"])["code"]) == (403, "invalid_api_key")
    assert not [secret for secret in (*alices, *SECRETS) if secret in json.dumps(answered)]
    assert in_moto.rows() == before
