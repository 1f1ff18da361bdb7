"""Stands before MiniStack: it takes requests of this start's own programs, and no others on this machine.

MiniStack asks for no credentials and runs what it is given as Lambda functions, and a web page in the developer's
browser can send requests to any port here.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Receive = Callable[[], Awaitable[Any]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]
    App = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

API = "/_aws/execute-api/"  # the deployed API, which asks for its own keys
TICKET = "x-local-ticket"  # the header by which a call of the api function is known
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def is_loopback(host: str) -> bool:
    """Return whether a `Host` names this machine; a page that rebinds its own name to 127.0.0.1 sends that name."""
    try:
        return urlsplit(f"//{host}").hostname in LOOPBACK
    except ValueError:
        return False


def guarded(app: App, key: str, end_call: Callable[[str], None]) -> App:
    """Return `app` for requests to this machine that are signed with the access key `key` or carry it as session token.

    A browser's requests to anything but the API are refused whatever they carry. A request of the API that waits for a
    task's end has a ticket in its headers, with which `end_call` is called when its client goes away.
    """

    async def guard(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        reason = "" if scope["type"] == "lifespan" else refusal(scope, key)
        if not reason and scope["type"] == "http" and _waits(scope):
            await _watched(app, scope, receive, send, end_call)
        elif not reason:
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
        return "This stand-in for AWS takes the access key of .local/env only, drawn again at each start."
    return ""


def _keys(headers: Mapping[str, str], scope: Mapping[str, Any]) -> list[str]:
    """Return the access key of a request's signature and its session token, in its headers or its query."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    _, _, credential = headers.get("authorization", "").partition("Credential=")
    credentials = [credential, *query.get("X-Amz-Credential", [])]
    tokens = [headers.get("x-amz-security-token", ""), *query.get("X-Amz-Security-Token", [])]
    return [text.partition("/")[0] for text in credentials] + tokens


def _waits(scope: Mapping[str, Any]) -> bool:
    prefer = [value for name, value in scope["headers"] if name.lower() == b"prefer"]
    return scope["path"].startswith(API) and any(b"wait" in value.lower() for value in prefer)


async def _watched(
    app: App, scope: dict[str, Any], receive: Receive, send: Send, end_call: Callable[[str], None]
) -> None:
    """Serve a request whose client may not wait for the answer."""
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    ticket = uuid.uuid4().hex
    others = [(name, value) for name, value in scope["headers"] if name.lower() != TICKET.encode()]
    gone = asyncio.Event()

    async def again() -> Any:  # noqa: ANN401 - ASGI's
        if messages:
            return messages.pop(0)
        await gone.wait()
        return {"type": "http.disconnect"}

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()
        end_call(ticket)

    watching = asyncio.create_task(watch())
    try:
        await app({**scope, "headers": [*others, (TICKET.encode(), ticket.encode())]}, again, send)
    finally:
        watching.cancel()
