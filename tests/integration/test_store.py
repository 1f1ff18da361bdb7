"""The tasks table under every event a task can meet, against moto."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tasks.errors import ErrorCode, KeyReusedError, StaleAttemptError, TaskError
from tasks.payloads import INLINE_BYTES, pack
from tasks.store import ATTEMPTS_EXHAUSTED
from tasks.task import Status, Task, Transition, new_task_id, rfc3339, utc_now

if TYPE_CHECKING:
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
    claimed = in_moto.store.claim(task.task_id)
    assert claimed is not None
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
    claimed = in_moto.store.claim(task.task_id)
    assert claimed is not None
    in_moto.store.complete(claimed, COUNTS)
    ended = in_moto.store.get(task.task_id)
    assert ended is not None
    assert (ended.status, ended.outcome) == (Status.COMPLETED, COUNTS)
    assert list(in_moto.store.open_tasks()) == []


def test_completing_twice_with_the_same_attempt_is_one_completion(in_moto: Aws) -> None:
    """A completion whose answer was lost is sent again by boto3 and must not look stale."""
    task = new_task()
    in_moto.store.submit(task)
    claimed = in_moto.store.claim(task.task_id)
    assert claimed is not None
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
    """No claim, cancellation or burial changes a task that has ended."""
    task = new_task()
    in_moto.store.submit(task)
    claimed = in_moto.store.claim(task.task_id)
    assert claimed is not None
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
    assert in_moto.store.bury(task.task_id, ATTEMPTS_EXHAUSTED) is None
    assert before == in_moto.row(task.task_id)


def test_a_failed_task_says_why(in_moto: Aws) -> None:
    """The error's fields are read back as they were given."""
    task = new_task()
    in_moto.store.submit(task)
    claimed = in_moto.store.claim(task.task_id)
    assert claimed is not None
    in_moto.store.fail(claimed, TaskError(ErrorCode.INVALID_CIRCUIT, "No.", line=1, column=2, hint="Yes."))
    ended = in_moto.store.get(task.task_id)
    assert ended is not None
    assert ended.error == {"code": "invalid_circuit", "message": "No.", "line": 1, "column": 2, "hint": "Yes."}


def test_a_released_task_can_be_claimed_at_once(in_moto: Aws) -> None:
    """A worker that gives a task back ends its own lease."""
    task = new_task()
    in_moto.store.submit(task)
    claimed = in_moto.store.claim(task.task_id)
    assert claimed is not None
    in_moto.store.release(claimed)
    again = in_moto.store.claim(task.task_id)
    assert again is not None
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
    claimed = in_moto.store.claim(task.task_id)
    assert claimed is not None
    in_moto.store.cancel(task.task_id, "alice")
    with pytest.raises(StaleAttemptError):
        in_moto.store.extend(claimed)
    with pytest.raises(StaleAttemptError):
        in_moto.store.complete(claimed, COUNTS)


def test_a_buried_task_can_be_claimed_again(in_moto: Aws) -> None:
    """A redriven message brings a task back that failed only because its message died, and the task can complete."""
    task = new_task()
    in_moto.store.submit(task)
    buried = in_moto.store.bury(task.task_id, ATTEMPTS_EXHAUSTED)
    assert buried is not None
    assert (buried.status, buried.error) == (Status.FAILED, ATTEMPTS_EXHAUSTED.as_dict())
    assert list(in_moto.store.open_tasks()) == []
    claimed = in_moto.store.claim(task.task_id)
    assert claimed is not None
    assert [open_task.task_id for open_task in in_moto.store.open_tasks()] == [task.task_id]
    in_moto.store.complete(claimed, COUNTS)
    ended = in_moto.store.get(task.task_id)
    assert history(ended) == ["pending", "failed", "processing", "completed"]
    assert ended is not None
    assert ended.error is None


def test_a_task_whose_worker_lives_is_not_buried(in_moto: Aws) -> None:
    """A dead duplicate of a message does not fail a task that is being worked on."""
    task = new_task()
    in_moto.store.submit(task)
    in_moto.store.claim(task.task_id)
    assert in_moto.store.bury(task.task_id, ATTEMPTS_EXHAUSTED) is None


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
    claimed = in_moto.store.claim(task.task_id)
    assert claimed is not None
    assert claimed.circuit == circuit
    in_moto.store.complete(claimed, outcome)
    ended = in_moto.store.get(task.task_id)
    assert ended is not None
    assert ended.outcome == outcome
    assert sorted(in_moto.objects()) == [f"circuits/{task.task_id}-hash", f"outcomes/{task.task_id}-1"]
    row = in_moto.row(task.task_id)
    assert row is not None
    assert len(json.dumps(row, default=str)) < 3000


def test_an_outcome_too_large_for_an_answer_is_a_url(in_moto: Aws) -> None:
    """Counts beyond what Lambda may answer with are given as a presigned URL."""
    outcome = {"result": {f"{index:060b}": index for index in range(80_000)}}
    task = new_task()
    in_moto.store.submit(task)
    claimed = in_moto.store.claim(task.task_id)
    assert claimed is not None
    in_moto.store.complete(claimed, outcome)
    ended = in_moto.store.get(task.task_id)
    assert ended is not None
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
    read = in_moto.store.get(task.task_id)
    assert read is not None
    assert (read.options, read.request_hash, read.lease_until) == ({}, "", 0)


def test_an_ending_that_boto_repeated_is_still_ours(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancellation or a burial that meets its own first try says that it ended the task."""
    moment = utc_now()
    monkeypatch.setattr("tasks.store.utc_now", lambda: moment)
    cancelled, buried = new_task(), new_task()
    in_moto.store.submit(cancelled)
    in_moto.store.submit(buried)
    assert [in_moto.store.cancel(cancelled.task_id, "alice") for _ in range(2)] == [True, True]
    assert all(in_moto.store.bury(buried.task_id, ATTEMPTS_EXHAUSTED) for _ in range(2))


def test_rescheduling_is_won_by_one_sweeper(in_moto: Aws) -> None:
    """Of two sweepers that saw the same overdue task one may send its message."""
    task = new_task()
    in_moto.store.submit(task)
    seen = next(in_moto.store.open_tasks())
    first = in_moto.store.reschedule(seen, utc_now())
    assert first is not None
    assert in_moto.store.reschedule(seen, utc_now()) is None


def test_abandoned_tasks_are_those_whose_lease_ran_out_long_ago(in_moto: Aws) -> None:
    """A pending task, a running one and one whose lease just ran out are not abandoned."""
    pending, running, abandoned, just = (new_task() for _ in range(4))
    for task in (pending, running, abandoned, just):
        in_moto.store.submit(task)
    for task in (running, abandoned, just):
        in_moto.store.claim(task.task_id)
    in_moto.edit(abandoned.task_id, lease_until=1)
    in_moto.edit(just.task_id, lease_until=int(utc_now().timestamp() * 1000))
    assert {abandoned.task_id} == in_moto.store.abandoned(
        [task.task_id for task in (pending, running, abandoned, just)]
    )
