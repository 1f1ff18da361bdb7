"""A proxy between the functions and their AWS that answers some calls as AWS does on a bad day."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import aiohttp
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS = ("throttled", "unavailable", "reset", "answer lost", "timeout")
QUICK_FAULTS = FAULTS[:-1]
TIMEOUT_SECONDS = 3  # longer than the functions wait for an answer
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


@dataclass
class FaultProxy:
    """Passes calls to `target`, but first asks `fault` what to do to each call, by its operation (`PutItem`, ...).

    A fault is None (pass it on), one of FAULTS, or "hang" (do not pass it on and never answer). "throttled",
    "unavailable" and "reset" happen before AWS has seen the call, "answer lost" and "timeout" after it was carried out.
    `calls` counts what happened to the calls, by operation and fault; `hung` has the bodies of those that hang, each
    once however often it is tried.
    """

    target: str = ""
    fault: Callable[[str], str | None] = field(default=lambda _: None)
    calls: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    hung: set[bytes] = field(default_factory=set)
    url: str = ""
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def __enter__(self) -> Self:
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)), daemon=True)
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)

    def at_random(self, seed: int, rate: float, faults: tuple[str, ...] = FAULTS) -> None:
        """From now on do one of `faults` to that share of the calls of DynamoDB and SQS."""
        choice = random.Random(seed)
        self.fault = lambda _: choice.choice(faults) if choice.random() < rate else None

    def clear(self) -> None:
        """From now on pass everything on; start counting anew."""
        self.fault = lambda _: None
        self.calls.clear()
        self.hung.clear()

    async def _serve(self, started: threading.Event) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        async with aiohttp.ClientSession(
            auto_decompress=False, connector=aiohttp.TCPConnector(limit=0, force_close=True)
        ) as self._session:
            app = web.Application(client_max_size=2**30)
            app.router.add_route("*", "/{path:.*}", self._answer)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            started.set()
            await self._stopping.wait()
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        # Calls of DynamoDB and SQS name their operation; S3's do not, and are always passed on.
        operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        fault = self.fault(operation) if operation else None
        self.calls[operation, fault] += 1
        body = await request.read()
        match fault:
            case "throttled":
                return _error(400, "ThrottlingException")
            case "unavailable":
                return _error(500, "InternalServerError")
            case "reset":
                return _reset(request)
            case "hang":
                self.hung.add(body)
                await self._stopping.wait()
        answer = await self._pass_on(request, body)
        if fault == "timeout":
            await asyncio.sleep(TIMEOUT_SECONDS)
        return answer if fault is None else _reset(request)

    async def _pass_on(self, request: web.Request, body: bytes) -> web.Response:
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _HOP]
        url = aiohttp.client.URL(self.target + request.raw_path, encoded=True)
        async with self._session.request(request.method, url, headers=headers, data=body) as answer:
            kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _HOP]
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)


def _error(status: int, code: str) -> web.Response:
    return web.Response(
        status=status,
        text=json.dumps({"__type": f"com.amazonaws#{code}", "message": "The fault proxy says so."}),
        content_type="application/x-amz-json-1.0",
        headers={"x-amzn-RequestId": "fault-proxy"},
    )


def _reset(request: web.Request) -> web.Response:
    """Close the connection with an RST, as a host that restarts does."""
    if request.transport is not None:  # the other side has not hung up yet
        connection: socket.socket = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response()  # goes nowhere
