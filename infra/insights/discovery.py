"""
The fields CloudWatch finds in a log line by itself, as SQL over the stored events.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from insights.syntax import Field


class Kind(Enum):
    """What an SQL expression holds, which decides how it is compared and shown."""

    ANY = auto()  # a log field's value as text: a number if it reads as one
    TEXT = auto()  # a string, made by a string function or written in the query
    NUMBER = auto()  # a double
    BOOLEAN = auto()  # never missing; shown as 1 and 0
    TIMESTAMP = auto()  # milliseconds since the epoch, shown as a date
    STRUCTURE = auto()  # a JSON value: a map, a list or one of their members
    MILLIS = auto()  # a timestamp that went through an aggregate: a number that date functions still take


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL and what it holds. `simple` marks a column or a parameter: cheap and safe to write twice."""

    text: str
    kind: Kind
    simple: bool = False


# SQL functions of our own, made once for each connection. Arguments that occur twice in a body are always simple.
MACROS = (
    # "Number values are values that include only numbers, not a mix of numbers and other characters"
    # (CWL_QuerySyntax-Sort); unlike a bare cast this refuses 'nan', 'inf', '1_000' and surrounding blanks.
    r"""CREATE MACRO number_in(value) AS TRY_CAST(regexp_extract(
        value, '^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$') AS DOUBLE)""",
    # An integer that a double may not hold exactly.
    "CREATE MACRO whole_in(value) AS TRY_CAST(regexp_extract(value, '^[-+]?[0-9]{1,38}$') AS HUGEINT)",
    "CREATE MACRO is_structure(value) AS left(value::VARCHAR, 1) IN ('{', '[')",
    """CREATE MACRO parsed_json(value) AS
        CASE WHEN json_valid(value) AND left(ltrim(value), 1) IN ('{', '[') THEN json(value) END""",
    """CREATE MACRO ipv4_in(value) AS CASE WHEN regexp_full_match(value,
        '((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])') THEN
        list_reduce(string_split(value, '.')::BIGINT[], lambda high, low: high * 256 + low) END""",
    "CREATE MACRO finite(value) AS CASE WHEN isfinite(value) THEN value END",
    # Results carry at most four decimals, and whole numbers none.
    "CREATE MACRO shown_number(value) AS rtrim(rtrim(printf('%.4f', round(value, 4) + 0), '0'), '.')",
    "CREATE MACRO shown_time(value) AS strftime(make_timestamp(value * 1000), '%Y-%m-%d %H:%M:%S.%g')",
    # "It orders non-numeric portions by their Unicode values, and it orders numeric portions by their length first and
    # then by their numerical value": each run of digits gets its length in front. CWL_QuerySyntax-Sort.
    r"""CREATE MACRO natural_key(value) AS array_to_string(list_transform(
        regexp_extract_all(value, '[0-9]+|[^0-9]+'),
        lambda run: CASE WHEN regexp_matches(run, '^[0-9]')
            THEN '0' || chr((48 + least(length(run), 9999))::INTEGER) || run ELSE run END), '')""",
    # A leaf of a JSON line. Objects and arrays are flattened into their leaves, so they have no value of their own;
    # true and false are 1 and 0 (`filter cold_start = 1` in aws-samples/serverless-typescript-demo).
    """CREATE MACRO leaf(value) AS CASE left(value, 1)
        WHEN '"' THEN value ->> '$' WHEN '{' THEN NULL WHEN '[' THEN NULL WHEN 'n' THEN NULL
        WHEN 't' THEN '1' WHEN 'f' THEN '0' ELSE value::VARCHAR END""",
    r"""CREATE MACRO report_of(message, pattern) AS CASE WHEN starts_with(message, 'REPORT RequestId: ')
        THEN nullif(regexp_extract(message, pattern, 1), '') END""",
    # REPORT gives megabytes; the field is in bytes and reads as a Java double: 128 MB is 1.28E8.
    """CREATE MACRO shown_megabytes(digits) AS CASE WHEN length(digits) > 1
        THEN (digits::DOUBLE / pow(10, length(digits) - 1))::VARCHAR || 'E' || (5 + length(digits))::VARCHAR
        ELSE (digits::DOUBLE * 1000000)::VARCHAR END""",
)


def _report(pattern: str) -> str:
    return f"report_of(message, '{pattern}')"


_REQUEST_ID = "([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"

# System fields and what SQL finds them with. The values are from a REPORT line as GetLogRecord shows it:
# `@duration 1394.6`, `@billedDuration 1395.0`, `@memorySize 1.28E8`, `@initDuration 428.6`.
SYSTEM_FIELDS = {
    "@timestamp": Sql("ts", Kind.TIMESTAMP, simple=True),
    "@message": Sql("message", Kind.ANY, simple=True),
    "@ingestionTime": Sql("ingested", Kind.TIMESTAMP, simple=True),
    "@logStream": Sql("log_stream", Kind.ANY, simple=True),
    "@log": Sql("log", Kind.ANY, simple=True),
    "@type": Sql("nullif(regexp_extract(message, '^(START|END|REPORT) RequestId: ', 1), '')", Kind.ANY),
    "@requestId": Sql(
        f"nullif(regexp_extract(message, '(?:^(?:START|END|REPORT) RequestId: |^[^\\t{{]*\\t){_REQUEST_ID}', 1), '')",
        Kind.ANY,
    ),
    "@duration": Sql(
        _report(r"^REPORT RequestId: \S+\s+Duration: ([0-9.]+) ms") + "::DOUBLE::VARCHAR",
        Kind.ANY,
    ),
    "@billedDuration": Sql(_report(r"Billed Duration: ([0-9.]+) ms") + "::DOUBLE::VARCHAR", Kind.ANY),
    "@initDuration": Sql(_report(r"Init Duration: ([0-9.]+) ms") + "::DOUBLE::VARCHAR", Kind.ANY),
    "@memorySize": Sql("shown_megabytes(" + _report(r"Memory Size: ([0-9]+) MB") + ")", Kind.ANY),
    "@maxMemoryUsed": Sql("shown_megabytes(" + _report(r"Max Memory Used: ([0-9]+) MB") + ")", Kind.ANY),
    "@xrayTraceId": Sql(_report(r"XRAY TraceId: (\S+)"), Kind.ANY),
    "@xraySegmentId": Sql(_report(r"SegmentId: (\S+)"), Kind.ANY),
}


# The keys of a name with more segments are looked for as nested, or as one.
MOST_SEGMENTS_JOINED = 5


def json_pointers(field: Field) -> list[str]:
    """
    List where a JSON line may hold a field, nearest reading first, as JSON pointers.

    `a.b` is the member b of a (or, for `a.0`, the first item of a: "JSON arrays are flattened into a list of field
    names and values"), and also the member called "a.b". A leading @ of the key itself is doubled in the field's name.
    """
    name = field.name.removeprefix("@")
    written = (field.path[0].removeprefix("@"), *field.path[1:])
    segments = name.split(".")
    joined = _groupings(segments) if len(segments) <= MOST_SEGMENTS_JOINED else ()
    readings = [written, tuple(segments), *joined, (name,)]
    return list(dict.fromkeys(pointer(reading) for reading in readings))


def pointer(path: tuple[str, ...]) -> str:
    """Write a path as a JSON pointer (RFC 6901)."""
    return "".join("/" + _pointed(key) for key in path)


def _groupings(segments: list[str]) -> Iterator[tuple[str, ...]]:
    """Join neighbouring segments in every way, from none to all."""
    if not segments:
        yield ()
    for taken in range(1, len(segments) + 1):
        for rest in _groupings(segments[taken:]):
            yield (".".join(segments[:taken]), *rest)


def _pointed(segment: str) -> str:
    return segment.replace("~", "~0").replace("/", "~1")
