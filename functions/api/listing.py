"""The list of a key's tasks: its handler, cursors, which clients send back unchanged, and the link to the next page."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Query
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, Field

from incoming import Caller
from presentation import SHOWN_AS, shown
from request_errors import CursorError, SearchesBusyError
from tasks import aws
from tasks.labels import MAX_NAME, MAX_TAG, MAX_TAGS
from tasks.table import MAX_SEARCHED, Position, Wanted
from tasks.task import is_task_id, rfc3339

MAX_PAGE = 100  # tasks in one answer; one BatchGetItem
DEFAULT_PAGE = 20
SEARCHES = 2  # far back in the list of one key that run at a time: each keeps the table and an environment busy
SEARCH_TIME = timedelta(seconds=28)  # what a request may take at most
_CHECK_BYTES = 9
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII)


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
        raise ValueError("not a date and time of RFC 3339, such as 2026-01-31T12:00:00Z")
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


async def list_tasks(  # noqa: PLR0913 - FastAPI hands each part of the request as an argument
    caller: Caller,
    status: Annotated[
        Literal["pending", "completed", "failed", "cancelled"] | None,
        Query(description="Only tasks with this status. A running task is `pending`."),
    ] = None,
    limit: Annotated[
        int, Query(ge=1, le=MAX_PAGE, description="The largest number of tasks in one answer.")
    ] = DEFAULT_PAGE,
    cursor: Annotated[
        str | None,
        Query(max_length=200, description="`next_cursor` of the previous page, with the other parameters unchanged."),
    ] = None,
    submitted_after: Annotated[Moment | None, Query(description="Only tasks submitted after this time.")] = None,
    name: Annotated[
        str | None, Query(min_length=1, max_length=MAX_NAME, description="Only tasks with exactly this name.")
    ] = None,
    tag: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=MAX_TAGS * (MAX_TAG + 1),
            description="Only tasks with this tag; with all of them if there are several, separated by commas.",
        ),
    ] = None,
) -> JSONResponse:
    """List the key's own tasks, newest first.

    While an answer has `next_cursor`, more tasks may follow. With `status`, `name` or `tag` a page can be shorter than
    `limit`. It is empty only if no task matches, or none of the next 5,000 does (`list.max_searched` of `/limits`); a
    cursor then continues after these. Two such searches of a key run at a time, and more are answered 429. A task is
    listed within a second of its submission.
    """
    look = partial(
        aws.task_store().page,
        caller,
        limit,
        wanted=Wanted(
            SHOWN_AS[status] if status else (), name or "", tag.split(",") if tag else (), submitted_after or ""
        ),
    )
    page = look(behind=position_of(cursor, caller) if cursor is not None else None)
    if page.following and not page.tasks:
        with aws.places().held([f"search/{caller}/{place}" for place in range(SEARCHES)], SEARCH_TIME) as held:
            if not held:
                raise SearchesBusyError
            page = look(behind=page.following, search=MAX_SEARCHED)
    body: dict[str, Any] = {"tasks": [shown(task) for task in page.tasks]}
    headers = {}
    if page.following is not None:
        body["next_cursor"] = cursor_of(page.following, caller)
        query = {"status": status, "limit": limit, "submitted_after": submitted_after, "name": name, "tag": tag}
        headers["Link"] = next_link(query, body["next_cursor"])
    return JSONResponse(body, headers=headers)
