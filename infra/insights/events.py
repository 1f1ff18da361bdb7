"""Log events as CloudWatch keeps them, and reading them from a function's own lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True)
class Event:
    """
    One log event: when (milliseconds since the epoch), what, and from which stream of which group.

    `ingestion_ms` is when CloudWatch received it, None where that is not known.
    """

    timestamp_ms: int
    message: str
    log_stream: str = ""
    log_group: str = ""
    ingestion_ms: int | None = None


# Powertools writes `2026-11-21 00:18:32,123+0000` by default; ISO 8601 has a T and a dot.
_TIMESTAMP = re.compile(
    r'"timestamp":\s*"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,6})\d*)?\s*(Z|[+-]\d\d:?\d\d)?"'
)


def read_lines(lines: Iterable[str], log_group: str, log_stream: str, start_ms: int = 0) -> Iterator[Event]:
    """
    Make an event of each line that is not blank.

    A JSON line's `timestamp` field says when. A line without one, such as Lambda's START and REPORT, happened when
    the line before it did; `start_ms` is for lines before the first. A time without a zone is UTC.
    """
    now_ms = start_ms
    for line in lines:
        message = line.rstrip("\r\n")
        if not message.strip():
            continue
        found = _TIMESTAMP.search(message)
        if found:
            now_ms = _milliseconds(*found.groups()) or now_ms
        yield Event(now_ms, message, log_stream, log_group)


def _milliseconds(day: str, time: str, fraction: str | None, zone: str | None) -> int | None:
    """Return a written time in milliseconds since the epoch, None if there is no such time."""
    offset = "+00:00" if zone in {None, "Z"} else zone
    try:
        moment = datetime.fromisoformat(f"{day}T{time}{offset}")
    except ValueError:
        return None
    return int(moment.astimezone(UTC).timestamp()) * 1000 + int((fraction or "0").ljust(3, "0")[:3])
