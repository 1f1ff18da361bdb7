"""`make recount`: sums of what a key has open that have drifted are those of its tasks' rows again, or left alone."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from test_notifier import Listening
from test_store import new_task

import recount as command
from recount import Recounted, RecountError, recount
from tasks import aws
from tasks.open_work import OpenWork, read_open_work, row_of
from tasks.task import utc_now

if TYPE_CHECKING:
    from simulated_aws import Aws


@pytest.fixture(name="listening")
def fixture_listening(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> Listening:
    """Give who reads the table's stream, to whom three open tasks of alice's and one of bob's are known; no pauses."""
    # moto has no stream to catch up with, so the command's pause is left out.
    monkeypatch.setattr("recount.time.sleep", lambda _: None)
    listening = Listening(in_moto)
    for owner in ("alice", "alice", "alice", "bob"):
        in_moto.store.submit(new_task(owner=owner, counted_seconds=2.5))
    listening.tell()
    return listening


def recounted(in_moto: Aws, owner: str = "alice") -> Recounted:
    """Count an owner's open tasks anew."""
    return recount(aws.client("dynamodb"), in_moto.settings.tasks_table, in_moto.store, owner)


def sums(in_moto: Aws, owner: str = "alice") -> OpenWork:
    """Return what an owner has open by its sums."""
    return read_open_work(aws.client("dynamodb"), in_moto.settings.tasks_table, owner, utc_now())


def drift(in_moto: Aws, owner: str = "alice") -> None:
    """Let the sums have what no task is there for."""
    in_moto.edit(row_of(owner), open_tasks=900, open_seconds=7)


def test_sums_that_have_drifted_are_set_right(in_moto: Aws, listening: Listening) -> None:
    """For this owner alone; what happens after that is added to them as ever."""
    drift(in_moto)
    drift(in_moto, "bob")
    assert recounted(in_moto) == Recounted((Decimal(900), Decimal(7)), (Decimal(3), Decimal("7.5")))
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
    assert recounted(in_moto).is_now == (Decimal(4), Decimal("8.5"))  # its deletion takes the expired one off
    assert sums(in_moto) == OpenWork(4, 8.5)
    assert recounted(in_moto, "carol") == Recounted((Decimal(), Decimal()), (Decimal(), Decimal()))
    assert in_moto.row(row_of("carol")) is None


def test_sums_that_are_right_are_left_alone(in_moto: Aws, listening: Listening) -> None:
    """Nothing is written then."""
    before = in_moto.row(row_of("alice"))
    assert recounted(in_moto).was == (Decimal(3), Decimal("7.5"))
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
