"""What the functions' processes have and a test's has not: a warm child to run circuits in, and an event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from children import Children

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session", name="child")
def fixture_child() -> Iterator[Children]:
    """Give one warm process, confined as in the worker, which all tests share as the worker's invocations do."""
    with Children(1, memory_mb=2048, time_limit_s=60) as child:
        assert child.wait_until_ready()
        yield child


@pytest.fixture(autouse=True)
def fixture_event_loop() -> Iterator[None]:
    """Give the event loop that Mangum asks for, which `asyncio.run` in a test before takes from the process."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()
