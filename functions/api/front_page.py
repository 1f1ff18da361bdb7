"""Serves the pages at `/`, `/docs` and `/redoc`, made of the files in page/, and `/llms.txt`.

A page has its style in it and loads one script: each file that a browser asks for at the same time would start an
environment of the function. page_script.py joins the modules.

Their headers restrict them to what they need. The reference of the API is made in the browser by page/reference.js:
the usual viewers break the policy that protects the key (Swagger UI assigns HTML from strings, Redoc adds inline
styles), and weigh ten times what all pages weigh together.
"""

from __future__ import annotations

import hashlib
import html
from base64 import b64encode
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from string import Template
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

import reader
from submitted import BELL
from tasks.limits import MAX_BINDINGS, MAX_SHOTS
from tasks.settings import settings
from tasks.submissions import MAX_TASKS_AT_ONCE

FOLDER = Path(__file__).parent / "page"
# All parts come from this origin. There is no inline script, and no style but the page's, known by its hash. Text never
# becomes HTML (trusted types). No other page may frame this one, and it sends no form.
POLICY = "; ".join(  # noqa: FLY002 - one rule a line
    (
        "default-src 'none'",
        "script-src 'self'",
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
FRESH = {"Cache-Control": "no-cache"}
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
# Text only: API Gateway passes on binary content only for types that are configured there.
SCRIPTS = ("page.js", "reference.js")  # each with all that it imports
STYLES = {  # by the page
    "index.html": ("style.css", "editor.css", "circuit.css"),
    "reference.html": ("style.css", "reference.css"),
}


async def read_page(request: Request) -> Response:
    """Return the page to run circuits on, with links that include the stage's prefix if there is one."""
    return _document("index.html", request)


async def read_docs(request: Request) -> Response:
    """Return the reference of the API."""
    return _document("reference.html", request, view="folded")


async def read_redoc(request: Request) -> Response:
    """Return the reference of the API with everything unfolded."""
    return _document("reference.html", request, view="all")


async def read_part(request: Request) -> Response:
    """Return a script of the pages. Its address changes with the files, so that it can be kept for ever."""
    version, name = request.path_params["version"], request.path_params["name"]
    text = _scripts().get(name)
    if text is None:
        raise HTTPException(404)
    # A page that was loaded before a deployment still asks by the former version.
    headers = HEADERS | (FOR_EVER if version == _version() else FRESH)
    return Response(text, media_type="text/javascript", headers=headers)


async def read_llms(_request: Request) -> Response:
    """Return a summary of the API for programs that write programs, in plain text (llmstxt.org)."""
    limits = reader.LIMITS
    text = Template(_text("llms.txt")).substitute(
        max_shots=f"{MAX_SHOTS:,}",
        max_bindings=f"{MAX_BINDINGS:,}",
        max_tasks=MAX_TASKS_AT_ONCE,
        max_qubits=f"{limits.qubits:,}",
        max_operations=f"{limits.operations:,}",
        max_bytes=f"{limits.text_bytes:,}",
        max_wait=settings().max_wait_seconds,
        bell=BELL.replace("\n", " ").strip().replace('"', '\\"'),
    )
    return Response(text, media_type="text/plain", headers=HEADERS | FRESH)


PAGES: dict[str, Callable[[Request], Awaitable[Response]]] = {
    "/": read_page,
    "/docs": read_docs,
    "/redoc": read_redoc,
    "/llms.txt": read_llms,
    "/page/{version}/{name}": read_part,
}


def _document(name: str, request: Request, view: str = "") -> Response:
    base = html.escape(request.scope["root_path"].rstrip("/"), quote=True)
    text = _text(name).replace("{parts}", f"{base}/page/{_version()}").replace("{base}", base)
    text = text.replace("{icon}", f"data:image/svg+xml,{quote(_text('icon.svg'))}").replace("{view}", view)
    style, digest = _style(name)
    headers = HEADERS | FRESH | {"Content-Security-Policy": f"{POLICY}; style-src 'sha256-{digest}'"}
    return Response(text.replace("{style}", style), media_type="text/html", headers=headers)


@cache
def _style(page: str) -> tuple[str, str]:
    """Return a page's style, and its hash as a policy names it."""
    style = "".join(map(_text, STYLES[page]))
    return style, b64encode(hashlib.sha256(style.encode()).digest()).decode()


@cache
def _scripts() -> dict[str, str]:
    """Return the scripts by their names."""
    from page_script import joined  # noqa: PLC0415 - cold start: most environments serve no page

    return {name: joined(FOLDER / name) for name in SCRIPTS}


@cache
def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@cache
def _version() -> str:
    return hashlib.sha256("".join(_scripts().values()).encode()).hexdigest()[:12]
