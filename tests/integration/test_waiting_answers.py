"""Prefer: wait, Retry-After and ETag: through the handler, against moto, with a clock of the test's own."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber
from test_api import call, submit

import incoming
import task_routes
from simulated_aws import BELL
from tasks import aws
from tasks.places import Waits

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulated_aws import Aws


@dataclass
class Clock:
    """Passes only when somebody sleeps, and lets things happen at their time."""

    now: float = 0.0
    pauses: list[float] = field(default_factory=list)
    happens: dict[float, Callable[[], object]] = field(default_factory=dict)

    async def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.pauses.append(seconds)
        self.now += seconds
        for moment in sorted(moment for moment in self.happens if moment <= self.now):
            self.happens.pop(moment)()


@pytest.fixture(name="clock")
def fixture_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the clock that waiting looks at."""
    clock = Clock()
    monkeypatch.setattr(task_routes, "sleep", clock.sleep)
    for module in (incoming, task_routes):
        monkeypatch.setattr(module, "monotonic", lambda: clock.now)
    return clock


def complete(in_moto: Aws, task_id: str) -> None:
    """Run the task."""
    claimed = in_moto.claimed(task_id)
    in_moto.store.complete(claimed, {"result": {"00": 512, "11": 512}})


def test_an_answer_waits_until_the_task_has_ended(in_moto: Aws, clock: Clock) -> None:
    """It comes soon after the end, with the counts, and says that it has waited."""
    task_id = submit()
    clock.happens = {3.0: lambda: complete(in_moto, task_id)}
    status, headers, answer = call("GET", f"/tasks/{task_id}", headers={"Prefer": "wait=10"})
    assert (status, answer["status"], headers["preference-applied"]) == (200, "completed", "wait=10")
    assert 3.0 <= clock.now <= 3.0 + task_routes.LONGEST_PAUSE
    assert "retry-after" not in headers


def test_an_answer_waits_no_longer_than_asked_and_ever_less_often(in_moto: Aws, clock: Clock) -> None:
    """After the time the task is answered as it is; in 20 seconds the row is read 24 times."""
    task_id = submit()
    clock.now = 0.0
    _, headers, answer = call("GET", f"/tasks/{task_id}", headers={"Prefer": "wait=60"})
    assert (answer["status"], headers["preference-applied"]) == ("pending", "wait=20")
    assert clock.now == pytest.approx(20)
    assert clock.pauses[:-1] == sorted(clock.pauses[:-1])
    assert len(clock.pauses) == 24
    assert headers["retry-after"] == "1"


def test_what_storing_took_is_not_waited_again(
    in_moto: Aws,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The time to wait counts from the request's arrival: a queue that answers late takes nothing beyond it."""

    def send_late(*arguments: Any) -> None:
        clock.now += 12
        send_new(*arguments)

    send_new = task_routes.send_new
    monkeypatch.setattr(task_routes, "send_new", send_late)
    status, headers, answer = call("POST", "/tasks", {"qc": BELL}, headers={"Prefer": "wait=20"})
    assert (status, headers["preference-applied"], answer["task"]["status"]) == (200, "wait=20", "pending")
    assert clock.now == pytest.approx(20)


@pytest.mark.parametrize("prefer", ["wait=-1", "wait=0", "wait=soon", "respond-async"])
def test_what_is_no_wish_to_wait_is_passed_over(in_moto: Aws, clock: Clock, prefer: str) -> None:
    """RFC 7240: a preference that is not understood is as if it were not there."""
    task_id = submit()
    status, headers, answer = call("GET", f"/tasks/{task_id}", headers={"Prefer": prefer})
    assert (status, answer["status"], clock.pauses) == (200, "pending", [])
    assert "preference-applied" not in headers


def test_an_ended_or_unknown_task_is_not_waited_for(in_moto: Aws, clock: Clock) -> None:
    """There is nothing to wait for."""
    task_id = submit()
    complete(in_moto, task_id)
    assert call("GET", f"/tasks/{task_id}", headers={"Prefer": "wait=10"})[2]["status"] == "completed"
    unknown = "00000000-0000-4000-8000-000000000000"
    assert call("GET", f"/tasks/{unknown}", headers={"Prefer": "wait=10"})[0] == 404
    assert call("GET", f"/tasks/{task_id}", headers={"Prefer": "wait=10"}, api_key_id="bob")[0] == 404
    assert clock.pauses == []


def test_a_submission_can_wait_for_its_counts(in_moto: Aws, clock: Clock) -> None:
    """The contract's answer, and in `task` what reading the task would answer."""
    clock.happens = {1.0: lambda: complete(in_moto, in_moto.rows()[0]["task_id"]["S"])}
    status, headers, answer = call("POST", "/tasks", {"qc": BELL}, headers={"Prefer": "wait=10"})
    assert (status, answer["message"], headers["preference-applied"]) == (
        200,
        "Task submitted successfully.",
        "wait=10",
    )
    assert set(answer) == {"task_id", "message", "submitted_at", "correlation_id", "task"}
    assert answer["message"] == "Task submitted successfully."
    assert answer["task"] == call("GET", f"/tasks/{answer['task_id']}")[2]
    assert answer["task"]["result"] == {"00": 512, "11": 512}
    assert "retry-after" not in headers


def test_without_the_table_a_wait_ends_with_what_was_read(in_moto: Aws, clock: Clock) -> None:
    """A table that fails meanwhile costs the wait, not the answer."""
    task_id = submit()
    task = in_moto.row(task_id)
    assert task is not None
    task.pop("circuit")
    with Stubber(aws.client("dynamodb")) as dynamodb:
        dynamodb.add_response("get_item", {"Item": task})
        dynamodb.add_client_error("get_item", "InternalServerError")
        status, _, answer = call("GET", f"/tasks/{task_id}", headers={"Prefer": "wait=10"})
    assert (status, answer["status"], len(clock.pauses)) == (200, "pending", 1)


def test_an_unfinished_task_says_when_to_come_back(in_moto: Aws) -> None:
    """On submission and on reading; an estimate of minutes is cut to one."""
    wide = "qubit[29] q; bit[29] c; for int i in [1:20] { rx(0.1) q; } c = measure q;"
    for qc, seconds in ((BELL, "1"), (wide, "60")):
        _, headers, answer = call("POST", "/tasks", {"qc": qc})
        assert headers["retry-after"] == seconds
        assert call("GET", f"/tasks/{answer['task_id']}")[1]["retry-after"] == seconds
    in_moto.store.cancel(answer["task_id"], "alice")
    assert "retry-after" not in call("GET", f"/tasks/{answer['task_id']}")[1]


def test_what_has_not_changed_is_304(in_moto: Aws) -> None:
    """Each state has a tag of its own; with the present one the answer has no body, with any other it has."""
    task_id, other = submit(), submit()
    tags = []
    for change in (lambda: None, lambda: in_moto.store.claim(task_id), lambda: in_moto.store.cancel(task_id, "alice")):
        change()
        _, headers, _ = call("GET", f"/tasks/{task_id}")
        tags.append(headers["etag"])
        assert headers["cache-control"] == "private, no-cache"
        status, headers, body = call("GET", f"/tasks/{task_id}", headers={"If-None-Match": tags[-1]})
        assert (status, headers["etag"], body) == (304, tags[-1], "")
    assert len(set(tags)) == 3
    assert call("GET", f"/tasks/{task_id}", headers={"If-None-Match": tags[0]})[0] == 200
    others = call("GET", f"/tasks/{other}")[1]["etag"]
    assert call("GET", f"/tasks/{task_id}", headers={"If-None-Match": others})[0] == 200
    assert call("GET", f"/tasks/{task_id}", headers={"If-None-Match": f"{others}, W/{tags[2]}"})[0] == 304


def test_a_wait_with_a_tag_is_for_any_change(in_moto: Aws, clock: Clock) -> None:
    """A client that knows the task as pending is answered when it runs; without a change it is 304 in the end."""
    task_id = submit()
    tag = call("GET", f"/tasks/{task_id}")[1]["etag"]
    clock.happens = {2.0: lambda: in_moto.store.claim(task_id)}
    asked = {"If-None-Match": tag, "Prefer": "wait=10"}
    status, headers, answer = call("GET", f"/tasks/{task_id}", headers=asked)
    assert (status, len(answer["status_history"])) == (200, 2)
    assert clock.now < 4
    status, headers, _ = call("GET", f"/tasks/{task_id}", headers={**asked, "If-None-Match": headers["etag"]})
    assert (status, headers["preference-applied"]) == (304, "wait=10")


def test_the_waits_of_one_key_are_bounded_and_so_are_all(in_moto: Aws, clock: Clock) -> None:
    """Over the bound an answer comes after the first pause, as it is, and does not say that it has waited."""
    places, task_ids = aws.waits(), {owner: submit(api_key_id=owner) for owner in ("alice", "bob", "carol")}
    with ExitStack() as held:
        for _ in range(100):  # each looks at three places by chance
            held.enter_context(places.place("alice", 60))
        assert sum(row["task_id"]["S"].startswith("wait-") for row in in_moto.rows()) == places.most_of_owner == 8
        clock.pauses.clear()
        _, headers, answer = call("GET", f"/tasks/{task_ids['alice']}", headers={"Prefer": "wait=10"})
        assert (answer["status"], clock.pauses, "preference-applied" in headers) == ("pending", [0.1], False)
        assert int(headers["retry-after"]) >= 1
        for owner in map(str, range(100)):
            held.enter_context(places.place(owner, 60))
        assert sum(row["task_id"]["S"].startswith("wait-") for row in in_moto.rows()) == places.most == 16
        for owner in ("bob", "carol"):
            _, headers, _ = call("GET", f"/tasks/{task_ids[owner]}", headers={"Prefer": "wait=10"}, api_key_id=owner)
            assert "preference-applied" not in headers
        status, headers, answer = call("POST", "/tasks", {"qc": BELL}, headers={"Prefer": "wait=10"})
        assert (status, answer["task"]["status"], "preference-applied" in headers) == (200, "pending", False)
    _, headers, _ = call("GET", f"/tasks/{task_ids['bob']}", headers={"Prefer": "wait=10"}, api_key_id="bob")
    assert headers["preference-applied"] == "wait=10"


def test_a_place_that_was_not_given_back_is_free_when_its_wait_would_have_ended(in_moto: Aws) -> None:
    """An environment that dies while it waits takes nothing with it; one that is late frees no other's place."""
    places = Waits(aws.client("dynamodb"), in_moto.settings.tasks_table, 1)
    with places.place("alice", -10) as dead:
        assert dead
        with places.place("alice", 60) as held:
            assert held
            with places.place("alice", 60) as third:
                assert not third
    with places.place("alice", 60) as again:
        assert again


def test_a_late_release_leaves_the_place_to_its_new_holder(in_moto: Aws) -> None:
    """Giving back is conditional on the token."""
    places = Waits(aws.client("dynamodb"), in_moto.settings.tasks_table, 1)
    first = places.place("alice", -10)
    first.__enter__()
    with places.place("alice", 60) as held:
        assert held
        first.__exit__(None, None, None)
        with places.place("alice", 60) as third:
            assert not third


def test_most_waits_cost_no_call(in_moto: Aws, clock: Clock) -> None:
    """A task that ends within the first pause is waited for without a place."""
    task_id = submit()
    clock.happens = {0.05: lambda: complete(in_moto, task_id)}
    _, headers, answer = call("GET", f"/tasks/{task_id}", headers={"Prefer": "wait=10"})
    assert (answer["status"], headers["preference-applied"]) == ("completed", "wait=10")
    assert [row["task_id"]["S"] for row in in_moto.rows()] == [task_id]


def test_without_places_nobody_waits(in_moto: Aws, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """MaxWaits=0, and a table that does not take the write: an answer at once, and no error."""
    task_id = submit()
    with Waits(aws.client("dynamodb"), in_moto.settings.tasks_table, 0).place("alice", 1) as held:
        assert not held
    with Waits(aws.client("dynamodb"), "no-such-table", 4).place("alice", 1) as held:
        assert not held
    assert call("GET", f"/tasks/{task_id}")[0] == 200
