"""Fixtures for the tests that need AWS or the log."""

from __future__ import annotations

import gc
import io
import json
import os
import sys
import tempfile
import threading
import time
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

from simulated_aws import aws_in_moto
from tasks.logs import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulated_aws import Aws


# As in the worker's children. Read when NumPy and SciPy are imported, which nothing above does; their many threads
# only wait for each other on matrices as small as those of tests.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# The same code gets the same verdict: generated examples depend on a test's text alone, and no time fails a test.
# Others at each run: make test TESTS="tests/unit --hypothesis-profile=search"
hypothesis.settings.register_profile(
    "default", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("search", parent=hypothesis.settings.get_profile("default"), derandomize=False)
hypothesis.settings.load_profile("default")
# Hypothesis adds the constants of all modules of ours that are imported by then: which tests ran before in the same
# process, and the folder's name, would decide. There is no public way to leave them out.
_constants_of_ours = providers._get_local_constants  # noqa: SLF001
_NO_CONSTANTS = Constants()
providers._get_local_constants = lambda: (  # noqa: SLF001
    _NO_CONSTANTS if hypothesis.settings().derandomize else _constants_of_ours()
)


LONGEST_TEST_SECONDS = 30


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was imported and collected: it goes through it again and again otherwise.

    It then never frees that, and DuckDB reports at the end what of it was not freed: a test imports it when it runs.
    """
    assert "duckdb" not in sys.modules, "A test module imports duckdb outside its tests."
    gc.collect()
    gc.freeze()
    gc.freeze = lambda: None  # the worker's own, when a test calls it in this process


@pytest.fixture(scope="session", autouse=True)
def _temporary_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give what tests and their processes leave behind a folder that pytest removes."""
    folder = str(tmp_path_factory.mktemp("tmp"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield


@pytest.fixture(name="log_lines")
def fixture_log_lines(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """Give a function that returns the log lines written so far."""
    written = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", written)
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]


@pytest.fixture(name="in_moto")
def fixture_in_moto() -> Iterator[Aws]:
    """Give AWS in this process, for a test that begins and ends on one day: usage and bounds are by days and months."""
    left = 86_400 - time.time() % 86_400
    if left < LONGEST_TEST_SECONDS:
        threading.Event().wait(left + 1)
    yield from aws_in_moto()
