"""Runs a query over log events: the events go into an in-memory DuckDB that can reach nothing else."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Timer
from typing import TYPE_CHECKING

import duckdb

from insights.discovery import MACROS
from insights.errors import QueryError, Span
from insights.grammar import parse
from insights.translation import translate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from insights.events import Event
    from insights.translation import Plan

# The engine sees the events it is given and nothing else: no file, no network, no extension, no Python variable, and no
# statement can loosen that. Its size is bounded too: a query of hostile nesting fails instead of filling the machine.
SANDBOX: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "enable_external_access": "false",
    "max_temp_directory_size": "0KB",
    "memory_limit": "1GB",
    "python_enable_replacements": "false",
    "threads": "2",
}
LONGEST_SECONDS = 30.0
# `@log` is "in the form of account-id:log-group-name"; the AWS stand-ins use this account.
LOCAL_ACCOUNT = "000000000000"


@dataclass(frozen=True, slots=True)
class Statistics:
    """How many events passed the query's filters, out of how many in the time range."""

    matched: int
    scanned: int


@dataclass(frozen=True, slots=True)
class Result:
    """
    A query's answer, as GetQueryResults gives it: values are strings, and a row lacks the fields it has no value for.

    `groups` are the columns after `by` in the last `stats`, and `time_column` is the one of them that holds time bins.
    """

    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    statistics: Statistics
    groups: tuple[str, ...] = ()
    time_column: str | None = None


def evaluate(
    query: str,
    events: Iterable[Event],
    start_ms: int | None = None,
    end_ms: int | None = None,
    now_ms: int | None = None,
) -> Result:
    """
    Answer a query from events.

    `start_ms` and `end_ms` bound the time range, both inclusive as in StartQuery. `now_ms` is what `now()` tells.
    Raises `QueryError` with the place in the query for anything malformed, or not known here.
    """
    plan = translate(parse(query), now_ms if now_ms is not None else int(time.time() * 1000))
    chosen = sorted(
        (
            event
            for event in events
            if (start_ms is None or event.timestamp_ms >= start_ms) and (end_ms is None or event.timestamp_ms <= end_ms)
        ),
        key=lambda event: event.timestamp_ms,
    )
    with duckdb.connect(":memory:", config=SANDBOX) as connection:
        _load(connection, chosen)
        _check_patterns(connection, query, plan)
        watch = Timer(LONGEST_SECONDS, connection.interrupt)
        watch.daemon = True
        watch.start()
        try:
            rows = connection.execute(plan.rows, plan.statement.used(plan.rows)).fetchall()
            matched = len(chosen)
            if plan.matched is not None:
                counted = connection.execute(plan.matched, plan.statement.used(plan.matched)).fetchone()
                matched = counted[0] if counted else 0
        except duckdb.InterruptException:
            raise QueryError(f"the query took longer than {LONGEST_SECONDS:g} seconds", query, Span(0, 0)) from None
        except duckdb.OutOfMemoryException:
            raise QueryError("the query needs more memory than a query may have", query, Span(0, 0)) from None
        finally:
            watch.cancel()
    return Result(
        plan.columns,
        tuple(
            {column: value for column, value in zip(plan.columns, row, strict=True) if value is not None}
            for row in rows
        ),
        Statistics(matched, len(chosen)),
        plan.groups,
        plan.time_column,
    )


def _load(connection: duckdb.DuckDBPyConnection, events: list[Event]) -> None:
    """Store the events in time order: `seq` numbers them, so that it also settles ties."""
    for macro in MACROS:
        connection.execute(macro)
    connection.execute(
        """CREATE TABLE events AS
            SELECT unnest(range(len($times))) AS seq, unnest($times::BIGINT[]) AS ts,
                unnest($messages::VARCHAR[]) AS message, unnest($streams::VARCHAR[]) AS log_stream,
                unnest($logs::VARCHAR[]) AS log""",
        {
            "times": [event.timestamp_ms for event in events],
            "messages": [event.message for event in events],
            "streams": [event.log_stream for event in events],
            "logs": [f"{LOCAL_ACCOUNT}:{event.log_group}" for event in events],
        },
    )
    connection.execute("SET lock_configuration = true")


def _check_patterns(connection: duckdb.DuckDBPyConnection, query: str, plan: Plan) -> None:
    """Refuse a regular expression that is none, at its place in the query."""
    for pattern, span in plan.patterns:
        try:
            connection.execute("SELECT regexp_matches('', $pattern)", {"pattern": pattern})
        except duckdb.Error as error:
            reason = str(error).removeprefix("Invalid Input Error: ").splitlines()[0]
            problem = f"the regular expression is malformed: {reason}"
            raise QueryError(problem, query, span, "a regular expression (RE2 syntax)") from None
