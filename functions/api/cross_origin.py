"""Lets browser clients of another origin in: the one that template.yaml names, none by default."""

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
    """ASGI middleware; answers preflights and marks answers for the allowed origin, does nothing without one.

    Keys travel in a header that scripts set themselves, so no cookie or other credential of the browser is allowed.
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
