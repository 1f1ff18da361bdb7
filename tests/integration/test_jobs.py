"""Jobs for the large lane, against moto: what a job does with its queue's messages, and which jobs are started."""

from __future__ import annotations

import os
from dataclasses import fields
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber
from lambda_events import Context
from test_store import new_task
from test_worker import ScriptedChildren

import launcher
from job import drain
from simulated_aws import BELL, TEMPLATE, existing
from tasks import aws
from tasks.queue import Length
from tasks.settings import Settings, settings
from tasks.task import Lane
from verdicts import Completed, Returned
from worker import WORKER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from children import Children
    from simulated_aws import Aws


def waiting(in_moto: Aws, number: int) -> list[str]:
    """Submit tasks to the large lane; return their ids."""
    tasks = [new_task(circuit=BELL, shots=1000, options={"seed": 7}, lane=Lane.LARGE) for _ in range(number)]
    for task in tasks:
        in_moto.store.submit(task)
        in_moto.queues[Lane.LARGE].send(task.task_id, "alice", "correlation")
    return [task.task_id for task in tasks]


def test_a_job_runs_what_waits_and_ends(in_moto: Aws, child: Children) -> None:
    """Every task of the lane has its counts, no message is left, and nothing goes on running."""
    ids = waiting(in_moto, 3)
    assert drain(in_moto.queues[Lane.LARGE], child, 0) == 3
    for task_id in ids:
        task = in_moto.stored(task_id)
        assert (task.status, dict(task.outcome["result"])) == ("completed", {"00": 492, "11": 508})
    assert in_moto.queues[Lane.LARGE].size() == 0


def test_a_task_that_a_job_gives_back_keeps_its_message(in_moto: Aws) -> None:
    """It is delivered again, to this job or another; what ended meanwhile is not."""
    (task_id,) = waiting(in_moto, 1)
    children: Any = ScriptedChildren()
    record = in_moto.queues[Lane.LARGE].next_record(0)
    assert record is not None
    in_moto.queues[Lane.LARGE].hide([record["receiptHandle"]], 0)
    outcomes: Iterator[Returned | Completed] = iter(
        [Returned("deadline", started=True), Completed({"result": {"0": 1}, "execution": {}})]
    )
    children.meanwhile = lambda: setattr(children, "outcomes", (next(outcomes),))
    assert drain(in_moto.queues[Lane.LARGE], children, 0) == 2
    task = in_moto.stored(task_id)
    assert (task.status, task.attempt) == ("completed", 2)
    assert in_moto.queues[Lane.LARGE].size() == 0


def test_a_job_that_cannot_run_circuits_ends(in_moto: Aws) -> None:
    """It leaves its message to its lease and takes no other: the next job may have a sound machine."""
    ids = waiting(in_moto, 2)
    children: Any = ScriptedChildren(Returned("unavailable"))
    with pytest.raises(SystemExit, match="1"):
        drain(in_moto.queues[Lane.LARGE], children, 0)
    assert sorted(str(in_moto.stored(task_id).status) for task_id in ids) == ["pending", "processing"]
    assert in_moto.queues[Lane.LARGE].length() == Length(held=2, waiting=1)


def test_a_message_that_is_not_ours_is_left_to_the_dead_letter_queue(in_moto: Aws) -> None:
    """The job neither deletes it nor dies of it."""
    aws.client("sqs").send_message(QueueUrl=in_moto.settings.large_task_queue_url, MessageBody="not a task")
    (task_id,) = waiting(in_moto, 1)
    children: Any = ScriptedChildren(Completed({"result": {"0": 1}, "execution": {}}))
    children.run = lambda programs, **_: ((index, children.outcomes[0]) for index in range(len(programs)))
    assert drain(in_moto.queues[Lane.LARGE], children, 0) == 2
    task = in_moto.stored(task_id)
    assert task.status == "completed"
    assert in_moto.queues[Lane.LARGE].size() == 1


def environment_of_a_job() -> dict[str, str]:
    """Return a job's variables, in moto: from its definition and from the launcher."""
    definition = existing("LargeLaneInJobs")["JobDefinition"]["Properties"]["ContainerProperties"]["Environment"]
    values = {name: str(parameter["Default"]) for name, parameter in TEMPLATE["Parameters"].items()}
    values["AWS::StackName"] = "stack"
    fixed = {
        variable["Name"]: values[variable["Value"]["Ref"]] if isinstance(variable["Value"], dict) else variable["Value"]
        for variable in definition
    }
    return fixed | {variable["name"]: variable["value"] for variable in launcher._settings()}  # noqa: SLF001 - as sent


def test_a_job_needs_no_more_than_it_is_told(
    in_moto: Aws, log_lines: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the definition's and the launcher's variables alone a task completes, and its lines are as the worker's."""
    given = environment_of_a_job()
    functions = set(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"])
    assert set(given) == functions | {"POWERTOOLS_SERVICE_NAME"}
    (task_id,) = waiting(in_moto, 1)
    for name in list(os.environ):
        if not name.startswith("AWS_"):  # the region and credentials, which Fargate gives
            monkeypatch.delenv(name)
    for name, value in {**given, "AWS_BATCH_JOB_ID": "job-1"}.items():
        monkeypatch.setenv(name, value)
    for cached in (settings, aws.task_store, aws.task_queues):
        cached.cache_clear()
    children: Any = ScriptedChildren(Completed({"result": {"0": 1}, "execution": {}}))
    assert drain(aws.task_queues()[Lane.LARGE], children, 0) == 1
    assert settings() == in_moto.settings
    task = in_moto.stored(task_id)
    assert task.status == "completed"
    lines = {line["event"]: line for line in log_lines()}
    assert {event: line["correlation_id"] for event, line in lines.items()} == {
        "task_claimed": task.correlation_id,
        "task_completed": task.correlation_id,
        "batch_done": "job-1",
    }
    assert {(line["worker"], line["memory_mb"]) for line in lines.values()} == {(WORKER, 1769)}
    (metrics,) = lines["batch_done"]["_aws"]["CloudWatchMetrics"]
    assert (metrics["Namespace"], lines["batch_done"]["service"]) == ("stack", "worker")


@pytest.fixture(name="batch")
def fixture_batch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """Give the answers that AWS Batch gives, for a queue of 4-vCPU jobs with 16 vCPUs; all must be asked for."""
    client = boto3.client("batch", region_name="us-east-1")
    monkeypatch.setattr(launcher, "boto3", SimpleNamespace(client=lambda service, **_: {"batch": client}[service]))
    given = {"JOB_QUEUE": "queue", "JOB_DEFINITION": "definition:1", "JOB_VCPUS": "4", "JOBS_MAX_VCPUS": "16"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def has_jobs(batch: Stubber, **statuses: int) -> None:
    """Let the queue have so many jobs of each status."""
    for status in (*launcher.STARTING, "RUNNING"):
        listed = [{"jobId": str(number), "jobName": "large-lane"} for number in range(statuses.get(status, 0))]
        batch.add_response("list_jobs", {"jobSummaryList": listed}, {"jobQueue": "queue", "jobStatus": status})


def takes_a_job(batch: Stubber, in_moto: Aws) -> None:
    """Expect a job with all of the launcher's own settings."""
    given = [
        {"name": setting.name.upper(), "value": str(getattr(in_moto.settings, setting.name))}
        for setting in fields(Settings)
    ]
    expected = {
        "jobName": "large-lane",
        "jobQueue": "queue",
        "jobDefinition": "definition:1",
        "containerOverrides": {"environment": given},
    }
    batch.add_response("submit_job", {"jobName": "large-lane", "jobId": "id"}, expected)


@pytest.mark.parametrize(
    ("tasks", "statuses", "started"),
    [
        (1, {}, 1),
        (2, {"RUNNABLE": 1}, 1),  # a job that starts is for a task that waits
        (1, {"STARTING": 1}, 0),
        (1, {"RUNNING": 1}, 1),  # a job that runs is busy
        (9, {"RUNNING": 3, "SUBMITTED": 0}, 1),  # four fit the vCPUs
        (9, {"RUNNING": 4}, 0),
    ],
)
def test_as_many_jobs_start_as_tasks_wait(
    in_moto: Aws,
    batch: Stubber,
    log_lines: Callable[[], list[dict[str, Any]]],
    tasks: int,
    statuses: dict[str, int],
    started: int,
) -> None:
    """One for each task that waits and has none coming, as far as the vCPUs go; a line says so."""
    waiting(in_moto, tasks)
    has_jobs(batch, **statuses)
    for _ in range(started):
        takes_a_job(batch, in_moto)
    assert launcher.handler({}, Context()) == {"waiting": tasks, "started": started}
    (line,) = [line for line in log_lines() if line["event"] == "jobs_started"]
    assert (line["waiting"], line["started"], line["correlation_id"]) == (tasks, started, "request")


def test_while_nothing_waits_nothing_is_asked(in_moto: Aws, batch: Stubber) -> None:
    """Not even AWS Batch; tasks in the small lane start no job."""
    in_moto.queue.send(new_task().task_id, "alice", "correlation")
    assert launcher.handler({}, Context()) == {"waiting": 0, "started": 0}
