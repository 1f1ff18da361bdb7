"""What an owner has open and has spent, as the notifier adds it up from the table's stream: each change once."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from lambda_events import Context
from ministack.services import lambda_svc
from test_notifier import Listening
from test_store import new_task

import notifier
from open_changes import open_changes
from shards import PREFIX
from simulated_aws import TEMPLATE, resolved
from sums import MARK_SECONDS, Addition, SumRows
from tasks import aws
from tasks.errors import ATTEMPTS_EXHAUSTED, UnavailableError
from tasks.open_work import OpenWork, read_open_work, row_of
from tasks.queue import Message
from tasks.task import Lane, Task, utc_now

if TYPE_CHECKING:
    from simulated_aws import Aws

DONE = {"result": {"0": 10}, "execution": {}}


@pytest.fixture(name="listening")
def fixture_listening(in_moto: Aws) -> Listening:
    """Give who reads the table's stream as Lambda does."""
    return Listening(in_moto)


def sums(in_moto: Aws, owner: str = "alice") -> OpenWork:
    """Return what an owner has open now."""
    return read_open_work(aws.client("dynamodb"), in_moto.settings.tasks_table, owner, utc_now())


def submitted(in_moto: Aws, number: int, **changes: Any) -> list[Task]:
    """Store tasks that count two and a half seconds each."""
    tasks = [new_task(counted_seconds=2.5, **changes) for _ in range(number)]
    for task in tasks:
        in_moto.store.submit(task)
    return tasks


def spend(in_moto: Aws, task: Task, dollars: float) -> None:
    """Complete a task that nobody has claimed, with what it cost."""
    claimed = in_moto.claimed(task.task_id)
    in_moto.store.complete(claimed.evolve(bill={"billed_ms": 1, "cost_usd": dollars}), DONE)


def test_a_task_counts_from_its_submission_to_its_end(in_moto: Aws, listening: Listening) -> None:
    """However it ends; heartbeats, giving back and passing on change nothing; each owner has sums of its own."""
    completed, failed, cancelled, dead, running = submitted(in_moto, 5)
    submitted(in_moto, 1, owner="bob")
    listening.tell()
    assert (sums(in_moto), sums(in_moto, "bob")) == (OpenWork(5, 12.5), OpenWork(1, 2.5))
    held = in_moto.claimed(running.task_id)
    in_moto.store.extend(held)
    in_moto.store.release(held)
    in_moto.store.pass_on(in_moto.claimed(running.task_id), Lane.LARGE)
    listening.tell()
    assert sums(in_moto) == OpenWork(5, 12.5)
    in_moto.store.complete(in_moto.claimed(completed.task_id), DONE)
    in_moto.store.fail(in_moto.claimed(failed.task_id), ATTEMPTS_EXHAUSTED)
    in_moto.store.cancel(cancelled.task_id, "alice")
    in_moto.store.fail_dead(dead.task_id, ATTEMPTS_EXHAUSTED, "a message")
    listening.tell()
    assert (sums(in_moto), sums(in_moto, "bob")) == (OpenWork(1, 2.5), OpenWork(1, 2.5))


def test_a_task_that_is_redriven_counts_once_more_and_no_longer(in_moto: Aws, listening: Listening) -> None:
    """Failed it is not open, revived by its message it is, and its cost is that of the attempt that ended it."""
    (task,) = submitted(in_moto, 1)
    in_moto.store.fail_dead(task.task_id, ATTEMPTS_EXHAUSTED, "dead")
    listening.tell()
    assert sums(in_moto) == OpenWork()
    claimed = in_moto.store.claim(task.task_id, send_ids=["dead"])
    assert claimed is not None
    listening.tell()
    assert sums(in_moto) == OpenWork(1, 2.5)
    in_moto.store.complete(claimed, DONE)
    listening.tell()
    assert sums(in_moto) == OpenWork()


def test_a_row_that_goes_while_its_task_is_open_is_not_open(in_moto: Aws, listening: Listening) -> None:
    """Deleted when its time is over, or replaced by a new task with its id; an ended one's deletion changes nothing."""
    gone, ended = submitted(in_moto, 2)
    in_moto.store.cancel(ended.task_id, "alice")
    in_moto.forget(gone.task_id, ended.task_id)
    listening.tell()
    assert sums(in_moto) == OpenWork()
    (expired,) = submitted(in_moto, 1)
    in_moto.edit(expired.task_id, expires_at=1)
    in_moto.store.submit(expired.evolve(counted_seconds=4.0))
    listening.tell()
    assert sums(in_moto) == OpenWork(1, 4.0)


def test_rows_of_before_there_were_sums_are_in_none(in_moto: Aws, listening: Listening) -> None:
    """An older version's task that ends takes nothing away."""
    (task,) = submitted(in_moto, 1)
    records = listening.records()
    in_moto.store.cancel(task.task_id, "alice")
    records += listening.records()
    for record in records:
        for image in ("OldImage", "NewImage"):
            record["dynamodb"].get(image, {}).pop("counted_seconds", None)
    notifier.handler({"Records": records}, Context())
    assert in_moto.row(row_of("alice")) is None


def test_a_stream_that_is_read_again_adds_nothing_twice(in_moto: Aws, listening: Listening) -> None:
    """From its beginning, and in batches that are cut elsewhere: by the records' numbers; what is new is added."""
    tasks = submitted(in_moto, 20)
    for task in tasks[:12]:
        in_moto.store.cancel(task.task_id, "alice")
    records = listening.records()
    choice = random.Random(21)
    for _ in range(5):
        at = 0
        while at < len(records):
            size = choice.randint(1, 9)
            notifier.handler({"Records": records[at : at + size]}, Context())
            at += size
        assert sums(in_moto) == OpenWork(8, 20.0)
    in_moto.store.cancel(tasks[-1].task_id, "alice")
    notifier.handler({"Records": records[-5:] + listening.records()}, Context())
    assert sums(in_moto) == OpenWork(7, 17.5)


def test_each_shard_has_a_mark_of_its_own(in_moto: Aws, listening: Listening) -> None:
    """What one shard has added says nothing about smaller numbers of another."""
    submitted(in_moto, 4)
    records = listening.records()
    for shard, its_own in (("second", records[2:]), ("first", records[:2]), ("second", records[2:])):
        notifier.handler({"Records": its_own, "shardId": shard}, Context())
    assert sums(in_moto) == OpenWork(4, 10.0)


def test_what_failed_halfway_is_added_to_its_end(in_moto: Aws, listening: Listening) -> None:
    """DynamoDB refuses: the batch fails and comes again, in part and whole; what was added is not added twice."""
    submitted(in_moto, 2)
    submitted(in_moto, 3, owner="bob")
    records = listening.records()
    client = aws.client("dynamodb")
    with Stubber(client) as refusing:
        refusing.add_client_error("update_item", "ThrottlingException")
        with pytest.raises(UnavailableError):
            notifier.handler({"Records": records}, Context())
    notifier.handler({"Records": records[:3]}, Context())
    for _ in range(2):
        notifier.handler({"Records": records}, Context())
    assert (sums(in_moto), sums(in_moto, "bob")) == (OpenWork(2, 5.0), OpenWork(3, 7.5))


def test_what_a_task_has_cost_counts_for_the_month_of_its_end(
    in_moto: Aws, listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the month's turn: the last task of November and the first of December are in two sums."""
    november, december = submitted(in_moto, 2)
    spend(in_moto, november, 0.000000123)
    spend(in_moto, december, 7)
    records = listening.records()
    for record in records:
        new = record["dynamodb"].get("NewImage", {})
        if "cost_usd" in new:
            of_november = new["task_id"]["S"] == november.task_id
            ended = "2026-11-30T23:59:59.999Z" if of_november else "2026-12-01T00:00:00.000Z"
            new["status_history"]["L"][-1]["M"]["transitioned_at"] = {"S": ended}
    for _ in range(2):
        notifier.handler({"Records": records}, Context())
    client, table = aws.client("dynamodb"), in_moto.settings.tasks_table
    at = utc_now().replace(year=2026, month=11, day=30)
    assert read_open_work(client, table, "alice", at) == OpenWork(0, 0.0, 0.000000123)
    assert read_open_work(client, table, "alice", at.replace(month=12)) == OpenWork(0, 0.0, 7.0)
    assert read_open_work(client, table, "alice", at.replace(year=2027, month=1)) == OpenWork()


def test_a_cancelled_task_costs_what_its_worker_took(in_moto: Aws, listening: Listening) -> None:
    """The bill comes when the worker has stopped, after the cancellation; once, and for the month of that."""
    (task,) = submitted(in_moto, 1)
    held = in_moto.claimed(task.task_id)
    in_moto.store.cancel(task.task_id, "alice")
    listening.tell()
    assert sums(in_moto) == OpenWork()
    in_moto.store.bill_cancelled(held.evolve(bill={"billed_ms": 1000, "cost_usd": 0.25}))
    records = listening.records()
    for _ in range(2):
        notifier.handler({"Records": records}, Context())
    assert sums(in_moto) == OpenWork(0, 0.0, 0.25)


def test_a_row_that_goes_gives_no_dollars_back(in_moto: Aws, listening: Listening) -> None:
    """Purged, deleted when its time is over, or replaced by a new task with its id: what it has cost was spent."""
    purged, gone, expired = submitted(in_moto, 3)
    for task in (purged, gone, expired):
        spend(in_moto, task, 0.25)
    assert aws.purging().purge(purged.task_id, "alice")
    in_moto.forget(gone.task_id)
    in_moto.edit(expired.task_id, expires_at=1)
    in_moto.store.submit(expired)
    listening.tell()
    assert sums(in_moto) == OpenWork(1, 2.5, 0.75)


def test_marks_of_shards_that_are_gone_are_forgotten(in_moto: Aws) -> None:
    """A row does not grow: a day after its last addition a shard's records are gone from the stream."""
    client, table = aws.client("dynamodb"), in_moto.settings.tasks_table
    for day in range(10):
        at = 1e9 + day * MARK_SECONDS / 2
        SumRows(client, table, f"{PREFIX}{day}", at).add([Addition("a row", str(day), {"sum": 1})])  # type: ignore[dict-item]  # a number
    row = in_moto.row("a row") or {}
    assert row["sum"] == {"N": "10"}
    assert sorted(name for name in row if name.startswith(PREFIX)) == [f"{PREFIX}{day}" for day in (7, 8, 9)]


def test_numbers_of_any_length_are_compared_as_numbers(in_moto: Aws) -> None:
    """DynamoDB's sequence numbers have 21 to 40 digits."""
    table = SumRows(aws.client("dynamodb"), in_moto.settings.tasks_table, "shard")
    for number in ("9" * 21, "1" + "0" * 21, "9" * 39, "1" + "0" * 39, "9" * 21):
        table.add([Addition("a row", number, {"sum": 1})])  # type: ignore[dict-item]  # a number
    assert (in_moto.row("a row") or {})["sum"] == {"N": "4"}


def test_what_workers_do_several_to_a_call_counts_too(in_moto: Aws, listening: Listening) -> None:
    """Ends that are written by one batch are in the stream like others."""
    tasks = submitted(in_moto, 3)
    claimed = in_moto.store.claim_all([Message(task.task_id) for task in tasks])
    in_moto.store.end_all([(task, DONE) for task in claimed if isinstance(task, Task)])
    records = listening.records()
    begun = {"open_tasks": 1, "open_seconds": 2.5, "ever_tasks": 1, "ever_seconds": 2.5}
    ended = {"open_tasks": -1, "open_seconds": -2.5}
    assert [dict(each.amounts) for each in open_changes(records)] == [begun] * 3 + [ended] * 3


def test_the_mapping_names_the_shard(in_moto: Aws) -> None:
    """Without a window Lambda names no shard, and all shards would share one mark; at its end there are no records."""
    events = TEMPLATE["Resources"]["NotifierFunction"]["Properties"]["Events"]["Changes"]["Properties"]
    assert events["TumblingWindowInSeconds"] > 0
    assert notifier.handler({"Records": [], "shardId": "s", "isFinalInvokeForWindow": True}, Context()) == {"state": {}}
    assert in_moto.rows() == []


@pytest.mark.parametrize("conditions", [(), ("EventsArePublished",)])
def test_the_filters_hand_over_all_that_counts(in_moto: Aws, listening: Listening, conditions: tuple[str, ...]) -> None:
    """With and without events: what opens, ends, revives or deletes a task; and never the rows of sums themselves."""
    properties = TEMPLATE["Resources"]["NotifierFunction"]["Properties"]["Events"]["Changes"]["Properties"]
    mapping = {"FilterCriteria": resolved(properties["FilterCriteria"], *conditions)}
    assert len(mapping["FilterCriteria"]["Filters"]) <= 5  # Lambda's quota
    redriven, gone, expired, completed = submitted(in_moto, 4)
    in_moto.store.fail_dead(redriven.task_id, ATTEMPTS_EXHAUSTED, "dead")
    in_moto.store.claim(redriven.task_id, send_ids=["dead"])
    in_moto.forget(gone.task_id)
    in_moto.edit(expired.task_id, expires_at=1)
    in_moto.store.submit(expired.evolve(counted_seconds=4.0))
    in_moto.store.complete(in_moto.claimed(completed.task_id), DONE)
    records = listening.records()
    kept = lambda_svc._apply_filter_criteria(records, mapping)  # noqa: SLF001 - there is no public way
    assert list(open_changes(kept)) == list(open_changes(records))
    notifier.handler({"Records": kept}, Context())
    assert sums(in_moto) == OpenWork(2, 6.5)
    assert lambda_svc._apply_filter_criteria(listening.records(), mapping) == []  # noqa: SLF001


def test_an_error_of_another_kind_is_no_refusal(in_moto: Aws) -> None:
    """A table that is not there is an error, not a row that has the records already."""
    with pytest.raises(UnavailableError) as raised:
        SumRows(aws.client("dynamodb"), "no such table", "shard").add([Addition("a row", "1", {})])
    assert isinstance(raised.value.__cause__, ClientError)
