"""Section 3: what requests cost in the api function, and what a task costs at AWS, counted call by call.

The functions' handlers are called in this process, against a local stack whose own workers are switched off, so every
call that they make passes our hooks, and their CPU is this process's. `bare` is what a function would spend that only
makes the same calls with the same clients: ours can be no cheaper.
"""

from __future__ import annotations

import copy
import cProfile
import io
import json
import math
import os
import pstats
import re
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import stack as stacks
from figures import Figures
from lambda_events import Context, http_event, sqs_record
from programs import BELL, ghz, qft

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_stack import Stack

PER_BATCH = 50
WORKER_BATCH = 10  # the most messages that SQS hands to one invocation
WORK = (("Bell", 1), ("Bell", 10), ("GHZ-20", 10), ("QFT-10", 10), ("QFT-20", 1))  # circuits by messages a batch
CIRCUITS = {"Bell": BELL, "GHZ-20": ghz(20), "QFT-10": qft(10), "QFT-20": qft(20)}


@dataclass
class Calls:
    """The AWS calls of this process by kind, their bytes, and the log's."""

    kinds: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    received: int = 0
    logged: int = 0
    lines: int = 0
    parameters: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def watch(self, client: Any) -> None:
        """Count what `client` does from now on; retries count as calls, as they do on the bill."""
        client.meta.events.register("provide-client-params.*.*", self._keep)
        client.meta.events.register("before-send.*.*", self._sent)
        client.meta.events.register("response-received.*.*", self._received)

    def _keep(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.parameters.append((model.service_model.service_name, model.name, copy.deepcopy(params)))

    def _sent(self, event_name: str, request: Any, **_: Any) -> None:
        self.kinds[event_name.removeprefix("before-send.")] += 1
        self.sent += len(request.body or b"") + sum(
            len(name) + len(value) + 4 for name, value in request.headers.items()
        )

    def _received(self, response_dict: dict[str, Any], **_: Any) -> None:
        self.received += len(response_dict.get("body", b"")) if isinstance(response_dict.get("body"), bytes) else 0

    def write(self, text: str) -> int:
        """Take a piece of the functions' log in place of stdout."""
        self.logged += len(text.encode())
        self.lines += text.count("\n")
        return len(text)

    def flush(self) -> None:
        """Be a stream."""

    def per(self, tasks: int) -> dict[str, Any]:
        """Return what was counted since the last time, a task, and start again."""
        counted = {
            "calls": {kind: number / tasks for kind, number in sorted(self.kinds.items())},
            "bytes sent": self.sent / tasks,
            "log bytes": self.logged / tasks,
            "log lines": self.lines / tasks,
        }
        self.kinds.clear()
        self.parameters.clear()
        self.sent = self.received = self.logged = self.lines = 0
        return counted


def measure(*, quick: bool) -> tuple[Figures, dict[str, Any]]:
    """Return the figures, and what was counted."""
    figures = Figures()
    with stacks.running() as stack:
        _stop_workers(stack)
        stacks.become(stack, "WorkerFunction")
        stacks.become(stack, "ApiFunction")
        calls, stdout = Calls(), sys.stdout
        os.environ["POWERTOOLS_LOG_LEVEL"] = "INFO"  # the cloud's
        sys.stdout = calls  # type: ignore[assignment]  # all that a log handler needs
        try:
            return figures, _functions(Functions(stack, calls), figures, quick=quick)
        finally:
            sys.stdout = stdout


def _stop_workers(stack: Stack) -> None:
    client = stack.client("lambda")
    for mapping in client.list_event_source_mappings()["EventSourceMappings"]:
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)


class Functions:
    """The api's and the worker's handlers in this process."""

    def __init__(self, stack: Stack, calls: Calls) -> None:
        import api
        import worker
        from tasks import aws

        self.calls, self.env = calls, stack.env
        self._api, self._worker, self._aws = api, worker, aws
        self._key = {"x-api-key": self.env["API_KEY"]}
        self._sqs = stack.client("sqs")  # Lambda's poller, whose calls are not the functions'
        self.children = worker.children()
        self.children.wait_until_ready()
        for service in ("dynamodb", "sqs", "s3"):
            calls.watch(aws.client(service))

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Return the body of the api's answer."""
        answer = self._api.handler(http_event(method, path, body, headers=self._key), Context())
        if answer["statusCode"] != 200:
            raise SystemExit(f"{method} {path}: {answer}")
        return json.loads(answer["body"])

    def post(self, text: str = BELL) -> str:
        """Submit one task; return its id."""
        return str(self.request("POST", "/tasks", {"qc": text})["task_id"])

    def post_batch(self, text: str = BELL, tasks: int = PER_BATCH) -> list[str]:
        """Submit tasks in one request; return their ids."""
        accepted = self.request("POST", "/tasks/batch", {"tasks": [{"qc": text}] * tasks})
        return [task["task_id"] for task in accepted["tasks"]]

    def records(self, most: int = WORKER_BATCH) -> list[dict[str, Any]]:
        """Take messages from the queue, as Lambda does."""
        found = self._sqs.receive_message(
            QueueUrl=self.env["TASK_QUEUE_URL"], MaxNumberOfMessages=most, MessageAttributeNames=["All"]
        ).get("Messages", [])
        name = self.env["TASK_QUEUE_URL"].rsplit("/", 1)[1]
        return [
            sqs_record(message["Body"], receipt_handle=message["ReceiptHandle"])
            | {"eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:{name}"}
            for message in found
        ]

    def work(self, records: list[dict[str, Any]]) -> None:
        """Let the worker's handler have the records, and acknowledge them."""
        answer = self._worker.handler({"Records": records}, Context(seconds=300))
        if answer["batchItemFailures"]:
            raise SystemExit(f"failures: {answer}")
        for record in records:
            self._sqs.delete_message(QueueUrl=self.env["TASK_QUEUE_URL"], ReceiptHandle=record["receiptHandle"])

    def empty(self) -> None:
        """Work off what is in the queue."""
        while records := self.records():
            self.work(records)

    def row_bytes(self, task_id: str) -> int:
        """Return the size of a task's row by DynamoDB's rule."""
        client = self._aws.client("dynamodb")
        row = client.get_item(TableName=self.env["TASKS_TABLE_NAME"], Key={"task_id": {"S": task_id}})["Item"]
        return sum(len(name) + _bytes(value) for name, value in row.items())

    def replay(self, kept: list[tuple[str, str, dict[str, Any]]]) -> None:
        """Make the same calls again with the same clients, under a new id, and nothing else."""
        for service, operation, params in kept:
            if operation == "PutItem":
                params["Item"]["task_id"] = {"S": str(uuid.uuid4())}
            method = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
            getattr(self._aws.client(service), method)(**params)


def _bytes(value: dict[str, Any]) -> int:
    """Return the size of an attribute's value (DynamoDB developer guide, "Item sizes and formats")."""
    ((kind, inner),) = value.items()
    match kind:
        case "S":
            return len(inner.encode())
        case "B":
            return len(inner)
        case "N":
            return math.ceil(len(inner.lstrip("-").replace(".", "")) / 2) + 1
        case "L":
            return 3 + sum(1 + _bytes(each) for each in inner)
        case "M":
            return 3 + sum(1 + len(name) + _bytes(each) for name, each in inner.items())
        case _:
            return 1


def _functions(functions: Functions, figures: Figures, *, quick: bool) -> dict[str, Any]:
    """Measure and count everything; `quick`, only what the requests spend and call, and a full batch's calls."""
    rounds = 5 if quick else 7
    task_id = functions.post()
    functions.empty()
    # The worker first, while no request's tasks are in its queue.
    if quick:
        counted = {_title("Bell", WORKER_BATCH): _invocations(functions, "Bell", WORKER_BATCH, 1)[2]}
    else:
        counted = _worker(functions, figures, rounds) | {"rows": _rows(functions)}
    requests: dict[str, tuple[Callable[[], Any], int]] = {
        "POST": (functions.post, 1),
        "GET": (lambda: functions.request("GET", f"/tasks/{task_id}"), 1),
        f"batch POST, a task of {PER_BATCH}": (functions.post_batch, PER_BATCH),
    }
    bare: dict[str, list[Any]] = {}
    for name, (request, tasks) in requests.items():
        for _ in range(30 // tasks + 2):
            request()
        functions.calls.per(1)
        request()
        bare[name] = list(functions.calls.parameters)
        counted[name] = functions.calls.per(tasks)
    for _ in range(rounds):
        for name, (request, tasks) in requests.items():
            times = 60 // tasks + 2
            ours = _cpu_ms(request, times) / tasks
            figures.add(f"{name}: CPU ms", "ms", ours)
            if tasks == 1:
                alone = _cpu_ms(lambda name=name: functions.replay(bare[name]), times)  # type: ignore[misc]  # a default
                figures.add(f"{name}: bare calls ÷ ours", "", alone / ours)
    if not quick:
        for name, (request, _) in requests.items():
            counted[name]["CPU by package"] = _by_package(request, 20)
    functions.children.close()
    return counted


def _cpu_ms(call: Callable[[], Any], times: int) -> float:
    started = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - started) / times * 1e3


def _worker(functions: Functions, figures: Figures, rounds: int) -> dict[str, Any]:
    """Measure and count invocations of the worker: full batches and single messages, by circuit."""
    counted: dict[str, Any] = {}
    for name, messages in WORK:
        title = _title(name, messages)
        # The kernel counts CPU in steps of 10 ms: several invocations a sample.
        invocations = 2 if name == "QFT-20" else 60 // messages
        counted[title] = _invocations(functions, name, messages, 1)[2]
        for _ in range(rounds):
            elapsed, cpu, _ = _invocations(functions, name, messages, invocations)
            figures.add(f"{title}: elapsed ms a task", "ms", elapsed)
            figures.add(f"{title}: CPU ms a task", "ms", cpu)
    return counted


def _title(circuit: str, messages: int) -> str:
    return f"worker, {circuit}, {messages} a batch"


def _invocations(functions: Functions, circuit: str, messages: int, times: int) -> tuple[float, float, dict[str, Any]]:
    """Return the elapsed and the CPU milliseconds a task of some invocations, and what the last one's calls were."""
    batches = []
    for _ in range(times):
        functions.post_batch(CIRCUITS[circuit], messages)
        batches.append(functions.records())
    functions.calls.per(1)
    before, started = stacks.family_ms(os.getpid()), time.perf_counter()
    for records in batches:
        functions.work(records)
    elapsed = (time.perf_counter() - started) * 1e3 / (times * messages)
    spent = (stacks.family_ms(os.getpid()) - before) / (times * messages)
    return elapsed, spent, functions.calls.per(times * messages)


def _rows(functions: Functions) -> dict[str, Any]:
    """Return for each circuit the sizes of its row when submitted, claimed and ended, in bytes."""
    found = {}
    for name, text in CIRCUITS.items():
        task_id = functions.post(text)
        submitted = functions.row_bytes(task_id)
        functions.empty()
        ended = functions.row_bytes(task_id)
        found[name] = {"submitted": submitted, "ended": ended}
    return found


def _by_package(call: Callable[[], Any], times: int) -> dict[str, float]:
    """Return where the time of a request goes, in shares by package (a profile: it inflates small functions)."""
    profile = cProfile.Profile(time.process_time)
    profile.enable()
    for _ in range(times):
        call()
    profile.disable()
    spent: Counter[str] = Counter()
    for (path, _, name), (_, _, own, _, _) in pstats.Stats(profile, stream=io.StringIO()).stats.items():  # type: ignore[attr-defined]  # untyped
        package = re.search(r"site-packages/(\w+)", path)
        ours = re.search(r"/(functions/\w+|layers/\w+)/", path)
        spent[package[1] if package else ours[1] if ours else "tests" if "/tests/" in path else "Python"] += own
        del name
    total = sum(spent.values())
    return {package: round(own / total, 3) for package, own in spent.most_common(9)}
