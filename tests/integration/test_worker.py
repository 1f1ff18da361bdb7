"""The worker function on SQS batches, against moto and with real Aer: what becomes of each task and each message."""

from __future__ import annotations

import json
import math
import random
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from lambda_events import Context, sqs_record, task_record
from test_store import new_task

import worker
from children import Children
from local_stack import eventually
from simulated_aws import BELL
from tasks import aws
from tasks.bill import added, bill
from tasks.errors import ATTEMPTS_EXHAUSTED, PROGRAM_GONE, ErrorCode, TaskError
from tasks.limits import Limits
from tasks.queue import Length
from tasks.rows import ROW_VERSION
from tasks.task import Lane, Status
from verdicts import Completed, Failed, Returned
from worker import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from simulated_aws import Aws
    from verdicts import Outcome

LEASE = 45


@pytest.fixture(scope="module", name="children")
def fixture_children() -> Iterator[Children]:
    """Give two warm processes, shared by the tests of this module."""
    with Children(2, memory_mb=2048, time_limit_s=30) as children:
        yield children


class ScriptedChildren:
    """Gives fixed outcomes, after calling `meanwhile`; for what real children cannot be made to do."""

    limits = Limits(1769, 30, children=1)

    def __init__(self, *outcomes: Outcome, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.outcomes = outcomes
        self.meanwhile = meanwhile

    def run(self, programs: Sequence[Any], **_: Any) -> Iterator[tuple[int, Any]]:
        """Yield each program's outcome."""
        self.meanwhile()
        yield from zip(range(len(programs)), self.outcomes, strict=True)


def work(
    in_moto: Aws,
    records: Sequence[dict[str, Any]],
    children: Any,
    seconds: float = 60,
    lane: Lane = Lane.SMALL,
    beat_every_s: float = LEASE / 3,
    large_time_limit_s: float = 30,
) -> list[str]:
    """Let the worker work on `records`; return the ids of the messages that go back."""
    batch = Batch(
        in_moto.store,
        in_moto.queues,
        lane,
        children,
        time.monotonic() + seconds,
        lease_seconds=LEASE,
        large_time_limit_s=large_time_limit_s,
    )
    batch.beat_every_s = beat_every_s
    return batch.work(records)


def throttle(monkeypatch: pytest.MonkeyPatch, task_id: str) -> None:
    """From now on let DynamoDB throttle every write of the task's row, alone or in a batch."""
    client = aws.client("dynamodb")
    update, execute = client.update_item, client.batch_execute_statement

    def update_item(**request: Any) -> Any:
        if request["Key"]["task_id"]["S"] == task_id:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "UpdateItem")
        return update(**request)

    def batch_execute_statement(**request: Any) -> Any:
        answer = execute(
            Statements=[each for each in request["Statements"] if {"S": task_id} not in each["Parameters"]]
        )
        for index, statement in enumerate(request["Statements"]):
            if {"S": task_id} in statement["Parameters"]:
                answer["Responses"].insert(index, {"Error": {"Code": "ThrottlingError", "Message": ""}})
        return answer

    monkeypatch.setattr(client, "update_item", update_item)
    monkeypatch.setattr(client, "batch_execute_statement", batch_execute_statement)


def submitted(in_moto: Aws, qc: str = BELL, **changes: Any) -> str:
    """Store a task and return its id."""
    task = new_task(circuit=qc, shots=1000, **changes)
    in_moto.store.submit(task)
    return task.task_id


def received(in_moto: Aws) -> list[dict[str, Any]]:
    """Receive the task queue's messages as the records of one batch."""
    answer = aws.client("sqs").receive_message(
        QueueUrl=in_moto.settings.task_queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )
    return [
        sqs_record(message["Body"], message_id=message["MessageId"], receipt_handle=message["ReceiptHandle"])
        for message in answer.get("Messages", [])
    ]


def status(in_moto: Aws, task_id: str) -> str:
    """Return a task's status."""
    task = in_moto.stored(task_id)
    return str(task.status)


def test_a_batch_completes_with_its_counts(in_moto: Aws, children: Children) -> None:
    """A Bell task of 1000 shots ends completed, with counts of 00 and 11 that add up and are those of its seed."""
    first, second = submitted(in_moto), submitted(in_moto)
    assert work(in_moto, [task_record(first), task_record(second)], children) == []
    tasks = [in_moto.store.get(task_id) for task_id in (first, second)]
    counts = [task.outcome["result"] for task in tasks if task is not None]
    assert set(counts[0]) == {"00", "11"}
    assert sum(counts[0].values()) == 1000
    assert counts[0] == counts[1], "the same seed gives the same counts"
    assert tasks[0] is not None
    assert tasks[0].outcome["execution"]["attempt"] == 1
    execution = tasks[0].outcome["execution"]
    assert execution["seed"] == 7
    assert execution["billed_ms"] == math.ceil(execution["parse_ms"] + execution["run_ms"])


def test_a_completed_task_says_what_it_cost(
    in_moto: Aws, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whole milliseconds of reading and running at the worker's memory, a sweep's in all; so does the log's line."""
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    task_id = submitted(in_moto)
    execution = {"parse_ms": 0.4, "run_ms": 123.0, "bindings": [{"seed": 1}, {"seed": 2}]}
    swept = Completed({"result": [{"0": 1}, {"0": 1}], "execution": execution})
    assert work(in_moto, [task_record(task_id)], ScriptedChildren(swept)) == []
    billed = {"billed_ms": 124, "cost_usd": 3.57e-06}  # 0.124 s of 1,769 MB at 0.0000166667 dollars per GB-second
    assert in_moto.stored(task_id).outcome["execution"] == {**execution, "attempt": 1, **billed}
    (line,) = [vars(record) for record in caplog.records if record.message == "Task completed"]
    assert {name: line[name] for name in billed} == billed


def test_a_failed_tasks_cost_is_in_the_log(
    in_moto: Aws, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What its last try kept a child busy for."""
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    failed = Failed(TaskError(ErrorCode.TIME_LIMIT, "Long."), run_ms=30_000.2, ran_out_of_time=True)
    assert work(in_moto, [task_record(submitted(in_moto))], ScriptedChildren(failed)) == []
    (line,) = [vars(record) for record in caplog.records if record.message == "Task failed"]
    assert (line["billed_ms"], line["cost_usd"]) == (30_001, 0.000691)


@pytest.mark.parametrize(
    "first",
    [
        Failed(TaskError(ErrorCode.MEMORY_LIMIT, "Too large."), run_ms=1_000.5),
        Returned("deadline", started=True, run_ms=1_000.5),
        Returned("killed", started=True, run_ms=1_000.5),
    ],
)
@pytest.mark.parametrize("end", ["completed", "failed", "dead", "cancelled"])
def test_a_tasks_bill_has_all_its_attempts(in_moto: Aws, first: Failed | Returned, end: str) -> None:
    """Passed on, stopped at the function's time limit, killed from outside: the first attempt's time is in the bill."""
    task_id = submitted(in_moto)
    work(in_moto, [task_record(task_id)], ScriptedChildren(first))
    spent = bill(1_000.5, 1_769)
    assert in_moto.stored(task_id).bill == spent
    in_moto.edit(task_id, lease_until=1)
    if end == "dead":
        assert in_moto.store.fail_dead(task_id, ATTEMPTS_EXHAUSTED, "send")
        assert in_moto.stored(task_id).bill == spent
        return
    second: Outcome = Completed({"result": {"0": 1}, "execution": {"run_ms": 99.5}})
    if end == "failed":
        second = Failed(TaskError(ErrorCode.INVALID_CIRCUIT, "No."), run_ms=99.5)
    children = ScriptedChildren(second)
    if end == "cancelled":
        stopped = Returned("stopped", started=True, run_ms=99.5)
        children = ScriptedChildren(stopped, meanwhile=partial(in_moto.store.cancel, task_id, "alice"))
    assert work(in_moto, [task_record(task_id)], children, lane=Lane.LARGE) == []
    ended = in_moto.stored(task_id)
    assert (str(ended.status), ended.bill) == (end, added(spent, bill(99.5, 1_769)))
    assert ended.bill["billed_ms"] == 1_101
    if end == "completed":
        assert {name: ended.outcome["execution"][name] for name in ended.bill} == ended.bill


def test_what_never_ran_has_no_bill(in_moto: Aws) -> None:
    """An attempt that was given back before it began writes none."""
    task_id = submitted(in_moto)
    work(in_moto, [task_record(task_id)], ScriptedChildren(Returned("deadline")))
    assert in_moto.stored(task_id).bill == {}


def test_a_bad_circuit_fails_alone_and_is_acknowledged(in_moto: Aws, children: Children) -> None:
    """A circuit that cannot be read ends failed at its place; its batch mate completes; no message goes back."""
    good, bad = submitted(in_moto), submitted(in_moto, "OPENQASM 3;\nqubit q;\nfoo q;\nmeasure q;")
    assert work(in_moto, [task_record(bad), task_record(good)], children) == []
    failed = in_moto.stored(bad)
    assert failed.error is not None
    assert (failed.status, failed.error["code"], failed.error["line"]) == (Status.FAILED, "invalid_circuit", 3)
    assert status(in_moto, good) == "completed"


def test_a_message_that_is_not_ours_goes_back_alone(in_moto: Aws, children: Children) -> None:
    """Malformed messages are returned, to end in the dead-letter queue; the rest of the batch is done."""
    task_id = submitted(in_moto)
    records = [
        sqs_record("not json", message_id="a"),
        sqs_record("[]", message_id="b"),
        sqs_record('{"task_id": 5}', message_id="c"),
        sqs_record(json.dumps({"version": 2, "task_id": task_id}), message_id="d"),
        task_record(task_id, "e"),
    ]
    assert work(in_moto, records, children) == ["a", "b", "c", "d"]
    assert status(in_moto, task_id) == "completed"


def test_a_message_of_the_first_version_is_understood(in_moto: Aws, children: Children) -> None:
    """A message without a version field is worked on."""
    task_id = submitted(in_moto)
    assert work(in_moto, [sqs_record(json.dumps({"task_id": task_id}))], children) == []
    assert status(in_moto, task_id) == "completed"


def test_a_message_delivered_twice_completes_the_task_once(in_moto: Aws, children: Children) -> None:
    """Duplicates in one batch and in a later one are acknowledged and change nothing."""
    task_id = submitted(in_moto)
    assert work(in_moto, [task_record(task_id), task_record(task_id)], children) == []
    row = in_moto.row(task_id)
    assert work(in_moto, [task_record(task_id)], children) == []
    assert in_moto.row(task_id) == row


def test_a_task_that_expired_is_acknowledged(in_moto: Aws, children: Children) -> None:
    """A message whose row is gone ends quietly."""
    assert work(in_moto, [task_record("00000000-0000-4000-8000-000000000000")], children) == []


def test_throttling_returns_one_message_not_the_batch(
    in_moto: Aws, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When one claim is throttled its message alone goes back and the other task completes."""
    throttled, *others = (submitted(in_moto) for _ in range(3))
    throttle(monkeypatch, throttled)
    records = [task_record(throttled, "t"), *(task_record(other) for other in others)]
    assert work(in_moto, records, children) == ["t"]
    assert [status(in_moto, task_id) for task_id in (throttled, *others)] == ["pending", "completed", "completed"]


def test_without_time_left_everything_goes_back_at_once(in_moto: Aws, children: Children) -> None:
    """A batch whose function has no time left returns its messages visible and its tasks claimable."""
    task_ids = [submitted(in_moto) for _ in range(3)]
    for task_id in task_ids:
        in_moto.queue.send(task_id, "alice", "correlation")
    records = received(in_moto)
    assert work(in_moto, records, children, seconds=0) == [record["messageId"] for record in records]
    again = received(in_moto)
    assert sorted(record["body"] for record in again) == sorted(record["body"] for record in records)
    assert work(in_moto, again, children) == []
    assert [status(in_moto, task_id) for task_id in task_ids] == ["completed"] * 3


def test_received_messages_are_hidden_for_one_lease(in_moto: Aws) -> None:
    """At receipt the messages' visibility is cut from the queue's half hour to the lease and a little."""
    with Stubber(aws.client("sqs")) as sqs:
        sqs.add_response(
            "change_message_visibility_batch",
            {"Successful": [], "Failed": []},
            {
                "QueueUrl": in_moto.settings.task_queue_url,
                "Entries": [{"Id": "0", "ReceiptHandle": "handle", "VisibilityTimeout": LEASE + 5}],
            },
        )
        record = sqs_record('{"task_id": "00000000-0000-4000-8000-000000000000"}', receipt_handle="handle")
        assert work(in_moto, [record], ScriptedChildren()) == []
        sqs.assert_no_pending_responses()


def test_a_message_that_goes_back_is_hidden_again_where_the_first_try_failed(in_moto: Aws) -> None:
    """When SQS did not answer at receipt, what goes back waits for a lease all the same, not for half an hour."""
    with Stubber(aws.client("sqs")) as sqs:
        sqs.add_client_error("change_message_visibility_batch", "InternalError", http_status_code=500)
        sqs.add_response(
            "change_message_visibility_batch",
            {"Successful": [], "Failed": []},
            {
                "QueueUrl": in_moto.settings.task_queue_url,
                "Entries": [{"Id": "0", "ReceiptHandle": "bad", "VisibilityTimeout": LEASE + 5}],
            },
        )
        records = [
            sqs_record("not ours", message_id="m", receipt_handle="bad"),
            task_record("00000000-0000-4000-8000-000000000000"),
        ]
        assert work(in_moto, records, ScriptedChildren()) == ["m"]
        sqs.assert_no_pending_responses()


def test_a_stale_workers_outcome_is_refused(in_moto: Aws) -> None:
    """A worker that was overtaken cannot complete the task, and its message is acknowledged."""
    task_id = submitted(in_moto)

    def overtake() -> None:
        in_moto.edit(task_id, lease_until=1)
        second = in_moto.claimed(task_id)
        in_moto.store.complete(second, {"result": {"11": 1}})

    children = ScriptedChildren(Completed({"result": {"00": 1}, "execution": {}}), meanwhile=overtake)
    assert work(in_moto, [task_record(task_id)], children) == []
    ended = in_moto.stored(task_id)
    assert ended.outcome["result"] == {"11": 1}


def test_an_outcome_that_cannot_be_stored_goes_back(
    in_moto: Aws, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    """When completing is throttled the message goes back, and the next delivery after the lease completes the task.

    What the attempt took is in no bill, and so in the log.
    """
    task_id = submitted(in_moto)
    stub = Stubber(aws.client("dynamodb"))
    stub.add_client_error("update_item", "ThrottlingException")
    took = {"parse_ms": 0.5, "run_ms": 3.0}
    children = ScriptedChildren(Completed({"result": {"00": 1}, "execution": took}), meanwhile=stub.activate)
    assert work(in_moto, [task_record(task_id, "m")], children) == ["m"]
    stub.deactivate()
    assert [line["billed_ms"] for line in log_lines() if line["event"] == "task_returned"] == [4]
    in_moto.edit(task_id, lease_until=1)
    done = ScriptedChildren(Completed({"result": {"00": 1}, "execution": {}}))
    assert work(in_moto, [task_record(task_id)], done) == []
    assert status(in_moto, task_id) == "completed"


def test_results_that_wait_to_be_stored_hold_up_the_next(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """While more bytes of results have ended than are stored, nothing starts; stored, they are out of the way."""
    task_ids = [submitted(in_moto) for _ in range(3)]
    may_store = threading.Event()
    end_all = in_moto.store.end_all
    monkeypatch.setattr(in_moto.store, "end_all", lambda ends: (may_store.wait(30), end_all(ends))[1])
    held = []

    class Watching:
        limits = Limits(1769, 30, children=1)

        def run(self, programs: Sequence[Any], *, hold: Callable[[], bool], **_: Any) -> Iterator[tuple[int, Any]]:
            for index in range(len(programs)):
                held.append(hold())
                yield index, Completed({"result": {"00": 1}, "execution": {}}, size=worker.UNSTORED_BYTES)
            held.append(hold())
            may_store.set()
            assert eventually(lambda: not hold())

    assert work(in_moto, [task_record(task_id) for task_id in task_ids], Watching()) == []
    assert held == [False, False, True, True]
    assert {status(in_moto, task_id) for task_id in task_ids} == {"completed"}


def test_a_task_whose_turn_never_came_does_not_use_up_its_deliveries(in_moto: Aws) -> None:
    """Unstarted, it goes back by its message once; from the second delivery on by a new one, which SQS counts again."""
    first, second, begun = (submitted(in_moto) for _ in range(3))
    records = [
        sqs_record(json.dumps({"version": 1, "task_id": task_id}), message_id=message_id, receives=receives)
        for task_id, message_id, receives in ((first, "a", 1), (second, "b", 2), (begun, "c", 2))
    ]
    late = [Returned("deadline", started=started) for started in (False, False, True)]
    assert work(in_moto, records, ScriptedChildren(*late)) == ["a", "c"]
    assert [json.loads(message["Body"])["task_id"] for message in in_moto.messages()] == [second]
    assert in_moto.claimed(second).attempt == 2


def test_without_the_queue_a_task_whose_turn_never_came_keeps_its_message(in_moto: Aws) -> None:
    """A new message that cannot be sent leaves the old one to be delivered again."""
    task_id = submitted(in_moto)
    record = sqs_record(json.dumps({"version": 1, "task_id": task_id}), message_id="a", receives=4)
    stub = Stubber(aws.client("sqs"))
    stub.add_client_error("send_message", "InternalError")
    late = ScriptedChildren(Returned("deadline", started=False), meanwhile=stub.activate)
    assert work(in_moto, [record], late) == ["a"]
    stub.deactivate()
    assert in_moto.claimed(task_id).attempt == 2


def test_a_running_task_that_is_cancelled_is_stopped_at_the_next_heartbeat(in_moto: Aws) -> None:
    """The heartbeat names the cancelled task as one to stop, and its message is acknowledged."""
    kept, cancelled = submitted(in_moto), submitted(in_moto)

    class Beating:
        limits = ScriptedChildren.limits

        def run(self, programs: Sequence[Any], *, tick: Any, **_: Any) -> Iterator[tuple[int, Any]]:
            in_moto.store.cancel(cancelled, "alice")
            assert eventually(lambda: tick([0, 1])) == [1]
            yield 1, Returned("stopped", started=True, run_ms=1_500.2)
            yield 0, Completed({"result": {"00": 1}, "execution": {}})

    assert work(in_moto, [task_record(kept), task_record(cancelled)], Beating(), beat_every_s=0) == []
    assert (status(in_moto, kept), status(in_moto, cancelled)) == ("completed", "cancelled")
    assert in_moto.stored(cancelled).bill == bill(1_500.2, 1_769)  # what it took until then


def test_an_outcome_that_came_after_the_cancellation_is_billed_and_no_more(in_moto: Aws) -> None:
    """Its counts are not stored; an attempt that another worker overtook bills nothing."""
    cancelled, overtaken = submitted(in_moto), submitted(in_moto)

    def meanwhile() -> None:
        in_moto.store.cancel(cancelled, "alice")
        in_moto.edit(overtaken, lease_until=1)
        in_moto.claimed(overtaken)

    payload = {"result": {"00": 1}, "execution": {"parse_ms": 1.0, "run_ms": 1.5}}
    children = ScriptedChildren(Completed(payload), Completed(payload), meanwhile=meanwhile)
    assert work(in_moto, [task_record(cancelled), task_record(overtaken)], children) == []
    assert (in_moto.stored(cancelled).bill, in_moto.stored(cancelled).outcome) == (bill(2.5, 1_769), {})
    assert in_moto.stored(overtaken).bill == {}


def test_a_heartbeat_extends_the_lease(in_moto: Aws) -> None:
    """While a task runs its lease moves on, so that no other worker takes it."""
    task_id = submitted(in_moto)

    class Beating:
        limits = ScriptedChildren.limits

        def run(self, programs: Sequence[Any], *, tick: Any, **_: Any) -> Iterator[tuple[int, Any]]:
            in_moto.edit(task_id, lease_until=1)

            def is_renewed() -> bool:
                tick([0])
                return int(in_moto.row(task_id)["lease_until"]["N"]) > 1  # type: ignore[index]  # the row is there

            assert eventually(is_renewed)
            assert in_moto.store.claim(task_id) is None
            yield 0, Failed(TaskError(ErrorCode.INVALID_CIRCUIT, "No."))

    assert work(in_moto, [task_record(task_id)], Beating(), beat_every_s=0) == []
    assert status(in_moto, task_id) == "failed"


TOO_LARGE = [ErrorCode.MEMORY_LIMIT, ErrorCode.TIME_LIMIT, ErrorCode.CIRCUIT_TOO_LARGE]


@pytest.mark.parametrize("code", TOO_LARGE)
def test_what_is_too_large_for_the_small_lane_is_passed_on(in_moto: Aws, code: ErrorCode) -> None:
    """The small worker acknowledges its message, the large lane has one, and its worker can claim the task at once."""
    task_id = submitted(in_moto)
    too_large = ScriptedChildren(Failed(TaskError(code, "Too large.")))
    assert work(in_moto, [task_record(task_id)], too_large) == []
    passed_on = in_moto.stored(task_id)
    assert (passed_on.status, passed_on.lane) == (Status.PROCESSING, Lane.LARGE)
    (message,) = in_moto.messages(in_moto.settings.large_task_queue_url)
    assert json.loads(message["Body"])["task_id"] == task_id
    done = ScriptedChildren(Completed({"result": {"00": 1000}, "execution": {}}))
    assert work(in_moto, [task_record(task_id)], done, lane=Lane.LARGE) == []
    assert status(in_moto, task_id) == "completed"


@pytest.mark.parametrize("code", TOO_LARGE)
def test_the_large_lane_has_the_last_word(in_moto: Aws, code: ErrorCode) -> None:
    """What is too large for the large worker fails."""
    task_id = submitted(in_moto)
    too_large = ScriptedChildren(Failed(TaskError(code, "Too large.")))
    assert work(in_moto, [task_record(task_id)], too_large, lane=Lane.LARGE) == []
    assert status(in_moto, task_id) == "failed"


def test_a_task_that_cannot_be_passed_on_goes_back(in_moto: Aws) -> None:
    """When the large lane's queue does not answer the message is returned, and the next delivery passes the task on."""
    task_id = submitted(in_moto)
    too_large = Failed(TaskError(ErrorCode.MEMORY_LIMIT, "Too large."))
    stub = Stubber(aws.client("sqs"))
    stub.add_client_error("send_message", "ServiceUnavailable", http_status_code=503)
    assert work(in_moto, [task_record(task_id, "m")], ScriptedChildren(too_large, meanwhile=stub.activate)) == ["m"]
    stub.deactivate()
    assert work(in_moto, [task_record(task_id)], ScriptedChildren(too_large)) == []
    assert len(in_moto.messages(in_moto.settings.large_task_queue_url)) == 1


def test_the_handler_answers_lambda_with_what_goes_back(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The function's answer is exactly the failed messages' ids, and the batch's lane is its queue's."""
    task_id = submitted(in_moto)
    lanes = []

    class Lanes(ScriptedChildren):
        def run(self, programs: Sequence[Any], **given: Any) -> Iterator[tuple[int, Any]]:
            lanes.append(worker.lane_of(records))
            return super().run(programs, **given)

    records = [task_record(task_id, "a"), sqs_record("?", message_id="b")]
    for record in records:
        record["eventSourceARN"] = "arn:aws:sqs:us-east-1:123456789012:LargeTaskQueue"
    monkeypatch.setattr(worker, "children", lambda: Lanes(Completed({"result": {"00": 1000}, "execution": {}})))
    assert worker.handler({"Records": records}, Context()) == {"batchItemFailures": [{"itemIdentifier": "b"}]}  # type: ignore[arg-type]
    assert lanes == [Lane.LARGE]


DONE = Completed({"result": {"00": 1000}, "execution": {}})


def set_row(in_moto: Aws, task_id: str, **attributes: dict[str, Any]) -> None:
    """Set attributes of a row to what this code would not write."""
    for name, value in attributes.items():
        aws.client("dynamodb").update_item(
            TableName=in_moto.settings.tasks_table,
            Key={"task_id": {"S": task_id}},
            UpdateExpression="SET #name = :value",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":value": value},
        )


@pytest.mark.parametrize(
    "attributes",
    [
        {"options": {"S": '{"no_such_option": 1}'}},
        {"options": {"S": "not json"}},
        {"lane": {"S": "middle"}},
        {"circuit": {"B": b"not gzip"}},
        {"shots": {"N": "0"}},
    ],
)
@pytest.mark.parametrize("mates", [0, 2])
def test_a_row_that_cannot_be_read_goes_back_alone(
    in_moto: Aws, attributes: dict[str, Any], mates: int, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    """Its batch mates complete; it stays with its lease, so that it comes back later, and the log has the reason."""
    bad, *good = (submitted(in_moto) for _ in range(1 + mates))
    set_row(in_moto, bad, **attributes)
    records = [task_record(bad, "bad"), *(task_record(task_id) for task_id in good)]
    assert work(in_moto, records, ScriptedChildren(*[DONE] * mates)) == ["bad"]
    assert [status(in_moto, task_id) for task_id in good] == ["completed"] * mates
    (line,) = [line for line in log_lines() if line.get("event") == "task_unreadable"]
    assert (line["task_id"], bool(line["reason"])) == (bad, True)


@pytest.mark.parametrize("mates", [0, 2])
def test_a_row_of_newer_code_waits_for_newer_code(in_moto: Aws, mates: int) -> None:
    """It is not claimed; a new message comes a minute later, and the old one is acknowledged, however often it came."""
    newer, *good = (submitted(in_moto) for _ in range(1 + mates))
    set_row(in_moto, newer, version={"N": str(ROW_VERSION + 1)}, lane={"S": "sideways"})
    before = in_moto.row(newer)
    record = sqs_record(json.dumps({"version": 1, "task_id": newer}), message_id="newer", receives=5)
    assert work(in_moto, [record, *map(task_record, good)], ScriptedChildren(*[DONE] * mates)) == []
    assert in_moto.row(newer) == before
    assert [status(in_moto, task_id) for task_id in good] == ["completed"] * mates
    assert in_moto.queue.length() == Length(held=1, waiting=0)


def test_a_task_whose_program_is_gone_fails(in_moto: Aws) -> None:
    """Its object has expired or was deleted: the task fails for that reason, and is not tried for ever."""
    gone, good = submitted(in_moto, f"{BELL}// {random.Random(1).randbytes(9000).hex()}"), submitted(in_moto)
    (key,) = in_moto.objects()
    aws.client("s3").delete_object(Bucket=in_moto.settings.payload_bucket, Key=key)
    assert work(in_moto, [task_record(gone), task_record(good)], ScriptedChildren(DONE)) == []
    assert in_moto.stored(gone).error == PROGRAM_GONE.as_dict()
    assert status(in_moto, good) == "completed"


@pytest.mark.parametrize("reason", ["killed", "unavailable"])
def test_what_the_machine_could_not_run_is_left_to_its_lease(in_moto: Aws, reason: str) -> None:
    """Neither claimable nor visible at once: five deliveries within a second would fail the task."""
    task_id = submitted(in_moto)
    in_moto.queue.send(task_id, "alice", "correlation")
    records = received(in_moto)
    returned = ScriptedChildren(Returned(reason, started=True))
    assert work(in_moto, records, returned) == [records[0]["messageId"]]
    assert in_moto.queue.length() == Length(held=1, waiting=0)
    assert in_moto.store.claim(task_id) is None


@pytest.mark.parametrize(
    ("outcomes", "ends"),
    [
        ([Returned("unavailable"), Returned("killed", started=True)], True),
        ([Returned("killed", started=True), DONE], False),
        ([Returned("deadline")], False),
    ],
)
def test_an_environment_that_can_run_nothing_ends(
    in_moto: Aws, monkeypatch: pytest.MonkeyPatch, outcomes: list[Any], *, ends: bool
) -> None:
    """The handler ends the process when all of a batch came back for the machine's sake, and for nothing less."""
    ended = []
    monkeypatch.setattr(worker, "end_environment", lambda: ended.append(True))
    monkeypatch.setattr(worker, "children", lambda: ScriptedChildren(*outcomes))
    records = [task_record(submitted(in_moto)) for _ in outcomes]
    for record in records:
        record["eventSourceARN"] = "arn:aws:sqs:us-east-1:123456789012:TaskQueue"
    worker.handler({"Records": records}, Context())  # type: ignore[arg-type]
    assert bool(ended) == ends


def test_what_waits_to_be_stored_is_renewed(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """While DynamoDB is slow to take an outcome, the attempt's lease goes on, after the last program ended too."""
    task_id = submitted(in_moto)
    end_all = in_moto.store.end_all
    renewed = threading.Event()
    extend_all = in_moto.store.extend_all
    monkeypatch.setattr(in_moto.store, "end_all", lambda ends: (renewed.wait(30), end_all(ends))[1])
    monkeypatch.setattr(in_moto.store, "extend_all", lambda held: (extend_all(held), held and renewed.set())[0])
    in_moto.edit(task_id, lease_until=0)
    assert work(in_moto, [task_record(task_id)], ScriptedChildren(DONE), beat_every_s=0.01) == []
    assert renewed.is_set()
    assert status(in_moto, task_id) == "completed"


def test_a_heartbeat_that_fails_is_logged(
    in_moto: Aws, monkeypatch: pytest.MonkeyPatch, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    """Whatever it raises: nobody waits for what the third thread does."""

    def fail(_: object) -> None:
        raise RuntimeError("secret of the heartbeat")

    monkeypatch.setattr(in_moto.store, "extend_all", fail)

    class Beating:
        limits = ScriptedChildren.limits

        def run(self, programs: Sequence[Any], *, tick: Any, **_: Any) -> Iterator[tuple[int, Any]]:
            assert eventually(lambda: tick([0]) or "heartbeat_missed" in [line.get("event") for line in log_lines()])
            yield 0, DONE

    assert work(in_moto, [task_record(submitted(in_moto))], Beating(), beat_every_s=0) == []


@pytest.mark.parametrize(
    ("ran_out_of_time", "large_time_limit_s", "passed_on"), [(True, 30, False), (True, 31, True), (False, 30, True)]
)
def test_what_used_up_its_time_is_passed_on_only_to_more_time(
    in_moto: Aws, large_time_limit_s: float, *, ran_out_of_time: bool, passed_on: bool
) -> None:
    """A run past its time limit is not repeated for as long; what was refused before it ran may go to more cores."""
    task_id = submitted(in_moto)
    too_long = Failed(TaskError(ErrorCode.TIME_LIMIT, "Too long."), ran_out_of_time=ran_out_of_time)
    children = ScriptedChildren(too_long)
    assert work(in_moto, [task_record(task_id)], children, large_time_limit_s=large_time_limit_s) == []
    assert status(in_moto, task_id) == ("processing" if passed_on else "failed")
    assert in_moto.queues[Lane.LARGE].size() == passed_on


def test_a_task_is_said_to_have_run_once_it_began(in_moto: Aws) -> None:
    """Unstarted attempts do not count; a postponed one keeps its deliveries, and is known to have run before."""
    task_id = submitted(in_moto)
    seen = []

    class Watching(ScriptedChildren):
        def run(self, programs: Sequence[Any], **given: Any) -> Iterator[tuple[int, Any]]:
            seen.append(programs[0].has_run)
            return super().run(programs, **given)

    for outcome in (
        Returned("deadline", started=False),
        Returned("deadline", started=True),
        Returned("postponed", started=False),
        DONE,
    ):
        record = sqs_record(json.dumps({"version": 1, "task_id": task_id}), message_id="m", receives=2)
        kept = ["m"] if outcome == Returned("deadline", started=True) else []
        assert work(in_moto, [record], Watching(outcome)) == kept
    assert seen == [False, False, True, True]
