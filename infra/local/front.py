"""A short URL in front of the stand-in's API Gateway: passes every request on to the stage, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import os
import uuid
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web
from yarl import URL

from local.guard import is_loopback

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# Headers of one connection, not of the message (RFC 9110, 7.6.1), and the length, which aiohttp sets itself.
_OWN = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length", "host"}
# The stand-in starts an environment of the api for each concurrent request: 90 MB and a second of CPU each, and more of
# them than a few a core only fight for it. What is over this number waits here.
ENVIRONMENTS = 4 * max(2, os.cpu_count() or 1)
MAX_BODY_BYTES = 10 * 1024**2  # API Gateway's limit


def refused(status: int, code: str, message: str, hint: str, **headers: str) -> web.Response:
    """Return an answer of the front's own, in the shape of the API's."""
    body = {"status": "error", "message": message, "code": code, "hint": hint, "correlation_id": str(uuid.uuid4())}
    return web.json_response(body, status=status, headers=headers)


@contextlib.asynccontextmanager
async def front(port: int, api_url: str) -> AsyncIterator[str]:
    """Serve the API behind `api_url` on 127.0.0.1:`port`; yield the short URL."""
    url = f"http://127.0.0.1:{port}"
    stage = api_url.rsplit("/", 1)[1]
    environment = asyncio.Semaphore(ENVIRONMENTS)
    async with aiohttp.ClientSession(auto_decompress=False, connector=aiohttp.TCPConnector(limit=0)) as session:

        async def pass_on(request: web.Request) -> web.Response:
            if not is_loopback(request.host):
                return refused(403, "access_denied", "This address is for programs on this machine.", f"Ask {url}.")
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
            async with (
                turn,
                session.request(
                    request.method,
                    URL(api_url + path, encoded=True),
                    headers=headers,
                    data=sent,
                    allow_redirects=False,
                ) as answer,
            ):
                body = await answer.read()
                kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _OWN]
                return web.Response(status=answer.status, body=body, headers=kept)

        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", pass_on)
        # What its client has left is cancelled, and so is the call that was to answer it.
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield url
        finally:
            await runner.cleanup()
