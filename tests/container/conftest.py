"""The image, built once, and the AWS that its containers call: the local stack, whose own workers are switched off."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from deliveries import Deliveries
from image.buildah import Built, build, missing
from image.container import Worker, worker
from image.standin import standin
from local_stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMORY_MB = 1_769
TIME_LIMIT_S = 3


@pytest.fixture(scope="session", name="image")
def fixture_image() -> Built:
    """Give the image of the production Dockerfile; skip where it cannot be built, unless IMAGE_TEST=required."""
    reason = missing()
    if reason and os.environ.get("IMAGE_TEST") == "required":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    return build(standin(), "localhost/worker:test")


@pytest.fixture(scope="session", name="deliveries")
def fixture_deliveries(image: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deliveries]:
    """Give the API and the queues, without the workers that the local stack has of its own."""
    stack = Stack(tmp_path_factory.mktemp("stack"), f"TimeLimitSeconds={TIME_LIMIT_S}")
    started = stack.command("up")
    assert started.returncode == 0, started.stderr
    functions = stack.client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    yield Deliveries(stack)
    assert stack.command("down").stdout == "Stopped.\n"


@pytest.fixture(scope="session", name="running")
def fixture_running(image: Built, deliveries: Deliveries) -> Iterator[Worker]:
    """Give a running worker, shared by the tests."""
    with worker(image, deliveries.variables(), MEMORY_MB) as running:
        yield running
