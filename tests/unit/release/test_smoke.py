"""The check that follows a deployment, against a server that answers as API Gateway does to a key just made."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from release import smoke
from release.package import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(name="served")
def fixture_served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], str]]:
    """Give a function that serves an API, which refuses the key so many times first, and returns its address."""
    monkeypatch.setattr(smoke, "PAUSE_S", 0)
    servers = []

    def serve(refusals: int) -> str:
        left = [refusals]

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(
                    {"status": "healthy"} if self.path == "/health" else {"status": "completed", "result": {"10": 100}}
                )

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self._answer({"task_id": "id"})

            def _answer(self, body: dict[str, object]) -> None:
                refused = self.path != "/health" and left[0] > 0
                left[0] -= refused
                self.send_response(403 if refused else 200)
                self.end_headers()
                self.wfile.write(json.dumps({} if refused else body).encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_key_that_was_just_made_is_waited_for(
    served: Callable[[int], str], capsys: pytest.CaptureFixture[str]
) -> None:
    """403 is no failure of the deployment while API Gateway does not know the key yet."""
    smoke.smoke(served(3), "key")
    assert "is healthy and ran a circuit" in capsys.readouterr().out


def test_a_key_that_opens_nothing_is_told(served: Callable[[int], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time that a new key may take, the refusal is the answer."""
    monkeypatch.setattr(smoke, "KEY_PATIENCE_S", -1)
    with pytest.raises(ReleaseError, match="/tasks: HTTP Error 403"):
        smoke.smoke(served(1), "key")
