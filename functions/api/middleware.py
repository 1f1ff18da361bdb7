"""Wraps every request: its correlation id in answer and log, its stage prefix, HEAD, and the answers to errors.

And lets pages of another origin call the API: the origin that template.yaml names, by default none.
"""

from __future__ import annotations

import re
import uuid
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING

from refusals import refusal_response
from tasks.logs import Event, logger
from tasks.settings import optional

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CORRELATION_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
REQUEST_HEADERS = ("X-Api-Key", "Content-Type", "Idempotency-Key", "If-None-Match", "Prefer", "X-Correlation-ID")
ANSWER_HEADERS = (
    "X-Correlation-ID",
    "Location",
    "Idempotent-Replayed",
    "Preference-Applied",
    "Retry-After",
    "ETag",
    "Link",
)


class Correlation:
    """ASGI middleware; puts `correlation_id`, and `arrived` on time.monotonic's clock, on the request's state."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-correlation-id", b"")
        # Any other text is not repeated: it would go into headers and logs.
        correlation_id = given.decode() if _CORRELATION_ID.fullmatch(given) else str(uuid.uuid4())
        scope.setdefault("state", {}).update(correlation_id=correlation_id, arrived=monotonic())
        scope["root_path"] = stage_prefix(scope)
        logger.append_keys(correlation_id=correlation_id)
        head = scope["method"] == "HEAD"
        if head:  # answered as GET, without the body (RFC 9110, 9.3.2)
            scope["method"] = "GET"
        started = False

        async def send_correlated(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], (b"x-correlation-id", correlation_id.encode())]
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._app(scope, receive, send_correlated)
            logger.debug("Request answered", event=Event.REQUEST_ANSWERED, method=scope["method"], path=scope["path"])
        except Exception as error:
            if started:
                raise
            await refusal_response(error, correlation_id)(scope, receive, send_correlated)


def stage_prefix(scope: Scope) -> str:
    """Return the prefix that API Gateway removed from the path, such as a stage's `/v1`; links in /docs need it."""
    event = scope.get("aws.event", {})
    whole: str = event.get("requestContext", {}).get("path") or ""
    inner: str = event.get("path") or ""
    return whole.removesuffix(inner) if inner != "/" else whole.rstrip("/")


class CrossOrigin:
    """ASGI middleware; answers preflights and adds the headers for the allowed origin. Without one it does nothing.

    Scripts send the API key in a header, so cookies and other credentials of the browser are not allowed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        origin = optional("ALLOWED_ORIGIN")  # read with the first request, not at import
        app = _allowing(self._app, origin) if origin else self._app
        await app(scope, receive, send)


@cache
def _allowing(app: ASGIApp, origin: str) -> ASGIApp:
    from starlette.middleware.cors import CORSMiddleware  # noqa: PLC0415 - cold start: most stacks allow no other origin

    return CORSMiddleware(
        app,
        allow_origins=[origin],
        allow_methods=["GET", "HEAD", "POST", "DELETE"],
        allow_headers=REQUEST_HEADERS,
        expose_headers=ANSWER_HEADERS,
    )
