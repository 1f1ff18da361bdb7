"""The roles of template.yaml allow exactly the AWS calls that the functions make: nothing is missing, nothing unused.

Each function is led along all of its paths against moto, which asks no permissions, and its calls are recorded. That
these are all of its paths is known from its source: a call that no recorded path comes through fails the test.
"""

from __future__ import annotations

import io
import json
import os
import random
import time
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber
from lambda_events import Context, http_event, sqs_record
from test_jobs import fixture_batch, has_jobs, takes_a_job, waiting  # noqa: F401 - a fixture
from test_notifier import Listening
from test_store import new_task
from test_worker import ScriptedChildren

import call_sites
import callback
import launcher
import sweeper
import usage
from dry_runs import worker
from job import drain
from simulated_aws import BELL, TEMPLATE, resolved
from submission import keyed_task_id
from sums import Addition, SumRows
from tasks import aws
from tasks.errors import ErrorCode, TaskError
from tasks.open_work import row_of
from tasks.rows import ROW_VERSION
from tasks.task import Lane, utc_now
from verdicts import Completed, Failed, Returned
from worker import Batch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    "DeleteObjects": "DeleteObject",
    "ListObjectsV2": "ListBucket",
    "BatchExecuteStatement": "PartiQLUpdate",  # of UPDATE statements, which are all there are
}
DRAW = random.Random(1)
LONG = BELL + "".join(f" rz({DRAW.random()}) q[0];" for _ in range(2_000))  # more than a row takes, packed too
WIDE = "qubit[29] q; bit[29] c; h q; t q; h q; c = measure q;"  # for the large lane
MANY = {"result": {f"{DRAW.getrandbits(60):060b}": 1 for _ in range(2_000)}, "execution": {}}


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


@dataclass
class Calls:
    """The permissions used since they were last taken, and the lines of the product's source that the calls came by."""

    used: set[Permission] = field(default_factory=set)
    lines: set[tuple[str, int]] = field(default_factory=set)

    strangers: list[dict[str, Any]] = field(default_factory=list)  # messages sent that do not count as alice's
    aside: bool = False  # while a test prepares something
    record: Any = None  # what a client of the test's own must call

    def clear(self) -> None:
        """Forget what was called, as for a test's own preparations."""
        self.used.clear()
        self.lines.clear()
        self.strangers.clear()


@pytest.fixture(name="called")
def fixture_called(in_moto: Aws) -> Iterator[Calls]:
    """Give the record of all calls; whoever sends a message must have sent it in its owner's group, who is alice."""
    calls = Calls()
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
        if calls.aside:
            return
        calls.lines.update(call_sites.frames())
        service = model.service_model.service_name
        if model.name in ("SendMessage", "SendMessageBatch"):
            sent = params.get("Entries", [params])
            calls.strangers += [message for message in sent if message.get("MessageGroupId") != "alice"]
        if service == "batch":
            names = {"queue": "JobQueue", "definition:1": "JobDefinition"}
            of = ["*"] if model.name == "ListJobs" else [names[params["jobQueue"]], names[params["jobDefinition"]]]
            calls.used |= {(f"batch:{model.name}", resource) for resource in of}
            return
        if service == "apigateway":  # whose actions are HTTP's methods
            assert model.name == "UpdateApiKey"
            calls.used.add(("apigateway:PATCH", "arn:AWS::Partition}:apigateway:AWS::Region}::/apikeys/*"))
            return
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
        if model.name == "ListObjectsV2":
            resource = resource.removesuffix("/*")
        calls.used.add((f"{service}:{NAMES.get(model.name, model.name)}", resource))
        if model.name == "GetObject":
            # S3 tells those who may list the bucket, and nobody else, that an object is not there.
            calls.used.add(("s3:ListBucket", resource.removesuffix("/*")))

    calls.record = record
    clients = [aws.client("dynamodb"), aws.client("sqs"), aws.client("s3"), worker().client]
    clients += [aws.client("events"), aws.client("secretsmanager")]
    for client in clients:
        client.meta.events.register("before-parameter-build", record)
    yield calls
    assert calls.strangers == []


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


def test_the_api_may_do_what_it_does(in_moto: Aws, called: Calls) -> None:
    """Submitting, long and short, twice with a key, wide; reading, listing, cancelling; looking after its health."""
    from api import handler

    small, large = completed(in_moto, {"result": {"0": 1}}), completed(in_moto, MANY)
    pending = submitted(in_moto)
    ended = http_event("POST", "/tasks", {"qc": BELL}, {"Idempotency-Key": "ended", "Prefer": "wait=1"})
    handler(ended, Context())
    in_moto.store.complete(in_moto.claimed(keyed_task_id("alice", "ended")), MANY)
    exact = completed(in_moto, {"results": [{"type": "probabilities", "qubits": [0], "values": [0.5, 0.5]}]})
    called.clear()
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
        http_event("GET", "/usage"),
        ended,
        http_event("GET", f"/tasks/{large}"),
        http_event("POST", "/tasks/batch", {"tasks": [{"qc": BELL}, {"qc": BELL}, {"qc": WIDE}]}),
        http_event("GET", f"/tasks/{pending}"),
        http_event("GET", "/tasks"),
        http_event("GET", f"/tasks/{small}/circuit"),
        http_event("GET", f"/tasks/{small}/circuit", query={"format": "svg"}),
        http_event("GET", f"/tasks/{large}/script"),
        http_event("GET", f"/tasks/{exact}/results/0", headers={"Accept": "application/x-npy"}),
        http_event("DELETE", f"/tasks/{pending}"),
        http_event("DELETE", f"/tasks/{large}", query={"purge": "true"}),
        http_event("GET", "/callback-secret"),
        http_event("GET", "/health"),
    ):
        answer = handler(event, Context())
        assert answer["statusCode"] == (303 if "/results/" in event["path"] else 200), answer
    answers.deactivate()
    assert called.used == allowed("ApiRole")
    assert call_sites.unreached(call_sites.function_sites("functions/api"), called.lines) == []


TOO_LARGE = Failed(TaskError(ErrorCode.MEMORY_LIMIT, "Too large."))
OUTCOMES = (Completed({"result": {"0": 1}, "execution": {}}), Completed(MANY), TOO_LARGE)
UNSTARTED, CUT_OFF = Returned("deadline", started=False), Returned("deadline", started=True)
KILLED = Returned("killed", started=True, run_ms=1.5)
OF_THE_SMALL_LANE = {"self.store.pass_on", "self.queues[Lane.LARGE].send"}  # which no job is for


def worked(
    in_moto: Aws,
    called: Calls,
    lane: Lane,
    *outcomes: Any,
    circuits: Sequence[str] = (BELL,),
    version: int = ROW_VERSION,
    cancel: bool = False,
) -> None:
    """Let a worker of a lane work on a task for each outcome, delivered twice by now, while its leases are renewed.

    Of a version that it does not know there is one, which it does not run. Some are cancelled meanwhile.
    """

    class Beating(ScriptedChildren):
        def run(self, programs: Sequence[Any], *, tick: Any, **given: Any) -> Iterator[tuple[int, Any]]:
            tick([])
            called.aside = True
            for task_id in tasks if cancel else ():
                in_moto.store.cancel(task_id, "alice")
            called.aside = False
            yield from super().run(programs, **given)

    called.aside = True
    number = len(outcomes) or 1
    tasks = [submitted(in_moto, circuit=circuit, lane=lane) for circuit in islice(cycle(circuits), number)]
    for task_id in tasks:
        in_moto.edit(task_id, version=version)
    called.aside = False
    records = [sqs_record(json.dumps({"version": 1, "task_id": task_id}), receives=2) for task_id in tasks]
    children: Any = Beating(*outcomes)
    deadline = time.monotonic() + 60
    batch = Batch(in_moto.store, in_moto.queues, lane, children, deadline, lease_seconds=45, large_time_limit_s=30)
    batch.beat_every_s = 0
    batch.work(records)


def test_the_worker_may_do_what_it_does(in_moto: Aws, called: Calls) -> None:
    """Claiming, completing, failing, passing on, giving back, leaving to newer code; in both lanes, alone and not."""
    called.clear()
    for lane in Lane:
        worked(in_moto, called, lane, *OUTCOMES, UNSTARTED, CUT_OFF, KILLED, circuits=(BELL, LONG, BELL))
        worked(in_moto, called, lane, UNSTARTED)
        worked(in_moto, called, lane, UNSTARTED, cancel=True)
        worked(in_moto, called, lane, version=ROW_VERSION + 1)
    assert called.used == allowed("WorkerRole") - POLLING
    assert allowed("WorkerRole") >= POLLING
    assert call_sites.unreached(call_sites.function_sites("functions/worker/worker.py"), called.lines) == []


def test_the_sweeper_may_do_what_it_does(in_moto: Aws, called: Calls) -> None:
    """Sending again in both lanes, failing what is dead, looking at what is abandoned and at what has overtaken it."""
    lost, passed_on, dead = (submitted(in_moto) for _ in range(3))
    task = in_moto.claimed(passed_on)
    in_moto.store.pass_on(task, Lane.LARGE)
    aws.client("sqs").send_message(
        QueueUrl=in_moto.settings.dead_letter_queue_url, MessageBody=json.dumps({"version": 1, "task_id": dead})
    )
    for task_id in (lost, passed_on, dead):
        in_moto.edit(task_id, due_at=1)
    waiting = submitted(in_moto, lane=Lane.LARGE)
    in_moto.edit(waiting, due_at=2)
    in_moto.queues[Lane.LARGE].send(waiting, "alice", "correlation")
    aws.rotated_keys().add("a key", utc_now())
    gateway = aws.client("apigateway")
    gateway.meta.events.register("before-parameter-build", called.record)
    answers = Stubber(gateway)
    answers.add_response("update_api_key", {})
    answers.activate()
    called.clear()
    assert sweeper.handler({"looks": 1}, Context()) == {"overdue": 4, "waiting": 1, "soon": 0, "failed": 1, "sent": 2}
    assert called.used == allowed("SweeperRole")
    assert call_sites.unreached(call_sites.function_sites("functions/sweeper"), called.lines) == []


def test_the_notifier_may_do_what_it_does(in_moto: Aws, called: Calls) -> None:
    """Adding up, publishing, and asking for a callback; reading the stream is Lambda's."""
    listening = Listening(in_moto)
    in_moto.store.cancel(submitted(in_moto, callback_url="https://example.com/"), "alice")
    of_a_gone_shard = Addition(row_of("alice"), "1", {"open_tasks": Decimal()})
    SumRows(aws.client("dynamodb"), in_moto.settings.tasks_table, "s/gone", now=0).add([of_a_gone_shard])
    called.clear()
    listening.tell()
    reading = {(f"dynamodb:{action}", "TasksTable/stream/*") for action in STREAMING} | {("dynamodb:ListStreams", "*")}
    assert called.used == allowed("NotifierRole") - reading
    assert allowed("NotifierRole") >= reading
    sites = call_sites.function_sites("functions/notifier/notifier.py", "functions/notifier/sums.py")
    assert call_sites.unreached(sites, called.lines) == []


def test_the_usage_function_may_do_what_it_does(in_moto: Aws, called: Calls) -> None:
    """Adding up; reading the stream is Lambda's."""
    completed(in_moto, {"result": {"0": 1}})
    called.clear()
    usage.handler({"Records": Listening(in_moto).records()}, Context())
    reading = {(f"dynamodb:{action}", "TasksTable/stream/*") for action in STREAMING} | {("dynamodb:ListStreams", "*")}
    assert called.used == allowed("UsageRole") - reading
    assert allowed("UsageRole") >= reading
    assert call_sites.unreached(call_sites.function_sites("functions/notifier/usage.py"), called.lines) == []


def test_the_callback_function_may_do_what_it_does(in_moto: Aws, called: Calls) -> None:
    """Reading the secret, hiding a message; it has no way to the tasks."""
    queue = in_moto.settings.callback_queue_url
    aws.client("sqs").send_message(QueueUrl=queue, MessageBody="{}")
    (received,) = aws.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    body = {"webhook_id": "id", "owner": "alice", "callback_url": "https://callback.invalid/"}
    body["body"] = json.dumps({"data": {"task_id": "id", "correlation_id": "id"}})
    called.clear()
    record = sqs_record(json.dumps(body), receipt_handle=received["ReceiptHandle"])
    more = [
        sqs_record(json.dumps(body | {"callback_url": f"https://{host}.invalid/"}), receipt_handle=str(host))
        for host in range(callback.KEY_HOSTS)
    ]
    assert callback.handler({"Records": [record, *more]}, Context())["batchItemFailures"] != []
    polling = {
        (f"sqs:{action}", "CallbackQueue") for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    }
    assert called.used == allowed("CallbackRole") - polling
    assert allowed("CallbackRole") >= polling
    assert call_sites.unreached(call_sites.function_sites("functions/notifier/callback.py"), called.lines) == []


def test_the_launcher_may_do_what_it_does(in_moto: Aws, called: Calls, batch: Stubber) -> None:
    """Looking at the large lane's queue and at the jobs there are, and starting one."""
    waiting(in_moto, 1)
    has_jobs(batch)
    takes_a_job(batch, in_moto)
    batch.client.meta.events.register("before-parameter-build", called.record)
    called.clear()
    assert launcher.handler({}, Context()) == {"waiting": 1, "started": 1}
    assert called.used == allowed("LauncherRole")
    assert call_sites.unreached(call_sites.function_sites("functions/launcher"), called.lines) == []


def test_a_job_may_do_what_it_does(in_moto: Aws, called: Calls) -> None:
    """What the large lane's worker does, and receiving and deleting messages, which Lambda does for functions."""
    outcomes = iter([*OUTCOMES, CUT_OFF, OUTCOMES[0]])
    for circuit in (BELL, LONG, BELL, BELL):
        in_moto.queues[Lane.LARGE].send(submitted(in_moto, circuit=circuit), "alice", "correlation")
    called.clear()
    children: Any = ScriptedChildren()
    children.meanwhile = lambda: setattr(children, "outcomes", (next(outcomes),))
    assert drain(in_moto.queues[Lane.LARGE], children, 0) == 5  # one was cut off, and came again
    worked(in_moto, called, Lane.LARGE, UNSTARTED)
    worked(in_moto, called, Lane.LARGE, KILLED)
    worked(in_moto, called, Lane.LARGE, UNSTARTED, cancel=True)
    worked(in_moto, called, Lane.LARGE, version=ROW_VERSION + 1)
    assert called.used == allowed("JobRole")
    sites = [
        *call_sites.function_sites("functions/worker/job.py"),
        *(
            site
            for site in call_sites.function_sites("functions/worker/worker.py")
            if site.text not in OF_THE_SMALL_LANE
        ),
    ]
    assert call_sites.unreached(sites, called.lines) == []
