"""
Functions with rules of their own: dates, conditions, patterns and the time range of the query.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from insights.coercions import as_text
from insights.date_patterns import expression_of, milliseconds
from insights.discovery import SYSTEM_FIELDS, Kind, Sql
from insights.functions import CALENDAR_UNITS, CAPS, LONGEST_TEXT, MANY, MILLISECONDS, UNIT_BY_NAME
from insights.syntax import Field, Period, Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from insights.expressions import Expressions
    from insights.syntax import Call, Expression

LATEST_TIME = 253_402_300_799_999  # 9999-12-31, the last date a timestamp is shown as
# "Supports up to 10 branches."
MOST_BRANCHES = 10


def _now(expressions: Expressions, call: Call) -> Sql:
    """Translate now(): "the time that the query processing was started, in epoch seconds"."""
    expressions.check_arguments(call, 0, 0)
    return Sql(
        f"{expressions.statement.bind(float(expressions.window.now_ms // 1000))}::DOUBLE", Kind.NUMBER, simple=True
    )


def _coalesce(expressions: Expressions, call: Call) -> Sql:
    expressions.check_arguments(call, 1, MANY)
    values = [expressions.value(argument) for argument in call.arguments]
    kinds = {value.kind for value in values}
    if len(kinds) == 1:
        return Sql(f"coalesce({', '.join(value.text for value in values)})", kinds.pop())
    return Sql(f"coalesce({', '.join(as_text(value).text for value in values)})", Kind.ANY)


def _case(expressions: Expressions, call: Call) -> Sql:
    """Translate case(condition, value, ..., [default]) and if(condition, value, value)."""
    fewest, most = (3, 3) if call.function.lower() == "if" else (2, 2 * MOST_BRANCHES + 1)
    expressions.check_arguments(call, fewest, most)
    given = call.arguments
    values = [expressions.value(given[at]) for at in range(1, len(given), 2)]
    conditions = [expressions.condition(given[at]) for at in range(0, len(given) - 1, 2)]
    default = expressions.value(given[-1]) if len(given) % 2 else None
    every = [*values, *([default] if default else [])]
    kinds = {value.kind for value in every}
    kind = kinds.pop() if len(kinds) == 1 and Kind.BOOLEAN not in kinds else Kind.ANY
    texts = [(as_text(value) if kind is Kind.ANY else value).text for value in every]
    branches = " ".join(f"WHEN {when} THEN {then}" for when, then in zip(conditions, texts, strict=False))
    return Sql(f"CASE {branches}{f' ELSE {texts[-1]}' if default else ''} END", kind)


def _contains(expressions: Expressions, call: Call) -> Sql:
    """Translate strcontains: "if the third parameter is set to true, the match is case-insensitive"."""
    expressions.check_arguments(call, 2, 3)
    text, sought = (as_text(expressions.value(argument)).text for argument in call.arguments[:2])
    if len(call.arguments) == 3:  # noqa: PLR2004
        third = call.arguments[2]
        if not isinstance(third, Field) or third.name.lower() not in {"true", "false"}:
            expressions.refuse("expected `true` or `false` as the third argument", third.span, "`true` or `false`")
        if third.name.lower() == "true":
            text, sought = f"lower({text})", f"lower({sought})"
    return Sql(f"coalesce(contains({text}, {sought}), false)", Kind.BOOLEAN)


def _regex_replace(expressions: Expressions, call: Call) -> Sql:
    expressions.check_arguments(call, 3, 3)
    text = expressions.statement.hold(as_text(expressions.value(call.arguments[0]))).text
    pattern, replacement = call.arguments[1:]
    if not isinstance(pattern, Text) or not isinstance(replacement, Text):
        expressions.refuse("expected a regular expression and what replaces it, in quotes", call.span, 'two "strings"')
    if "\\" in replacement.value or "$" in replacement.value:
        # AWS says RE2 of the pattern, and nothing of the replacement: RE2 writes a group as \1, RE2/J as $1.
        problem = "groups in a replacement run on CloudWatch only: the local evaluator does not know them"
        expressions.refuse(problem, replacement.span, "text without `$` and `\\`", "not_supported")
    bound = expressions.pattern(pattern.value, pattern.span)
    new = expressions.statement.bind(replacement.value)
    length = f"length({text}) + len(regexp_extract_all({text}, {bound})) * {len(replacement.value)}"
    refused = f"error('too long:{call.span.start}:{call.span.end}')"
    made = f"regexp_replace({text}, {bound}, {new}::VARCHAR, 'g')"
    return Sql(f"CASE WHEN {length} > {LONGEST_TEXT} THEN {refused} ELSE {made} END", Kind.TEXT)


def _format_date(expressions: Expressions, call: Call) -> Sql:
    layout = _layout(expressions, call, "a format", "%Y-%m-%d")
    specifiers = [layout.value[at + 1 : at + 2] for at, each in enumerate(layout.value) if each == "%"]
    if not set(specifiers) <= set("YmdHMSjyBbaApI"):
        problem = "this format runs on CloudWatch only: the local evaluator knows %Y %m %d %H %M %S and a few more"
        expressions.refuse(problem, layout.span, "another format", "not_supported")
    _check_zone(expressions, call)
    moment = _moment(expressions, call.arguments[0]).text
    return Sql(f"strftime(make_timestamp(({moment}) * 1000), {expressions.statement.bind(layout.value)})", Kind.TEXT)


def _parse_date(expressions: Expressions, call: Call) -> Sql:
    """Translate parseDate: text that is no such date gives a missing value; AWS's page does not say what it gives."""
    layout = _layout(expressions, call, "a pattern", "yyyy-MM-dd")
    read = expression_of(layout.value)
    if read is None:
        problem = (
            "this pattern runs on CloudWatch only: the local evaluator reads whole dates, of y M d H h a m s S X x Z"
        )
        expressions.refuse(problem, layout.span, "another pattern, with year, month and day", "not_supported")
    _check_zone(expressions, call)
    pattern, names = read
    text = as_text(expressions.value(call.arguments[0])).text
    groups = ", ".join(f"'{name}'" for name in names)
    extracted = f"regexp_extract({text}, {expressions.pattern(pattern, layout.span)}, [{groups}])"
    parts = expressions.statement.column(Sql(extracted, Kind.STRUCTURE)).text
    return Sql(milliseconds(parts, names), Kind.NUMBER)


def _layout(expressions: Expressions, call: Call, what: str, example: str) -> Text:
    """Return the second argument, which says in quotes how dates are written."""
    expressions.check_arguments(call, 2, 3)
    layout = call.arguments[1]
    if not isinstance(layout, Text):
        expressions.refuse(f"expected {what} such as '{example}'", layout.span, f"{what} in quotes")
    return layout


def _check_zone(expressions: Expressions, call: Call) -> None:
    """Refuse a third argument that is another time zone than UTC."""
    zone = call.arguments[2] if len(call.arguments) == 3 else None  # noqa: PLR2004
    if zone is not None and not (isinstance(zone, Text) and zone.value.upper() in {"UTC", "GMT"}):
        problem = "time zones other than UTC run on CloudWatch only: the local evaluator does not know them"
        expressions.refuse(problem, zone.span, '"UTC"', "not_supported")


def _query_time(expressions: Expressions, call: Call) -> Sql:
    expressions.check_arguments(call, 0, 0)
    window = expressions.window
    value = {
        "querystarttime": window.start_ms,
        "queryendtime": window.end_ms,
        "querytimerange": window.end_ms - window.start_ms,
    }[call.function.lower()]
    return Sql(f"{expressions.statement.bind(float(value))}::DOUBLE", Kind.NUMBER, simple=True)


def _bin(expressions: Expressions, call: Call) -> Sql:
    if len(call.arguments) > 1:
        problem = "`bin` with an offset runs on CloudWatch only: the local evaluator does not know it"
        expressions.refuse(problem, call.span, "`bin` of a period", "not_supported")
    expressions.check_arguments(call, 1, 1)
    if not expressions.open:
        # "You can't use bin in the second stats command without using the first stats command to propagate the
        # timestamp field": CWL_QuerySyntax-Stats.
        expressions.refuse("`bin` needs @timestamp, which is gone after `stats`: use dateceil or datefloor", call.span)
    return _rounded(expressions, SYSTEM_FIELDS["@timestamp"], call.arguments[0], "floor")


def _rounded_date(expressions: Expressions, call: Call) -> Sql:
    expressions.check_arguments(call, 2, 2)
    moment = _moment(expressions, call.arguments[0])
    return _rounded(expressions, moment, call.arguments[1], "floor" if call.function.lower() == "datefloor" else "ceil")


def _from_millis(expressions: Expressions, call: Call) -> Sql:
    expressions.check_arguments(call, 1, 1)
    number = expressions.statement.hold(expressions.number(call.arguments[0])).text
    # What is not a date is missing.
    return Sql(f"CASE WHEN {number} BETWEEN 0 AND {LATEST_TIME} THEN floor({number})::BIGINT END", Kind.TIMESTAMP)


def _to_millis(expressions: Expressions, call: Call) -> Sql:
    expressions.check_arguments(call, 1, 1)
    return Sql(f"({_moment(expressions, call.arguments[0]).text})::DOUBLE", Kind.NUMBER)


def _moment(expressions: Expressions, argument: Expression) -> Sql:
    value = expressions.value(argument)
    if value.kind is Kind.TIMESTAMP:
        return value
    if value.kind is Kind.MILLIS:
        # AWS's sample groups by `dateceil(@t, 5m)` where @t is `max(@timestamp)` of the `stats` before.
        return Sql(f"({value.text})::BIGINT", Kind.TIMESTAMP)
    expected = "a timestamp, such as @timestamp or fromMillis(...)"
    return expressions.refuse(f"expected {expected}", argument.span, expected)


def _rounded(expressions: Expressions, moment: Sql, period: Expression, rounding: str) -> Sql:
    if not isinstance(period, Period) or period.unit not in UNIT_BY_NAME or period.amount == 0:
        expected = "a period such as 5m, 1h or 1d"
        expressions.refuse(f"expected {expected}", period.span, expected)
    unit = UNIT_BY_NAME[period.unit]
    if unit in MILLISECONDS:
        size = min(period.amount, CAPS.get(unit, period.amount), 100_000) * MILLISECONDS[unit]
        return Sql(f"({rounding}({moment.text} / {size})::BIGINT * {size})", Kind.TIMESTAMP)
    if unit not in CALENDAR_UNITS or period.amount != 1:
        problem = "CloudWatch does not say where such a period starts: the local evaluator does not know it"
        expressions.refuse(problem, period.span, "a period such as 5m, 1h, 1d, 1mo or 1y", "not_supported")
    calendar = CALENDAR_UNITS[unit]
    if rounding == "floor":
        return Sql(f"epoch_ms(date_trunc('{calendar}', make_timestamp({moment.text} * 1000)))", Kind.TIMESTAMP)
    before = f"make_timestamp({moment.text} * 1000 - 1)"
    interval = "3 MONTH" if calendar == "quarter" else f"1 {calendar.upper()}"
    return Sql(f"epoch_ms(date_trunc('{calendar}', {before}) + INTERVAL {interval})", Kind.TIMESTAMP)


SPECIAL: dict[str, Callable[[Expressions, Call], Sql]] = {
    "bin": _bin,
    "case": _case,
    "coalesce": _coalesce,
    "dateceil": _rounded_date,
    "datefloor": _rounded_date,
    "formatdate": _format_date,
    "frommillis": _from_millis,
    "if": _case,
    "now": _now,
    "parsedate": _parse_date,
    "queryendtime": _query_time,
    "querystarttime": _query_time,
    "querytimerange": _query_time,
    "regex_replace": _regex_replace,
    "regexreplace": _regex_replace,
    "strcontains": _contains,
    "strftime": _format_date,
    "tomillis": _to_millis,
}
