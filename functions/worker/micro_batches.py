"""Micro-batches of items that arrive one by one: the worker stores the outcomes of several attempts in one call."""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")


def micro_batches(source: SimpleQueue[T | None], linger_s: float) -> Iterator[list[T]]:
    """Yield the items of `source` in groups: those that arrive within `linger_s` of the group's first; end at None."""
    more = True
    while more:
        group: list[T] = []
        until = None
        while more:
            try:
                item = source.get(timeout=None if until is None else max(0.0, until - time.monotonic()))
            except Empty:
                break
            if item is None:
                more = False
            else:
                group.append(item)
            until = until or time.monotonic() + linger_s
        if group:
            yield group
