"""The pages of a list of tasks: cursors, which clients send back unchanged, and the link to the next page."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

from pydantic import AfterValidator, Field

from tasks.table import Position
from tasks.task import is_task_id, rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_PAGE = 100  # tasks in one answer; one BatchGetItem
DEFAULT_PAGE = 20
_CHECK_BYTES = 9
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class CursorError(Exception):
    """The cursor is not valid for this caller's list."""


def cursor_of(position: Position, owner: str) -> str:
    """Return a cursor for the page after `position`.

    It names a position and no owner: whoever sends it lists the tasks of their own key. It begins with a checksum, not
    a secret, which detects a cursor that was cut, mistyped or made for another key.
    """
    place = f"{position.submitted_at}/{position.task_id}"
    return base64.urlsafe_b64encode(_check(place, owner) + place.encode()).decode().rstrip("=")


def position_of(cursor: str, owner: str) -> Position:
    """Return the position that a cursor names; raises CursorError."""
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        place = packed[_CHECK_BYTES:].decode()
    except (binascii.Error, ValueError) as error:
        raise CursorError from error
    submitted_at, _, task_id = place.partition("/")
    if packed[:_CHECK_BYTES] != _check(place, owner) or not _MOMENT.fullmatch(submitted_at) or not is_task_id(task_id):
        raise CursorError
    return Position(submitted_at, task_id)


def _check(place: str, owner: str) -> bytes:
    return hashlib.sha256(f"{owner}\0{place}".encode()).digest()[:_CHECK_BYTES]


def next_link(query: Mapping[str, object], cursor: str) -> str:
    """Return the header `Link` (RFC 8288) to the next page; relative, so that it is right behind a stage too."""
    kept = {name: value for name, value in query.items() if value}
    return f'<tasks?{urlencode({**kept, "cursor": cursor})}>; rel="next"'


def _moment(text: str) -> str:
    if not _RFC3339.fullmatch(text):
        raise ValueError("not a date and time as in RFC 3339, 2026-01-31T12:00:00Z")
    shortened = re.sub(r"(\.\d{6})\d+", r"\1", text.upper())  # datetime has microseconds, no more
    try:
        return rfc3339(datetime.fromisoformat(shortened))
    except OverflowError:
        raise ValueError("outside of the years 1 to 9999") from None


Moment = Annotated[
    str,
    AfterValidator(_moment),
    Field(json_schema_extra={"format": "date-time"}, examples=["2026-01-31T12:00:00Z"]),
]
"""A date and time with its offset, as in RFC 3339, normalized to UTC and milliseconds."""
