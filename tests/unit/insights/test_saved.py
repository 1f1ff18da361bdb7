"""The saved queries, on recorded lines of api, two workers and the sweeper."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from insights import Event, evaluate, read_lines, saved_queries
from simulated_aws import TEMPLATE, existing
from tasks.bill import LAMBDA_GB_SECOND

ROOT = Path(__file__).resolve().parents[3]
RECORDED = Path(__file__).with_name("recorded")
SAVED = saved_queries(TEMPLATE)
START = 1_795_219_200_000


def read_recorded() -> list[Event]:
    """Read the recorded lines, one file for each log stream."""
    events: list[Event] = []
    for path in sorted(RECORDED.glob("*.log")):
        service = path.stem.rsplit("-", 1)[0]
        lines = path.read_text("utf-8").splitlines()
        events.extend(read_lines(lines, f"/aws/lambda/{service}", path.stem, START))
    return events


EVENTS = read_recorded()


def task(number: int) -> str:
    """Return the id of a recorded task."""
    return f"6f1c0000-0000-4000-8000-00000000000{number}"


def rows(columns: str, *lines: str) -> list[dict[str, str]]:
    """Make rows of text: columns apart by blanks, `.` for a missing value, `_` for a blank, `#4` for task 4."""
    made = []
    for line in lines:
        values = [
            task(int(value[1:])) if value.startswith("#") else value.replace("_at_", " ") for value in line.split()
        ]
        named = zip(columns.split(), values, strict=True)
        made.append({column: value for column, value in named if value != "."})
    return made


def test_every_query_is_asked_here() -> None:
    """No saved query goes without its rows below, and each says what it answers."""
    assert {*ANSWERS} == {*SAVED}
    assert all(query.purpose and query.text.startswith(f"# {query.purpose}\n") for query in SAVED.values())


ANSWERS = {
    "life-of-a-task": rows(
        "@timestamp service event attempt worker queue_ms run_ms total_ms status code reason",
        "2026-11-21_at_00:01:02.000 api task_submitted . . . . . pending . .",
        "2026-11-21_at_00:01:02.100 worker task_claimed 1 worker-2 100 . . processing . .",
        "2026-11-21_at_00:01:10.000 worker child_lost 1 worker-2 100 . . . . died",
        "2026-11-21_at_00:01:10.000 worker task_returned 1 worker-2 100 . . . . killed",
        "2026-11-21_at_00:02:40.000 worker task_claimed 2 worker-2 98000 . . processing . .",
        "2026-11-21_at_00:02:41.500 worker task_completed 2 worker-2 98000 1450.0 99500.0 completed . .",
    ),
    "last-errors": rows(
        "@timestamp service event code reason task_id correlation_id exception_name uncaught",
        "2026-11-21_at_00:09:20.000 sweeper task_dead attempts_exhausted . #7 c-7 . .",
        "2026-11-21_at_00:03:10.000 . . . . . . . Task_at_timed_at_out_at_after_at_55.00_at_seconds",
        "2026-11-21_at_00:03:10.000 . . . . . . . [ERROR]_at_UnavailableError:_at_DynamoDB_at_is_at_not_at_available",
        "2026-11-21_at_00:01:35.030 worker task_failed time_limit . #5 c-5 . .",
        "2026-11-21_at_00:00:20.030 worker task_failed invalid_circuit . #3 c-3 . .",
    ),
    "failures-by-code": rows(
        "code failures tasks last_task",
        "attempts_exhausted 1 1 #7",
        "invalid_circuit 1 1 #3",
        "time_limit 1 1 #5",
    ),
    "retries-and-dead-letters": rows(
        "task_id times attempts last_event last_reason",
        "#7 9 3 task_dead killed",
        "#4 3 2 task_claimed killed",
        "#6 1 0 task_swept .",
    ),
    "slowest-tasks": rows(
        "task_id num_qubits depth shots method queue_ms parse_ms run_ms total_ms",
        "#4 24 12 1024 statevector 98000 3.0 1450.0 99500.0",
        "#6 2 3 1024 statevector 60100 1.0 11.5 60120.0",
        "#2 12 40 4096 statevector 20 6.5 350.25 400.0",
        "#1 2 3 1024 statevector 75 1.25 12.5 120.0",
    ),
    "latency-by-qubits": rows(
        "num_qubits tasks p50 p95 p99",
        "2 2 120 60120 60120",
        "12 1 400 400 400",
        "24 1 99500 99500 99500",
    ),
    "queue-delay": rows(
        "period p95 p50 longest claimed",
        "2026-11-21_at_00:00:00.000 98000 75 98000 8",
        "2026-11-21_at_00:05:00.000 600 400 600 2",
    ),
    "throughput-per-minute": rows(
        "minute submitted completed failed",
        "2026-11-21_at_00:00:00.000 3 2 1",
        "2026-11-21_at_00:01:00.000 2 0 1",
        "2026-11-21_at_00:02:00.000 1 1 0",
        "2026-11-21_at_00:03:00.000 1 1 0",
        "2026-11-21_at_00:04:00.000 1 0 0",
    ),
    "ended-tasks": rows(
        "status tasks",
        "completed 4",
        "failed 3",
    ),
    "workers": rows(
        "memory_mb environments tasks",
        "1769 2 7",
    ),
    "sweeps": rows(
        "@timestamp overdue waiting failed sent",
        "2026-11-21_at_00:09:20.000 1 0 1 0",
        "2026-11-21_at_00:03:10.000 1 0 0 1",
    ),
    "cold-starts": rows(
        "@log environments mean_init_ms longest_init_ms",
        "000000000000:/aws/lambda/worker 2 1100.5 1104.75",
        "000000000000:/aws/lambda/api 1 812.4 812.4",
        "000000000000:/aws/lambda/sweeper 1 640.5 640.5",
    ),
    "cost-by-owner": rows(
        "owner tasks shots gb_seconds microdollars",
        "eve 2 101024 51.8478 864.1312",
        "bob 2 2048 2.5127 41.8785",
        "ada 2 5120 0.6401 10.6676",
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_saved_query_answers_its_rows(name: str) -> None:
    """A saved query answers exactly these rows from the recorded lines."""
    result = evaluate(SAVED[name].fill(task=task(4)), EVENTS)
    assert ANSWERS[name] == list(result.rows)


def test_what_is_named_elsewhere_is_there() -> None:
    """Every query and command that the README's runbook and the alarms' descriptions name exists."""
    readme = (ROOT / "README.md").read_text()
    resources = [*existing().values(), *existing("LargeLaneInJobs").values()]
    given = readme + "".join(resource.get("Properties", {}).get("AlarmDescription", "") for resource in resources)
    assert set(re.findall(r"QUERY=([a-z-]+)", given)) == {*SAVED} - {"life-of-a-task"}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", given)) <= targets


def test_the_price_is_the_list_price() -> None:
    """What the query multiplies gigabyte-seconds by is in the one file of prices."""
    assert f"gb_seconds * {LAMBDA_GB_SECOND['x86_64'] * 1e6:g} as microdollars" in SAVED["cost-by-owner"].text


def test_only_the_life_of_a_task_needs_a_parameter() -> None:
    """`make logs TASK=` fills in the one parameter there is."""
    parameters = {name: query.parameters for name, query in SAVED.items() if query.parameters}
    assert parameters == {"life-of-a-task": ("task",)}


def test_parameter_cannot_end_its_string() -> None:
    """A value with quotes and backslashes stays inside the quotes that are around it."""
    query = SAVED["life-of-a-task"].fill(task='x" or task_id like "')
    assert evaluate(query, EVENTS).rows == ()
    hostile = evaluate(SAVED["life-of-a-task"].fill(task='\\" or 1 = 1 #'), EVENTS)
    assert hostile.rows == ()


def test_missing_parameter_is_an_error() -> None:
    """A query is not asked with a parameter left open."""
    with pytest.raises(KeyError):
        SAVED["life-of-a-task"].fill()


def test_recorded_lines_are_all_read() -> None:
    """Lines without a time of their own, such as START and REPORT, take the time of the line before."""
    assert len(EVENTS) == 49
    first = EVENTS[0]
    assert (
        first.timestamp_ms,
        first.message,
    ) == (START, "START RequestId: 9a3b0001-0000-4000-8000-000000000000 Version: $LATEST")
    reports = evaluate('fields @timestamp, @logStream | filter @type = "REPORT" | sort @logStream asc', EVENTS)
    assert [row["@logStream"] for row in reports.rows] == ["api-1", "sweeper-1", "worker-1", "worker-2"]
    assert reports.rows[0]["@timestamp"] == "2026-11-21 00:00:00.125"
