"""`make recount`: sums of what a key has open that have drifted are those of its tasks' rows again, or left alone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from test_api import call
from test_notifier import Listening
from test_store import new_task
from test_usage import added, ended
from test_usage import records as usage_records

import recount as command
from recount import Recount, Recounted, RecountError
from tasks import aws
from tasks.open_work import OpenWork, read_open_work, row_of
from tasks.task import rfc3339, utc_now
from tasks.usage import key

if TYPE_CHECKING:
    from simulated_aws import Aws


@pytest.fixture(name="listening")
def fixture_listening(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> Listening:
    """Give who reads the table's stream, to whom three open tasks of alice's and one of bob's are known; no pauses."""
    # moto has no stream to catch up with, so the command's pause is left out.
    monkeypatch.setattr("recount.time", SimpleNamespace(sleep=lambda _: None))
    listening = Listening(in_moto)
    for owner in ("alice", "alice", "alice", "bob"):
        in_moto.store.submit(new_task(owner=owner, counted_seconds=2.5))
    listening.tell()
    return listening


def recounted(in_moto: Aws, owner: str = "alice") -> Recounted:
    """Count an owner's open tasks anew."""
    return Recount(aws.client("dynamodb"), in_moto.settings.tasks_table, owner, utc_now()).carry_out(in_moto.store)


def sums(in_moto: Aws, owner: str = "alice") -> OpenWork:
    """Return what an owner has open by its sums."""
    return read_open_work(aws.client("dynamodb"), in_moto.settings.tasks_table, owner, utc_now())


def drift(in_moto: Aws, owner: str = "alice") -> None:
    """Let the sums have what no task is there for."""
    in_moto.edit(row_of(owner), open_tasks=900, open_seconds=7)


def test_sums_that_have_drifted_are_set_right(in_moto: Aws, listening: Listening) -> None:
    """For this owner alone; what happens after that is added to them as usual."""
    drift(in_moto)
    drift(in_moto, "bob")
    assert recounted(in_moto) == Recounted(
        (Decimal(900), Decimal(7), Decimal()), (Decimal(3), Decimal("7.5"), Decimal())
    )
    assert (sums(in_moto), sums(in_moto, "bob")) == (OpenWork(3, 7.5), OpenWork(900, 7.0))
    in_moto.store.submit(new_task(counted_seconds=1.0))
    listening.tell()
    assert sums(in_moto) == OpenWork(4, 8.5)


def test_sums_that_are_missing_are_made(in_moto: Aws, listening: Listening) -> None:
    """An owner without a row gets one if it has open tasks; a task that has ended or expired counts as it should."""
    ended, expired = new_task(counted_seconds=4.0), new_task(counted_seconds=1.0)
    for task in (ended, expired):
        in_moto.store.submit(task)
    in_moto.store.cancel(ended.task_id, "alice")
    in_moto.edit(expired.task_id, expires_at=1)
    in_moto.forget(row_of("alice"))
    assert recounted(in_moto).is_now == (
        Decimal(4),
        Decimal("8.5"),
        Decimal(),
    )  # its deletion takes the expired one off
    assert sums(in_moto) == OpenWork(4, 8.5)
    assert recounted(in_moto, "carol") == Recounted((Decimal(),) * 3, (Decimal(),) * 3)
    assert in_moto.row(row_of("carol")) is None


def test_sums_that_are_right_are_left_alone(in_moto: Aws, listening: Listening) -> None:
    """Nothing is written then."""
    before = in_moto.row(row_of("alice"))
    assert recounted(in_moto).was == (Decimal(3), Decimal("7.5"), Decimal())
    assert in_moto.row(row_of("alice")) == before


@pytest.mark.parametrize("what", ["a task", "its record"])
def test_nothing_is_written_while_tasks_change(
    in_moto: Aws, listening: Listening, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """A task that comes between the two looks, and a record that is added after the second one."""
    drift(in_moto)
    count, looks = command.counted, []

    def meanwhile(*given: Any) -> Any:
        looks.append(count(*given))
        if len(looks) == (1 if what == "a task" else 2):
            in_moto.store.submit(new_task(counted_seconds=1.0))
            if what == "its record":
                listening.tell()
        return looks[-1]

    monkeypatch.setattr(command, "counted", meanwhile)
    with pytest.raises(RecountError, match="Tasks of 'alice' change: run this again when the key is quiet"):
        recounted(in_moto)
    assert sums(in_moto) == (OpenWork(900, 7.0) if what == "a task" else OpenWork(901, 8.0))


def used() -> dict[str, Any]:
    """Return the answers of GET /usage by day, status and tag, as they are for this month and the one before."""
    first = (utc_now().date().replace(day=1) - timedelta(days=1)).isoformat()
    return {by: call("GET", "/usage", query={"by": by, "from": first})[2] for by in ("day", "status", "tag")}


def test_what_was_used_is_counted_anew(in_moto: Aws, listening: Listening) -> None:
    """What both readers of the stream missed is in the sums again, as if they had read it; purged tasks are too."""
    by_rows = usage_records(in_moto)
    purged = ended(in_moto, tags=["calibration"])
    for how in ("completed", "failed", "cancelled", "dead"):
        ended(in_moto, how, tags=["calibration", "night"])
    ended(in_moto, owner="bob")
    ended(in_moto, options={"inputs": [{"a": 1}, {"a": 2}, {"a": 3}]})
    added(usage_records(in_moto)[len(by_rows) :])
    listening.tell()
    right, dollars = used(), sums(in_moto)
    assert dollars.dollars > 0
    assert (recounted(in_moto).days, used(), sums(in_moto)) == ((), right, dollars)
    assert aws.purging().purge(purged.task_id, "alice")
    assert (recounted(in_moto).days, used()) == ((), right)  # its tags are no reason
    today = utc_now().date()
    in_moto.forget(row_of("alice"), key("alice", today))
    found = recounted(in_moto)
    assert (found.days, found.kept, sums(in_moto)) == ((today,), (), dollars)
    again = used()
    assert {by: again[by] for by in ("day", "status")} == {by: right[by] for by in ("day", "status")}
    assert [(line["tag"], line["tasks"]) for line in again["tag"]["usage"]] == [("calibration", 4), ("night", 4)]


def test_marks_of_the_stream_stay(in_moto: Aws, listening: Listening) -> None:
    """What was counted again and comes again is not added; what comes after that is."""
    ended(in_moto)
    found = usage_records(in_moto)
    added(found)
    in_moto.edit(key("alice", utc_now().date()), tasks=7, billed_ms=1)
    recounted(in_moto)
    added(found)
    assert used()["day"]["total"]["tasks"] == 1
    ended(in_moto)
    added(usage_records(in_moto))
    assert used()["day"]["total"]["tasks"] == 2


def test_days_whose_tasks_have_expired_do_not_become_less(in_moto: Aws, listening: Listening) -> None:
    """Of a day of which rows may be missing more is taken, and less is not; of a later day the rows are right."""
    today, old = utc_now().date(), utc_now() - timedelta(days=20)
    task = ended(in_moto)
    row = in_moto.row(task.task_id)
    assert row is not None
    row["status_history"]["L"][-1]["M"]["transitioned_at"] = {"S": rfc3339(old)}
    aws.client("dynamodb").put_item(TableName=in_moto.settings.tasks_table, Item=row)
    in_moto.edit(key("alice", old.date()), tasks=3, billed_ms=9, cost_usd=1)
    in_moto.edit(key("alice", today), tasks=3, billed_ms=9, cost_usd=1)
    found = recounted(in_moto)
    assert (found.kept, found.days) == ((old.date(),), (today,))
    lines = {line["day"]: line["tasks"] for line in used()["day"]["usage"]}
    assert lines == {old.date().isoformat(): 3}
    in_moto.edit(key("alice", old.date()), tasks=0, billed_ms=0, cost_usd=0)
    assert recounted(in_moto).days == (old.date(),)
    assert used()["day"]["total"]["tasks"] == 1
