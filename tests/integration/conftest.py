"""The processes that the tests of log lines and of metrics run circuits in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from children import Children

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", name="child")
def fixture_child() -> Iterator[Children]:
    """Give one warm process."""
    with Children(1, memory_mb=1769, time_limit_s=30) as child:
        yield child
