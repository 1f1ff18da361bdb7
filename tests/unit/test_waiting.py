"""Headers about waiting and about what has not changed, read as their RFCs say; when to come back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.http import parse_etags

from presentation import etag_of, known
from task_routes import retry_after, wait_seconds
from tasks import queue
from tasks.errors import UnavailableError
from tasks.queue import Backlog
from tasks.task import Lane, Status, Task, Transition, rfc3339, utc_now

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ([], 0),
        (["wait=5"], 5),
        (["wait=20"], 20),
        (["wait=21"], 20),
        (["wait=999999999"], 20),
        (["wait=9999999999"], 20),
        (["wait=" + "9" * 5_000], 20),
        (["wait=0000000000005"], 5),
        (["wait=0000000000000"], 0),
        (["wait=0"], 0),
        (["wait=-1"], 0),
        (["wait=+5"], 0),
        (["wait=5.5"], 0),
        (["wait=\u0665"], 0),
        (["wait="], 0),
        (["wait"], 0),
        (["wait=x"], 0),
        (["waiting=5"], 0),
        (['wait="5"'], 5),
        (['wait="5'], 0),
        (["Wait = 5"], 5),
        (["respond-async, wait=5"], 5),
        (["respond-async", "wait=5"], 5),
        (["wait=5; foo=bar, wait=10"], 5),
        (["wait=-1, wait=10"], 0),
        (["return=minimal"], 0),
        ([",,;,"], 0),
    ],
)
def test_a_preference_to_wait_is_read_as_rfc_7240_says(prefer: Sequence[str], seconds: int) -> None:
    """The first one counts; what is malformed is as if it were not there; more than there is becomes what there is."""
    assert wait_seconds(prefer, 20) == seconds


@pytest.mark.parametrize(
    ("header", "is_known"),
    [
        ([], False),
        (['"a"'], True),
        (['W/"a"'], True),
        (['"b", "a"'], True),
        (['"b"', 'W/"a"'], True),
        (["*"], True),
        (['"b"'], False),
        (["a"], False),
        (['"a'], False),
        ([""], False),
    ],
)
def test_entity_tags_are_compared_as_rfc_9110_says(header: Sequence[str], is_known: bool) -> None:  # noqa: FBT001
    """Weakly, in a list, or any by a star."""
    assert known(header, '"a"') is is_known


@given(
    st.lists(
        st.text(st.sampled_from('"W/aA*,\\ \t\x7f'), max_size=12)
        | st.sampled_from(['"a"', 'W/"a"', '"b"', "*", '"a", W/"b"']),
        max_size=3,
    )
)
def test_well_formed_entity_tags_are_read_as_by_werkzeug(header: list[str]) -> None:
    """Its parser, which was read by more people, finds our tag in the same lists; what is malformed may differ."""
    joined = ",".join(header).strip(" \t")  # as servers do with each field
    well_formed = re.fullmatch(r'\*|(W/)?"[^"]*"([ \t]*,[ \t]*(W/)?"[^"]*")*', joined)
    if well_formed:
        assert known(header, '"a"') is parse_etags(joined).contains_weak("a")


def test_an_entity_tag_is_of_the_history() -> None:
    """Each change of a task adds a line; neither the outcome nor where it lies is needed."""
    one = task(running_for=1.0)
    other = one.evolve(status_history=[*one.status_history, *one.status_history])
    assert etag_of(one) == etag_of(one.evolve(outcome={"result": {}}, outcome_key="key"))
    assert len({etag_of(one), etag_of(one.evolve(task_id="2")), etag_of(other)}) == 3


@dataclass
class Queue:
    """A queue that counts how often it was looked at."""

    length: int
    looks: int = 0

    def waiting(self) -> int:
        """Return the length, or fail when it is negative."""
        self.looks += 1
        if self.length < 0:
            raise UnavailableError("SQS")
        return self.length


def backlog(queue: Queue) -> Backlog:
    """Return a view of this queue, with two workers."""
    queues: Any = dict.fromkeys(Lane, queue)
    return Backlog(queues, dict.fromkeys(Lane, 2))


def task(estimated_seconds: float = 0.0, lane: Lane = Lane.SMALL, running_for: float | None = None) -> Task:
    """Return a pending task, or one that has been running for so long."""
    now = utc_now()
    lines = [Transition(Status.PENDING, rfc3339(now), "")]
    if running_for is not None:
        lines.append(Transition(Status.PROCESSING, rfc3339(now - timedelta(seconds=running_for)), ""))
    return Task(
        "id",
        "alice",
        lines[-1].status,
        rfc3339(now),
        "",
        "",
        1,
        lane=lane,
        estimated_seconds=estimated_seconds,
        status_history=lines,
    )


@pytest.mark.parametrize(
    ("estimated_seconds", "lane", "running_for", "length", "seconds"),
    [
        (0.0, Lane.SMALL, None, 0, 1),
        (3.5, Lane.SMALL, None, 0, 4),
        (0.0, Lane.SMALL, None, 400, 10),
        (2.5, Lane.SMALL, None, 400, 13),
        (0.0, Lane.SMALL, None, 1_000_000, 60),
        (0.0, Lane.LARGE, None, 3, 30),
        (0.0, Lane.SMALL, None, -1, 1),
        (30.5, Lane.SMALL, 10.0, 1_000_000, 21),
        (3.0, Lane.SMALL, 99.9, 0, 50),
        (300.0, Lane.LARGE, 0.0, 0, 60),
    ],
)
def test_when_to_come_back_follows_the_queue_and_the_estimate(
    estimated_seconds: float, lane: Lane, running_for: float | None, length: int, seconds: int
) -> None:
    """What waits before it and its own run; what has run already is taken off; a guess within a second and a minute."""
    waits = task(estimated_seconds, lane, running_for)
    assert retry_after(waits, backlog(Queue(length))) == seconds


def test_what_has_waited_for_long_is_not_worth_asking_each_second() -> None:
    """A queue without messages in sight whose task has been pending for 89 s: come back in 45, not in 1."""
    long_ago = rfc3339(utc_now() - timedelta(seconds=89.5))
    assert retry_after(task().evolve(submitted_at=long_ago), backlog(Queue(0))) == 45


def test_a_queue_is_not_looked_at_for_every_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its length is taken for what it was for some seconds; of a running task nobody asks the queue."""
    now = 1_000.0
    monkeypatch.setattr(queue, "monotonic", lambda: now)
    tasks = Queue(400)
    seen = backlog(tasks)
    assert [retry_after(task(), seen) for _ in range(3)] == [10, 10, 10]
    retry_after(task(running_for=1.0), seen)
    assert tasks.looks == 1
    tasks.length = 0
    now += queue.FRESH_SECONDS + 1
    assert retry_after(task(), seen) == 1
    assert tasks.looks == 2
