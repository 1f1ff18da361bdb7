"""A short URL in front of the stand-in's API Gateway: passes every request on to the stage.

Where the stand-in does not answer, or could not keep what it is sent, the front says so in the API's words.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web
from yarl import URL

from local import state
from local.guard import is_loopback

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator
    from pathlib import Path

# Headers of one connection, not of the message (RFC 9110, 7.6.1), and the length, which aiohttp sets itself.
_OWN = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length", "host"}
# The stand-in starts an environment of the api for each concurrent request: 90 MB and a second of CPU each, and more of
# them than a few a core only fight for it. What is over this number waits here.
ENVIRONMENTS = 4 * max(2, os.cpu_count() or 1)
MAX_BODY_BYTES = 10 * 1024**2  # API Gateway's limit


@dataclass
class Target:
    """Where the API answers behind the front; None while the stand-in is down. `kept` is the folder of its state."""

    kept: Path
    url: str | None = None


def refused(status: int, code: str, message: str, hint: str, **headers: str) -> web.Response:
    """Return an answer of the front's own, in the shape of the API's."""
    body = {"status": "error", "message": message, "code": code, "hint": hint, "correlation_id": str(uuid.uuid4())}
    return web.json_response(body, status=status, headers=headers)


def unavailable(message: str, hint: str) -> web.Response:
    """Return a 503."""
    return refused(503, "unavailable", message, hint, **{"Retry-After": "5"})


@contextlib.asynccontextmanager
async def front(listening: socket.socket, target: Target) -> AsyncIterator[str]:
    """Serve the API of `target` on a listening socket of 127.0.0.1; yield the short URL."""
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    environment = asyncio.Semaphore(ENVIRONMENTS)
    async with aiohttp.ClientSession(auto_decompress=False, connector=aiohttp.TCPConnector(limit=0)) as session:

        async def pass_on(request: web.Request) -> web.Response:
            if not is_loopback(request.host):
                return refused(403, "access_denied", "This address is for programs on this machine.", f"Ask {url}.")
            if target.url is None:
                return unavailable("The stand-in for AWS has ended and is started again.", "Try again in 5 seconds.")
            reads = request.method in {"GET", "HEAD", "OPTIONS"} and request.path != "/health"
            if not reads and (reason := state.shortage(target.kept)):
                return unavailable(f"{reason} Nothing was stored.", "Make room on that disk and try again.")
            api_url = target.url
            stage = api_url.rsplit("/", 1)[1]
            # /docs links to /<stage>/openapi.json, as it must on AWS; take the address with and without the stage.
            path = (
                request.raw_path.removeprefix(f"/{stage}")
                if request.raw_path.startswith(f"/{stage}/")
                else request.raw_path
            )
            headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _OWN]
            sent = await request.read()
            # A request that waits for its task's end (RFC 7240) must not keep the others from theirs.
            turn = contextlib.nullcontext() if "Prefer" in request.headers else environment
            asked = URL(api_url + path, encoded=True)
            try:
                async with (
                    turn,
                    session.request(request.method, asked, headers=headers, data=sent, allow_redirects=False) as answer,
                ):
                    body = await answer.read()
                    kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _OWN]
                    return web.Response(status=answer.status, body=body, headers=kept)
            except aiohttp.ClientError:
                message = "The stand-in for AWS gave no answer; what was sent may have been stored."
                return unavailable(message, "Try again in 5 seconds; with an Idempotency-Key nothing is stored twice.")

        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", pass_on)
        # What its client has left is cancelled, and so is the call that was to answer it.
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await runner.setup()
        try:
            await web.SockSite(runner, listening).start()
            yield url
        finally:
            await runner.cleanup()
