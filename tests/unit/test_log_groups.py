# ruff: noqa: SLF001, D102 - the stand-in has no public way into it; what is in its client's place speaks for itself
"""Reading the stand-in's log groups: its own FilterLogEvents in this process, which gives the oldest lines only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from ministack.services import cloudwatch_logs

import logs
from insights import QueryError
from local import ministack_main
from logs import MOST_LINES, LogGroups, LogsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GROUP = "/stack/worker"


def answer_of(operation: Callable[[dict[str, Any]], Any], asked: dict[str, Any]) -> dict[str, Any]:
    """Ask the stand-in itself."""
    status, _, body = operation(asked)
    assert status == 200, body
    answered: dict[str, Any] = json.loads(body)
    return answered


class StandIn:
    """The stand-in as a client of it sees it, without the sockets."""

    def filter_log_events(self, **asked: Any) -> dict[str, Any]:
        return answer_of(cloudwatch_logs._filter_log_events, asked)

    def describe_log_streams(self, **asked: Any) -> dict[str, Any]:
        return answer_of(cloudwatch_logs._describe_log_streams, asked)

    def describe_log_groups(self, **asked: Any) -> dict[str, Any]:
        return answer_of(cloudwatch_logs._describe_log_groups, asked)

    def get_paginator(self, operation: str) -> Pages:
        return Pages(getattr(self, operation))


class Pages:
    """All pages of an operation."""

    def __init__(self, operation: Callable[..., dict[str, Any]]) -> None:
        self.operation = operation

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        token: dict[str, Any] = {}
        while token is not None:
            page = self.operation(**asked, **token)
            yield page
            token = {"nextToken": page["nextToken"]} if "nextToken" in page else None  # type: ignore[assignment]


@pytest.fixture
def groups() -> Iterator[LogGroups]:
    """Return the log groups of a stack with one function."""
    cloudwatch_logs._create_log_group({"logGroupName": GROUP})
    yield LogGroups(StandIn(), "stack", local=True)  # type: ignore[arg-type]
    cloudwatch_logs._delete_log_group({"logGroupName": GROUP})


def write(stream: str, lines: list[tuple[int, str]]) -> None:
    """Write lines, each with its time, to a stream of its own."""
    cloudwatch_logs._create_log_stream({"logGroupName": GROUP, "logStreamName": stream})
    events = [{"timestamp": at, "message": message, "ingestionTime": at} for at, message in lines]
    cloudwatch_logs._append_log_events(cloudwatch_logs._log_groups[GROUP]["streams"][stream], events)


def test_the_newest_of_many_lines_are_read(groups: LogGroups) -> None:
    """Of 25,003 lines, some at the same time, none is left out and none is there twice: the answer counts them all."""
    for number in range(3):
        write(f"s{number}", [(at // 3, json.dumps({"n": at, "s": number})) for at in range(number, 25_003, 3)])
    counted = groups.ask("stats count(*) as lines, count_distinct(n) as different, max(n) as last", 0, 10**12)
    assert counted.rows == ({"lines": "25003", "different": "25003", "last": "25002"},)
    times = [event.timestamp_ms for event in groups.events(0)]
    assert times == sorted(times)
    assert groups.ask("filter n = 25002", 0, 10**12).statistics.matched == 1
    assert groups.ask("stats count(*) as lines", 8_000, 8_010).rows == ({"lines": "33"},)
    assert groups.ask("fields @ingestionTime | filter n = 3", 0, 10**12).rows == (
        {"@ingestionTime": "1970-01-01 00:00:00.001"},
    )


def test_a_window_that_is_just_full_is_read_on(groups: LogGroups) -> None:
    """As many lines as one call gives, to the line: each is there once."""
    write("s", [(at, "x") for at in range(MOST_LINES)])
    assert [event.timestamp_ms for event in groups.events(0)] == list(range(MOST_LINES))


def test_more_lines_in_one_millisecond_than_a_call_gives(groups: LogGroups) -> None:
    """They are read stream by stream; where one stream alone has too many, that is the answer."""
    write("a", [(5, "x")] * 6_000)
    write("b", [(5, "x")] * 6_000 + [(6, "x")])
    assert groups.ask("stats count(*) as lines", 0, 10**12).rows == ({"lines": "12001"},)
    write("c", [(5, "x")] * MOST_LINES)
    with pytest.raises(LogsError, match=r"has 10000 or more lines of 1970-01-01 00:00:00\.005 UTC in one stream"):
        groups.ask("stats count(*)", 0, 10**12)


def test_what_is_no_query_is_refused_before_any_line_is_read(
    groups: LogGroups, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A malformed query costs no call."""
    monkeypatch.setattr(LogGroups, "events", lambda *_: pytest.fail("lines were read"))
    with pytest.raises(QueryError, match="got 'filterr'"):
        groups.ask("fields @timestamp | filterr x = 1", 0, 1)


def test_new_lines_are_followed_past_ten_thousand(
    groups: LogGroups, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line is printed once, the newest of many too, and one that is written late with a time before."""
    write("a", [(at, f"a{at}") for at in range(12_000)])

    class Pause:
        rounds = 0

        def wait(self, _seconds: float) -> None:
            self.rounds += 1
            if self.rounds == 1:
                write("b", [(11_500, "late"), (12_500, "new")])
            if self.rounds == 3:
                raise KeyboardInterrupt

    monkeypatch.setattr(logs.threading, "Event", Pause)
    with pytest.raises(KeyboardInterrupt):
        groups.follow(0)
    assert capsys.readouterr().out.split() == [f"a{at}" for at in range(12_000)] + ["late", "new"]


def test_log_groups_are_kept_bounded(groups: LogGroups) -> None:
    """The oldest streams go, the newest lines stay, and an answer about a time before them says so."""
    kept = ministack_main.Kept(100)
    for number in range(60):
        write(f"s{number}", [(1_000 * number + 1, "x")] * 4)
        kept.bound(GROUP)
    answer = groups.ask("stats count(*) as lines, min(@timestamp) as first", 0, 10**12)
    assert answer.rows == ({"lines": "100", "first": "35001"},)
    assert answer.notes == (
        "Lines before 1970-01-01 00:00:34.002 UTC are no longer kept here: this answer is about the lines since then.",
    )
    assert groups.ask("stats count(*)", 34_002, 10**12).notes == ()
    assert len(cloudwatch_logs._log_groups[GROUP]["streams"]) == 26
    assert ministack_main.NO_LONGER_KEPT == logs.NO_LONGER_KEPT
