"""What running a task costs: the worker's time and memory at list prices, as dry runs and ended tasks show it."""

from __future__ import annotations

import math
import platform
from typing import TYPE_CHECKING

from tasks.prices import lambda_dollars

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tasks.prices import Architecture


def bill(run_ms: float, memory_mb: int) -> dict[str, float]:
    """Return `billed_ms` and `cost_usd` of keeping so much of a worker's memory (MiB) busy for `run_ms`.

    Lambda bills whole milliseconds. What requests, queue and storage cost by the piece is left out.
    """
    billed_ms = math.ceil(run_ms)
    architecture: Architecture = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    dollars = lambda_dollars(billed_ms / 1000, memory_mb, architecture)
    return {"billed_ms": billed_ms, "cost_usd": float(f"{dollars:.3g}")}


def added(earlier: Mapping[str, float], took: Mapping[str, float]) -> dict[str, float]:
    """Return the bill of a task whose attempts have cost `earlier`, with the one that `took` so much."""
    return {
        "billed_ms": earlier.get("billed_ms", 0) + took["billed_ms"],
        "cost_usd": float(f"{earlier.get('cost_usd', 0.0) + took['cost_usd']:.6g}"),
    }
