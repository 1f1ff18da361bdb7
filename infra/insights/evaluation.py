"""Runs a query over log events: the events go into an in-memory DuckDB that can reach nothing else."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from itertools import islice
from threading import Timer
from typing import TYPE_CHECKING

from insights.discovery import MACROS
from insights.embedded import find_fragments, refuse_unknown_lines
from insights.errors import QueryError, Span
from insights.expressions import Window
from insights.functions import LONGEST_TEXT
from insights.grammar import parse
from insights.translation import translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import duckdb

    from insights.events import Event
    from insights.lookups import Table
    from insights.translation import Plan

# Events go into the engine in batches: no list of all of them is made.
BATCH = 20_000
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
    `notes` are sentences on what the answer leaves out.
    """

    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    statistics: Statistics
    groups: tuple[str, ...] = ()
    time_column: str | None = None
    notes: tuple[str, ...] = ()


def check(query: str, tables: Mapping[str, Table] | None = None) -> None:
    """Raise `QueryError` for a query that would be refused whatever the events are (except for its patterns)."""
    translate(parse(query), Window(0, 0, 0), tables or {})


def evaluate(  # noqa: PLR0913 - a question and all that it is asked of
    query: str,
    events: Iterable[Event],
    start_ms: int | None = None,
    end_ms: int | None = None,
    now_ms: int | None = None,
    tables: Mapping[str, Table] | None = None,
) -> Result:
    """
    Answer a query from events.

    `start_ms` and `end_ms` bound the time range, both inclusive as in StartQuery. `now_ms` is what `now()` tells,
    and `tables` are those of `lookup`.
    Raises `QueryError` with the place in the query for anything malformed, or not known here.
    """
    now_ms = int(time.time() * 1000) if now_ms is None else now_ms
    plan = translate(parse(query), Window(now_ms, start_ms or 0, now_ms if end_ms is None else end_ms), tables or {})
    chosen = (
        event
        for event in events
        if (start_ms is None or event.timestamp_ms >= start_ms) and (end_ms is None or event.timestamp_ms <= end_ms)
    )
    with open_engine(chosen) as engine:
        _check_patterns(engine, query, plan)
        notes: tuple[str, ...] = ()
        if plan.statement.pointers:
            refuse_unknown_lines(engine, query, plan.discovered)
            notes = find_fragments(engine)
        rows, matched = _run(engine, query, plan)
        scanned = _count(engine)
    return Result(
        plan.columns,
        tuple(
            {column: value for column, value in zip(plan.columns, row, strict=True) if value is not None}
            for row in rows
        ),
        Statistics(scanned if matched is None else matched, scanned),
        plan.groups,
        plan.time_column,
        plan.notes + notes,
    )


def open_engine(events: Iterable[Event]) -> duckdb.DuckDBPyConnection:
    """Put events into an engine of their own. `seq` numbers them in the order of time, which settles ties."""
    import duckdb  # noqa: PLC0415 - what is not a query is refused without it
    import numpy as np  # noqa: PLC0415 - the same

    engine = duckdb.connect(":memory:", config=SANDBOX)
    # Lines are much alike: compressed they take a quarter of the memory.
    engine.execute("ATTACH ':memory:' AS packed (COMPRESS)")
    engine.execute("USE packed")
    for macro in MACROS:
        engine.execute(macro)
    engine.execute(
        "CREATE TABLE events (seq BIGINT, ts BIGINT, message VARCHAR, log_stream VARCHAR, log VARCHAR,"
        " ingested BIGINT, json_at INTEGER, fragment VARCHAR)"
    )
    count, latest, ordered = 0, None, True
    for batch in _batches(events):
        times = np.array([event.timestamp_ms for event in batch], dtype=np.int64)
        ordered = ordered and bool((np.diff(times) >= 0).all()) and (latest is None or times[0] >= latest)
        latest = times[-1]
        engine.register(
            "batch",
            {
                "seq": np.arange(count, count + len(batch)),
                "ts": times,
                "message": np.array([event.message for event in batch], dtype=object),
                "log_stream": np.array([event.log_stream for event in batch], dtype=object),
                "log": np.array([f"{LOCAL_ACCOUNT}:{event.log_group}" for event in batch], dtype=object),
                "ingested": np.array(
                    [-1 if event.ingestion_ms is None else event.ingestion_ms for event in batch], dtype=np.int64
                ),
            },
        )
        engine.execute(
            "INSERT INTO events SELECT seq, ts, message, log_stream, log, nullif(ingested, -1),"
            " CASE WHEN contains(message, '{') AND json_valid(substr(message, strpos(message, '{')))"
            " THEN strpos(message, '{') END, NULL FROM batch"
        )
        engine.unregister("batch")
        count += len(batch)
    if not ordered:
        engine.execute(
            "UPDATE events SET seq = place - 1"
            " FROM (SELECT seq AS was, row_number() OVER (ORDER BY ts, seq) AS place FROM events) WHERE seq = was"
        )
    engine.execute("SET lock_configuration = true")
    return engine


def _batches(events: Iterable[Event]) -> Iterator[list[Event]]:
    remaining = iter(events)
    while batch := list(islice(remaining, BATCH)):
        yield batch


def _count(engine: duckdb.DuckDBPyConnection) -> int:
    found = engine.execute("SELECT count(*) FROM events").fetchone()
    return int(found[0]) if found else 0


def _run(engine: duckdb.DuckDBPyConnection, query: str, plan: Plan) -> tuple[list[tuple[str | None, ...]], int | None]:
    """Return the rows, and how many events matched; what runs against a bound is the query's error."""
    import duckdb  # noqa: PLC0415 - as above

    watch = Timer(LONGEST_SECONDS, engine.interrupt)
    watch.daemon = True
    watch.start()
    try:
        rows = engine.execute(plan.rows, plan.statement.used(plan.rows)).fetchall()
        if plan.totals:
            rows += engine.execute(plan.totals, plan.statement.used(plan.totals)).fetchall()
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
    import duckdb  # noqa: PLC0415 - as above

    for pattern, span in plan.patterns:
        try:
            engine.execute("SELECT regexp_matches('', $pattern)", {"pattern": pattern})
        except duckdb.Error as error:
            reason = str(error).removeprefix("Invalid Input Error: ").splitlines()[0]
            problem = f"the regular expression is malformed: {reason}"
            raise QueryError(problem, query, span, "a regular expression (RE2 syntax)") from None
