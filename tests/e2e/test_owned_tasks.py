"""What an owner does with tasks beside submitting and reading one: through API Gateway, to the worker and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from local_stack import eventually
from simulated_aws import BELL

if TYPE_CHECKING:
    from local_stack import Stack

# Runs shot by shot, for minutes if it may.
ENDLESS = "bit c; qubit q; x q; c = measure q; while (c) { c = measure q; }"


def test_tasks_are_listed_page_by_page(stack: Stack) -> None:
    """The link of each page leads to the next, through the gateway and its stage."""
    with stack.http(stack.new_key()) as http:
        ids = [http.post("/tasks", json={"qc": BELL}).json()["task_id"] for _ in range(3)]
        first = eventually(lambda: len(http.get("/tasks").json()["tasks"]) == 3 and http.get("/tasks?limit=2"))
        second = http.get(first.links["next"]["url"])
    assert [task["task_id"] for task in first.json()["tasks"] + second.json()["tasks"]] == ids[::-1]
    assert "next" not in second.links


def test_a_running_task_is_cancelled_and_its_circuit_stopped(stack: Stack) -> None:
    """Its owner sees it cancelled at once; at its next heartbeat the worker kills the child and takes other tasks."""
    with stack.http() as http:
        task_id = http.post("/tasks", json={"qc": ENDLESS, "shots": 100_000}).json()["task_id"]
        eventually(lambda: len(http.get(f"/tasks/{task_id}").json()["status_history"]) == 2)
        assert http.get(f"/tasks/{task_id}/circuit").text == ENDLESS
        cancelled = http.delete(f"/tasks/{task_id}")
        assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
        again = http.delete(f"/tasks/{task_id}")
        assert (again.status_code, again.json()["code"]) == (409, "task_ended")

        def worker_events() -> list[str]:
            pages = stack.client("logs").get_paginator("filter_log_events")
            lines = [
                json.loads(line)
                for page in pages.paginate(logGroupName="/quantum-circuits/worker")
                for event in page["events"]
                for line in event["message"].splitlines()
                if task_id in line and line.startswith("{")
            ]
            events = [line["event"] for line in lines]
            return events if "attempt_stale" in events else []

        assert eventually(worker_events, every=0.2) == ["task_claimed", "attempt_stale"]
        assert http.get(f"/tasks/{task_id}").json()["status"] == "cancelled"


def test_a_batch_of_a_hundred_is_accepted_once_and_run(stack: Stack) -> None:
    """All its tasks complete with their own counts; its key gives the same again, and refuses another body."""
    tasks = [
        {"qc": f"qubit[7] q; bit[7] c; {flips(number)} c = measure q;", "shots": number + 1} for number in range(100)
    ]
    with stack.http() as http:
        first = http.post("/tasks/batch", json={"tasks": tasks}, headers={"Idempotency-Key": "hundred"})
        assert first.status_code == 200, first.text
        again = http.post("/tasks/batch", json={"tasks": tasks}, headers={"Idempotency-Key": "hundred"})
        assert again.headers["idempotent-replayed"] == "true"
        ids = [task["task_id"] for task in first.json()["tasks"]]
        assert [task["task_id"] for task in again.json()["tasks"]] == ids
        other = http.post("/tasks/batch", json={"tasks": tasks[:50]}, headers={"Idempotency-Key": "hundred"})
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert [stack.ended(task_id)["result"] for task_id in ids] == [
        {f"{number:07b}": number + 1} for number in range(100)
    ]


def flips(number: int) -> str:
    """Return the gates that make the counts name the number."""
    return "".join(f"x q[{bit}]; " for bit in range(7) if number >> bit & 1)


def test_a_request_can_wait_for_the_counts_and_learn_that_nothing_changed(stack: Stack) -> None:
    """One POST brings the counts; with the entity tag of a task a repeated read has no body, behind the gateway too."""
    with stack.http() as http:
        answer = http.post("/tasks", json={"qc": BELL, "shots": 10}, headers={"Prefer": "wait=20"})
        assert answer.headers["preference-applied"] == "wait=20"
        task = answer.json()["task"]
        assert (task["status"], sum(task["result"].values())) == ("completed", 10)
        read = http.get(f"/tasks/{task['task_id']}", headers={"Prefer": "wait=20"})
        assert read.json() == task
        unchanged = http.get(f"/tasks/{task['task_id']}", headers={"If-None-Match": read.headers["etag"]})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert unchanged.headers["etag"] == read.headers["etag"]


def test_what_was_used_is_added_up_and_a_purged_task_stays_counted(stack: Stack) -> None:
    """Over the stream to GET /usage, by tag; the purge goes through the gateway, and another key sees nothing."""
    body = {"qc": BELL, "shots": 100, "name": "run 7", "tags": ["calibration"]}
    with stack.http(stack.new_key()) as http, stack.http(stack.new_key()) as other:
        task_id = http.post("/tasks", json=body, headers={"Prefer": "wait=10"}).json()["task_id"]
        used = eventually(lambda: (answer := http.get("/usage?by=tag").json())["total"]["tasks"] and answer)
        bill = http.get(f"/tasks/{task_id}").json()["execution"]
        sums = {
            "tasks": 1,
            "shots": 100,
            "compute_seconds": bill["billed_ms"] / 1000,
            "cost_usd": bill["cost_usd"],
        }
        assert (used["total"], used["usage"]) == (sums, [{"tag": "calibration", **sums}])
        assert [each["task_id"] for each in http.get("/tasks?name=run 7").json()["tasks"]] == [task_id]
        assert http.delete(f"/tasks/{task_id}?purge=true").json()["message"] == "Task purged."
        assert http.get(f"/tasks/{task_id}").json()["code"] == "task_purged"
        assert http.get("/usage").json()["total"] == sums
        assert other.get("/usage").json()["usage"] == other.get("/tasks?tag=calibration").json()["tasks"] == []
