"""Messages between the worker and its children: length-prefixed JSON, never pickle, for a child may be hostile."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

from tasks.limits import MAX_RESULT_BYTES

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

MAX_FRAME = MAX_RESULT_BYTES + 2**20  # bytes; a longer one is refused
_HEADER = struct.Struct(">I")


class FrameError(Exception):
    """What arrived is not a frame."""


def encode(message: dict[str, Any]) -> bytes:
    """Return the message as one frame."""
    body = json.dumps(message, separators=(",", ":")).encode()
    return _HEADER.pack(len(body)) + body


def decode(buffer: bytearray) -> dict[str, Any] | None:
    """Take the first whole frame out of `buffer`: None when it has not all come, FrameError when it never will."""
    if len(buffer) < _HEADER.size:
        return None
    (length,) = _HEADER.unpack_from(buffer)
    if length > MAX_FRAME:
        raise FrameError("frame too long")
    end = _HEADER.size + length
    if len(buffer) < end:
        return None
    body = bytes(buffer[_HEADER.size : end])
    del buffer[:end]
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FrameError("not JSON") from error
    if not isinstance(message, dict):
        raise FrameError("not an object")
    return message


def decode_all(buffer: bytearray) -> Iterator[dict[str, Any]]:
    """Take every whole frame out of `buffer`; raises FrameError as `decode` does."""
    while (message := decode(buffer)) is not None:
        yield message


def receive(channel: socket.socket) -> dict[str, Any] | None:
    """Wait for one frame on a blocking socket; None when the other end has closed."""
    header = _receive_exactly(channel, _HEADER.size)
    if header is None:
        return None
    body = _receive_exactly(channel, _HEADER.unpack(header)[0])
    if body is None:
        return None
    message: dict[str, Any] = json.loads(body)
    return message


def _receive_exactly(channel: socket.socket, length: int) -> bytes | None:
    received = bytearray()
    while len(received) < length:
        chunk = channel.recv(min(length - len(received), 2**20))
        if not chunk:
            return None
        received += chunk
    return bytes(received)
