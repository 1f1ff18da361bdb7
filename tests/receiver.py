"""A host that receives callbacks: real TLS on loopback, under a name and a public address that only tests resolve."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

NAME = "hooks.example.com"
ADDRESS = "93.184.215.14"  # a public one; no packet goes there


@dataclass
class Received:
    """One request that arrived."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """The host.

    `answers` are what it says, one a request, the last one again and again: a status, or code that gets the open
    connection. `connected` are the addresses that were connected to.
    """

    port: int
    authority: trustme.CA
    answers: list[int | Callable[[socket.socket], None]] = field(default_factory=lambda: [204])
    headers: dict[str, str] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    connected: list[tuple[str, int]] = field(default_factory=list)
    addresses: Sequence[str] = (ADDRESS,)
    resolved: list[str] = field(default_factory=list)

    def resolve(self, host: str, port: int) -> Sequence[str]:
        """Answer for the resolver."""
        self.resolved.append(host)
        return self.addresses

    def connect(self, address: str, port: int, timeout: float) -> socket.socket:
        """Answer for the network: whatever the address, it is this host."""
        self.connected.append((address, port))
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def context(self) -> ssl.SSLContext:
        """Return a caller's context that trusts the authority of this host's certificate, and no other."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context


@contextlib.contextmanager
def receiver(*names: str) -> Iterator[Receiver]:
    """Run a host that has a certificate for `names`."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or (NAME,))).configure_cert(context)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            host.received.append(Received(self.path, dict(self.headers), self.rfile.read(length)))
            answer = host.answers.pop(0) if len(host.answers) > 1 else host.answers[0]
            if callable(answer):
                with contextlib.suppress(OSError):
                    answer(self.connection)
                return
            self.send_response(answer)
            for name, value in host.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def finish_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]  # the name is the library's
            with contextlib.suppress(OSError), context.wrap_socket(request, server_side=True) as secured:
                Handler(secured, client_address, self)

    with Server(("127.0.0.1", 0), Handler) as server:
        host = Receiver(server.server_port, authority)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield host
        finally:
            server.shutdown()
            thread.join()
