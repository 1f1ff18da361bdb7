"""Stands before MiniStack: it takes requests of this start's own programs, and of nobody else on this machine.

MiniStack asks for no credentials and runs what it is given as Lambda functions, and a web page in the developer's
browser can send requests to any port here.
"""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Receive = Callable[[], Awaitable[Any]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]
    App = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

API = "/_aws/execute-api/"  # the deployed API, which asks for its own keys
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def is_loopback(host: str) -> bool:
    """Return whether a `Host` names this machine; a page that rebinds its own name to 127.0.0.1 sends that name."""
    try:
        return urlsplit(f"//{host}").hostname in LOOPBACK
    except ValueError:
        return False


def guarded(app: App, key: str) -> App:
    """Return `app` for requests to this machine that are signed with the access key `key` or carry it as session token.

    A browser's requests to anything but the API are refused whatever they carry.
    """

    async def guard(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        reason = "" if scope["type"] == "lifespan" else refusal(scope, key)
        if not reason:
            await app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": reason})
        else:
            body = json.dumps({"__type": "AccessDeniedException", "message": reason}).encode()
            kind = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 403, "headers": kind})
            await send({"type": "http.response.body", "body": body})

    return guard


def refusal(scope: Mapping[str, Any], key: str) -> str:
    """Return why a request is refused, empty when it is not; `scope` is ASGI's."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    if not is_loopback(headers.get("host", "")):
        return "This stand-in for AWS answers at 127.0.0.1 only."
    if scope["path"].startswith(API):
        return ""
    if "origin" in headers:
        return "This stand-in for AWS takes no requests of web pages."
    if not any(hmac.compare_digest(offered.encode(), key.encode()) for offered in _keys(headers, scope)):
        return "This stand-in for AWS takes the access key of .local/env only, drawn anew at each start."
    return ""


def _keys(headers: Mapping[str, str], scope: Mapping[str, Any]) -> list[str]:
    """Return the access key of a request's signature and its session token, in its headers or its query."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    _, _, credential = headers.get("authorization", "").partition("Credential=")
    credentials = [credential, *query.get("X-Amz-Credential", [])]
    tokens = [headers.get("x-amz-security-token", ""), *query.get("X-Amz-Security-Token", [])]
    return [text.partition("/")[0] for text in credentials] + tokens
