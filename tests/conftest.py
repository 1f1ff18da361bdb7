"""Fixtures for the tests that need AWS or the log."""

from __future__ import annotations

import gc
import io
import json
import os
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from simulated_aws import aws_in_moto
from tasks.logs import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulated_aws import Aws


# As in the worker's children. Read when NumPy and SciPy are imported, which nothing above does; their many threads
# only wait for each other on matrices as small as those of tests.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# The same code gets the same verdict: generated examples depend on a test's text alone. Others at each run:
# make test TESTS="tests/unit --hypothesis-profile=search"
hypothesis.settings.register_profile("default", derandomize=True)
hypothesis.settings.register_profile("search", derandomize=False)
hypothesis.settings.load_profile("default")


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was imported and collected: it goes through it again and again otherwise."""
    gc.collect()
    gc.freeze()


@pytest.fixture(name="log_lines")
def fixture_log_lines(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """Give a function that returns the log lines written so far."""
    written = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", written)
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]


@pytest.fixture(name="in_moto")
def fixture_in_moto() -> Iterator[Aws]:
    """Give AWS in this process."""
    yield from aws_in_moto()
