"""What running a task costs: the worker's time and memory at list prices, as dry runs and ended tasks show it."""

from __future__ import annotations

import math
import platform
from typing import TYPE_CHECKING

from tasks.prices import lambda_dollars

if TYPE_CHECKING:
    from tasks.prices import Architecture


def bill(run_ms: float, memory_mb: int) -> dict[str, float]:
    """Return `billed_ms` and `cost_usd` of keeping so much of a worker's memory (MiB) busy for `run_ms`.

    Lambda bills whole milliseconds. What requests, queue and storage cost by the piece is left out.
    """
    billed_ms = math.ceil(run_ms)
    architecture: Architecture = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    dollars = lambda_dollars(billed_ms / 1000, memory_mb, architecture)
    return {"billed_ms": billed_ms, "cost_usd": float(f"{dollars:.3g}")}
