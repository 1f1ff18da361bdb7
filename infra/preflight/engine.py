"""A Docker Engine that builds nothing: it answers SAM's questions as Docker does and notes what it was asked to build.

It speaks as much of the Engine's API (docs.docker.com/reference/api/engine) as `sam build` uses, on a socket.
"""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingUnixStreamServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGE_ID = "sha256:" + "0123456789abcdef" * 4


@dataclass(frozen=True, slots=True)
class Engine:
    """Where the engine listens, and for each image that it was asked to build, its name and platform."""

    address: str
    built: list[tuple[str, str]] = field(default_factory=list)


class _Server(ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: str, engine: Engine) -> None:
        super().__init__(path, _Answers)
        self.engine = engine


@contextlib.contextmanager
def engine(folder: Path) -> Iterator[Engine]:
    """Give an engine on a socket in `folder`, for as long as the context lasts."""
    path = folder / "docker.sock"
    running = Engine(f"unix://{path}")
    with _Server(str(path), running) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield running
        finally:
            server.shutdown()


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        match urlsplit(self.path).path.split("/")[-1]:
            case "_ping":
                self._answer("OK")
            case "version":
                self._answer({"Version": "28.0.0", "ApiVersion": "1.48", "MinAPIVersion": "1.24", "Os": "linux"})
            case "json":  # of an image
                self._answer({"Id": IMAGE_ID, "RepoTags": [], "Config": {}})
            case _:
                self._answer({})

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        asked = urlsplit(self.path)
        self._read()
        if asked.path.endswith("/build"):
            query = parse_qs(asked.query)
            self.server.engine.built.append((query["t"][0], query.get("platform", [""])[0]))
            self._answer({"stream": f"Successfully built {IMAGE_ID.removeprefix('sha256:')[:12]}\n"})
        else:
            self._answer({})

    def _read(self) -> None:
        """Take the request's body in: a build's context comes in chunks."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def _answer(self, body: object) -> None:
        text = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(200)
        self.send_header("Api-Version", "1.48")
        self.send_header("Content-Type", "text/plain" if isinstance(body, str) else "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def address_string(self) -> str:
        return "sam"  # a socket's client has no address

    def log_message(self, *_: object) -> None:
        """Say nothing."""
