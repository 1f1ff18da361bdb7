"""Queries that are refused: the place, and what was expected there."""

from __future__ import annotations

import pytest

from insights import Event, QueryError, evaluate, evaluation
from unit.insights.fixed_lines import EVENTS

LONG = [Event(0, "x" * 1_000)]
OPERANDS = "a field, a value or a function"
COMMANDS = "a command (fields, display, filter, where, stats, sort, limit, parse, dedup, unnest, addtotals, lookup)"

REFUSED = {
    # malformed
    "": f"line 1, column 1: expected {COMMANDS}, the query ends",
    "fields a |": f"line 1, column 11: expected {COMMANDS} after `|`, the query ends",
    "feilds a": f"line 1, column 1: expected {COMMANDS}, got 'feilds'",
    "fields @timestamp | limit x": "line 1, column 27: expected a number after `limit`, got 'x'",
    "fields a\n| sort b desc\n| limit": "line 3, column 8: expected a number after `limit`, the query ends",
    "limit 5m": "line 1, column 7: expected a number after `limit`, got '5m'",
    "limit 0": "line 1, column 7: expected a whole number from 1 to 100000 after `limit`, got '0'",
    "limit 1.5": "line 1, column 7: expected a whole number from 1 to 100000 after `limit`, got '1.5'",
    "limit 100001": "line 1, column 7: expected a whole number from 1 to 100000 after `limit`, got '100001'",
    "filter a === 1": f"line 1, column 12: expected {OPERANDS} after `=`, got '='",
    "fields a,": f"line 1, column 10: expected {OPERANDS} after `,`, the query ends (leave the last comma out)",
    'fields a as "b c"': (
        "line 1, column 13: expected a field after `as`, got '\"b c\"' (a name with blanks stands in backticks)"
    ),
    "filter a = 'x": f"line 1, column 12: expected {OPERANDS} after `=`, got ''x' (the string is not closed)",
    "filter a >": f"line 1, column 11: expected {OPERANDS} after `>`, the query ends",
    "filter a like": 'line 1, column 14: expected a /regular expression/ or a "string" after `like`, the query ends',
    "filter a in [b]": "line 1, column 14: expected a number or a \"string\" after `[`, got 'b'",
    "filter (a = 1": "line 1, column 14: expected `or` or `)` after `1`, the query ends",
    "filter a=1 filter b=2": (
        "line 1, column 12: expected an operator, the end of the query or `|` after `1`, got 'filter'"
    ),
    "stats count(*) by": f"line 1, column 18: expected {OPERANDS} after `by`, the query ends",
    "stats count(*": "line 1, column 14: expected `)` after `*`, the query ends",
    "fields 1e999": "line 1, column 8: the number 1e999 is too large",
    "parse @message 'a=* b=*' as x": (
        "line 1, column 16: the pattern has 2 `*` but `as` names 1 fields: one name for each `*`"
    ),
    "parse @message /a=(.*)/": (
        "line 1, column 16: expected a named group, `(?<name>...)`, for each field to extract, got '/a=(.*)/'"
    ),
    "filter a like /(/": "line 1, column 15: the regular expression is malformed: missing ): (",
    "filter a like /(?=b)/": ("line 1, column 15: the regular expression is malformed: invalid perl operator: (?="),
    "fields tags.labels[0]": "line 1, column 8: an item of a log field's array is written with a dot",
    # without meaning
    "filter cold_start = true": (
        "line 1, column 21: `true` is not a value: expected 1, which is what true is in a log field"
    ),
    "filter owner = null": (
        "line 1, column 16: `null` is not a value: expected `ispresent(...)`, which tells a missing field"
    ),
    "filter a": "line 1, column 8: expected a condition, such as `a = 1`",
    "filter a = 1 and b": "line 1, column 18: expected a condition, such as `b = 1`",
    "fields strlen()": "line 1, column 8: expected 1 argument for `strlen`, got 0",
    "fields substr(a)": "line 1, column 8: expected 2 or 3 arguments for `substr`, got 1",
    "fields concat()": "line 1, column 8: expected at least 1 argument for `concat`, got 0",
    "stats sum(*)": "line 1, column 7: expected 1 argument for `sum`, got `*`",
    "fields strlne(a)": "line 1, column 8: there is no function `strlne`: expected `strlen`",
    "fields 5m": "line 1, column 8: a period such as 5m goes into bin, datefloor or dateceil only",
    "stats count(*) by bin(5)": "line 1, column 23: expected a period such as 5m, 1h or 1d",
    "stats count(*) by bin(5x)": "line 1, column 23: expected a period such as 5m, 1h or 1d",
    "stats pct(a, 101)": "line 1, column 14: expected a number from 0 to 100 as the percentile",
    "fields datefloor(a, 1h)": "line 1, column 18: expected a timestamp, such as @timestamp or fromMillis(...)",
    "fields @timestamp + 1": "line 1, column 8: a timestamp is not a number: use `toMillis(...)`",
    "filter @timestamp > '2026-11-21'": (
        "line 1, column 21: a timestamp is compared with milliseconds since 1970, not with a string"
    ),
    "filter avg(a) > 1": "line 1, column 8: `avg` is an aggregate: it belongs in `stats`, and not inside another one",
    "stats sum(avg(a))": "line 1, column 11: `avg` is an aggregate: it belongs in `stats`, and not inside another one",
    "stats run_ms by owner": "line 1, column 7: the field `run_ms` can only stand inside an aggregate or after `by`",
    "stats count(*) as n by owner | filter event = 'x'": (
        "line 1, column 39: there is no field `event` after `stats`: expected one of `owner`, `n`"
    ),
    # "Invalid reference to @timestamp field" in the documentation of stats
    "stats count(*) as n by owner | stats avg(n) by bin(5m)": (
        "line 1, column 48: `bin` needs @timestamp, which is gone after `stats`: use dateceil or datefloor"
    ),
    "stats count(*) as n by owner | stats latest(n)": (
        "line 1, column 38: `latest` needs @timestamp, which is gone after the first `stats`"
    ),
    # out of order
    "dedup a | sort b": "line 1, column 11: expected `limit` or the end of the query after `dedup`",
    "limit 5 | filter a = 1": (
        "line 1, column 11: expected `limit` after this command: it counts the rows of the result"
    ),
    "stats count(*) as n by a | sort n | stats max(n)": (
        "line 1, column 37: expected `sort` after the last `stats`, not before it"
    ),
    # known to CloudWatch only
    "fields a | pattern @message": (
        "line 1, column 12: the command `pattern` runs on CloudWatch only: the local evaluator does not know it"
    ),
    "parse @message logfmt as l": (
        "line 1, column 16: `parse ... logfmt` runs on CloudWatch only: the local evaluator does not know it"
    ),
    "fields isValidIp(a)": (
        "line 1, column 8: the function `isValidIp` runs on CloudWatch only: the local evaluator does not know it"
    ),
    "stats count(*) by bin(1w)": (
        "line 1, column 23: CloudWatch does not say where such a period starts: the local evaluator does not know it"
    ),
}


@pytest.mark.parametrize(("query", "message"), REFUSED.items(), ids=list(REFUSED))
def test_query_is_refused_at_its_place(query: str, message: str) -> None:
    """The message has the line, the column, what was expected and what stands there."""
    with pytest.raises(QueryError) as refused:
        evaluate(query, EVENTS)
    assert message == str(refused.value)


def test_error_carries_its_parts() -> None:
    """The parts of the message can be used on their own."""
    with pytest.raises(QueryError) as refused:
        evaluate("fields a\n| limit x", EVENTS)
    error = refused.value
    assert (error.line, error.column, error.excerpt, error.expected) == (2, 9, "x", "a number")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("fields a b", "malformed_query"),
        ("fields strlne(a)", "malformed_query"),
        ("pattern @message", "not_supported"),
        ("fields parseDate(a, 'QQQ')", "not_supported"),
        ("parse @message csv as a", "not_supported"),
        ("fields bin(2w)", "not_supported"),
        ("fields " + "-" * 60 + "1", "too_large"),
    ],
)
def test_code_tells_whose_limit_it_is(query: str, code: str) -> None:
    """A query that CloudWatch would answer is distinguished from one that is wrong everywhere."""
    with pytest.raises(QueryError) as refused:
        evaluate(query, EVENTS)
    assert refused.value.code == code


def test_query_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A query has so many seconds and no more."""
    monkeypatch.setattr(evaluation, "LONGEST_SECONDS", 0.05)
    events = [Event(number, f"{number} 1a" * 100) for number in range(30_000)]
    with pytest.raises(QueryError, match=r"line 1, column 1: the query took longer than 0\.05 seconds"):
        evaluate("sort @message asc | dedup @message", events)


def test_unknown_system_field_lists_the_known_ones() -> None:
    """A misspelt system field would answer nothing but blanks: it is an error instead."""
    with pytest.raises(QueryError, match=r"line 1, column 8: there is no field `@mesage`: expected one of @billedDur"):
        evaluate("fields @mesage", EVENTS)


def test_query_has_a_greatest_length() -> None:
    """StartQuery takes 10,000 characters at most."""
    with pytest.raises(QueryError, match="the query has 10001 characters, CloudWatch takes at most 10000"):
        evaluate("fields a" + " " * 9_993, EVENTS)


@pytest.mark.parametrize(
    "query",
    [
        "fields " + "-" * 3_000 + "a",
        "filter " + "not " * 2_000 + "a = 1",
        "fields a" + " + a" * 2_000,
        "fields " + "abs(" * 1_000 + "a" + ")" * 1_000,
        "filter a = 1" + " or a = 1" * 1_000,
    ],
)
def test_deep_nesting_is_refused(query: str) -> None:
    """An expression too deep for the stack is an error like any other."""
    with pytest.raises(QueryError, match="the expression is nested more than 50 levels deep"):
        evaluate(query, EVENTS)


def test_string_that_grows_too_long_is_refused() -> None:
    """A query cannot fill the memory by doubling a string again and again."""
    expression = '"12345678"'
    for _ in range(20):
        expression = f"replace({expression}, '1', '12')"
    assert len(evaluate(f"fields {expression} as x", EVENTS).rows) == len(EVENTS)
    for _ in range(9):
        expression = f"replace({expression}, '2', '22222222')"
    with pytest.raises(QueryError, match=r"line 1, column \d+: a string gets longer than 65536 characters"):
        evaluate(f"fields strlen({expression}) as x", EVENTS)
    with pytest.raises(QueryError, match="line 1, column 8: a string gets longer than 65536 characters"):
        evaluate(f"fields concat(@message, '{'x' * 7_000}'{', @message' * 90}, replace(@message, '', 'y')) as x", LONG)


def test_query_of_too_many_steps_is_refused() -> None:
    """Hundreds of commands, each on top of the one before, are too deep for the engine."""
    with pytest.raises(QueryError, match="the query has too many steps for the local evaluator"):
        evaluate(" | ".join(["filter a = 1"] * 400), EVENTS)
    assert evaluate(" | ".join(["filter event = 'swept'"] * 200), EVENTS).statistics.matched == 1
    many = ", ".join(f"run_ms + {number} as c{number}" for number in range(300))
    assert evaluate(f"fields {many} | filter run_ms = 250", EVENTS).rows[0]["c299"] == "549"


def test_many_brackets_are_no_depth() -> None:
    """Brackets around a value do not nest it."""
    assert evaluate("fields " + "(" * 2_000 + "1" + ")" * 2_000 + " as a | limit 1", EVENTS).rows == ({"a": "1"},)


def test_name_of_many_segments_is_a_name() -> None:
    """A name as long as a query can be is looked for like any other."""
    assert evaluate("fields " + ".".join("a" * 4_000) + " as x | limit 1", EVENTS).rows == ({},)


def test_query_that_is_no_unicode_is_refused() -> None:
    """Half of a surrogate pair and NUL are no text."""
    for query in ("fields \ud83d", "fields \x00"):
        with pytest.raises(QueryError, match="line 1, column 8"):
            evaluate(query, EVENTS)
