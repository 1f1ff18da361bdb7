"""Which URLs the service may call when a task ends: what `callback_url` may be.

The name is not looked up here, where its answer would be old by the time of the call: the notifier's delivery.py looks
it up, checks each address it gets, and connects to the very address that it checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_URL = 2048  # characters
MAX_HOST = 253  # RFC 1035, 2.3.4, without the trailing dot
PORTS = (443, 8443)

# Deliberately not urllib.parse, which drops tabs and line ends and takes what other readers read otherwise.
_URL = re.compile(
    r"https://(?P<host>[A-Za-z0-9.-]+)(?::(?P<port>[0-9]{1,5}))?(?P<target>(?:/[!-~]*)?(?:\?[!-~]*)?)", re.ASCII
)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# Names of this machine or this network, by RFC 6761, 6762, 8375 and 9476, and the clouds' own.
_LOCAL = {"localhost", "local", "internal", "localdomain", "lan", "home", "corp", "intranet", "arpa", "alt", "onion"}


class CallbackUrlError(Exception):
    """The callback_url cannot be called; `hint` says what one must look like."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class CallbackUrl:
    """A URL that may be called, in parts: `host` in lower case, `target` what goes into the request line."""

    host: str
    port: int
    target: str

    @classmethod
    def parse(cls, text: str) -> CallbackUrl:
        """Take a URL apart; raises CallbackUrlError for anything but https to a public-looking DNS name.

        No address is taken for a host, in whatever notation (127.1, 0x7f000001, 2130706433, [::1]): certificates are
        for names. As in the WHATWG URL standard, a host whose last label is a number is an address.
        """
        if len(text) > MAX_URL:
            raise CallbackUrlError(f"callback_url has more than {MAX_URL:,} characters.", "Use a shorter one.")
        if not text.lower().startswith("https://"):
            raise CallbackUrlError("callback_url does not begin with https://.", _LIKE)
        found = _URL.fullmatch("https" + text[5:])
        if found is None or "#" in found["target"] or "\\" in found["target"]:
            raise CallbackUrlError("callback_url is not a URL that can be called.", _LIKE)
        host = found["host"].lower()
        labels = host.split(".")
        if len(host) > MAX_HOST or not all(_LABEL.fullmatch(label) for label in labels):
            raise CallbackUrlError("The host in callback_url is not a DNS name.", _LIKE)
        if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]):
            raise CallbackUrlError("The host in callback_url is an address.", "Name the host by its DNS name.")
        if len(labels) == 1 or labels[-1] in _LOCAL:
            raise CallbackUrlError(
                "The host in callback_url is a name of a private network.",
                "The service must be able to reach it over the internet.",
            )
        port = int(found["port"] or 443)
        if port not in PORTS:
            raise CallbackUrlError(f"callback_url has port {port}.", f"The port can be {' or '.join(map(str, PORTS))}.")
        target = found["target"]
        return cls(host, port, target if target.startswith("/") else f"/{target}")


_LIKE = "Give one like https://example.com/path: https, a DNS name, no user name, no fragment, characters in ASCII."
