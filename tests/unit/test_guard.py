"""What stands before the local stand-in for AWS: who it lets through."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from local.guard import guarded, is_loopback, refusal

KEY = "0123456789abcdef"
SIGNED = {"authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/20261128/us-east-1/s3/aws4_request, Signature=0"}


def refused(path: str = "/", query: str = "", host: str = "127.0.0.1:4566", **headers: str) -> str:
    """Return why a request is refused, if it is."""
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in {"host": host, **headers}.items()]
    return refusal({"type": "http", "path": path, "query_string": query.encode(), "headers": raw}, KEY)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:4566", "localhost:8000", "LOCALHOST", "[::1]:80"])
def test_this_machine_is_named_in_four_ways(host: str) -> None:
    """With a port or without."""
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "evil.test", "evil.test:4566", "127.0.0.1.evil.test", "localhost@evil.test", "[x"]
)
def test_another_name_is_refused_whatever_comes_with_it(host: str) -> None:
    """A page that points its own name at 127.0.0.1 reaches neither stand-in nor API."""
    assert not is_loopback(host)
    assert "127.0.0.1 only" in refused(host=host, **SIGNED)
    assert "127.0.0.1 only" in refused("/_aws/execute-api/a/v1/health", host=host)


def test_this_starts_key_opens_in_four_places() -> None:
    """A tool's signature, a function's session token, and both in the query of a signed URL."""
    assert refused(**SIGNED) == ""
    assert refused(x_amz_security_token=KEY) == ""
    assert refused(query=f"X-Amz-Credential={KEY}%2F20261128%2Fus-east-1") == ""
    assert refused(query=f"X-Amz-Credential=000000000000%2Fus&X-Amz-Security-Token={KEY}") == ""


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": SIGNED["authorization"].replace(KEY, "test")},
        {"authorization": SIGNED["authorization"].replace(KEY, f"{KEY}0")},
        {"authorization": f"Bearer {KEY}"},
        {"x_amz_security_token": ""},
        {"x_amz_security_token": "ö"},
    ],
)
def test_no_key_or_another_is_refused(headers: dict[str, str]) -> None:
    """The key is the whole of what stands before the first slash."""
    assert ".local/env" in refused(**headers)


def test_a_web_page_is_refused_even_with_the_key() -> None:
    """Of whatever origin; only the API is for pages, and asks for its own keys."""
    assert "web pages" in refused(origin="https://evil.test", **SIGNED)
    assert "web pages" in refused(origin="null", **SIGNED)
    assert refused("/_aws/execute-api/a/v1/tasks", origin="https://evil.test") == ""


def test_a_waiting_request_whose_client_leaves_ends_its_call() -> None:
    """The application sees a ticket that no client can choose, and the same is ended; others have none."""
    ended: list[str] = []
    seen: list[list[tuple[bytes, bytes]]] = []

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        seen.append(scope["headers"])
        assert (await receive())["body"] == b"ab"
        assert (await receive())["type"] == "http.disconnect"

    async def ask(*headers: tuple[bytes, bytes]) -> None:
        messages = [{"type": "http.request", "body": b"ab"}, {"type": "http.disconnect"}]

        async def receive() -> dict[str, Any]:
            return messages.pop(0)

        scope = {"type": "http", "path": "/_aws/execute-api/a/v1/tasks", "query_string": b""}
        host = (b"host", b"127.0.0.1")
        await guarded(app, KEY, ended.append)({**scope, "headers": [host, *headers]}, receive, None)  # type: ignore[arg-type]

    asyncio.run(ask((b"prefer", b"wait=20"), (b"x-local-ticket", b"mine")))
    asyncio.run(ask())
    (ticket,) = [value.decode() for name, value in seen[0] if name == b"x-local-ticket"]
    assert ended == [ticket]
    assert ticket != "mine"
    assert seen[1] == [(b"host", b"127.0.0.1")]
