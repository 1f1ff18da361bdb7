"""`make logs`: the functions' log lines, and questions to them in the CloudWatch Logs Insights language.

Locally the lines are read from the stand-in's log groups and `insights` answers the question; with `STACK=<name>`
CloudWatch answers it, over the log groups of that stack. The words and the answers are the same.
"""

from __future__ import annotations

import argparse
import heapq
import os
import re
import sys
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from insights import (
    Event,
    QueryError,
    Result,
    Statistics,
    Table,
    as_csv,
    as_json,
    as_table,
    check,
    evaluate,
    saved_queries,
)
from keys import Keys
from local.deployed import deployed
from local.ministack import LocalStackError
from local.translate import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_logs import CloudWatchLogsClient

    from local.deployed import Deployed

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
POLL_SECONDS = 1.0
# FilterLogEvents gives so many lines at a time. The stand-in then gives no token to continue with.
MOST_LINES = 10_000
# What was written at a time may be there a little later.
LATE_MS = 2_000
# A stream without lines: its last time is that of the last line which the stand-in has deleted.
NO_LONGER_KEPT = "no-longer-kept"
NOT_A_QUERY = 2
RENDER = {"table": as_table, "json": as_json, "csv": as_csv}


class LogsError(Exception):
    """It cannot be done; the message says why."""


class MalformedError(LogsError):
    """CloudWatch takes it for no query; the message is CloudWatch's."""


@dataclass(frozen=True, slots=True)
class LogGroups:
    """The log groups of a stack; `local` says that the stand-in holds them, which stores lines but answers nothing."""

    client: CloudWatchLogsClient
    stack: str
    local: bool

    @classmethod
    def of(cls, stack: Deployed) -> LogGroups:
        """Connect to a stack's log groups."""
        client = stack.session.client("logs", endpoint_url=stack.endpoint)
        return cls(client, stack.name, local=stack.endpoint is not None)

    def names(self) -> list[str]:
        """Return the groups' names; raises LogsError when there are none."""
        pages = self.client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=f"/{self.stack}/")
        names = [group["logGroupName"] for page in pages for group in page["logGroups"]]
        if not names:
            raise LogsError(f"There are no log groups /{self.stack}/: no such stack in this account and region?")
        return names

    def events(self, start_ms: int, end_ms: int | None = None) -> Iterator[Event]:
        """Yield the lines from `start_ms` to `end_ms` (epoch, both included), in the order of their time."""
        groups = [self._lines(name, start_ms, end_ms) for name in self.names()]
        yield from heapq.merge(*groups, key=lambda event: event.timestamp_ms)

    def kept_since(self) -> int:
        """Return the time (epoch, ms) from which on all lines are still there; 0 where none was ever deleted."""
        if not self.local:
            return 0
        last = 0
        for name in self.names():
            streams = self.client.describe_log_streams(logGroupName=name, logStreamNamePrefix=NO_LONGER_KEPT)
            last = max([last, *(stream.get("lastEventTimestamp", 0) for stream in streams["logStreams"])])
        return last + 1 if last else 0

    def _lines(self, name: str, start_ms: int, end_ms: int | None) -> Iterator[Event]:
        """
        Yield a group's lines, read window by window until the last one is whole.

        A full window without a token has left out the newest lines: the next one begins at its last time.
        """
        until: dict[str, Any] = {} if end_ms is None else {"endTime": end_ms}
        token: dict[str, Any] = {}
        while end_ms is None or start_ms <= end_ms:
            page = self.client.filter_log_events(logGroupName=name, startTime=start_ms, **until, **token)
            found = [
                Event(
                    event["timestamp"],
                    event["message"].rstrip("\n"),
                    event["logStreamName"],
                    name,
                    event.get("ingestionTime"),
                )
                for event in page["events"]
            ]
            following = page.get("nextToken")
            if following:
                token = {"nextToken": following}
                yield from found
                continue
            if token or len(found) < MOST_LINES:
                yield from found
                return
            last = found[-1].timestamp_ms
            if found[0].timestamp_ms == last:
                yield from self._moment(name, last)
                start_ms = last + 1
                continue
            yield from (event for event in found if event.timestamp_ms < last)
            start_ms = last

    def _moment(self, name: str, moment_ms: int) -> Iterator[Event]:
        """Yield the lines of one millisecond, stream by stream; raises LogsError where even one has too many."""
        pages = self.client.get_paginator("describe_log_streams").paginate(logGroupName=name)
        for stream in [stream["logStreamName"] for page in pages for stream in page["logStreams"]]:
            page = self.client.filter_log_events(
                logGroupName=name, logStreamNames=[stream], startTime=moment_ms, endTime=moment_ms
            )
            if len(page["events"]) >= MOST_LINES:
                raise LogsError(
                    f"{name} has {MOST_LINES} or more lines of {_shown(moment_ms)} in one stream, which cannot be read"
                    " whole: choose a SINCE after that time."
                )
            for event in page["events"]:
                message = event["message"].rstrip("\n")
                yield Event(event["timestamp"], message, stream, name, event.get("ingestionTime"))

    def ask(self, query: str, start_ms: int, end_ms: int, tables: Mapping[str, Table] | None = None) -> Result:
        """Answer a query, here with these tables; raises QueryError (here) or LogsError (CloudWatch) if it is none."""
        if self.local:
            check(query, tables)  # before any line is read
            result = evaluate(query, self.events(start_ms, end_ms), start_ms, end_ms, tables=tables)
            if start_ms < (kept := self.kept_since()):
                missing = (
                    f"Lines before {_shown(kept)} are no longer kept here: this answer is about the lines since then."
                )
                result = replace(result, notes=(*result.notes, missing))
            return result
        try:
            query_id = self.client.start_query(
                logGroupNames=self.names(), startTime=start_ms // 1000, endTime=end_ms // 1000, queryString=query
            )["queryId"]
        except self.client.exceptions.MalformedQueryException as error:
            raise MalformedError(str(error)) from error
        pause = threading.Event()
        while (answer := self.client.get_query_results(queryId=query_id))["status"] in {"Scheduled", "Running"}:
            pause.wait(POLL_SECONDS)
        if answer["status"] != "Complete":
            raise LogsError(f"CloudWatch says that the query is {answer['status']}.")
        rows = [{cell["field"]: cell["value"] for cell in row if cell["field"] != "@ptr"} for row in answer["results"]]
        columns = tuple(dict.fromkeys(name for row in rows for name in row))
        statistics: Any = answer["statistics"]
        return Result(
            columns, tuple(rows), Statistics(int(statistics["recordsMatched"]), int(statistics["recordsScanned"]))
        )

    def follow(self, start_ms: int) -> None:
        """Print the lines as they come, until Ctrl-C."""
        pause = threading.Event()
        seen: set[Event] = set()
        while True:
            for event in self.events(start_ms):
                if event not in seen:
                    seen.add(event)
                    print(event.message, flush=True)
            newest = max((event.timestamp_ms for event in seen), default=start_ms)
            start_ms = max(start_ms, newest - LATE_MS)
            seen = {event for event in seen if event.timestamp_ms >= start_ms}
            pause.wait(POLL_SECONDS)


def _shown(moment_ms: int) -> str:
    return datetime.fromtimestamp(moment_ms / 1000, UTC).isoformat(" ", "milliseconds").replace("+00:00", " UTC")


def milliseconds(since: str) -> int:
    """Return how long `since` is: `90s`, `15m`, `1h`, `7d`."""
    match = re.fullmatch(r"(\d+)([smhd])", since)
    if match is None:
        raise LogsError(f"SINCE is {since!r}; write 90s, 15m, 1h or 7d.")
    return int(match[1]) * UNITS[match[2]] * 1000


def query_of(text: str, task: str) -> str:
    """Return the query to ask: a saved one by its name, or `text` as it is."""
    saved = saved_queries(load())
    if task:
        return saved["life-of-a-task"].fill(task=task)
    if text in saved:
        if saved[text].parameters:
            raise LogsError(f"{text} is about one task: make logs TASK=<id>.")
        return saved[text].text
    if re.fullmatch(r"[\w-]+", text):
        raise LogsError(f"There is no saved query {text!r}. The saved queries are {', '.join(saved)}.")
    return text


def tables_of(stack: Deployed, query: str) -> dict[str, Table]:
    """Return the tables that `lookup` has here: `owners`, the stack's keys, so that tasks' owners can have names."""
    if stack.endpoint is None or not re.search(r"\blookup\b", query, re.IGNORECASE):
        return {}
    return {"owners": Table(("id", "name"), [(key.owner, key.name) for key in Keys.of(stack).all()])}


def main() -> int:
    """Answer, or follow; return the exit status."""
    parser = argparse.ArgumentParser(prog="logs", description=__doc__)
    parser.add_argument("--task", default="")
    # By the environment, so that make passes quotes and pipes on untouched.
    parser.add_argument("--query", default=os.environ.get("QUERY", ""))
    parser.add_argument("--since", default="1h")
    parser.add_argument("--format", choices=list(RENDER), default="table")
    arguments = parser.parse_args()
    now_ms = int(time.time() * 1000)
    try:
        stack = deployed(os.environ.get("STACK", ""))
        groups = LogGroups.of(stack)
        if not (arguments.task or arguments.query):
            groups.follow(now_ms - milliseconds("1m"))
        query = query_of(arguments.query, arguments.task)
        answer = groups.ask(query, now_ms - milliseconds(arguments.since), now_ms, tables_of(stack, query))
        print(RENDER[arguments.format](answer).rstrip("\r\n"))
        for note in answer.notes:
            print(note, file=sys.stderr)
    except (QueryError, MalformedError) as error:
        print(error, file=sys.stderr)
        return NOT_A_QUERY
    except (LogsError, LocalStackError, ClientError, BotoCoreError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
