"""The roles of template.yaml allow exactly the AWS calls that the functions make: nothing is missing, nothing unused.

Each function is led along all of its paths against moto, which asks no permissions, and its calls are recorded.
"""

from __future__ import annotations

import io
import json
import os
import random
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber
from lambda_events import Context, http_event, sqs_record, task_record
from test_notifier import Listening
from test_store import new_task
from test_worker import ScriptedChildren

import callback
import sweeper
from children import Completed, Failed
from dry_runs import worker
from job import drain
from simulated_aws import BELL, TEMPLATE, resolved
from tasks import aws
from tasks.errors import ErrorCode, TaskError
from tasks.task import Lane
from worker import Batch

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulated_aws import Aws

Permission = tuple[str, str]

# What Lambda does with the worker's role to feed it.
POLLING = {
    (f"sqs:{action}", queue)
    for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    for queue in ("TaskQueue", "LargeTaskQueue")
}
STREAMING = ("DescribeStream", "GetRecords", "GetShardIterator")
# Operations whose permission has another name: a batch needs the permission of its parts.
NAMES = {
    "Invoke": "InvokeFunction",
    "SendMessageBatch": "SendMessage",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
    "TransactWriteItems": "PutItem",
    "BatchExecuteStatement": "PartiQLUpdate",  # of UPDATE statements, which are all there are
}
LONG = BELL + "".join(f" rz({random.random()}) q[0];" for _ in range(2_000))  # more than a row takes, packed too
WIDE = "qubit[29] q; bit[29] c; h q; t q; h q; c = measure q;"  # for the large lane
MANY = {"result": {f"{random.getrandbits(60):060b}": 1 for _ in range(2_000)}, "execution": {}}


def allowed(role: str) -> set[Permission]:
    """Return the (action, resource) pairs that a role allows; logs and traces are the runtime's, not the code's."""
    pairs = set()
    for policy in resolved(TEMPLATE["Resources"][role]["Properties"]["Policies"]):
        for statement in policy["PolicyDocument"]["Statement"]:
            actions, resources = _listed(statement["Action"]), _listed(statement["Resource"])
            pairs |= {(action, _name(resource)) for action in actions for resource in resources}
    return {(action, resource) for action, resource in pairs if not action.startswith(("logs:", "xray:"))}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _name(resource: Any) -> str:
    match resource:
        case {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": [name, "Arn"]} | {"Fn::GetAtt": str(name)}:
            return str(name).removesuffix(".Arn")
        case {"Fn::Sub": str(name)}:
            return name.replace("${", "").replace(".Arn}", "")
    return str(resource)


@pytest.fixture(name="called")
def fixture_called(in_moto: Aws) -> Callable[[], set[Permission]]:
    """Give a function that returns the permissions used since it was last called."""
    used: set[Permission] = set()
    resources = {
        in_moto.settings.tasks_table: "TasksTable",
        in_moto.settings.payload_bucket: "PayloadBucket/*",
        in_moto.settings.task_queue_url: "TaskQueue",
        in_moto.settings.large_task_queue_url: "LargeTaskQueue",
        in_moto.settings.dead_letter_queue_url: "DeadLetterQueue",
        os.environ["DRY_RUN_FUNCTION"]: "DryRunFunction",
        in_moto.settings.callback_queue_url: "CallbackQueue",
        in_moto.settings.callback_secret_id: "CallbackSecret",
        in_moto.settings.task_event_bus: "TaskEventBus",
    }

    def record(params: dict[str, Any], model: Any, **_: Any) -> None:
        service = model.service_model.service_name
        puts = [item["Put"]["TableName"] for item in params.get("TransactItems", [])]
        statements = [str(each["Statement"]).split('"') for each in params.get("Statements", [])]
        assert {before for before, *_ in statements} <= {"UPDATE "}
        names = {
            *params.get("RequestItems", {}),
            *puts,
            *(table for _, table, *_ in statements),
            *(params.get(key) for key in ("TableName", "QueueUrl", "Bucket", "FunctionName", "SecretId")),
            *(entry.get("EventBusName") for entry in params.get("Entries", [])),
        }
        (name,) = names - {None}
        resource = resources[name] + (f"/index/{params['IndexName']}" if "IndexName" in params else "")
        used.add((f"{service}:{NAMES.get(model.name, model.name)}", resource))

    clients = [aws.client("dynamodb"), aws.client("sqs"), aws.client("s3"), worker().client]
    clients += [aws.client("events"), aws.client("secretsmanager")]
    for client in clients:
        client.meta.events.register("before-parameter-build", record)

    def taken() -> set[Permission]:
        found = set(used)
        used.clear()
        return found

    return taken


def submitted(in_moto: Aws, **changes: Any) -> str:
    """Store a task and return its id."""
    task = new_task(**changes)
    in_moto.store.submit(task)
    return task.task_id


def completed(in_moto: Aws, outcome: dict[str, Any]) -> str:
    """Store a task that has ended with `outcome`; return its id."""
    task_id = submitted(in_moto)
    task = in_moto.claimed(task_id)
    in_moto.store.complete(task, outcome)
    return task_id


def test_the_api_may_do_what_it_does(in_moto: Aws, called: Callable[[], set[Permission]]) -> None:
    """Submitting, long and short, twice with a key, wide; reading, listing, cancelling; looking after its health."""
    from api import handler

    small, large = completed(in_moto, {"result": {"0": 1}}), completed(in_moto, MANY)
    pending = submitted(in_moto)
    called()
    answers = Stubber(worker().client)
    answers.add_response("invoke", {"Payload": io.BytesIO(b'{"error": {"code": "time_limit", "message": "Long."}}')})
    answers.activate()
    for event in (
        http_event("POST", "/tasks", {"qc": BELL}, query={"dry_run": "true"}),
        http_event("POST", "/tasks", {"qc": BELL}, {"Idempotency-Key": "key"}),
        http_event("POST", "/tasks", {"qc": BELL}, {"Idempotency-Key": "key"}),
        http_event("POST", "/tasks", {"qc": LONG}),
        http_event("POST", "/tasks", {"qc": WIDE}),
        http_event("GET", f"/tasks/{small}"),
        http_event("GET", f"/tasks/{large}"),
        http_event("POST", "/tasks/batch", {"tasks": [{"qc": BELL}, {"qc": WIDE}]}),
        http_event("GET", "/tasks"),
        http_event("GET", f"/tasks/{small}/circuit"),
        http_event("DELETE", f"/tasks/{pending}"),
        http_event("GET", "/callback-secret"),
        http_event("GET", "/health"),
    ):
        answer = handler(event, Context())
        assert answer["statusCode"] == 200, answer
    answers.deactivate()
    assert called() == allowed("ApiRole")


def test_the_worker_may_do_what_it_does(in_moto: Aws, called: Callable[[], set[Permission]]) -> None:
    """Claiming, small and large; completing, small and large; failing; passing on; in both lanes, alone and not."""
    too_large = Failed(TaskError(ErrorCode.MEMORY_LIMIT, "Too large."))
    outcomes = (Completed({"result": {"0": 1}, "execution": {}}), Completed(MANY), too_large)
    batches = {lane: [submitted(in_moto, circuit=circuit) for circuit in (BELL, LONG, BELL)] for lane in Lane}
    called()
    for lane, ids in batches.items():
        children: Any = ScriptedChildren(*outcomes)
        batch = Batch(in_moto.store, in_moto.queues, lane, children, time.monotonic() + 60, lease_seconds=45)
        assert batch.work([task_record(task_id) for task_id in ids]) == []
    assert called() == allowed("WorkerRole") - POLLING
    assert allowed("WorkerRole") >= POLLING


def test_the_sweeper_may_do_what_it_does(in_moto: Aws, called: Callable[[], set[Permission]]) -> None:
    """Sending again in both lanes, burying, looking at what is abandoned."""
    lost, passed_on, dead = (submitted(in_moto) for _ in range(3))
    task = in_moto.claimed(passed_on)
    in_moto.store.pass_on(task, Lane.LARGE)
    aws.client("sqs").send_message(
        QueueUrl=in_moto.settings.dead_letter_queue_url, MessageBody=json.dumps({"version": 1, "task_id": dead})
    )
    for task_id in (lost, passed_on, dead):
        in_moto.edit(task_id, due_at=1)
    called()
    assert sweeper.handler({}, Context()) == {"overdue": 3, "open": 2, "buried": 1, "sent": 2}
    assert called() == allowed("SweeperRole")


def test_the_notifier_may_do_what_it_does(in_moto: Aws, called: Callable[[], set[Permission]]) -> None:
    """Publishing, and asking for a callback; reading the stream is Lambda's."""
    listening = Listening(in_moto)
    in_moto.store.cancel(submitted(in_moto, callback_url="https://example.com/"), "alice")
    called()
    listening.tell()
    reading = {(f"dynamodb:{action}", "TasksTable/stream/*") for action in STREAMING} | {("dynamodb:ListStreams", "*")}
    assert called() == allowed("NotifierRole") - reading
    assert allowed("NotifierRole") >= reading


def test_the_callback_function_may_do_what_it_does(in_moto: Aws, called: Callable[[], set[Permission]]) -> None:
    """Reading the secret, hiding a message; it has no way to the tasks."""
    queue = in_moto.settings.callback_queue_url
    aws.client("sqs").send_message(QueueUrl=queue, MessageBody="{}")
    (received,) = aws.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    body = {"webhook_id": "id", "owner": "alice", "callback_url": "https://callback.invalid/"}
    body["body"] = json.dumps({"data": {"task_id": "id", "correlation_id": "id"}})
    called()
    record = sqs_record(json.dumps(body), receipt_handle=received["ReceiptHandle"])
    assert callback.handler({"Records": [record]}, Context())["batchItemFailures"] != []
    polling = {
        (f"sqs:{action}", "CallbackQueue") for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    }
    assert called() == allowed("CallbackRole") - polling
    assert allowed("CallbackRole") >= polling


def test_a_job_may_do_what_it_does(in_moto: Aws, called: Callable[[], set[Permission]]) -> None:
    """What the large lane's worker does, and receiving and deleting messages, which Lambda does for functions."""
    too_large = Failed(TaskError(ErrorCode.MEMORY_LIMIT, "Too large."))
    outcomes = iter([Completed({"result": {"0": 1}, "execution": {}}), Completed(MANY), too_large])
    for circuit in (BELL, LONG, BELL):
        in_moto.queues[Lane.LARGE].send(submitted(in_moto, circuit=circuit), "correlation")
    called()
    children: Any = ScriptedChildren()
    children.meanwhile = lambda: setattr(children, "outcomes", (next(outcomes),))
    assert drain(in_moto.queues[Lane.LARGE], children, 0) == 3
    assert called() == allowed("JobRole")
