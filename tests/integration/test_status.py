"""`make status` against moto and recorded lines, and how the commands find and ask CloudWatch."""

from __future__ import annotations

import datetime as dt
import importlib
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.stub import Stubber
from lambda_events import Context
from test_notifier import Listening
from test_store import new_task

import status
import usage
from insights import Event, evaluate
from local.deployed import Deployed
from logs import LogGroups, LogsError
from tasks import aws
from tasks.task import rfc3339, utc_now

if TYPE_CHECKING:
    from simulated_aws import Aws

NOW = dt.datetime(2026, 11, 21, 0, 10, tzinfo=dt.UTC)
GROUPS = {"logGroups": [{"logGroupName": f"/prod/{service}"} for service in ("api", "sweeper", "worker")]}
ROWS = [
    [{"field": "code", "value": "time_limit"}, {"field": "failures", "value": "2"}, {"field": "@ptr", "value": "x"}],
    [{"field": "failures", "value": "1"}],
]


class RecordedGroups(LogGroups):
    """Log groups that hold the given lines."""

    LINES: tuple[Event, ...] = ()

    def ask(self, query: str, start_ms: int, end_ms: int) -> Any:
        """Answer from the lines."""
        return evaluate(query, self.LINES, start_ms, end_ms)


def line(when: dt.datetime, **fields: Any) -> Event:
    """Return a log line."""
    text = ",".join(f'"{name}":"{value}"' for name, value in fields.items())
    return Event(int(when.timestamp() * 1000), f"{{{text}}}")


def deployed(in_moto: Aws) -> Deployed:
    """Return moto's stack."""
    outputs = {
        "TASKS_TABLE_NAME": in_moto.settings.tasks_table,
        "PAYLOAD_BUCKET_NAME": in_moto.settings.payload_bucket,
        "TASK_QUEUE_URL": in_moto.settings.task_queue_url,
        "LARGE_TASK_QUEUE_URL": in_moto.settings.large_task_queue_url,
        "DEAD_LETTER_QUEUE_URL": in_moto.settings.dead_letter_queue_url,
    }
    session: Any = SimpleNamespace(client=lambda service, **_: aws.client(service))
    return Deployed("stack", session, outputs, None)


def test_the_screen_says_what_there_is(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Depths, open tasks by state with the oldest, ended ones, workers, the sweeper and the last errors."""
    now = utc_now()
    old = new_task(submitted_at=rfc3339(now - dt.timedelta(minutes=3)))
    running, done = new_task(), new_task()
    for task in (old, running, done):
        in_moto.store.submit(task)
        in_moto.queue.send(task.task_id, task.owner, task.correlation_id)
    in_moto.dead_letters.send(old.task_id, "alice", "correlation")
    for task in (running, done):
        claimed = in_moto.claimed(task.task_id)
    in_moto.store.complete(claimed.evolve(bill={"billed_ms": 2, "cost_usd": 5.76e-08}), {"result": {}})
    usage.handler({"Records": Listening(in_moto).records()}, Context())
    in_moto.edit(old.task_id, due_at=1)
    ago = {minutes: now - dt.timedelta(minutes=minutes) for minutes in (1, 2, 3)}
    lines = (
        line(
            ago[3], service="worker", event="task_completed", task_id="a", status="completed", worker="w", memory_mb=9
        ),
        line(ago[2], service="worker", event="task_failed", task_id="b", status="failed", code="time_limit"),
        line(ago[1], service="worker", event="task_estimated", worker="w"),  # a dry run, which takes no task
        line(ago[1], service="sweeper", event="swept"),
    )
    monkeypatch.setattr(RecordedGroups, "LINES", lines)
    stack = deployed(in_moto)
    groups = RecordedGroups(boto3.client("logs"), "stack", local=True)
    shown = list(status.status_of(stack, groups, now).lines(now))
    assert shown == [
        "queue              waiting   in flight",
        "small lane               3           0",
        "large lane               0           0",
        "dead letters             1           0",
        "",
        "open tasks      2  (1 pending, 1 processing)",
        f"oldest          {old.task_id}  pending, attempt 0, 0:03:00 old",
        "ended tasks     1 completed, 1 failed (in the last hour)",
        "workers         1 of 9 MB (in the last hour)",
        "used today      1 tasks, 10 shots, 0.002 s, $0.00000006",
        f"  {'alice':32}  1 tasks, 10 shots, 0.002 s, $0.00000006",
        "sweeper         0:01:00 ago",
        "",
        "last errors",
        f"  {ago[2]:%H:%M:%S}  worker  task_failed        {'b':36}  time_limit",
    ]


def test_an_idle_system_has_a_screen_too(in_moto: Aws) -> None:
    """Nothing queued, nothing logged: the screen says so."""
    stack = deployed(in_moto)
    groups = RecordedGroups(boto3.client("logs"), "stack", local=True)
    shown = list(status.status_of(stack, groups, NOW).lines(NOW))
    assert shown[5:] == [
        "open tasks      0",
        "ended tasks     none (in the last hour)",
        "workers         none (in the last hour)",
        "used today      0 tasks, 0 shots, 0.000 s, $0.00000000",
        "sweeper         not in the last hour",
        "",
        "last errors     none in the last hour",
    ]


def test_of_many_open_tasks_the_first_are_looked_at(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """All are counted, but no more rows are read than the bound, those due first."""
    monkeypatch.setattr(status, "MOST_LOOKED_AT", 2)
    for number in range(3):
        task = new_task()
        in_moto.store.submit(task)
        in_moto.edit(task.task_id, due_at=number)
    stack = deployed(in_moto)
    groups = RecordedGroups(boto3.client("logs"), "stack", local=True)
    assert "open tasks      3  (2 pending of the first 2)" in list(status.status_of(stack, groups, NOW).lines(NOW))


@pytest.fixture(name="cloud")
def fixture_cloud(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give the log groups of a stack `prod` in the cloud, and what answers for CloudWatch; nothing waits."""
    session = boto3.session.Session("id", "key", region_name="us-east-1")
    groups = LogGroups.of(Deployed("prod", session, {}, None))
    monkeypatch.setattr(threading.Event, "wait", lambda *_: True)
    with Stubber(groups.client) as stub:
        yield groups, stub
        stub.assert_no_pending_responses()


def expect_query(stub: Stubber, *answers: dict[str, Any]) -> None:
    """Expect a query of half a minute over the stack's groups, then polls that are answered so."""
    stub.add_response("describe_log_groups", GROUPS, {"logGroupNamePrefix": "/prod/"})
    names = [group["logGroupName"] for group in GROUPS["logGroups"]]
    asked = {"logGroupNames": names, "startTime": 1000, "endTime": 1030, "queryString": "stats count(*)"}
    stub.add_response("start_query", {"queryId": "q"}, asked)
    for answer in answers:
        stub.add_response("get_query_results", answer, {"queryId": "q"})


def test_cloudwatch_is_asked_until_it_has_answered(cloud: Any) -> None:
    """The query goes to the stack's groups in whole seconds; the rows come without CloudWatch's pointers."""
    groups, stub = cloud
    statistics = {"recordsMatched": 3.0, "recordsScanned": 50.0, "bytesScanned": 9.0}
    expect_query(
        stub,
        {"status": "Scheduled", "results": [], "statistics": {}},
        {"status": "Running", "results": [], "statistics": {}},
        {"status": "Complete", "results": ROWS, "statistics": statistics},
    )
    answer = groups.ask("stats count(*)", 1_000_000, 1_030_000)
    assert answer.columns == ("code", "failures")
    assert answer.rows == ({"code": "time_limit", "failures": "2"}, {"failures": "1"})
    assert (answer.statistics.matched, answer.statistics.scanned) == (3, 50)


def test_a_query_that_cloudwatch_gave_up_is_an_error(cloud: Any) -> None:
    """A query that failed, timed out or was cancelled has no rows to show."""
    groups, stub = cloud
    expect_query(stub, {"status": "Timeout", "results": [], "statistics": {}})
    with pytest.raises(LogsError, match="Timeout"):
        groups.ask("stats count(*)", 1_000_000, 1_030_000)


def test_what_cloudwatch_cannot_read_is_an_error_with_its_words(cloud: Any) -> None:
    """CloudWatch's own message about a malformed query is shown."""
    groups, stub = cloud
    stub.add_response("describe_log_groups", GROUPS, {"logGroupNamePrefix": "/prod/"})
    stub.add_client_error("start_query", "MalformedQueryException", "unexpected symbol found ( at line 1")
    with pytest.raises(LogsError, match="unexpected symbol found"):
        groups.ask("stats count(", 1_000_000, 1_030_000)


def test_a_stack_without_log_groups_is_an_error(cloud: Any) -> None:
    """A misspelt STACK is an error, not an empty answer."""
    groups, stub = cloud
    stub.add_response("describe_log_groups", {"logGroups": []}, {"logGroupNamePrefix": "/prod/"})
    with pytest.raises(LogsError, match="no log groups /prod/"):
        groups.ask("stats count(*)", 1_000_000, 1_030_000)


@pytest.mark.parametrize("command", ["logs", "status", "dead_letters"])
@pytest.mark.parametrize(
    "error",
    [
        ClientError(
            {"Error": {"Code": "ValidationError", "Message": "Stack with id wrong does not exist"}}, "Describe"
        ),
        NoCredentialsError(),
    ],
    ids=["no such stack", "no credentials"],
)
def test_a_stack_that_aws_does_not_show_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, error: Exception
) -> None:
    """Whatever AWS or boto3 says of it: no traceback, the name that was asked for, what to look at."""

    def refuse(*_: Any) -> None:
        raise error

    monkeypatch.setenv("STACK", "wrong")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", refuse)
    monkeypatch.setattr("sys.argv", [command, *(["list"] if command == "dead_letters" else [])])
    assert importlib.import_module(command).main() == 1
    sent = capsys.readouterr().err
    assert sent.startswith(f"The stack 'wrong' cannot be read from AWS: {error}")
    assert "AWS_PROFILE" in sent
