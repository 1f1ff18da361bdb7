"""`make logs` on the running stack: a task's life from the functions' own log lines, and questions to all of them."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING

from insights import evaluate, saved_queries
from local.deployed import deployed
from local_stack import eventually
from logs import LogGroups, milliseconds, query_of, tables_of
from simulated_aws import BELL, TEMPLATE

if TYPE_CHECKING:
    import subprocess

    import pytest

    from local_stack import Stack


def logs(stack: Stack, *arguments: str, query: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command that `make logs` runs."""
    return stack.command(*arguments, module="logs", QUERY=query)


def run_and_logged(stack: Stack, **headers: str) -> str:
    """Run a task until the worker's last line about it is in the log, which may come after its end; return its id."""
    with stack.http() as http:
        task_id: str = http.post("/tasks", json={"qc": BELL}, headers=headers).json()["task_id"]
    stack.ended(task_id)
    client, words = stack.client("logs"), f'"task_completed" "{task_id}"'
    eventually(lambda: client.filter_log_events(logGroupName="/quantum-circuits/worker", filterPattern=words)["events"])
    return task_id


def test_a_tasks_life_can_be_read_from_the_logs_alone(stack: Stack) -> None:
    """Submitted by the api, claimed and completed by the worker: in this order, each with its status."""
    task_id = run_and_logged(stack, **{"X-Correlation-ID": "life-1"})
    rows = json.loads(logs(stack, "--task", task_id, "--format", "json").stdout)["results"]
    assert [(row["service"], row["event"], row["status"]) for row in rows] == [
        ("api", "task_submitted", "pending"),
        ("worker", "task_claimed", "processing"),
        ("worker", "task_completed", "completed"),
    ]
    by_request = logs(stack, "--format", "csv", query='filter correlation_id = "life-1" | stats count(*) by event')
    assert sorted(by_request.stdout.split()[1:]) == [
        "request_answered,1",
        "task_claimed,1",
        "task_completed,1",
        "task_submitted,1",
    ]


def test_a_task_has_one_trace(stack: Stack) -> None:
    """The api's invocation began it; the message took it to the worker, on whose lines about the task it is too."""
    task_id = run_and_logged(stack)
    query = f'filter task_id = "{task_id}" and event like /^task_/ | stats count(*) as lines by xray_trace_id'
    (row,) = json.loads(logs(stack, "--format", "json", query=query).stdout)["results"]
    assert row["lines"] == "3"
    assert re.fullmatch("1-[0-9a-f]{8}-[0-9a-f]{24}", row["xray_trace_id"])


def test_the_status_is_one_screen(stack: Stack) -> None:
    """After a task ended the queues are empty, it is counted, and its worker is there."""
    with stack.http() as http:
        stack.ended(http.post("/tasks", json={"qc": BELL}).json()["task_id"])

    def screen() -> list[str] | None:
        lines = stack.command("", module="status").stdout.splitlines()
        none_open = "open tasks      0" in lines  # what other tests left behind may still run
        return lines if none_open and any(" completed" in line for line in lines) else None

    lines = eventually(screen)
    assert lines[0].startswith("quantum-circuits, ")
    starts = ["", "queue ", "small lane ", "large lane ", "dead letters ", "", "open tasks ", "ended tasks "]
    assert [line.startswith(start) for line, start in zip(lines[1:], starts, strict=False)] == [True] * len(starts)
    assert any(line.startswith("workers ") and " MB (in the last hour)" in line for line in lines)


def test_each_saved_query_is_answered(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the real lines, metrics among them, every saved query has columns and no complaint; one by its name."""
    with stack.http() as http:
        stack.ended(http.post("/tasks", json={"qc": BELL}).json()["task_id"])
    by_name = logs(stack, query="ended-tasks")
    assert (by_name.returncode, by_name.stderr) == (0, "")
    assert "log events matched" in by_name.stdout
    # The others in this process, over lines that are read once: each command would start again and read them again.
    monkeypatch.setenv("LOCAL_DIR", str(stack.folder))
    running, now_ms = deployed(""), int(time.time() * 1000)
    lines = list(LogGroups.of(running).events(now_ms - milliseconds("1h"), now_ms))
    for name in set(saved_queries(TEMPLATE)) - {"life-of-a-task"}:
        query = query_of(name, "")
        answer = evaluate(query, lines, now_ms - milliseconds("1h"), now_ms, tables=tables_of(running, query))
        assert (name, answer.columns != (), answer.notes) == (name, True, ())


def test_no_line_holds_a_circuit_or_a_result(stack: Stack) -> None:
    """Among all lines of the functions none has the text of a program, or a comment in it."""
    with stack.http() as http:
        stack.ended(http.post("/tasks", json={"qc": f"{BELL} // marked"}).json()["task_id"])
    answer = logs(stack, "--format", "json", query="filter @message like /OPENQASM|stdgates|marked/")
    assert json.loads(answer.stdout)["results"] == []


def test_what_is_no_query_is_refused_with_its_place(stack: Stack) -> None:
    """A malformed query (one line, exit status 2), an unknown saved one and an unknown time say what is wrong."""
    malformed = logs(stack, query="filter status =")
    assert (malformed.returncode, malformed.stderr.startswith("line 1, column 16: expected")) == (2, True)
    assert malformed.stderr.count("\n") == 1
    unknown = logs(stack, query="slowest")
    assert "There is no saved query 'slowest'. The saved queries are life-of-a-task, " in unknown.stderr
    assert logs(stack, "--since", "1 hour", query="fields @message").stderr == (
        "SINCE is '1 hour'; write 90s, 15m, 1h or 7d.\n"
    )
