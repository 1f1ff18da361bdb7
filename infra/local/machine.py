"""What this machine can keep of the template's promises: how many workers, with how much memory."""

from __future__ import annotations

import os
from pathlib import Path

LARGEST_MB = 10_240  # LargeWorkerMemoryMB's limits in template.yaml, and its default
LEAST_MB = 512
WORKER_MB = 1_769  # WorkerMemoryMB's default
LEAST_WORKERS = 2  # of a lane: Lambda's least maximum concurrency


def memory_mb() -> int:
    """Return the machine's memory in MiB, or what this process's control group leaves of it."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError):  # no such file, or "max"
        limit = machine
    return min(machine, limit) // 2**20


def parameters(memory_mb: int, cores: int) -> dict[str, str]:
    """Return the template's parameters for that much memory: half of it for either lane, all its workers together.

    A circuit that does not fit is then refused with a reason, where the kernel would kill something else. Below 8 GB
    the least that the template allows is more than there is.
    """
    large = memory_mb // 2 // LEAST_WORKERS
    workers = min(cores, memory_mb // 2 // WORKER_MB)  # more than there are cores would only fight for them
    return {
        "LargeWorkerMemoryMB": str(max(LEAST_MB, min(LARGEST_MB, large))),
        "WorkerMaximumConcurrency": str(max(LEAST_WORKERS, workers)),
    }
