"""The tasks table under every event a task can meet, against moto."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from submitted import NoiseRequest
from tasks import aws, store
from tasks.errors import (
    ATTEMPTS_EXHAUSTED,
    ErrorCode,
    KeyReusedError,
    NewerTaskError,
    StaleAttemptError,
    TaskError,
    UnavailableError,
)
from tasks.options import Options
from tasks.queue import Message
from tasks.rows import INLINE_BYTES, NOISE_SINCE, OPTIONS_SINCE, ROW_VERSION, pack
from tasks.table import Holder
from tasks.task import Status, Task, Transition, new_task_id, rfc3339, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulated_aws import Aws

COUNTS = {"result": {"00": 5, "11": 5}}


def new_task(**changes: object) -> Task:
    """Return a task that was just accepted."""
    now = rfc3339(utc_now())
    task = Task(
        task_id=new_task_id(),
        owner="alice",
        status=Status.PENDING,
        submitted_at=now,
        correlation_id="correlation",
        circuit="OPENQASM 3; qubit q; measure q;",
        shots=10,
        options={"seed": 7},
        request_hash="hash",
        status_history=(Transition(Status.PENDING, now, "The task was accepted."),),
    )
    return task.evolve(**changes)


def history(task: Task | None) -> list[str]:
    """Return the statuses a task went through."""
    assert task is not None
    return [str(line.status) for line in task.status_history]


def test_a_stored_task_reads_back(in_moto: Aws) -> None:
    """What was submitted is what is read, the circuit's text apart."""
    task = new_task()
    in_moto.store.submit(task)
    assert task.evolve(circuit="") == in_moto.store.get(task.task_id)


def test_an_unknown_task_is_none(in_moto: Aws) -> None:
    """Reading an id that was never stored gives None."""
    assert in_moto.store.get(new_task_id()) is None


def test_a_claim_brings_the_circuit_and_counts_the_attempt(in_moto: Aws) -> None:
    """The first claim has the whole task, attempt 1 and a lease."""
    task = new_task()
    in_moto.store.submit(task)
    claimed = in_moto.claimed(task.task_id)
    assert (claimed.circuit, claimed.options, claimed.attempt) == (task.circuit, {"seed": 7}, 1)
    assert history(claimed) == ["pending", "processing"]


def test_a_claimed_task_cannot_be_claimed_while_its_lease_runs(in_moto: Aws) -> None:
    """Of two deliveries of one message only the first gets the task."""
    task = new_task()
    in_moto.store.submit(task)
    in_moto.store.claim(task.task_id)
    assert in_moto.store.claim(task.task_id) is None


def test_a_claim_of_an_unknown_task_is_none(in_moto: Aws) -> None:
    """A message whose row expired ends quietly and makes no row."""
    assert in_moto.store.claim(new_task_id()) is None
    assert in_moto.rows() == []


def test_an_expired_lease_can_be_claimed_and_fences_the_first_worker_off(in_moto: Aws) -> None:
    """After a second claim the first worker can neither complete, fail, extend nor release."""
    task = new_task()
    in_moto.store.submit(task)
    first = in_moto.store.claim(task.task_id)
    in_moto.edit(task.task_id, lease_until=1)
    second = in_moto.store.claim(task.task_id)
    assert first is not None
    assert second is not None
    assert second.attempt == 2
    for write in (
        lambda: in_moto.store.complete(first, COUNTS),
        lambda: in_moto.store.fail(first, ATTEMPTS_EXHAUSTED),
        lambda: in_moto.store.extend(first),
        lambda: in_moto.store.release(first),
    ):
        with pytest.raises(StaleAttemptError):
            write()
    in_moto.store.complete(second, COUNTS)
    ended = in_moto.store.get(task.task_id)
    assert history(ended) == ["pending", "processing", "processing", "completed"]


def test_a_completed_task_has_its_outcome_and_leaves_the_sweepers_index(in_moto: Aws) -> None:
    """Completing stores the counts and takes the task out of the open tasks."""
    task = new_task()
    in_moto.store.submit(task)
    assert [open_task.task_id for open_task in in_moto.store.open_tasks()] == [task.task_id]
    claimed = in_moto.claimed(task.task_id)
    in_moto.store.complete(claimed, COUNTS)
    ended = in_moto.stored(task.task_id)
    assert (ended.status, ended.outcome) == (Status.COMPLETED, COUNTS)
    assert list(in_moto.store.open_tasks()) == []


def test_completing_twice_with_the_same_attempt_is_one_completion(in_moto: Aws) -> None:
    """A completion whose answer was lost is sent again by boto3 and must not look stale."""
    task = new_task()
    in_moto.store.submit(task)
    claimed = in_moto.claimed(task.task_id)
    in_moto.store.complete(claimed, COUNTS)
    in_moto.store.complete(claimed, COUNTS)
    assert history(in_moto.store.get(task.task_id)) == ["pending", "processing", "completed"]


def test_rescheduling_twice_for_the_same_moment_is_one(in_moto: Aws) -> None:
    """A sweeper whose answer was lost, and whom boto3 made write again, still sends the message."""
    task = new_task()
    in_moto.store.submit(task)
    (listed,) = in_moto.store.open_tasks()
    later = utc_now() + timedelta(minutes=1)
    for _ in range(2):
        rescheduled = in_moto.store.reschedule(listed, later)
        assert rescheduled is not None
        assert rescheduled.task_id == task.task_id
    assert in_moto.store.reschedule(listed, later + timedelta(seconds=1)) is None


@pytest.mark.parametrize("ending", ["completed", "failed", "cancelled"])
def test_an_ended_task_never_changes(in_moto: Aws, ending: str) -> None:
    """No claim, cancellation or dead letter changes a task that has ended."""
    task = new_task()
    in_moto.store.submit(task)
    claimed = in_moto.claimed(task.task_id)
    match ending:
        case "completed":
            in_moto.store.complete(claimed, COUNTS)
        case "failed":
            in_moto.store.fail(claimed, TaskError(ErrorCode.TIME_LIMIT, "Too slow."))
        case "cancelled":
            assert in_moto.store.cancel(task.task_id, "alice")
    before = in_moto.row(task.task_id)
    assert in_moto.store.claim(task.task_id) is None
    assert in_moto.store.cancel(task.task_id, "alice") is False
    assert in_moto.store.fail_dead(task.task_id, ATTEMPTS_EXHAUSTED) is None
    assert before == in_moto.row(task.task_id)


def test_a_failed_task_says_why(in_moto: Aws) -> None:
    """The error's fields are read back as they were given."""
    task = new_task()
    in_moto.store.submit(task)
    claimed = in_moto.claimed(task.task_id)
    in_moto.store.fail(claimed, TaskError(ErrorCode.INVALID_CIRCUIT, "No.", line=1, column=2, hint="Yes."))
    ended = in_moto.stored(task.task_id)
    assert ended.error == {"code": "invalid_circuit", "message": "No.", "line": 1, "column": 2, "hint": "Yes."}


def test_a_released_task_can_be_claimed_at_once(in_moto: Aws) -> None:
    """A worker that gives a task back ends its own lease."""
    task = new_task()
    in_moto.store.submit(task)
    claimed = in_moto.claimed(task.task_id)
    in_moto.store.release(claimed)
    again = in_moto.claimed(task.task_id)
    assert again.attempt == 2


def test_only_its_owner_can_cancel_a_task(in_moto: Aws) -> None:
    """Another owner's cancellation is refused and changes nothing."""
    task = new_task()
    in_moto.store.submit(task)
    assert in_moto.store.cancel(task.task_id, "mallory") is False
    assert in_moto.store.cancel(task.task_id, "alice") is True


def test_a_running_task_that_is_cancelled_refuses_its_workers_completion(in_moto: Aws) -> None:
    """The worker learns of a cancellation at its next heartbeat, and cannot complete the task."""
    task = new_task()
    in_moto.store.submit(task)
    claimed = in_moto.claimed(task.task_id)
    in_moto.store.cancel(task.task_id, "alice")
    with pytest.raises(StaleAttemptError):
        in_moto.store.extend(claimed)
    with pytest.raises(StaleAttemptError):
        in_moto.store.complete(claimed, COUNTS)


def test_a_task_that_failed_by_its_message_can_be_claimed_again(in_moto: Aws) -> None:
    """A redriven message brings back a task that failed only because of it, and the task can complete."""
    task = new_task()
    in_moto.store.submit(task)
    dead = in_moto.store.fail_dead(task.task_id, ATTEMPTS_EXHAUSTED)
    assert dead is not None
    assert (dead.status, dead.error) == (Status.FAILED, ATTEMPTS_EXHAUSTED.as_dict())
    assert list(in_moto.store.open_tasks()) == []
    claimed = in_moto.claimed(task.task_id)
    assert [open_task.task_id for open_task in in_moto.store.open_tasks()] == [task.task_id]
    in_moto.store.complete(claimed, COUNTS)
    ended = in_moto.store.get(task.task_id)
    assert history(ended) == ["pending", "failed", "processing", "completed"]
    assert ended is not None
    assert ended.error is None


def test_a_task_whose_worker_lives_is_not_failed(in_moto: Aws) -> None:
    """A dead duplicate of a message does not fail a task that is being worked on."""
    task = new_task()
    in_moto.store.submit(task)
    in_moto.store.claim(task.task_id)
    assert in_moto.store.fail_dead(task.task_id, ATTEMPTS_EXHAUSTED) is None


def test_the_same_key_and_body_is_the_same_task(in_moto: Aws) -> None:
    """Submitting under an id that exists gives the task that is there, as a replay."""
    task = new_task()
    assert in_moto.store.submit(task).replayed is False
    again = in_moto.store.submit(task.evolve(submitted_at="2026-01-01T00:00:00.000Z"))
    assert (again.replayed, again.task.submitted_at) == (True, task.submitted_at)


def test_a_put_that_boto_repeated_is_no_replay(in_moto: Aws) -> None:
    """A submission that meets its own first try is a new task."""
    task = new_task()
    in_moto.store.submit(task)
    assert in_moto.store.submit(task).replayed is False


def test_the_same_key_with_another_body_is_refused(in_moto: Aws) -> None:
    """An id made from a key cannot be used for two bodies, and the first task stays."""
    task = new_task()
    in_moto.store.submit(task)
    with pytest.raises(KeyReusedError):
        in_moto.store.submit(task.evolve(request_hash="other"))
    assert len(in_moto.rows()) == 1


def test_large_payloads_go_to_the_bucket_and_come_back(in_moto: Aws) -> None:
    """A circuit and an outcome too large for a row are stored as objects and read back whole."""
    circuit = "\n".join(f"// {index * 7919}" for index in range(20_000))
    outcome = {"result": {f"{index:020b}": index for index in range(5_000)}}
    assert len(pack(circuit)) > INLINE_BYTES
    task = new_task(circuit=circuit)
    in_moto.store.submit(task)
    claimed = in_moto.claimed(task.task_id)
    assert claimed.circuit == circuit
    in_moto.store.complete(claimed, outcome)
    ended = in_moto.stored(task.task_id)
    assert ended.outcome == outcome
    assert sorted(in_moto.objects()) == [f"circuits/{task.task_id}-hash", f"outcomes/{task.task_id}-1"]
    row = in_moto.row(task.task_id)
    assert row is not None
    assert len(json.dumps(row, default=str)) < 3000


def test_an_outcome_too_large_for_an_answer_is_a_url(in_moto: Aws) -> None:
    """Counts beyond what Lambda may answer with are given as a presigned URL."""
    outcome = {"result": {f"{index:060b}": index for index in range(100_000)}}
    task = new_task()
    in_moto.store.submit(task)
    claimed = in_moto.claimed(task.task_id)
    in_moto.store.complete(claimed, outcome)
    ended = in_moto.stored(task.task_id)
    assert list(ended.outcome) == ["result_url"]
    assert f"outcomes/{task.task_id}-1" in ended.outcome["result_url"]


def test_a_row_of_the_first_version_is_understood(in_moto: Aws) -> None:
    """A row that lacks every attribute added since is read with their defaults."""
    task = new_task()
    in_moto.store.submit(task)
    row = in_moto.row(task.task_id)
    assert row is not None
    for name in ("options", "request_hash", "lease_until", "version"):
        del row[name]
    from tasks.aws import client

    client("dynamodb").put_item(TableName=in_moto.settings.tasks_table, Item=row)
    read = in_moto.stored(task.task_id)
    assert (read.options, read.request_hash, read.lease_until) == ({}, "", 0)


def test_a_row_has_the_version_that_its_options_need(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task with options that older code does not know is left to newer code, which claims all in one call."""
    tasks = [
        new_task(options=options)
        for options in (
            {},
            {"seed": 7, "noise": {"depolarizing": {"one_qubit": 0.1}, "readout": {"prob_meas1_prep0": 0.1}}},
            {"results": [{"type": "probabilities"}]},
            {"noise": {"readout": {"prob_meas1_prep0": 0.1}, "model": "ibmq_lima"}},
        )
    ]
    in_moto.store.submit_all(tasks)
    rows = {row["task_id"]["S"]: row for row in in_moto.rows()}
    assert [rows[task.task_id]["version"] for task in tasks] == [{"N": "1"}, {"N": "1"}, {"N": "2"}, {"N": "2"}]
    calls = Calls(monkeypatch)
    assert None not in in_moto.store.claim_all([Message(task.task_id) for task in tasks])
    assert calls.made == ["BatchExecuteStatement"]


def test_every_option_has_its_version() -> None:
    """Whoever adds an option decides which code runs it: all but these of the first version are in rows.py."""
    first = {"shots", "seed", "method", "precision", "memory", "noise", "observables", "inputs"}
    assert {field.name for field in fields(Options)} == first | OPTIONS_SINCE.keys()
    assert NoiseRequest.model_fields.keys() == {"depolarizing", "readout"} | NOISE_SINCE.keys()
    assert max(*OPTIONS_SINCE.values(), *NOISE_SINCE.values()) == ROW_VERSION


def test_an_older_worker_leaves_tasks_with_newer_options(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """It claims what it can run, whichever code stored it."""
    plain, newer = new_task(), new_task(options={"results": [{"type": "probabilities"}]})
    in_moto.store.submit_all([plain, newer])
    monkeypatch.setattr(store, "ROW_VERSION", 1)
    claimed, left = in_moto.store.claim_all([Message(plain.task_id), Message(newer.task_id)])
    assert isinstance(claimed, Task)
    assert isinstance(left, NewerTaskError)
    assert history(in_moto.store.get(newer.task_id)) == ["pending"]


def test_an_ending_that_boto_repeated_is_still_ours(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancellation or a failure that meets its own first try says that it ended the task."""
    moment = utc_now()
    monkeypatch.setattr("tasks.supervision.utc_now", lambda: moment)
    cancelled, dead = new_task(), new_task()
    in_moto.store.submit(cancelled)
    in_moto.store.submit(dead)
    assert [in_moto.store.cancel(cancelled.task_id, "alice") for _ in range(2)] == [True, True]
    assert all(in_moto.store.fail_dead(dead.task_id, ATTEMPTS_EXHAUSTED) for _ in range(2))


def test_rescheduling_is_won_by_one_sweeper(in_moto: Aws) -> None:
    """Of two sweepers that saw the same overdue task one may send its message."""
    task = new_task()
    in_moto.store.submit(task)
    seen = next(in_moto.store.open_tasks())
    now = utc_now()
    assert in_moto.store.reschedule(seen, now) is not None
    # At one and the same millisecond both win: the second looks like the write of the first, sent again.
    assert in_moto.store.reschedule(seen, now + timedelta(milliseconds=1)) is None


def test_a_task_is_abandoned_when_its_lease_ran_out_long_ago(in_moto: Aws) -> None:
    """A pending task, a running one and one whose lease just ran out are not abandoned."""
    pending, running, abandoned, just = (new_task() for _ in range(4))
    for task in (pending, running, abandoned, just):
        in_moto.store.submit(task)
    for task in (running, abandoned, just):
        in_moto.store.claim(task.task_id)
    in_moto.edit(abandoned.task_id, lease_until=1)
    in_moto.edit(just.task_id, lease_until=int(utc_now().timestamp() * 1000) - 1)
    standings = in_moto.store.standings([task.task_id for task in (pending, running, abandoned, just)])
    assert [standing.holder for standing in standings.values()] == [
        Holder.NOBODY,
        Holder.WORKER,
        Holder.DEAD_WORKER,
        Holder.LATE_WORKER,
    ]


def test_rows_that_dynamodb_left_out_are_asked_for_again(in_moto: Aws) -> None:
    """What a throttled table leaves out of an answer is asked for again; when it never comes, that is an error."""
    table = in_moto.settings.tasks_table
    other = {
        "owner": {"S": "alice"},
        "status": {"S": "processing"},
        "lease_until": {"N": "1"},
        "submitted_at": {"S": rfc3339(utc_now())},
    }
    rows = [{"task_id": {"S": name}, **other} for name in "ab"]
    left = {table: {"Keys": [{"task_id": {"S": "b"}}]}}
    with Stubber(aws.client("dynamodb")) as dynamodb:
        dynamodb.add_response("batch_get_item", {"Responses": {table: rows[:1]}, "UnprocessedKeys": left})
        dynamodb.add_response("batch_get_item", {"Responses": {table: rows[1:]}}, {"RequestItems": left})
        assert set(in_moto.store.standings(["a", "b"])) == {"a", "b"}
        for _ in range(5):
            dynamodb.add_response("batch_get_item", {"Responses": {table: []}, "UnprocessedKeys": left})
        with pytest.raises(UnavailableError):
            in_moto.store.standings(["b"])
        dynamodb.assert_no_pending_responses()


def submitted(in_moto: Aws, count: int, **changes: object) -> list[Task]:
    """Store new tasks."""
    tasks = [new_task(**changes) for _ in range(count)]
    for task in tasks:
        in_moto.store.submit(task)
    return tasks


def claimed(in_moto: Aws, count: int) -> list[Task]:
    """Store and claim new tasks."""
    found = in_moto.store.claim_all([Message(task.task_id) for task in submitted(in_moto, count)])
    return [task for task in found if isinstance(task, Task)]


class Calls:
    """Counts a client's writes, and answers batches with given answers instead of carrying them out."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: Callable[[list[Any]], Any] | None = None) -> None:
        self.made: list[str] = []
        client = aws.client("dynamodb")
        update, execute = client.update_item, client.batch_execute_statement

        def update_item(**request: Any) -> Any:
            self.made.append("UpdateItem")
            return update(**request)

        def batch_execute_statement(**request: Any) -> Any:
            self.made.append("BatchExecuteStatement")
            return answer(request["Statements"]) if answer else execute(**request)

        monkeypatch.setattr(client, "update_item", update_item)
        monkeypatch.setattr(client, "batch_execute_statement", batch_execute_statement)


def test_a_batch_is_claimed_in_one_call(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each task that was pending is claimed as by itself; held, ended, unknown and repeated ones are None."""
    first, second, held, ended = submitted(in_moto, 4)
    in_moto.store.claim(held.task_id)
    in_moto.store.cancel(ended.task_id, "alice")
    calls = Calls(monkeypatch)
    wanted = [first, held, second, ended, first]
    found = in_moto.store.claim_all([Message(task.task_id) for task in wanted])
    assert calls.made == ["BatchExecuteStatement"]
    assert [(task.task_id, task.circuit, task.options, task.attempt) for task in found if isinstance(task, Task)] == [
        (task.task_id, task.circuit, {"seed": 7}, 1) for task in (first, second)
    ]
    assert [task is None for task in found] == [False, True, False, True, True]
    for task in (first, second):
        assert history(in_moto.store.get(task.task_id)) == ["pending", "processing"]
        assert in_moto.store.claim(task.task_id) is None
    assert in_moto.store.claim_all([Message(new_task_id()), Message(new_task_id())]) == [None, None]
    assert len(in_moto.rows()) == 4


def test_a_batch_has_also_what_only_a_single_write_can_claim(in_moto: Aws) -> None:
    """Among new tasks, one whose lease ran out and one whose message is a dead letter are claimed too."""
    new, overdue, dead = submitted(in_moto, 3)
    in_moto.store.claim(overdue.task_id)
    in_moto.edit(overdue.task_id, lease_until=1)
    in_moto.store.fail_dead(dead.task_id, ATTEMPTS_EXHAUSTED)
    found = in_moto.store.claim_all([Message(task.task_id) for task in (new, overdue, dead)])
    assert [task.attempt for task in found if isinstance(task, Task)] == [1, 2, 1]
    listed = {open_task.task_id for open_task in in_moto.store.open_tasks()}
    assert listed == {task.task_id for task in (new, overdue, dead)}


def test_a_batch_of_claims_that_boto_repeated_is_still_ours(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that meets its own first try has claimed each task once."""
    ids = [task.task_id for task in submitted(in_moto, 2)]
    execute = aws.client("dynamodb").batch_execute_statement

    def twice(statements: list[Any]) -> Any:
        execute(Statements=statements)
        return execute(Statements=statements)

    calls = Calls(monkeypatch, twice)
    assert [
        task.attempt
        for task in in_moto.store.claim_all([Message(task_id) for task_id in ids])
        if isinstance(task, Task)
    ] == [1, 1]
    assert calls.made == ["BatchExecuteStatement"]
    assert [history(in_moto.store.get(task_id)) for task_id in ids] == [["pending", "processing"]] * 2


def test_a_batch_of_endings_is_stored_in_one_call(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Completions and failures are stored as by themselves; those of overtaken attempts are refused; twice is once."""
    completed, failed, overtaken = claimed(in_moto, 3)
    in_moto.edit(overtaken.task_id, lease_until=1)
    in_moto.store.claim(overtaken.task_id)
    error = TaskError(ErrorCode.TIME_LIMIT, "Too slow.", limit=2)
    calls = Calls(monkeypatch)
    for _ in range(2):
        refusals = in_moto.store.end_all([(completed, COUNTS), (failed, error), (overtaken, COUNTS)])
        assert refusals[:2] == [None, None]
        assert isinstance(refusals[2], StaleAttemptError)
    assert calls.made == ["BatchExecuteStatement"] * 2
    stored = [in_moto.store.get(task.task_id) for task in (completed, failed, overtaken)]
    assert [history(task) for task in stored] == [
        ["pending", "processing", "completed"],
        ["pending", "processing", "failed"],
        ["pending", "processing", "processing"],
    ]
    assert [(task.outcome, task.error) for task in stored if task is not None] == [
        (COUNTS, None),
        ({}, error.as_dict()),
        ({}, None),
    ]
    assert [open_task.task_id for open_task in in_moto.store.open_tasks()] == [overtaken.task_id]


def test_a_batch_of_leases_is_renewed_in_one_call(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The leases of what still runs move on; the worker learns what was cancelled."""
    running, cancelled = claimed(in_moto, 2)
    in_moto.store.cancel(cancelled.task_id, "alice")
    in_moto.edit(running.task_id, lease_until=1)
    calls = Calls(monkeypatch)
    renewed, refusal = in_moto.store.extend_all([running, cancelled])
    assert calls.made == ["BatchExecuteStatement"]
    assert renewed is None
    assert isinstance(refusal, StaleAttemptError)
    assert in_moto.store.claim(running.task_id) is None


def test_large_payloads_of_a_batch_go_to_the_bucket_and_come_back(in_moto: Aws) -> None:
    """Claims in a batch bring large circuits and options; its endings store large outcomes."""
    circuit = "".join(f"// {index * 7919}\n" for index in range(20_000))
    options = {"inputs": [{"a": index / 7} for index in range(1_000)]}
    outcome = {"result": {f"{index:020b}": index for index in range(5_000)}}
    ids = [task.task_id for task in submitted(in_moto, 2, circuit=circuit, options=options)]
    tasks = [task for task in in_moto.store.claim_all([Message(task_id) for task_id in ids]) if isinstance(task, Task)]
    assert [(task.circuit, task.options) for task in tasks] == [(circuit, options)] * 2
    assert in_moto.store.end_all([(task, outcome) for task in tasks]) == [None, None]
    ended = in_moto.stored(ids[1])
    assert ended.outcome == outcome


def _undone(statements: list[Any]) -> Any:
    return {"Responses": [{"Error": {"Code": "ThrottlingError", "Message": ""}} for _ in statements]}


def _refused(statements: list[Any]) -> Any:
    raise ClientError({"Error": {"Code": "ValidationException", "Message": ""}}, "BatchExecuteStatement")


@pytest.mark.parametrize("answer", [_undone, _refused])
def test_what_a_batch_does_not_do_is_done_by_single_writes(
    in_moto: Aws, monkeypatch: pytest.MonkeyPatch, answer: Callable[[list[Any]], Any]
) -> None:
    """Statements that DynamoDB throttles or will not have cost more calls, and nothing else."""
    ids = [task.task_id for task in submitted(in_moto, 2)]
    calls = Calls(monkeypatch, answer)
    tasks = [task for task in in_moto.store.claim_all([Message(task_id) for task_id in ids]) if isinstance(task, Task)]
    assert [task.task_id for task in tasks] == ids
    assert in_moto.store.extend_all(tasks) == [None, None]
    assert in_moto.store.end_all([(task, COUNTS) for task in tasks]) == [None, None]
    assert calls.made == ["BatchExecuteStatement", "UpdateItem", "UpdateItem"] * 3
    assert [history(in_moto.store.get(task_id)) for task_id in ids] == [["pending", "processing", "completed"]] * 2


def test_a_claim_that_a_batch_made_and_did_not_tell_is_ours(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the answer lacks the rows, the single claim that asks after them finds its own token there."""
    execute = aws.client("dynamodb").batch_execute_statement

    def in_silence(statements: list[Any]) -> Any:
        return {"Responses": [{} for _ in execute(Statements=statements)["Responses"]]}

    ids = [task.task_id for task in submitted(in_moto, 2)]
    calls = Calls(monkeypatch, in_silence)
    assert [
        task.attempt
        for task in in_moto.store.claim_all([Message(task_id) for task_id in ids])
        if isinstance(task, Task)
    ] == [1, 1]
    assert calls.made == ["BatchExecuteStatement", "UpdateItem", "UpdateItem"]


def test_an_outage_is_told_of_every_task(in_moto: Aws) -> None:
    """A DynamoDB that does not answer is not asked for each task again."""
    tasks = claimed(in_moto, 2)
    with Stubber(aws.client("dynamodb")) as dynamodb:
        for _ in range(3):
            dynamodb.add_client_error("batch_execute_statement", "InternalServerError", http_status_code=500)
        for reported in (
            in_moto.store.claim_all([Message(task.task_id) for task in tasks]),
            in_moto.store.extend_all(tasks),
            in_moto.store.end_all([(task, COUNTS) for task in tasks]),
        ):
            assert [type(each) for each in reported] == [UnavailableError] * 2
        dynamodb.assert_no_pending_responses()


@pytest.mark.parametrize("mates", [0, 1])
def test_only_the_message_that_died_claims_its_task_again(in_moto: Aws, mates: int) -> None:
    """Of three messages, in one batch or alone, the one that the dead-letter queue had; the others end quietly."""
    task = new_task()
    in_moto.store.submit(task)
    assert in_moto.store.fail_dead(task.task_id, ATTEMPTS_EXHAUSTED, "dead") is not None
    others = [Message(new_task_id()) for _ in range(mates)]
    assert in_moto.store.claim_all([Message(task.task_id, "other"), *others])[0] is None
    assert in_moto.store.claim_all([Message(task.task_id), *others])[0] is None
    both = [Message(task.task_id, "other"), Message(task.task_id, "dead")]
    first, second, *_ = in_moto.store.claim_all([*both, *others])
    assert isinstance(first, Task)
    assert second is None
    assert history(first) == ["pending", "failed", "processing"]
