"""One HTTPS request to a host that a task's owner names: public addresses only, bounded, without redirects."""

from __future__ import annotations

import io
import socket
import ssl
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any

from addresses import is_public

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tasks.callback_url import CallbackUrl

TOTAL_SECONDS = 15.0  # for all of a request but the look-up: what Standard Webhooks asks senders to grant
CONNECT_SECONDS = 5.0
MAX_ANSWER_BYTES = 16_384  # of status line and headers; an answer's body is not read
MAX_ADDRESSES = 3  # of a host that are tried until one takes the connection


class AddressRefusedError(Exception):
    """The host has an address that is not public; no connection was made."""


class DeliveryError(Exception):
    """The host could not be reached, or gave no answer; the text is one word for the log."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the host answered; `retry_after` is in seconds."""

    status: int
    retry_after: int | None = None


def resolve(host: str, port: int) -> list[str]:
    """Return the host's addresses; the environment's RES_OPTIONS bounds how long that takes. Raises OSError."""
    # The dot at the end keeps the resolver from trying the name inside the domains of this machine.
    found = socket.getaddrinfo(f"{host}.", port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def connect(address: str, port: int, timeout: float) -> socket.socket:
    """Return a connection to an IP address; raises OSError."""
    return socket.create_connection((address, port), timeout)


class Sender:
    """Sends requests. Its parts are arguments so that tests can answer for the network; the checks are not."""

    def __init__(
        self,
        resolve: Callable[[str, int], Sequence[str]] = resolve,
        connect: Callable[[str, int, float], socket.socket] = connect,
        context: ssl.SSLContext | None = None,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._resolve = resolve
        self._connect = connect
        self._context = context or ssl.create_default_context()
        self._total_seconds = total_seconds

    def post(self, url: CallbackUrl, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send one POST; raises AddressRefusedError and DeliveryError.

        The host is looked up once, and the connection goes to an address from that look-up: between check and use there
        is no second one that could answer otherwise. One bad address among good ones is enough to refuse.
        """
        try:
            addresses = self._resolve(url.host, url.port)
        except (OSError, UnicodeError) as error:
            raise DeliveryError("unresolved") from error
        if not addresses:
            raise DeliveryError("unresolved")
        if not all(is_public(address) for address in addresses):
            raise AddressRefusedError
        deadline = time.monotonic() + self._total_seconds
        try:
            with self._connected(addresses, url.port, deadline) as plain:
                # The handshake as a whole is bounded by the socket's timeout. The name is the certificate's to prove.
                plain.settimeout(_left(deadline))
                with self._context.wrap_socket(plain, server_hostname=url.host) as secured:
                    return _exchange(secured, deadline, url, headers, body)
        except ssl.SSLCertVerificationError as error:
            raise DeliveryError("certificate") from error
        except TimeoutError as error:
            raise DeliveryError("timeout") from error
        except ssl.SSLError as error:
            raise DeliveryError("tls") from error
        except OSError as error:
            raise DeliveryError("connection") from error
        except (HTTPException, ValueError) as error:
            raise DeliveryError("not_http") from error

    def _connected(self, addresses: Sequence[str], port: int, deadline: float) -> socket.socket:
        failure: OSError = ConnectionError()
        for address in addresses[:MAX_ADDRESSES]:
            try:
                return self._connect(address, port, min(CONNECT_SECONDS, _left(deadline)))
            except OSError as error:
                failure = error
        raise failure


def _exchange(
    secured: ssl.SSLSocket, deadline: float, url: CallbackUrl, headers: Mapping[str, str], body: bytes
) -> Answer:
    """Send the request over a connection and read the answer's status and headers."""
    connection = HTTPConnection(url.host)
    connection.sock = _Bounded(secured, deadline)
    host = url.host if url.port == 443 else f"{url.host}:{url.port}"  # noqa: PLR2004 - https's own port
    connection.request("POST", url.target, body, {"Host": host, "Connection": "close", **headers})
    answer = connection.getresponse()
    retry_after = answer.headers.get("Retry-After", "")
    return Answer(answer.status, int(retry_after) if retry_after.isdecimal() and len(retry_after) < 6 else None)  # noqa: PLR2004 - a day has five digits


class _Bounded:
    """As much of a socket as http.client uses, with one deadline and one limit of bytes for all reading together.

    A socket's own timeout begins again with each byte that arrives.
    """

    def __init__(self, sock: ssl.SSLSocket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(_left(self._deadline))
        self._sock.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:  # noqa: ARG002 - always "rb"
        return io.BufferedReader(_BoundedReader(self._sock, self._deadline))

    def close(self) -> None:
        """Leave the closing to the `with` that opened it."""


class _BoundedReader(io.RawIOBase):
    def __init__(self, sock: ssl.SSLSocket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline
        self._room = MAX_ANSWER_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        if self._room <= 0:
            raise ValueError("the answer is too long")
        self._sock.settimeout(_left(self._deadline))
        count = self._sock.recv_into(buffer, min(len(buffer), self._room))
        self._room -= count
        return count


def _left(deadline: float) -> float:
    """Return the seconds until `deadline`; raises TimeoutError when it has passed."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
