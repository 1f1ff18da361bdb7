"""What the local stack promises on machines of several sizes."""

from __future__ import annotations

import pytest

from local.machine import LARGEST_MB, LEAST_MB, LEAST_WORKERS, WORKER_MB, memory_mb, parameters
from local.translate import load


@pytest.mark.parametrize(
    ("gigabytes", "cores", "large_mb", "workers"),
    [(2, 2, 512, 2), (4, 4, 1_024, 2), (8, 8, 2_048, 2), (16, 8, 4_096, 4), (16, 2, 4_096, 2), (64, 10, 10_240, 10)],
)
def test_what_is_promised_follows_the_memory(gigabytes: int, cores: int, large_mb: int, workers: int) -> None:
    """All environments together have the machine's memory and no more, from 8 GB on."""
    promised = parameters(gigabytes * 1024, cores)
    assert promised == {"LargeWorkerMemoryMB": str(large_mb), "WorkerMaximumConcurrency": str(workers)}
    if gigabytes >= 8:
        assert large_mb * LEAST_WORKERS + workers * WORKER_MB <= gigabytes * 1024


def test_the_limits_are_the_templates() -> None:
    """What is chosen is what the template takes."""
    declared = load()["Parameters"]
    large, small = declared["LargeWorkerMemoryMB"], declared["WorkerMemoryMB"]
    assert (large["MinValue"], large["MaxValue"], small["Default"]) == (LEAST_MB, LARGEST_MB, WORKER_MB)
    assert declared["LargeWorkerMaximumConcurrency"]["Default"] == LEAST_WORKERS


def test_this_machine_has_some() -> None:
    """Its memory is known, whatever limits it."""
    assert memory_mb() >= LEAST_MB
