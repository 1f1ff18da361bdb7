"""Lets pages of another origin call the API: the origin that template.yaml names, by default none."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tasks.settings import optional

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

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
