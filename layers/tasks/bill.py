"""What running a task costs: a worker's time and memory at list prices, as dry runs and ended tasks show it.

Region us-east-1, first tier, without free tiers and discounts, as of `DATED`. template.yaml's CostByOwnerQuery has the
x86_64 price of a GB-second too, which a test compares with the one here.
"""

from __future__ import annotations

import math
import platform
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

DATED: Final = "2026-11-21"
REGION: Final = "us-east-1"

Architecture = Literal["x86_64", "arm64"]

# https://aws.amazon.com/lambda/pricing/, read as AWSLambda, Lambda-GB-Second and Lambda-GB-Second-ARM in a public
# transcription of AWS's price list files of 2026-08-31; billed by the millisecond, the init phase too.
LAMBDA_GB_SECOND: Final[dict[Architecture, float]] = {"x86_64": 0.0000166667, "arm64": 0.0000133334}


def lambda_dollars(seconds: float, memory_mb: int, architecture: Architecture = "x86_64") -> float:
    """Return what `seconds` of a function with `memory_mb` cost, without the price of the request itself."""
    return seconds * memory_mb / 1024 * LAMBDA_GB_SECOND[architecture]


def bill(run_ms: float, memory_mb: int) -> dict[str, float]:
    """Return `billed_ms` and `cost_usd` of keeping `memory_mb` MiB of a worker's memory busy for `run_ms`.

    Lambda bills whole milliseconds. What requests, queue and storage cost by the piece is left out.
    """
    billed_ms = math.ceil(run_ms)
    architecture: Architecture = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    dollars = lambda_dollars(billed_ms / 1000, memory_mb, architecture)
    return {"billed_ms": billed_ms, "cost_usd": float(f"{dollars:.3g}")}


def added(earlier: Mapping[str, float], took: Mapping[str, float]) -> dict[str, float]:
    """Return the bill of a task whose earlier attempts cost `earlier` and whose last one cost `took`."""
    return {
        "billed_ms": earlier.get("billed_ms", 0) + took["billed_ms"],
        "cost_usd": float(f"{earlier.get('cost_usd', 0.0) + took['cost_usd']:.6g}"),
    }
