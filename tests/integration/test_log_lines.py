"""The log lines of api, worker and sweeper: a task's life in them, their ids, and what they never hold."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lambda_events import Context, http_event

import sweeper
import worker
from integration.test_worker import ScriptedChildren
from tasks import aws
from tasks.errors import ErrorCode, TaskError
from tasks.logs import Event
from tasks.task import Lane
from verdicts import Failed, Returned

if TYPE_CHECKING:
    from collections.abc import Callable

    from children import Children
    from simulated_aws import Aws

    Lines = Callable[[], list[dict[str, Any]]]

ROOT = Path(__file__).resolve().parents[2]
COUNTS_KEY = "1011001110001111"  # what the circuit below gives, and nothing else would
CIRCUIT = (
    'OPENQASM 3; include "stdgates.inc"; // marker-of-the-circuit\n'
    "qubit[16] q; x q[{0, 1, 2, 3, 7, 8, 9, 12, 13, 15}]; measure q;"
)
KEY = "marker-of-the-key"
TRACE = "1-5759e988-bd862e3fe1be46a994272793"
ONE_LOOK = {"looks": 1}  # without a pause before another
ABOUT_NO_TASK = {Event.BATCH_DONE, Event.REQUEST_REFUSED, Event.MESSAGE_MALFORMED, Event.SWEPT, Event.PART_UNAVAILABLE}


def submit(circuit: str = CIRCUIT, **headers: str) -> Any:
    """Submit a circuit through the api's handler; return the answer's body."""
    from api import handler

    sent = {"x-api-key": KEY, "Idempotency-Key": f"marker-of-idempotency-{circuit!r}"[:200], **headers}
    return json.loads(handler(http_event("POST", "/tasks", {"qc": circuit}, sent), Context())["body"])


def delivered(in_moto: Aws, url: str | None = None) -> dict[str, Any]:
    """Receive the queue's messages as the event that Lambda hands to the worker."""
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "messageAttributes": {
                    name: {"stringValue": value["StringValue"]}
                    for name, value in message.get("MessageAttributes", {}).items()
                },
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:TaskQueue",
            }
            for message in in_moto.messages(url)
        ]
    }


def work(monkeypatch: pytest.MonkeyPatch, event: dict[str, Any], children: Any) -> Any:
    """Let the worker's handler work on an event."""
    monkeypatch.setattr(worker, "children", lambda: children)
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "worker")
    return worker.handler(event, Context(aws_request_id="request-of-the-worker"))  # type: ignore[arg-type]


def test_a_tasks_life_is_in_the_lines_alone(
    in_moto: Aws, child: Children, log_lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Submitted, claimed, returned, claimed again, completed: every step with what an operator asks of it."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={TRACE};Parent=53995c3f42cd8ad8;Sampled=1")
    task_id = submit(**{"X-Correlation-ID": "life"})["task_id"]
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-of-the-batch;Parent=0;Sampled=0")
    work(monkeypatch, delivered(in_moto), ScriptedChildren(Returned("deadline", started=True)))
    work(monkeypatch, delivered(in_moto), child)
    life = [line for line in log_lines() if line.get("task_id") == task_id]
    steps = [(line["service"], line["event"], line.get("attempt"), line.get("status")) for line in life]
    assert steps == [
        ("service_undefined", "task_submitted", None, "pending"),
        ("service_undefined", "task_claimed", 1, "processing"),
        ("service_undefined", "task_returned", 1, None),
        ("service_undefined", "task_claimed", 2, "processing"),
        ("service_undefined", "task_completed", 2, "completed"),
    ]
    assert {(line["correlation_id"], line["xray_trace_id"]) for line in life} == {("life", TRACE)}
    assert {line["worker"] for line in life[1:]} == {worker.WORKER}
    assert life[2]["reason"] == "deadline"
    ended = life[-1]
    expected = {
        "owner": "alice",
        "shots": 1024,
        "num_qubits": 16,
        "method": "stabilizer",
        "memory_mb": 2048,
    }
    assert expected == {name: ended[name] for name in expected}
    assert 0 <= ended["queue_ms"] <= ended["total_ms"]
    assert all(ended[name] >= 0 for name in ("parse_ms", "run_ms", "depth"))


def everything(in_moto: Aws, child: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let happen what gives lines: tasks that complete, fail, return and die, and messages of all kinds."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "api")
    submit()
    submit("OPENQASM 3; qubit q; marker_of_the_circuit q;")
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(aws.task_queues()[Lane.SMALL], "_url", in_moto.settings.task_queue_url + "-gone")
        unsent = submit("OPENQASM 3; qubit q; measure q;")["task_id"]
    from api import handler

    handler(http_event("GET", "/nothing"), Context())
    aws.client("sqs").send_message(QueueUrl=in_moto.settings.task_queue_url, MessageBody=CIRCUIT)
    event = delivered(in_moto)
    work(monkeypatch, event, child)
    work(monkeypatch, event, child)  # delivered twice
    error = TaskError(ErrorCode.INTERNAL_ERROR, "No.")
    for outcome in (Failed(error, run_ms=5.0), Failed(TaskError(ErrorCode.MEMORY_LIMIT, "No."))):
        monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "api")
        submit(f"{CIRCUIT} // {outcome.error.code}")
        work(monkeypatch, delivered(in_moto), ScriptedChildren(Returned("deadline", started=True)))
        work(monkeypatch, delivered(in_moto), ScriptedChildren(outcome))
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "sweeper")
    for queue in (in_moto.settings.task_queue_url, in_moto.settings.large_task_queue_url):
        aws.client("sqs").purge_queue(QueueUrl=queue)
    in_moto.edit(unsent, due_at=1)
    sweeper.handler(ONE_LOOK, Context(aws_request_id="request-of-the-sweeper"))  # type: ignore[arg-type]
    in_moto.edit(unsent, due_at=1)
    in_moto.dead_letters.send(unsent, "alice", "of-the-dead")
    sweeper.handler(ONE_LOOK, Context(aws_request_id="request-of-the-sweeper"))  # type: ignore[arg-type]


def test_every_line_has_its_ids_and_no_secret(
    in_moto: Aws, child: Children, log_lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A correlation id always, a task id where there is a task; no circuit, no key, no counts."""
    everything(in_moto, child, monkeypatch)
    lines = log_lines()
    assert {
        Event.TASK_SUBMITTED,
        Event.TASK_UNSENT,
        Event.REQUEST_REFUSED,
        Event.TASK_CLAIMED,
        Event.TASK_COMPLETED,
        Event.TASK_FAILED,
        Event.TASK_PASSED_ON,
        Event.MESSAGE_STALE,
        Event.MESSAGE_MALFORMED,
        Event.TASK_SWEPT,
        Event.TASK_DEAD,
        Event.SWEPT,
    } <= {line["event"] for line in lines}
    assert [line for line in lines if not line.get("correlation_id")] == []
    assert [line for line in lines if line["event"] not in ABOUT_NO_TASK and not line.get("task_id")] == []
    written = json.dumps(lines)
    assert [word for word in ("marker", COUNTS_KEY, "OPENQASM", "stdgates") if word in written] == []


def test_each_event_is_said_by_a_function_and_told_in_the_readme() -> None:
    """The closed set of events is exactly what the functions log, and README lists it."""
    printed = set()
    for path in [*(ROOT / "functions").rglob("*.py"), *(ROOT / "layers").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Event":
                printed.add(node.attr)
            if isinstance(node, ast.keyword) and node.arg == "event":
                assert not isinstance(node.value, ast.Constant), f"{path} says {ast.unparse(node)}"
    assert printed == {event.name for event in Event}
    readme = (ROOT / "infra" / "README.md").read_text()
    assert [event for event in Event if f"`{event}`" not in readme] == []


def test_the_trace_goes_with_the_message(in_moto: Aws, log_lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    """What arrived at the api is on the message, and on the one to the large lane too: not the worker's own trace."""
    header = f"Root={TRACE};Parent=53995c3f42cd8ad8;Sampled=1"
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header)
    submit()
    event = delivered(in_moto)
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-of-the-batch;Parent=0;Sampled=0")
    work(monkeypatch, event, ScriptedChildren(Failed(TaskError(ErrorCode.MEMORY_LIMIT, "No."))))
    passed_on = delivered(in_moto, in_moto.settings.large_task_queue_url)
    headers = [record["attributes"]["AWSTraceHeader"] for record in [*event["Records"], *passed_on["Records"]]]
    assert headers == [header, header]
    traces = {line["event"]: line["xray_trace_id"] for line in log_lines()}
    assert traces == {
        "task_submitted": TRACE,
        "task_claimed": TRACE,
        "task_passed_on": TRACE,
        "batch_done": "1-of-the-batch",
    }
