"""What the fault tests share: a stack behind the fault proxy, its processes, and the book-keeping of its tasks."""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from local_stack import Stack, eventually
from tasks.payloads import Payloads
from tasks.queue import TaskQueue
from tasks.store import TaskStore
from tasks.task import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import httpx

    from fault_proxy import FaultProxy
    from tasks.task import Task

HEALED_SECONDS = 120  # after the last fault, every task must have ended
SWEEP_SECONDS = 3  # between the sweeps of a ledger that sweeps by itself
CLIENTS = 4
SHOTS = 1000
# A state of 17 qubits that is made and unmade, 20 to 30 ms, so that faults meet tasks that run; nothing reduces it.
_SLOW = (
    "ry(1.0) r; for int i in [0:14] { cx r[i], r[i + 1]; ry(0.3) r[i]; } cx r[15], q[12]; cx r[15], q[12]; "
    "for int i in [0:14] { ry(-0.3) r[14 - i]; cx r[14 - i], r[15 - i]; } ry(-1.0) r; cx r[0], q[12];"
)
_numbers = itertools.count(1)


def numbers(count: int) -> list[int]:
    """Return numbers that no other task has."""
    return list(itertools.islice(_numbers, count))


def circuit(number: int) -> tuple[str, str]:
    """Return a circuit that only ever gives one bit string, which no other number has, and that bit string."""
    flips = "".join(f"x q[{bit}]; " for bit in range(12) if number >> bit & 1)
    return f"qubit[13] q; qubit[16] r; bit[13] c; {flips}{_SLOW} c = measure q;", f"{number:013b}"


class ChaosStack(Stack):
    """A stack of its own whose functions reach AWS through the fault proxy; the tests themselves do not."""

    proxy: FaultProxy

    def start(self) -> None:
        """Start it, anew or with what it held when it was stopped."""
        started = self.command("up", FUNCTIONS_ENDPOINT_URL=self.proxy.url)
        assert started.returncode == 0, started.stderr
        self.proxy.target = self.env["AWS_ENDPOINT_URL"]

    @property
    def store(self) -> TaskStore:
        """The store, as the functions have it, but without the proxy."""
        payloads = Payloads(self.client("s3"), self.env["PAYLOAD_BUCKET_NAME"])
        return TaskStore(
            self.client("dynamodb"),
            self.env["TASKS_TABLE_NAME"],
            payloads,
            lease=timedelta(seconds=10),
            retention=timedelta(days=1),
        )

    @property
    def queue(self) -> TaskQueue:
        """The task queue, without the proxy."""
        return TaskQueue(self.client("sqs"), self.env["TASK_QUEUE_URL"])

    def deliver(self, *, enabled: bool) -> None:
        """Let the queue's messages go to the worker, or hold them back."""
        functions = self.client("lambda")
        for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)

    def sweep(self, *, may_fail: bool = False) -> dict[str, int]:
        """Invoke the sweeper by hand; amid faults it may fail, as any run of it may."""
        functions = self.client("lambda")
        names = [function["FunctionName"] for function in functions.list_functions()["Functions"]]
        (name,) = [name for name in names if "SweeperFunction" in name]
        answer = functions.invoke(FunctionName=name, Payload=b'{"looks": 1}')
        swept: dict[str, int] = json.loads(answer["Payload"].read())
        assert may_fail or "FunctionError" not in answer, swept
        return swept

    def make_due(self, task_ids: Iterable[str]) -> None:
        """Let the minute pass that the sweeper leaves a task to its message."""
        dynamodb, table = self.client("dynamodb"), self.env["TASKS_TABLE_NAME"]
        for task_id in task_ids:
            with suppress(dynamodb.exceptions.ConditionalCheckFailedException):  # it has ended
                dynamodb.update_item(
                    TableName=table,
                    Key={"task_id": {"S": task_id}},
                    UpdateExpression="SET due_at = :due",
                    ConditionExpression="attribute_exists(due_at)",
                    ExpressionAttributeValues={":due": {"N": "1"}},
                )

    def workers(self) -> list[int]:
        """Return the worker function's processes, without their simulators."""
        return list(self.processes("-WorkerFunction-", "_worker.py"))

    def simulators(self) -> list[int]:
        """Return the processes that the worker function's processes keep: fork servers and children."""
        return list(self.processes("-WorkerFunction-", "fork_server.py"))

    def log(self, function: str, since: float) -> list[dict[str, Any]]:
        """Return the function's own log lines since then."""
        lines: list[dict[str, Any]] = []
        pages = (
            self.client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=f"/quantum-circuits/{function}", startTime=int(since * 1000))
        )
        for page in pages:
            for event in page["events"]:
                lines += [json.loads(text) for text in event["message"].splitlines() if text.startswith('{"level"')]
        return lines


@dataclass
class Ledger:
    """The tasks of one test, by id, with the only bit string that each may give.

    With `sweeps`, what only a sweep heals waits for one by hand, as after the minute that a sweep comes each time.
    """

    stack: ChaosStack
    sweeps: bool = False
    began: float = field(default_factory=time.time)
    expected: dict[str, str] = field(default_factory=dict)
    answered: int = 0

    def post(self, number: int, http: httpx.Client) -> httpx.Response:
        """Submit a task under its number as Idempotency-Key, and enter it if it was accepted."""
        qc, bits = circuit(number)
        answer = http.post("/tasks", json={"qc": qc, "shots": SHOTS}, headers={"Idempotency-Key": f"chaos-{number}"})
        self.answered += 1
        if answer.status_code == 200:
            self.expected[answer.json()["task_id"]] = bits
        return answer

    def post_all(self, of: Sequence[int], clients: int = CLIENTS) -> dict[int, httpx.Response]:
        """Submit tasks from several clients at once; return the answers by number."""
        with self.stack.http() as http, ThreadPoolExecutor(clients) as pool:
            return dict(zip(of, pool.map(lambda number: self.post(number, http), of), strict=True))

    def submit(self, count: int) -> None:
        """Submit new tasks, all of which must be accepted."""
        answers = self.post_all(numbers(count))
        assert {answer.status_code for answer in answers.values()} == {200}

    def tasks(self) -> dict[str, Task]:
        """Read every task."""
        store = self.stack.store
        found = {task_id: store.get(task_id) for task_id in self.expected}
        assert None not in found.values(), "a task is lost"
        return {task_id: task for task_id, task in found.items() if task is not None}

    def statuses(self) -> Counter[str]:
        """Count the tasks by status."""
        dynamodb, table, ids = self.stack.client("dynamodb"), self.stack.env["TASKS_TABLE_NAME"], list(self.expected)
        found: Counter[str] = Counter()
        for start in range(0, len(ids), 100):
            wanted: dict[str, Any] = {
                table: {
                    "Keys": [{"task_id": {"S": task_id}} for task_id in ids[start : start + 100]],
                    "ProjectionExpression": "#status",
                    "ExpressionAttributeNames": {"#status": "status"},
                    "ConsistentRead": True,
                }
            }
            while wanted:
                answer = dynamodb.batch_get_item(RequestItems=wanted)
                found.update(row["status"]["S"] for row in answer["Responses"][table])
                wanted = answer.get("UnprocessedKeys", {})
        return found

    def ended(self) -> bool:
        """Whether all tasks have ended."""
        statuses = self.statuses()
        return statuses[Status.PENDING] + statuses[Status.PROCESSING] == 0

    def heal(self) -> float:
        """Wait until all tasks have ended, within the two minutes that are promised; return the seconds it took."""
        start = swept = time.monotonic()

        def ended() -> bool:
            nonlocal swept
            if self.sweeps and time.monotonic() - swept > SWEEP_SECONDS:
                self.stack.make_due([task.task_id for task in self.stack.store.open_tasks()])
                self.stack.sweep(may_fail=True)
                swept = time.monotonic()
            return self.ended()

        try:
            eventually(ended, patience=HEALED_SECONDS, every=0.1)
        except pytest.fail.Exception:
            left = [task for task in self.tasks().values() if not task.status.ended]
            pytest.fail(f"Not ended after {HEALED_SECONDS} s: {left}")
        return time.monotonic() - start

    def settle(self) -> None:
        """Wait until every message is settled, and with it every line of the log written."""
        eventually(lambda: self.stack.queue.size() == 0, patience=HEALED_SECONDS, every=0.1)

    def events(self, function: str, event: str) -> list[dict[str, Any]]:
        """Return the log lines of that kind about these tasks."""
        return [
            line
            for line in self.stack.log(function, self.began)
            if line.get("event") == event and line.get("task_id") in self.expected
        ]

    def account(self, title: str, **figures: object) -> dict[str, Task]:
        """Check that every task completed exactly once with its own counts; print the figures; return the tasks.

        The history must be: pending, once processing for each attempt, completed, in the order of time.
        """
        tasks = self.tasks()
        for task_id, task in tasks.items():
            statuses = [line.status for line in task.status_history]
            assert statuses == [Status.PENDING, *[Status.PROCESSING] * task.attempt, Status.COMPLETED], task
            times = [line.transitioned_at for line in task.status_history]
            assert times == sorted(times), task
            assert task.outcome["result"] == {self.expected[task_id]: SHOTS}, task
        still_open = {open_task.task_id for open_task in self.stack.store.open_tasks()}
        assert still_open & self.expected.keys() == set()
        shown = {
            "tasks": len(self.expected),
            "completed": sum(task.status is Status.COMPLETED for task in tasks.values()),
            "attempts": sum(task.attempt for task in tasks.values()),
            "duplicates refused": len(self.events("worker", "message_stale")),
            "stale attempts refused": len(self.events("worker", "attempt_stale")),
            **figures,
        }
        text = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in shown.items())
        print(f"\n  {title}: {text}")  # noqa: T201 - `make chaos` is run to see it
        return tasks


def progress(happens: Callable[[], Any]) -> Any:
    """Wait for something that needs a read of the stack each time, without reading all the time."""
    return eventually(happens, patience=HEALED_SECONDS, every=0.1)
