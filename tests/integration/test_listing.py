"""Lists of tasks, cancelling, and the program given back: through the handler, against moto."""

from __future__ import annotations

import base64
import itertools
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from test_api import call, submit
from test_store import new_task

import listing
from simulated_aws import BELL
from tasks import aws, table
from tasks.task import Status, new_task_id

if TYPE_CHECKING:
    from simulated_aws import Aws

_seconds = itertools.count(10)


def stored(in_moto: Aws, owner: str = "alice", ending: Status | None = None, submitted_at: str = "") -> str:
    """Store a task a second younger than the one before, ended or not; return its id."""
    task = new_task(owner=owner, submitted_at=submitted_at or f"2026-01-01T00:00:{next(_seconds) % 50 + 10}.000Z")
    in_moto.store.submit(task)
    if ending is Status.CANCELLED:
        assert in_moto.store.cancel(task.task_id, owner)
    elif ending is not None:
        claimed = in_moto.claimed(task.task_id)
        in_moto.store.complete(claimed, {"result": {"0": 10}})
    return task.task_id


def at(second: int) -> str:
    """Return a moment of one minute."""
    return f"2026-01-01T00:00:{second:02}.000Z"


def pages(query: dict[str, str], **event: Any) -> list[list[str]]:
    """Follow the links from the first page to the last; return the ids on each."""
    found = []
    following: dict[str, str] | None = query
    while following is not None:
        status, headers, answer = call("GET", "/tasks", query=following, **event)
        assert status == 200, answer
        found.append([task["task_id"] for task in answer["tasks"]])
        following = None
        if "link" in headers:
            link = re.fullmatch(r'<(tasks\?[^>]+)>; rel="next"', headers["link"])
            assert link is not None
            following = dict(parse_qsl(urlsplit(link.group(1)).query))
            assert following["cursor"] == answer["next_cursor"]
        else:
            assert "next_cursor" not in answer
    return found


def test_tasks_are_listed_newest_first_and_without_outcomes(in_moto: Aws) -> None:
    """A line has what the task shows alone except for what its run has put out."""
    old = stored(in_moto, submitted_at=at(1))
    ended = stored(in_moto, ending=Status.COMPLETED, submitted_at=at(2))
    new = stored(in_moto, submitted_at=at(3))
    status, headers, answer = call("GET", "/tasks")
    assert (status, "link" in headers) == (200, False)
    assert [task["task_id"] for task in answer["tasks"]] == [new, ended, old]
    alone = call("GET", f"/tasks/{ended}")[2]
    assert answer["tasks"][1] == {name: value for name, value in alone.items() if name != "result"}


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7])
def test_pages_follow_each_other_without_gap_or_repetition(in_moto: Aws, limit: int) -> None:
    """Seven tasks, two of them of the same millisecond, in pages of any size."""
    seconds = [1, 2, 2, 3, 4, 5, 6]
    ids = [stored(in_moto, submitted_at=at(second)) for second in seconds]
    found = pages({"limit": str(limit)})
    assert [len(page) for page in found] == [limit] * (7 // limit) + [7 % limit] * (7 % limit > 0)
    flat = [task_id for page in found for task_id in page]
    assert sorted(flat) == sorted(ids)
    assert [seconds[ids.index(task_id)] for task_id in flat] == sorted(seconds, reverse=True)


def test_a_list_can_be_of_one_status(in_moto: Aws) -> None:
    """As shown: pending has the running ones too."""
    pending = stored(in_moto, submitted_at=at(1))
    running = stored(in_moto, submitted_at=at(2))
    in_moto.store.claim(running)
    completed = stored(in_moto, ending=Status.COMPLETED, submitted_at=at(3))
    cancelled = stored(in_moto, ending=Status.CANCELLED, submitted_at=at(4))
    listed = {name: pages({"status": name}) for name in ("pending", "completed", "failed", "cancelled")}
    assert listed == {
        "pending": [[running, pending]],
        "completed": [[completed]],
        "failed": [[]],
        "cancelled": [[cancelled]],
    }


def test_a_page_is_not_empty_while_a_task_matches(in_moto: Aws) -> None:
    """One that is far back is found by one request, behind 600 others."""
    wanted = stored(in_moto, ending=Status.CANCELLED, submitted_at=at(1))
    for second in range(11, 17):
        in_moto.store.submit_all([new_task(submitted_at=at(second)) for _ in range(100)])
    assert pages({"status": "cancelled"}) == [[wanted]]


def test_what_one_request_looks_at_is_bounded(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many rows, and behind them as many again in search of the first that matches; the next goes on from there."""
    monkeypatch.setattr(table, "MAX_LOOKED_AT", 4)
    monkeypatch.setattr(table.TaskTable.page, "__kwdefaults__", {**table.TaskTable.page.__kwdefaults__, "search": 4})
    monkeypatch.setattr(listing, "MAX_SEARCHED", 6)
    monkeypatch.setattr(table, "_GET_BATCH", 2)
    monkeypatch.setattr(table, "_KEYS", 4)
    old, older = (stored(in_moto, ending=Status.CANCELLED, submitted_at=at(second)) for second in (4, 1))
    for second in (2, 3, *range(5, 15)):
        stored(in_moto, submitted_at=at(second))
    new = stored(in_moto, ending=Status.CANCELLED, submitted_at=at(15))
    assert pages({"status": "cancelled"}) == [[new], [old], [older]]
    assert pages({"status": "failed"}) == [[], []]
    rows = [f"search/alice/{place}" for place in range(listing.SEARCHES)]
    with ExitStack() as held:
        assert all(held.enter_context(aws.places().held([row], listing.SEARCH_TIME)) for row in rows)
        status, headers, answer = call("GET", "/tasks", query={"status": "failed"})
        assert (status, answer["code"], headers["retry-after"]) == (429, "throttled", "5")
        assert call("GET", "/tasks", query={"status": "cancelled"})[0] == 200  # found among the newest
        assert call("GET", "/tasks", query={"status": "failed"}, api_key_id="bob")[0] == 200
    assert pages({"status": "failed"}) == [[], []]


def test_a_list_can_be_of_a_name_and_of_tags(in_moto: Aws) -> None:
    """The name whole, of tags all that are named; with a status too, and page by page."""
    named = submit({"qc": BELL, "name": "run 7", "tags": ["chip 3", "calibration"]})
    tagged = submit({"qc": BELL, "tags": ["calibration"]})
    submit({"qc": BELL, "name": "run"})
    assert pages({"name": "run 7"}) == [[named]]
    assert sorted(pages({"tag": "calibration"})[0]) == sorted([named, tagged])
    assert len(pages({"tag": "calibration", "limit": "1"})) == 2
    assert pages({"tag": "calibration,chip 3"}) == [[named]]
    assert pages({"tag": "chip"}) == [[]]
    assert pages({"name": "run 7", "status": "failed"}) == [[]]
    assert pages({"name": "run 7"}, api_key_id="bob") == [[]]
    (listed,) = call("GET", "/tasks", query={"name": "run 7"})[2]["tasks"]
    assert (listed["name"], listed["tags"]) == ("run 7", ["chip 3", "calibration"])


def test_only_tasks_after_a_moment(in_moto: Aws) -> None:
    """The moment itself is not after it; any offset is taken."""
    ids = [stored(in_moto, submitted_at=at(second)) for second in (1, 2, 3)]
    assert pages({"submitted_after": "2026-01-01T00:00:01Z", "limit": "1"}) == [[ids[2]], [ids[1]]]
    assert pages({"submitted_after": "2026-01-01T02:00:01.999999999+02:00"}) == [[ids[2], ids[1]]]
    assert pages({"submitted_after": "2026-01-01t00:00:03z"}) == [[]]


def test_a_cursor_from_before_the_moment_has_nothing_following(in_moto: Aws) -> None:
    """A page that starts beyond its own end is empty."""
    for second in (1, 2, 3):
        stored(in_moto, submitted_at=at(second))
    cursor = call("GET", "/tasks", query={"limit": "2"})[2]["next_cursor"]
    assert pages({"cursor": cursor, "submitted_after": at(3)}) == [[]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "x"),
        ("limit", "-1"),
        ("status", "processing"),
        ("status", ""),
        ("submitted_after", "yesterday"),
        ("submitted_after", "1700000000"),
        ("submitted_after", "2026-01-01"),
        ("submitted_after", "2026-01-01T00:00:00"),
        ("submitted_after", "2026-13-01T00:00:00Z"),
        ("submitted_after", "2026-01-01T00:00:00+24:00"),
        ("submitted_after", "2026-01-01T00:00:00+01:60"),
        ("submitted_after", "0001-01-01T00:00:00+14:00"),
        ("submitted_after", "9999-12-31T23:59:59-01:00"),
        ("cursor", "x" * 201),
        ("name", ""),
        ("name", "x" * 129),
        ("tag", ""),
    ],
)
def test_a_wrong_query_is_refused_by_name(in_moto: Aws, name: str, value: str) -> None:
    """What no list can be asked for is a 422 that names the parameter."""
    status, _, answer = call("GET", "/tasks", query={name: value})
    assert (status, answer["code"], answer["detail"][0]["loc"]) == (422, "invalid_request", ["query", name])
    assert "timedelta" not in answer["message"]


def forgeries(cursor: str, other: str) -> dict[str, str]:
    """Return cursors that this list never gave, by what was done to them."""
    packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    check, place = packed[:9], packed[9:]

    def encoded(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    return {
        "empty": "",
        "truncated": cursor[:-1],
        "cut in the check": cursor[:8],
        "longer": cursor + "AAAA",
        "another's": other,
        "another task": encoded(check + place[:25] + new_task_id().encode()),
        "another moment": encoded(check + b"2027" + place[4:]),
        "no text": encoded(check + b"\xff\xfe"),
        "no Base64": "é" * 8,
        "the task's id": place[25:].decode(),
        "JSON": encoded(b'{"owner": "bob"}'),
        "NUL": "\0",
    }


FORGERIES = list(forgeries("A" * 96, ""))


@pytest.mark.parametrize("kind", FORGERIES)
def test_a_cursor_that_the_list_did_not_give_is_refused(in_moto: Aws, kind: str) -> None:
    """Cut, altered, made up or another key's: a 400 with its code, and nobody's tasks."""
    cursors = {}
    for owner in ("alice", "bob"):
        for second in (1, 2):
            stored(in_moto, owner=owner, submitted_at=at(second))
        cursors[owner] = call("GET", "/tasks", query={"limit": "1"}, api_key_id=owner)[2]["next_cursor"]
    cursor = forgeries(cursors["alice"], cursors["bob"])[kind]
    status, _, answer = call("GET", "/tasks", query={"cursor": cursor})
    assert (status, answer["code"], "tasks" in answer) == (400, "invalid_cursor", False)
    assert answer["hint"]


def test_a_well_made_cursor_still_lists_the_callers_own(in_moto: Aws) -> None:
    """The check is no secret: a cursor made by its rule at another's task leads to the caller's tasks alone."""
    from listing import cursor_of
    from tasks.table import Position

    hers = stored(in_moto, owner="alice", submitted_at=at(5))
    stored(in_moto, owner="alice", submitted_at=at(4))
    his = stored(in_moto, owner="bob", submitted_at=at(3))
    forged = cursor_of(Position(at(5), hers), "bob")
    assert pages({"cursor": forged}, api_key_id="bob") == [[his]]


def test_a_task_that_expired_meanwhile_is_left_out(in_moto: Aws) -> None:
    """The index may still name a row that is gone."""
    ids = [stored(in_moto, submitted_at=at(second)) for second in (1, 2, 3)]
    event = "before-parameter-build.dynamodb.BatchGetItem"
    aws.client("dynamodb").meta.events.register(event, lambda **_: in_moto.forget(ids[1]))
    assert pages({"limit": "2"}) == [[ids[2], ids[0]]]


def test_a_list_reads_no_circuits(in_moto: Aws) -> None:
    """Neither a list nor a poll brings the program or, in lists, the counts over the wire."""
    asked = []
    events = aws.client("dynamodb").meta.events
    events.register("before-parameter-build", lambda params, **_: asked.append(str(params)))
    task_id = stored(in_moto)
    asked.clear()
    call("GET", f"/tasks/{task_id}")
    call("GET", "/tasks")
    assert len(asked) == 3
    assert not [request for request in asked if "circuit" in request]
    assert "outcome" not in asked[2]


@pytest.mark.parametrize("running", [False, True])
def test_a_task_can_be_cancelled(in_moto: Aws, running: bool) -> None:  # noqa: FBT001 - a parameter
    """Pending or running, it is answered as cancelled, leaves the sweeper's index, and refuses its worker."""
    task_id = submit()
    if running:
        in_moto.store.claim(task_id)
    status, _, answer = call("DELETE", f"/tasks/{task_id}")
    assert (status, answer["status"], answer["message"]) == (200, "cancelled", "Task was cancelled.")
    assert answer == call("GET", f"/tasks/{task_id}")[2]
    assert list(in_moto.store.open_tasks()) == []
    assert in_moto.store.claim(task_id) is None


@pytest.mark.parametrize("ending", [Status.COMPLETED, Status.CANCELLED])
def test_what_has_ended_cannot_be_cancelled(in_moto: Aws, ending: Status) -> None:
    """409 with how it ended, and it stays so."""
    task_id = stored(in_moto, ending=ending)
    before = in_moto.rows()
    status, _, answer = call("DELETE", f"/tasks/{task_id}")
    assert (status, answer["code"], answer["task_status"]) == (409, "task_ended", str(ending))
    assert in_moto.rows() == before


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("task_id", ["nonsense", "..", "00000000-0000-4000-8000-000000000000"])
def test_there_is_nothing_of_a_task_that_does_not_exist(in_moto: Aws, method: str, task_id: str) -> None:
    """Cancelling or reading the circuit of no task is a 404."""
    path = f"/tasks/{quote(task_id, safe='')}" + ("/circuit" if method == "GET" else "")
    status, _, answer = call(method, path)
    assert (status, answer["code"]) == (404, "task_not_found")


@pytest.mark.parametrize(
    "qc",
    [
        BELL,
        BELL.replace("; ", ";\r\n\t") + "\n\n// é ∂ 𝜃 </script>\n",
        BELL + "".join(f" rz({number / 7}) q[0];" for number in range(3_000)),
    ],
)
def test_the_program_is_given_back_exactly(in_moto: Aws, qc: str) -> None:
    """Every byte as it was sent, from the row or from the bucket, as plain text that no browser takes for a page."""
    task_id = submit({"qc": qc})
    status, headers, text = call("GET", f"/tasks/{task_id}/circuit")
    assert (status, text) == (200, qc)
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert headers["x-content-type-options"] == "nosniff"
