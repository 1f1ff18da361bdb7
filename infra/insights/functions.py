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

if TYPE_CHECKING:
    from collections.abc import Callable


class Takes(Enum):
    """What a function's arguments are turned into before its SQL sees them."""

    NUMBER = auto()
    TEXT = auto()
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


# What these take and give is the documentation's; a missing argument gives a missing result unless said otherwise here.
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
    "replace": Function(
        3,
        3,
        (Takes.TEXT,),
        _text("replace({0}, {1}, {2})"),
        lambda text, old, new: f"CASE WHEN length({new}) > length({old}) THEN length({text}) * length({new}) END",
    ),
    "strcontains": Function(2, 2, (Takes.TEXT,), _boolean("coalesce(contains({0}, {1}), false)")),
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
        "stddev",
        "sum",
        "earliest",
        "latest",
        "sortsfirst",
        "sortslast",
    }
)

# Functions with rules of their own, in `translation`.
SPECIAL = frozenset({"bin", "datefloor", "dateceil", "frommillis", "tomillis", "now", "coalesce"})

OF_CLOUDWATCH_ONLY = frozenset(
    {
        "base64decode", "base64encode", "case", "count_over_time", "endswith", "formatdate", "haversine", "histogram",
        "if", "ipv4tonumber", "isipinsubnet", "isipv4insubnet", "isipv6insubnet", "isprivateip", "ispublicip",
        "isreservedip", "isvalidip", "isvalidipv4", "isvalidipv6", "jsonparse", "jsonstringify", "md5", "rate",
        "regex_replace", "round", "sha256", "split", "startswith", "sum_over_time", "todouble", "toint", "tolong",
        "tonumber", "topk", "urldecode", "urlencode", "values",
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
