"""
The functions of the query language, as SQL.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Stats.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from insights.discovery import Kind, Sql
from insights.syntax import Call, Match, Membership, Negative, Not, Operation

if TYPE_CHECKING:
    from collections.abc import Callable

    from insights.syntax import Expression


class Takes(Enum):
    """What a function's arguments are turned into before its SQL sees them."""

    NUMBER = auto()
    TEXT = auto()
    JSON = auto()  # a map or list, or text that is one
    VALUE = auto()  # the argument as it is


@dataclass(frozen=True, slots=True)
class Function:
    """
    A scalar function: how many arguments, what they become, and its SQL over them.

    `length` is SQL for how long its result may get, where that can be longer than its arguments.
    """

    fewest: int
    most: int
    takes: tuple[Takes, ...]  # the last one goes for all further arguments
    sql: Callable[..., Sql]
    length: Callable[..., str] | None = None


MANY = 100
# A query that doubles a string fifty times would fill any memory, and DuckDB's limit does not see its strings. Longer
# results are refused.
LONGEST_TEXT = 65_536
WHITE_SPACE = r"chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || ' '"


def _number(template: str) -> Callable[..., Sql]:
    return lambda *arguments: Sql(template.format(*arguments, all=", ".join(arguments)), Kind.NUMBER)


def _text(template: str) -> Callable[..., Sql]:
    return lambda *arguments: Sql(template.format(*arguments, all=", ".join(arguments)), Kind.TEXT)


def _boolean(template: str) -> Callable[..., Sql]:
    return lambda *arguments: Sql(template.format(*arguments), Kind.BOOLEAN)


def _trim(name: str) -> Callable[..., Sql]:
    return lambda text, characters=WHITE_SPACE: Sql(f"{name}({text}, {characters})", Kind.TEXT)


def _substr(text: str, start: str, length: str | None = None) -> Sql:
    """`substr("xyZfooxyZ",3, 3)` returns "foo": the index counts from 0."""
    first = f"greatest(floor({start}), 0)::BIGINT + 1"
    count = "" if length is None else f", greatest(floor({length}), 0)::BIGINT"
    return Sql(f"substring({text}, {first}{count})", Kind.TEXT)


# What these take and give is the documentation's; a missing argument gives a missing result by default.
# greatest and least pass over a missing argument: AWS's own sample counts on `greatest(@initDuration, 0) + @duration`
# for invocations that had no init (aws-samples/serverless-typescript-demo). concat does too.
# isempty, isblank and strcontains are documented as the numbers 1 and 0 and ispresent as a Boolean; all serve as
# conditions and are shown as 1 and 0.
SCALARS = {
    "abs": Function(1, 1, (Takes.NUMBER,), _number("abs({0})")),
    "ceil": Function(1, 1, (Takes.NUMBER,), _number("ceil({0})")),
    "floor": Function(1, 1, (Takes.NUMBER,), _number("floor({0})")),
    "greatest": Function(1, MANY, (Takes.NUMBER,), _number("greatest({all})")),
    "least": Function(1, MANY, (Takes.NUMBER,), _number("least({all})")),
    "log": Function(1, 1, (Takes.NUMBER,), _number("ln({0})")),
    "sqrt": Function(1, 1, (Takes.NUMBER,), _number("sqrt({0})")),
    "concat": Function(
        1,
        MANY,
        (Takes.TEXT,),
        _text("concat({all})"),
        lambda *texts: " + ".join(f"coalesce(length({text}), 0)" for text in texts),
    ),
    "ltrim": Function(1, 2, (Takes.TEXT,), _trim("ltrim")),
    "rtrim": Function(1, 2, (Takes.TEXT,), _trim("rtrim")),
    "trim": Function(1, 2, (Takes.TEXT,), _trim("trim")),
    "strlen": Function(1, 1, (Takes.TEXT,), _number("length({0})::DOUBLE")),
    "toupper": Function(1, 1, (Takes.TEXT,), _text("upper({0})")),
    "tolower": Function(1, 1, (Takes.TEXT,), _text("lower({0})")),
    "substr": Function(2, 3, (Takes.TEXT, Takes.NUMBER), _substr),
    "round": Function(
        1,
        2,
        (Takes.NUMBER,),
        lambda number, places="0": Sql(f"round({number}, greatest(least({places}, 15), -15)::INTEGER)", Kind.NUMBER),
    ),
    "tonumber": Function(1, 1, (Takes.NUMBER,), _number("{0}")),
    "todouble": Function(1, 1, (Takes.NUMBER,), _number("{0}")),
    "toint": Function(1, 1, (Takes.NUMBER,), _number("TRY_CAST(trunc({0}) AS INTEGER)::DOUBLE")),
    "tolong": Function(1, 1, (Takes.NUMBER,), _number("TRY_CAST(trunc({0}) AS BIGINT)::DOUBLE")),
    "haversine": Function(
        4,
        4,
        (Takes.NUMBER,),
        _number(
            "(2 * 6371 * asin(least(1, sqrt(pow(sin(radians({2} - {0}) / 2), 2)"
            " + cos(radians({0})) * cos(radians({2})) * pow(sin(radians({3} - {1}) / 2), 2)))))"
        ),
    ),
    "isnumeric": Function(1, 1, (Takes.NUMBER,), _boolean("({0} IS NOT NULL)")),
    "messagesize": Function(1, 1, (Takes.TEXT,), _number("strlen({0})::DOUBLE")),
    "startswith": Function(2, 2, (Takes.TEXT,), _boolean("coalesce(starts_with({0}, {1}), false)")),
    "endswith": Function(2, 2, (Takes.TEXT,), _boolean("coalesce(ends_with({0}, {1}), false)")),
    "urlencode": Function(1, 1, (Takes.TEXT,), _text("url_encode({0})"), lambda text: f"strlen({text}) * 3"),
    "urldecode": Function(1, 1, (Takes.TEXT,), _text("TRY(url_decode({0}))")),
    "base64encode": Function(1, 1, (Takes.TEXT,), _text("base64(encode({0}))"), lambda text: f"strlen({text}) * 4 / 3"),
    "base64decode": Function(1, 1, (Takes.TEXT,), _text("TRY(decode(from_base64({0})))")),
    "md5": Function(1, 1, (Takes.TEXT,), _text("md5({0})")),
    "sha256": Function(1, 1, (Takes.TEXT,), _text("sha256({0})")),
    "hextoascii": Function(1, 1, (Takes.TEXT,), _text("TRY(decode(unhex({0})))")),
    "hextodec": Function(
        1,
        1,
        (Takes.TEXT,),
        _number("TRY_CAST('0x' || regexp_extract({0}, '^(0[xX])?([0-9a-fA-F]{{1,15}})$', 2) AS BIGINT)::DOUBLE"),
    ),
    "dectohex": Function(
        1,
        1,
        (Takes.NUMBER,),
        _text(
            "(CASE WHEN {0} <= -1 THEN '-0x' ELSE '0x' END"
            " || lower(ltrim(to_hex(TRY_CAST(trunc(abs({0})) AS BIGINT)), '0'))"
            " || CASE WHEN abs({0}) < 1 THEN '0' ELSE '' END)"
        ),
    ),
    "split": Function(
        2, 2, (Takes.TEXT,), lambda text, by: Sql(f"to_json(string_split({text}, {by}))", Kind.STRUCTURE)
    ),
    "jsonparse": Function(1, 1, (Takes.TEXT,), lambda text: Sql(f"parsed_json({text})", Kind.STRUCTURE)),
    "jsonstringify": Function(1, 1, (Takes.JSON,), _text("CASE WHEN is_structure({0}) THEN ({0})::VARCHAR END")),
    "jsonarraysize": Function(
        1, 1, (Takes.JSON,), _number("CASE WHEN left(({0})::VARCHAR, 1) = '[' THEN json_array_length({0})::DOUBLE END")
    ),
    "jsonarraycontains": Function(
        2,
        2,
        (Takes.JSON, Takes.TEXT),
        _boolean(
            "coalesce(left(({0})::VARCHAR, 1) = '[' AND"
            " list_contains(list_transform(json_extract({0}, '$[*]'), lambda item: leaf(item)), {1}), false)"
        ),
    ),
    "isvalidipv4": Function(1, 1, (Takes.TEXT,), _boolean("(ipv4_in({0}) IS NOT NULL)")),
    "ipv4tonumber": Function(1, 1, (Takes.TEXT,), _number("ipv4_in({0})::DOUBLE")),
    # RFC 1918: 10/8, 172.16/12, 192.168/16.
    "isprivateip": Function(
        1,
        1,
        (Takes.TEXT,),
        _boolean("coalesce(ipv4_in({0}) >> 24 = 10 OR ipv4_in({0}) >> 20 = 2753 OR ipv4_in({0}) >> 16 = 49320, false)"),
    ),
    "isipv4insubnet": Function(
        2,
        2,
        (Takes.TEXT,),
        _boolean(
            (
                "coalesce(ipv4_in({0}) >> (32 - {bits}) = ipv4_in(split_part({1}, '/', 1)) >> (32 - {bits}), false)"
            ).replace(
                "{bits}",
                "CASE WHEN regexp_full_match({1}, '[0-9.]+/([0-9]|[12][0-9]|3[0-2])')"
                " THEN split_part({1}, '/', 2)::INTEGER END",
            )
        ),
    ),
    "replace": Function(
        3,
        3,
        (Takes.TEXT,),
        _text("replace({0}, {1}, {2})"),
        lambda text, old, new: f"CASE WHEN length({new}) > length({old}) THEN length({text}) * length({new}) END",
    ),
    "isempty": Function(1, 1, (Takes.TEXT,), _boolean("(coalesce({0}, '') = '')")),
    "isblank": Function(1, 1, (Takes.TEXT,), _boolean(f"(trim(coalesce({{0}}, ''), {WHITE_SPACE}) = '')")),
    "ispresent": Function(1, 1, (Takes.VALUE,), _boolean("({0} IS NOT NULL)")),
}

AGGREGATES = frozenset(
    {
        "avg",
        "count",
        "count_distinct",
        "max",
        "min",
        "pct",
        "percentile",
        "stddev",
        "sum",
        "earliest",
        "latest",
        "sortsfirst",
        "sortslast",
    }
)

OF_CLOUDWATCH_ONLY = frozenset(
    {
        "count_over_time", "delta", "deriv", "histogram", "increase", "irate", "isipinsubnet", "isipv6insubnet",
        "ispublicip", "isreservedip", "isvalidip", "isvalidipv6", "rate", "sha1", "sha512",
        "sum_over_time", "topk", "values",
    }
)  # fmt: skip

MILLISECONDS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

# "The cap for ms is 1000, the caps for s and m are 60, and the cap for h is 24": `bin(300s)` really is `bin(60s)`.
CAPS = {"ms": 1_000, "s": 60, "m": 60, "h": 24}

# "For all units and abbreviations that include more than one character, adding s to pluralize is supported."
UNITS = {
    "ms": ("millisecond", "ms", "msec"),
    "s": ("second", "s", "sec"),
    "m": ("minute", "m", "min"),
    "h": ("hour", "h", "hr"),
    "d": ("day", "d"),
    "w": ("week", "w"),
    "mo": ("month", "mo", "mon"),
    "q": ("quarter", "q", "qtr"),
    "y": ("year", "y", "yr"),
}
UNIT_BY_NAME = {
    spelling: unit
    for unit, names in UNITS.items()
    for name in names
    for spelling in ((name, f"{name}s") if len(name) > 1 else (name,))
}
# A calendar unit has no fixed length; one of each starts where the calendar says.
CALENDAR_UNITS = {"mo": "month", "q": "quarter", "y": "year"}


def aggregates_in(expression: Expression) -> list[Call]:
    """List the aggregates in an expression, not those inside another one."""
    match expression:
        case Call() if expression.function.lower() in AGGREGATES:
            return [expression]
        case Call():
            return [call for argument in expression.arguments for call in aggregates_in(argument)]
        case Negative() | Not():
            return aggregates_in(expression.operand)
        case Operation():
            return aggregates_in(expression.left) + aggregates_in(expression.right)
        case Match() | Membership():
            return aggregates_in(expression.subject)
        case _:
            return []
