"""The running stack that the end-to-end tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local_stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session", name="stack")
def fixture_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a running stack, shared by the tests that leave it as they found it."""
    stack = Stack(tmp_path_factory.mktemp("stack"))
    started = stack.command("up")
    assert started.returncode == 0, started.stderr
    yield stack
    assert stack.command("down").stdout == "Stopped.\n"
