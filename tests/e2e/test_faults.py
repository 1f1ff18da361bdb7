"""The first promise, by breaking things: whatever dies, hangs or lies, every accepted task completes exactly once.

`make test` runs these with a few dozen tasks each and calls the sweeper itself; `make chaos` takes 500, waits for the
sweeper's minute, and prints the figures. The stack has leases of 10 seconds, the shortest there are, and three workers
at a time; messages may be received 30 times, because here workers die far more often than a message's five attempts
allow for.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

import chaos
from chaos import ChaosStack, Ledger, progress
from fault_proxy import QUICK_FAULTS, FaultProxy
from local_stack import eventually
from simulated_aws import BELL
from tasks.rows import OPEN_SHARDS
from tasks.task import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TASKS = int(os.environ.get("CHAOS_TASKS", "40"))
WORKERS = 3  # at a time
SHORT = TASKS < 500
SEED = int(os.environ.get("CHAOS_SEED", "20250131"))
BACKLOG = 3_000 if SHORT else 10_000  # more than a sweep may send
# Runs until its time is up.
ENDLESS = "bit c; qubit q; x q; c = measure q; while (c) { c = measure q; }"


@pytest.fixture(scope="module", name="stack")
def fixture_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChaosStack]:
    """Give a running stack whose functions reach AWS through the fault proxy."""
    with FaultProxy() as proxy:
        stack = ChaosStack(
            tmp_path_factory.mktemp("chaos"), f"LeaseSeconds=10 WorkerMaximumConcurrency={WORKERS} MaxReceiveCount=30"
        )
        object.__setattr__(stack, "proxy", proxy)
        stack.start()
        yield stack
        assert stack.command("down").stdout == "Stopped.\n"


@pytest.fixture(name="ledger")
def fixture_ledger(stack: ChaosStack) -> Iterator[Ledger]:
    """Give an empty ledger on a stack without faults and messages, and leave it without faults."""
    # A fault before may have left the message of a task that ended: received by a worker that could not hide it. And a
    # test that failed, its tasks.
    dynamodb = stack.client("dynamodb")
    for task in list(stack.store.open_tasks()):
        dynamodb.delete_item(TableName=stack.env["TASKS_TABLE_NAME"], Key={"task_id": {"S": task.task_id}})
    stack.client("sqs").purge_queue(QueueUrl=stack.env["TASK_QUEUE_URL"])
    yield Ledger(stack, sweeps=SHORT)
    stack.proxy.clear()
    stack.deliver(enabled=True)
    for pid in stack.workers():
        _signal(pid, signal.SIGCONT)


def test_killed_workers(stack: ChaosStack, ledger: Ledger) -> None:
    """Tasks whose worker, or whose simulator, is killed complete by another within two minutes."""
    choice = random.Random(SEED)
    stack.deliver(enabled=False)
    ledger.submit(TASKS)
    stack.deliver(enabled=True)
    pause = threading.Event()
    killed = {"workers": 0, "simulators": 0}
    while sum(killed.values()) < TASKS // 8:
        kind = choice.choice(["workers", "workers", "simulators"])
        victims = progress(stack.workers if kind == "workers" else stack.simulators)
        _signal(choice.choice(victims), signal.SIGKILL)
        killed[kind] += 1
        if ledger.ended():
            ledger.submit(TASKS // 8)
        pause.wait(choice.uniform(0.2, 1.0))
    seconds = ledger.heal()
    ledger.account("Workers killed", killed=killed, seconds_to_heal=f"{seconds:.1f}")


def test_frozen_workers(stack: ChaosStack, ledger: Ledger) -> None:
    """What a worker did that was frozen past its lease is refused, row untouched; the tasks completed by another."""
    least = 1 if SHORT else 5
    rounds = 0
    while rounds < least or not ledger.events("worker", "attempt_stale"):
        rounds += 1
        assert rounds <= 3 * least, "no worker was frozen while it held a task"
        stack.deliver(enabled=False)  # until all are there: they are not done one by one as they come
        ledger.submit(TASKS // least)
        stack.deliver(enabled=True)
        progress(lambda: ledger.statuses()[Status.PROCESSING])
        workers = stack.workers()
        # Never all that there may be; one that is just starting its simulator shows as two.
        frozen = workers[: max(1, min(len(workers), WORKERS) - 1)]
        for pid in frozen:
            _signal(pid, signal.SIGSTOP)
        seconds = ledger.heal()
        before = ledger.tasks()
        for pid in frozen:
            _signal(pid, signal.SIGCONT)
        overtaken = {task_id for task_id, task in before.items() if task.attempt > 1}
        progress(lambda overtaken=overtaken: overtaken <= refused_in_log(ledger))
        assert ledger.tasks() == before
    tasks = ledger.account("Workers frozen", rounds=rounds, seconds_to_heal=f"{seconds:.1f}")
    refused = {(line["task_id"], line["attempt"]) for line in ledger.events("worker", "attempt_stale")}
    assert refused == {(task_id, attempt) for task_id, task in tasks.items() for attempt in range(1, task.attempt)}


def refused_in_log(ledger: Ledger) -> set[str]:
    """Return the tasks of which the log says that a stale attempt was refused.

    The stand-in may keep an invocation's last lines back until the next one, so there is a next one.
    """
    duplicates = [(task_id, "owner", "duplicate") for task_id in list(ledger.expected)[:30]]
    assert ledger.stack.queue.send_all(duplicates) == []
    ledger.settle()
    return {line["task_id"] for line in ledger.events("worker", "attempt_stale")}


def test_duplicates_out_of_order(stack: ChaosStack, ledger: Ledger) -> None:
    """Every message twice, in any order, and once more after the end: one attempt each, the others refused."""
    choice = random.Random(SEED)
    stack.deliver(enabled=False)
    ledger.submit(TASKS)
    again = [(task_id, "owner", "duplicate") for task_id in ledger.expected]
    choice.shuffle(again)
    assert stack.queue.send_all(again) == []
    stack.deliver(enabled=True)
    seconds = ledger.heal()
    ledger.settle()
    before = ledger.tasks()
    choice.shuffle(again)
    assert stack.queue.send_all(again) == []
    ledger.settle()
    assert ledger.tasks() == before
    tasks = ledger.account("Messages three times, shuffled", messages=3 * TASKS, seconds=f"{seconds:.1f}")
    # All messages are settled and each task was claimed once: the other two were refused.
    assert {task.attempt for task in tasks.values()} == {1}


def test_faulty_calls(stack: ChaosStack, ledger: Ledger) -> None:
    """With a tenth of the calls throttled, refused, reset, unanswered or timed out, what was accepted completes.

    During a storm of faults submissions are refused, with 503: they leave no row, or one that completes as well and
    that the same Idempotency-Key finds. Sending them again afterwards is therefore safe.
    """
    numbers = chaos.numbers(TASKS)
    calm, storm = numbers[16:], numbers[:16]
    stack.proxy.at_random(SEED, 0.10)
    answers = ledger.post_all(calm)
    stack.proxy.at_random(SEED, 0.75, QUICK_FAULTS)
    answers |= ledger.post_all(storm)
    stack.proxy.at_random(SEED + 1, 0.10)
    refused = {number: answer for number, answer in answers.items() if answer.status_code != 200}
    assert {answer.status_code for answer in refused.values()} <= {503}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused.values())
    stack.make_due(ledger.expected)
    stack.sweep(may_fail=True)
    seconds = ledger.heal()
    faults = sum(times for (_, fault), times in stack.proxy.calls.items() if fault)
    calls = stack.proxy.calls.total()
    stack.proxy.clear()
    accepted = len(ledger.expected)
    retried = ledger.post_all(refused)
    left = sum(answer.headers.get("idempotent-replayed") == "true" for answer in retried.values())
    assert len(ledger.expected) == TASKS
    stack.make_due(answer.json()["task_id"] for answer in retried.values())
    stack.sweep()
    ledger.heal()
    ledger.account(
        "Faulty calls",
        calls=calls,
        faults=faults,
        accepted=accepted,
        refused=len(refused),
        refused_that_left_a_row=left,
        seconds_to_heal=f"{seconds:.1f}",
    )


def test_api_killed_before_sending(stack: ChaosStack, ledger: Ledger) -> None:
    """Tasks whose api was killed between writing the row and sending the message are sent by the sweeper, once."""
    count, clients = (8, 4) if SHORT else (TASKS, 8)  # each client waits in an api of its own
    numbers = chaos.numbers(count)
    assert stack.queue.size() == 0
    stack.proxy.fault = lambda operation: "hang" if operation.startswith("SendMessage") else None
    kills = unanswered = 0
    for start in range(0, count, clients):
        chunk = numbers[start : start + clients]
        hanging, answered = len(stack.proxy.hung), ledger.answered
        with ThreadPoolExecutor(1) as pool:
            answers = pool.submit(ledger.post_all, chunk, clients)
            # The stand-in may give a request to an api that was just killed: that one is answered without hanging.
            progress(
                lambda hanging=hanging, answered=answered, chunk=chunk: (
                    len(stack.proxy.hung) - hanging + ledger.answered - answered >= len(chunk)
                )
            )
            for pid in stack.processes("ApiFunction", "_worker.py"):
                _signal(pid, signal.SIGKILL)
                kills += 1
            statuses = Counter(answer.status_code for answer in answers.result().values())
            # An api that waited for the last ones to hang gives its send up, leaves it to the sweeper, and accepts.
            assert statuses.keys() <= {200, 500, 502, 503, 504}
            unanswered += len(chunk) - statuses[200]
    assert unanswered, "no api died before it answered"
    assert stack.queue.size() == 0
    stack.proxy.clear()
    answers = ledger.post_all(numbers)
    stored = [answer for answer in answers.values() if answer.headers.get("idempotent-replayed") == "true"]
    assert len(stored) > count / 2, "the api was to die after it had written the row"
    stack.make_due(ledger.expected)
    stack.sweep()
    seconds = ledger.heal()
    tasks = ledger.account("Api killed before sending", kills=kills, seconds_to_heal=f"{seconds:.1f}")
    assert {task.attempt for task in tasks.values()} == {1}


def test_restart_with_queued_tasks(stack: ChaosStack, ledger: Ledger) -> None:
    """After a clean stop and start, queued tasks and those that ran at the stop complete."""
    ledger.submit(TASKS)
    assert stack.command("down").stdout == "Stopped.\n"
    stack.start()
    statuses = dict(ledger.statuses())
    seconds = ledger.heal()
    ledger.account("Stack stopped and started", at_the_start=statuses, seconds_to_heal=f"{seconds:.1f}")


def test_a_dead_messages_task_fails_and_is_redriven(stack: ChaosStack, ledger: Ledger) -> None:
    """A message received too often dies, the sweeper fails its task, the tools list and redrive it, it completes."""
    stack.deliver(enabled=False)
    ledger.submit(1)
    (task_id,) = ledger.expected
    sqs = stack.client("sqs")
    url, dead_url = stack.env["TASK_QUEUE_URL"], stack.env["DEAD_LETTER_QUEUE_URL"]

    def dead() -> int:
        sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)
        names = ["ApproximateNumberOfMessages"]
        return int(sqs.get_queue_attributes(QueueUrl=dead_url, AttributeNames=names)["Attributes"][names[0]])

    eventually(dead, every=0.001)  # each look is one more receipt
    stack.make_due([task_id])
    progress(lambda: stack.sweep() and ledger.statuses()[Status.FAILED])
    with stack.http() as http:
        body = http.get(f"/tasks/{task_id}").json()
    assert (body["status"], body["error"]["code"]) == ("failed", "attempts_exhausted")
    assert [line["status"] for line in body["status_history"]] == ["pending", "failed"]
    for _ in range(2):  # looking does not consume
        listed = stack.command("list", module="dead_letters").stdout.splitlines()
        assert listed[0].startswith(f"{task_id}  received ")
        assert listed[0].endswith("task failed (attempts_exhausted), attempt 0")
        assert listed[1:] == ["1 dead letter. `make redrive` runs their tasks again."]
    stack.deliver(enabled=True)
    assert stack.command("redrive", module="dead_letters").stdout == "1 messages moved back to the task queues.\n"
    progress(lambda: ledger.statuses()[Status.COMPLETED])
    assert stack.command("list", module="dead_letters").stdout == "0 dead letters.\n"
    task = ledger.tasks()[task_id]
    assert [line.status for line in task.status_history] == ["pending", "failed", "processing", "completed"]
    assert (task.outcome["result"], task.error) == ({ledger.expected[task_id]: chaos.SHOTS}, None)


def test_a_long_queue_is_not_made_longer(stack: ChaosStack, ledger: Ledger) -> None:
    """With thousands overdue and a message for each, sweeps send nothing; with 7 messages lost, 7 and no more."""
    progress(lambda: stack.queue.size() == 0)
    stack.deliver(enabled=False)
    ledger.submit(1)
    (real,) = ledger.expected
    dynamodb, sqs, table = stack.client("dynamodb"), stack.client("sqs"), stack.env["TASKS_TABLE_NAME"]
    row = dynamodb.get_item(TableName=table, Key={"task_id": {"S": real}})["Item"]
    task_ids = [str(uuid.UUID(int=random.Random(SEED + number).getrandbits(128))) for number in range(BACKLOG - 1)]
    # Before the rows: a sweep in between, by the schedule, must not find a row without a message.
    stack.queue.send_all([(task_id, "owner", "backlog") for task_id in task_ids])
    _write(
        dynamodb,
        table,
        (
            {
                "PutRequest": {
                    "Item": row
                    | {
                        "task_id": {"S": task_id},
                        "open_shard": {"S": str(int(task_id[-4:], 16) % OPEN_SHARDS)},
                        "due_at": {"N": "1"},
                    }
                }
            }
            for task_id in task_ids
        ),
    )
    stack.make_due([real])
    sweeps = [stack.sweep() for _ in range(2)]
    assert [(swept["overdue"], swept["sent"]) for swept in sweeps] == [(BACKLOG, 0)] * 2
    assert stack.queue.size() == BACKLOG
    url = stack.env["TASK_QUEUE_URL"]
    for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=7)["Messages"]:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    start = time.monotonic()
    stack.sweep()
    seconds = time.monotonic() - start
    stack.sweep()
    assert stack.queue.size() == BACKLOG
    print(f"\n  Backlog: tasks {BACKLOG}, messages sent in 2 sweeps 0, after 7 were lost 7, a sweep {seconds:.1f} s")  # noqa: T201
    sqs.purge_queue(QueueUrl=url)
    _write(dynamodb, table, ({"DeleteRequest": {"Key": {"task_id": {"S": task_id}}}} for task_id in task_ids))


def test_one_key_does_not_starve_another(stack: ChaosStack, ledger: Ledger) -> None:
    """A Bell pair of one key ends while thousands of tasks of another key wait: MiniStack is taught SQS's order."""
    progress(lambda: stack.queue.size() == 0)
    count = 300 if SHORT else 3_000
    stack.deliver(enabled=False)
    with stack.http() as many, stack.http(stack.new_key()) as one:
        for _ in range(count // 100):
            answer = many.post("/tasks/batch", json={"tasks": [{"qc": BELL}] * 100})
            assert answer.status_code == 200
            ledger.expected |= dict.fromkeys((task["task_id"] for task in answer.json()["tasks"]), "")
        stack.deliver(enabled=True)
        progress(lambda: ledger.statuses()[Status.COMPLETED])
        start = time.monotonic()
        task_id = one.post("/tasks", json={"qc": BELL}).json()["task_id"]
        progress(lambda: one.get(f"/tasks/{task_id}").json()["status"] == "completed")
        seconds = time.monotonic() - start
    waiting = ledger.statuses()[Status.PENDING]
    print(f"\n  One task beside {count} of another key: {seconds:.2f} s, {waiting} of those still waited")  # noqa: T201
    assert waiting > count // 2
    assert SHORT or seconds < 2
    ledger.heal()
    # All that the other key lost is its place in a batch: none of its tasks was put off, or run for a second time.
    assert {task.attempt for task in ledger.tasks().values()} == {1}


def test_endless_tasks_of_one_key_leave_a_worker_to_others(stack: ChaosStack, ledger: Ledger) -> None:
    """Twenty tasks that run to their time limit keep two of three workers; another key's Bell pair ends before them."""
    progress(lambda: stack.queue.size() == 0)
    stack.deliver(enabled=False)  # until all are there: they are received in two full batches then
    with stack.http() as many, stack.http(stack.new_key()) as one:
        answer = many.post("/tasks/batch", json={"tasks": [{"qc": ENDLESS, "shots": 1}] * 20})
        assert answer.status_code == 200
        ledger.expected |= dict.fromkeys((task["task_id"] for task in answer.json()["tasks"]), "")
        stack.deliver(enabled=True)
        progress(lambda: ledger.statuses()[Status.PROCESSING])
        start = time.monotonic()
        task_id = one.post("/tasks", json={"qc": BELL}).json()["task_id"]
        progress(lambda: one.get(f"/tasks/{task_id}").json()["status"] == "completed")
        seconds = time.monotonic() - start
        ended = ledger.statuses()[Status.FAILED] + ledger.statuses()[Status.COMPLETED]
        for endless in ledger.expected:
            many.delete(f"/tasks/{endless}")
    print(f"\n  One task beside 20 endless ones of another key: {seconds:.2f} s")  # noqa: T201
    assert ended == 0
    assert SHORT or seconds < 5


def _write(dynamodb: object, table: str, requests: Iterable[object]) -> None:
    left = iter(requests)
    while batch := list(itertools.islice(left, 25)):
        dynamodb.batch_write_item(RequestItems={table: batch})


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):  # it may have ended by itself
        os.kill(pid, number)
