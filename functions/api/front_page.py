"""Serves the page at `/` from the files in page/, with headers that restrict it to what it needs."""

from __future__ import annotations

import hashlib
import html
from functools import cache
from pathlib import Path
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

FOLDER = Path(__file__).parent / "page"
# All parts come from this origin. There is no inline script or style. Text never becomes HTML (trusted types). No other
# page may frame this one, and it sends no form.
POLICY = "; ".join(  # noqa: FLY002 - one rule a line
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src data:",  # the icon
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# Text only: API Gateway passes on binary content only for types that are configured there.
KINDS = {".css": "text/css", ".js": "text/javascript"}


async def read_page(request: Request) -> Response:
    """Return the page, with links that include the stage's prefix if there is one."""
    base = html.escape(request.scope["root_path"].rstrip("/"), quote=True)
    text = _text("index.html").replace("{base}", base).replace("{version}", _version())
    return Response(text, media_type="text/html", headers=HEADERS | {"Cache-Control": "no-cache"})


async def read_part(
    name: str,
    v: Annotated[str | None, Query(description="Changes with the files, so that no cached one is stale.")] = None,  # noqa: ARG001 - for caches
) -> Response:
    """Return a file of the page."""
    if name not in _parts():
        raise HTTPException(404)
    headers = HEADERS | {"Cache-Control": "public, max-age=300"}
    return Response(_text(name), media_type=KINDS[Path(name).suffix], headers=headers)


@cache
def _parts() -> frozenset[str]:
    return frozenset(path.name for path in FOLDER.iterdir() if path.suffix in KINDS)


@cache
def _text(name: str) -> str:
    return (FOLDER / name).read_text()


@cache
def _version() -> str:
    return hashlib.sha256("".join(map(_text, sorted(_parts()))).encode()).hexdigest()[:12]
