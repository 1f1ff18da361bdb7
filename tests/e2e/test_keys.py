"""API keys as API Gateway enforces them: without one nothing of tasks, with one one's own, within the usage plan."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from local.translate import LOCAL_API_KEY
from simulated_aws import BELL

if TYPE_CHECKING:
    import httpx

    from local_stack import Stack


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Return status and code of an answer that must have the contract's body."""
    body = answer.json()
    assert body["status"] == "error"
    assert {"message", "hint", "correlation_id"} <= set(body)
    return answer.status_code, body["code"]


@pytest.mark.parametrize("api_key", ["", "local-demonstration-kez", "x" * 5000])
def test_tasks_need_a_valid_key(stack: Stack, api_key: str) -> None:
    """Without a key, or with one that is none, tasks are refused in the contract's words."""
    with stack.http(api_key) as http:
        assert refusal(http.post("/tasks", json={"qc": BELL})) == (403, "invalid_api_key")
        assert refusal(http.get("/tasks/00000000-0000-4000-8000-000000000000")) == (403, "invalid_api_key")


def test_a_key_in_no_usage_plan_opens_nothing(stack: Stack) -> None:
    """A key of the account that was not put into this API's plan is not valid here."""
    stray = stack.client("apigateway").create_api_key(name="stray", enabled=True)["value"]
    with stack.http(stray) as http:
        assert refusal(http.post("/tasks", json={"qc": BELL})) == (403, "invalid_api_key")


@pytest.mark.parametrize("path", ["/health", "/limits", "/noise-models", "/docs", "/redoc", "/openapi.json"])
def test_what_is_nobodys_needs_no_key(stack: Stack, path: str) -> None:
    """Health, limits and documentation are open."""
    with stack.http("") as http:
        assert http.get(path).status_code == 200


def test_the_local_key_is_the_well_known_one(stack: Stack) -> None:
    """Lines with it can be pasted whatever stack runs; it is in the env file."""
    assert stack.env["API_KEY"] == LOCAL_API_KEY


def test_another_key_sees_nothing_of_the_first_ones_task(stack: Stack) -> None:
    """Two keys through API Gateway: each has its own tasks."""
    with stack.http() as http, stack.http(stack.new_key()) as other:
        task_id = http.post("/tasks", json={"qc": BELL}, headers={"Idempotency-Key": "shared"}).json()["task_id"]
        assert refusal(other.get(f"/tasks/{task_id}")) == (404, "task_not_found")
        assert refusal(other.get(f"/tasks/{task_id}/circuit")) == (404, "task_not_found")
        assert refusal(other.delete(f"/tasks/{task_id}")) == (404, "task_not_found")
        assert other.get("/tasks").json() == {"tasks": []}
        own = other.post("/tasks", json={"qc": BELL, "shots": 5}, headers={"Idempotency-Key": "shared"}).json()
        assert own["task_id"] != task_id
        assert http.get(f"/tasks/{task_id}").status_code == 200


def test_too_many_requests_are_told_to_wait(stack: Stack) -> None:
    """Beyond the plan's burst a key is refused with the contract's body and when to come back."""
    with stack.http(stack.new_key(throttle={"rateLimit": 0.001, "burstLimit": 2})) as http:
        answers = [http.get("/tasks/none") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [404, 404, 429, 429]
    assert refusal(answers[-1]) == (429, "throttled")
    assert answers[-1].headers["retry-after"] == "1"


def test_keys_are_made_limited_rotated_and_disabled_by_one_command(stack: Stack) -> None:
    """`make keys`: the limits hold, a rotated key has the tasks of the one before, and a disabled one opens nothing."""
    made = stack.command("create", "--burst", "3", "--rate", "0.001", "rotated", module="keys").stdout.splitlines()[-1]
    with stack.http(made) as http:
        task_id = http.post("/tasks", json={"qc": BELL}).json()["task_id"]
        answers = [http.get(f"/tasks/{task_id}").status_code for _ in range(3)]
    assert answers == [200, 200, 429]
    wide = stack.command("create", "kept", module="keys").stdout.splitlines()[-1]
    with stack.http(wide) as http:
        task_id = http.post("/tasks", json={"qc": BELL}).json()["task_id"]
        value = stack.command("rotate", "kept", module="keys").stdout.splitlines()[1]
        with stack.http(value) as other:
            assert [each.get(f"/tasks/{task_id}").status_code for each in (http, other)] == [200, 200]
    listed = stack.command("list", module="keys").stdout
    assert [line.split()[0] for line in listed.splitlines()].count("kept") == 2
    assert stack.command("disable", "kept", module="keys").returncode == 0
    with stack.http(value) as other:
        assert refusal(other.get(f"/tasks/{task_id}")) == (403, "invalid_api_key")
    unknown = stack.command("disable", "nobody", module="keys")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "No key has the id or name 'nobody'" in unknown.stderr


def test_a_used_up_day_is_told_so(stack: Stack) -> None:
    """Beyond the plan's quota a key is refused with the contract's body and when to come back."""
    with stack.http(stack.new_key(quota={"limit": 3, "period": "DAY"})) as http:
        answers = [http.get("/tasks/none") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [404, 404, 404, 429, 429]
    assert refusal(answers[-1]) == (429, "quota_exceeded")
    assert re.fullmatch(r"\d+", answers[-1].headers["retry-after"])
