"""Runs a query over log events: the events go into an in-memory DuckDB that can reach nothing else."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from threading import Timer
from typing import TYPE_CHECKING

import duckdb

from insights.discovery import MACROS
from insights.errors import QueryError, Span
from insights.functions import LONGEST_TEXT
from insights.grammar import parse
from insights.translation import translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
TOO_LONG = re.compile(r"too long:(\d+):(\d+)")
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
    with open_engine(chosen) as engine:
        _check_patterns(engine, query, plan)
        rows, matched = _run(engine, query, plan)
    return Result(
        plan.columns,
        tuple(
            {column: value for column, value in zip(plan.columns, row, strict=True) if value is not None}
            for row in rows
        ),
        Statistics(len(chosen) if matched is None else matched, len(chosen)),
        plan.groups,
        plan.time_column,
    )


def open_engine(events: Sequence[Event]) -> duckdb.DuckDBPyConnection:
    """Put events, which are in time order, into an engine of their own. `seq` numbers them, which settles ties."""
    engine = duckdb.connect(":memory:", config=SANDBOX)
    for macro in MACROS:
        engine.execute(macro)
    engine.execute(
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
    engine.execute("SET lock_configuration = true")
    return engine


def _run(engine: duckdb.DuckDBPyConnection, query: str, plan: Plan) -> tuple[list[tuple[str | None, ...]], int | None]:
    """Return the rows, and how many events matched; what runs against a bound is the query's error."""
    watch = Timer(LONGEST_SECONDS, engine.interrupt)
    watch.daemon = True
    watch.start()
    try:
        rows = engine.execute(plan.rows, plan.statement.used(plan.rows)).fetchall()
        counted = plan.matched and engine.execute(plan.matched, plan.statement.used(plan.matched)).fetchone()
    except duckdb.InterruptException:
        problem = f"the query took longer than {LONGEST_SECONDS:g} seconds"
        raise QueryError(problem, query, Span(0, len(query)), "a query over fewer events", "too_large") from None
    except duckdb.OutOfMemoryException:
        problem = "the query needs more memory than a query may have"
        raise QueryError(problem, query, Span(0, len(query)), "a query over fewer events", "too_large") from None
    except duckdb.InvalidInputException as error:
        where = TOO_LONG.search(str(error))
        if where is None:
            raise
        problem = f"a string gets longer than {LONGEST_TEXT} characters"
        span = Span(int(where[1]), int(where[2]))
        raise QueryError(problem, query, span, "a shorter string", "too_large") from None
    finally:
        watch.cancel()
    return rows, counted[0] if counted else None


def _check_patterns(engine: duckdb.DuckDBPyConnection, query: str, plan: Plan) -> None:
    """Refuse a regular expression that is none, at its place in the query."""
    for pattern, span in plan.patterns:
        try:
            engine.execute("SELECT regexp_matches('', $pattern)", {"pattern": pattern})
        except duckdb.Error as error:
            reason = str(error).removeprefix("Invalid Input Error: ").splitlines()[0]
            problem = f"the regular expression is malformed: {reason}"
            raise QueryError(problem, query, span, "a regular expression (RE2 syntax)") from None
