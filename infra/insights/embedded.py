"""
Finds the JSON in each log line, and the lines whose fields CloudWatch finds but this evaluator does not.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from insights.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from insights.errors import Span

# "CloudWatch Logs Insights can extract a maximum of 200 log event fields from a JSON log."
MOST_FIELDS = 200
# How many braces of a line are tried as the beginning of its JSON.
MOST_BEGINNINGS = 64
# What CloudWatch finds in lines of these kinds, and how such a line looks: the default format of VPC flow logs
# (https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html) and Route 53's public query logs
# (https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/query-logs-format.html).
OTHER_LINES = {
    "VPC flow logs": (
        r"^2 \S+ eni-\S+ (\S+ ){7}\d+ \d+ \S+ (OK|NODATA|SKIPDATA)\s*$",
        (
            "version accountId interfaceId srcAddr dstAddr srcPort dstPort protocol packets bytes startTime endTime"
            " start end action logStatus"
        ),
    ),
    "Route 53 query logs": (
        r"^1\.0 \S+Z \S+ \S+ [A-Z0-9]+ [A-Z]+ (UDP|TCP) ",
        (
            "version queryTimestamp hostZoneId queryName queryType responseCode protocol edgeLocation resolverIp"
            " ednsClientSubnet"
        ),
    ),
}


def refuse_unknown_lines(engine: duckdb.DuckDBPyConnection, query: str, fields: Mapping[str, Span]) -> None:
    """Refuse a query for a field that CloudWatch finds in lines which are there, where nothing would be found here."""
    for kind, (pattern, names) in OTHER_LINES.items():
        asked = next((name for name in fields if name in names.split()), None)
        if asked is None:
            continue
        found = engine.execute("SELECT 1 FROM events WHERE regexp_matches(message, $p) LIMIT 1", {"p": pattern})
        if found.fetchone():
            problem = f"CloudWatch finds `{asked}` in {kind} by itself: the local evaluator does not, use `parse`"
            raise QueryError(problem, query, fields[asked], "a field made by `parse`", "not_supported")


def find_fragments(engine: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """
    Note the JSON of the lines that are not JSON to their end (`json_at`); return what is left out.

    "CloudWatch Logs Insights automatically discovers log fields in Lambda logs, but only for the first embedded JSON
    fragment in each log event."
    """
    # A line of so many fields has as many commas.
    rest = engine.execute(
        "SELECT seq, message FROM events WHERE (json_at IS NULL AND contains(message, '{'))"
        " OR length(message) - length(replace(message, ',', '')) >= $most",
        {"most": MOST_FIELDS},
    ).fetchall()
    fragments, cut = [], 0
    for seq, message in rest:
        fragment, left_out = _first_json(message)
        cut += left_out
        if fragment is not None:
            fragments.append((seq, fragment))
    if fragments:
        engine.execute(
            "UPDATE events SET fragment = found.fragment FROM"
            " (SELECT unnest($seqs::BIGINT[]) AS seq, unnest($fragments::VARCHAR[]) AS fragment) AS found"
            " WHERE events.seq = found.seq AND json_valid(found.fragment)",
            {"seqs": [seq for seq, _ in fragments], "fragments": [fragment for _, fragment in fragments]},
        )
    if not cut:
        return ()
    return (f"{cut} log events have more than {MOST_FIELDS} fields: as on CloudWatch, only their first are found.",)


class _Raw(str):
    """A number as it is written."""

    __slots__ = ()


_DECODER = json.JSONDecoder(object_pairs_hook=tuple, parse_int=_Raw, parse_float=_Raw, parse_constant=_Raw)


def _first_json(message: str) -> tuple[str | None, bool]:
    """Return the first JSON object in a line, None where there is none, and whether it is cut short."""
    at = -1
    for _ in range(MOST_BEGINNINGS):
        at = message.find("{", at + 1)
        if at < 0:
            break
        try:
            value, end = _DECODER.raw_decode(message, at)
            if message.count(",", at, end) < MOST_FIELDS:
                return message[at:end], False
            return _pruned(value)
        except (ValueError, RecursionError):
            continue
    return None, False


def _pruned(value: Any) -> tuple[str, bool]:  # noqa: ANN401 - JSON: objects are tuples of pairs
    """Write JSON with its first leaves only; say whether any was left out."""
    leaves = 0

    def write(part: Any) -> str:  # noqa: ANN401
        nonlocal leaves
        if isinstance(part, tuple):
            return "{" + ", ".join(f"{json.dumps(key)}: {write(each)}" for key, each in part) + "}"
        if isinstance(part, list):
            return "[" + ", ".join(write(each) for each in part) + "]"
        leaves += 1
        if leaves > MOST_FIELDS:
            return "null"
        return str(part) if isinstance(part, _Raw) else json.dumps(part)

    written = write(value)
    return written, leaves > MOST_FIELDS
