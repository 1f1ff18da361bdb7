"""`make logs`: the functions' log lines, and questions to them in the CloudWatch Logs Insights language.

Locally the lines are read from the stand-in's log groups and `insights` answers the question; with `STACK=<name>`
CloudWatch answers it, over the log groups of that stack. The words and the answers are the same.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from insights import Event, QueryError, Result, Statistics, as_csv, as_json, as_table, evaluate, saved_queries
from local.ministack import LocalStackError
from local.running import deployed
from local.translate import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_logs import CloudWatchLogsClient

    from local.running import Deployed

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
POLL_SECONDS = 1.0
RENDER = {"table": as_table, "json": as_json, "csv": as_csv}


class LogsError(Exception):
    """It cannot be done; the message says why."""


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

    def events(self, start_ms: int) -> Iterator[Event]:
        """Yield the lines since `start_ms` (epoch), in the order of their time."""
        found = []
        for name in self.names():
            for page in self.client.get_paginator("filter_log_events").paginate(logGroupName=name, startTime=start_ms):
                for event in page["events"]:
                    message = event["message"].rstrip("\n")
                    found.append(Event(event["timestamp"], message, event["logStreamName"], name))
        yield from sorted(found, key=lambda event: event.timestamp_ms)

    def ask(self, query: str, start_ms: int, end_ms: int) -> Result:
        """Answer a query; raises QueryError (here) or LogsError (CloudWatch) when it is not one."""
        if self.local:
            return evaluate(query, self.events(start_ms), start_ms, end_ms)
        try:
            query_id = self.client.start_query(
                logGroupNames=self.names(), startTime=start_ms // 1000, endTime=end_ms // 1000, queryString=query
            )["queryId"]
        except self.client.exceptions.MalformedQueryException as error:
            raise LogsError(str(error)) from error
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
        seen: set[tuple[int, str, str]] = set()
        while True:
            for event in self.events(start_ms):
                key = (event.timestamp_ms, event.log_stream, event.message)
                if key not in seen:
                    seen.add(key)
                    print(event.message, flush=True)
                    start_ms = max(start_ms, event.timestamp_ms)
            seen = {key for key in seen if key[0] >= start_ms}
            pause.wait(POLL_SECONDS)


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
        raise LogsError(f"There is no saved query {text!r}. There are: {', '.join(saved)}.")
    return text


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
        groups = LogGroups.of(deployed(os.environ.get("STACK", "")))
        if not (arguments.task or arguments.query):
            groups.follow(now_ms - milliseconds("1m"))
        query = query_of(arguments.query, arguments.task)
        answer = groups.ask(query, now_ms - milliseconds(arguments.since), now_ms)
        print(RENDER[arguments.format](answer).rstrip("\r\n"))
    except (LogsError, LocalStackError, QueryError, ClientError, BotoCoreError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
