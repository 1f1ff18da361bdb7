"""The page at `/` for people: the files in page/, with headers that let it do no more than it does."""

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
# Everything from here and nothing from elsewhere; no inline script or style; text never becomes HTML, not even by
# mistake (trusted types); the page cannot be framed and sends no form.
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
# Text all of them: API Gateway passes bytes on only for types that are set up there.
KINDS = {".css": "text/css", ".js": "text/javascript"}


async def read_page(request: Request) -> Response:
    """Return the page, its links leading to where it was asked for: behind the stage, if there is one."""
    base = html.escape(request.scope["root_path"].rstrip("/"), quote=True)
    text = _text("index.html").replace("{base}", base).replace("{version}", _version())
    return Response(text, media_type="text/html", headers=HEADERS | {"Cache-Control": "no-cache"})


async def read_part(
    name: str,
    v: Annotated[str | None, Query(description="Changes with any of the files, so that none is an old one.")] = None,  # noqa: ARG001 - for caches
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
