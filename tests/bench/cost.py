"""Section 6: dollars per million tasks, from counted calls, measured milliseconds and the list prices.

What cannot be measured without AWS is assumed here and nowhere else: how long a call takes there, and that a vCPU of
Lambda's does what a core of this machine does (arm64 as fast as x86_64).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.translate import load
from tasks import prices

if TYPE_CHECKING:
    from collections.abc import Mapping

WAIT_MS = {"dynamodb": 5.0, "sqs": 8.0, "s3": 25.0}  # for AWS's answer to one call
PLATFORM_LOG_BYTES = 350  # Lambda's own lines of an invocation: START, END and REPORT with the trace's id
LOG_EVENT_BYTES = 26  # what CloudWatch adds to each line
TRACED = 0.05  # X-Ray's default rule: one request a second and a twentieth of the others
ANSWER_BYTES = 1_100  # of a POST and a GET with their headers
CLAIM_BYTES = 220  # what a claim adds to a row
MB_PER_VCPU = 1769
BATCH = 10  # messages that Lambda's poller hands over at once when there are many
WAIT_S, WAIT_READS = (
    0.15,
    4,
)  # a POST that waits for a small task: queue, claim, run, and its looks at the row meanwhile
LARGE_LANE_SPEEDUP = 5.0  # of six vCPUs on a statevector of 20 qubits and more
DAYS = load()["Parameters"]["TaskRetentionDays"]["Default"]
MONTH_S = 30 * 24 * 3600


@dataclass(frozen=True)
class Lane:
    """A worker function's memory, and how much faster than one vCPU it runs a large circuit."""

    memory_mb: int
    speedup: float


def lanes() -> dict[str, Lane]:
    """Return the template's two lanes."""
    parameters = load()["Parameters"]
    return {
        "small": Lane(parameters["WorkerMemoryMB"]["Default"], 1.0),
        "large": Lane(parameters["LargeWorkerMemoryMB"]["Default"], LARGE_LANE_SPEEDUP),
    }


def write_units(submitted: int, ended: int, *, transaction: bool = False) -> float:
    """Return the write units of a task's life, by DynamoDB's rule: each KB begun of the larger of the two rows.

    Submitting writes the row (twice the units in a transaction) and both indexes, claiming the row, ending the row and
    the one index that it leaves.
    """
    return (
        _kilobytes(submitted) * (2 if transaction else 1)
        + 2
        + _kilobytes(min(submitted + CLAIM_BYTES, ended))
        + _kilobytes(ended)
        + 1
    )


def _kilobytes(size: int) -> int:
    return math.ceil(size / 1024)


def waited_ms(calls: Mapping[str, float]) -> float:
    """Return how long a function waits for these calls, one after another."""
    return sum(number * WAIT_MS[kind.partition(".")[0]] for kind, number in calls.items())


def million(
    figures: Mapping[str, Any],
    counted: Mapping[str, Any],
    circuit: str,
    *,
    lane: str = "small",
    architecture: prices.Architecture = "x86_64",
    posts_of: int = 1,
    batch: int = BATCH,
    wait_s: float = 0.0,
) -> dict[str, float]:
    """Return what a million such tasks cost, each read once, by item, in dollars.

    With `wait_s` the POST waits so long for the task's end (`Prefer: wait`), asking the table meanwhile: no GET.
    """
    post = "POST" if posts_of == 1 else f"batch POST, a task of {posts_of}"
    work = f"worker, {circuit}, {batch} a batch"
    row = counted["rows"][circuit]
    api_mb = load()["Resources"]["ApiFunction"]["Properties"]["MemorySize"]
    slower = max(1.0, MB_PER_VCPU / api_mb)  # less memory, less of a vCPU
    submitting = figures[f"{post}: CPU ms"]["median"] * slower + waited_ms(counted[post]["calls"])
    reading = figures["GET: CPU ms"]["median"] * slower + waited_ms(counted["GET"]["calls"])
    running = figures[f"{work}: CPU ms a task"]["median"] / lanes()[lane].speedup + waited_ms(counted[work]["calls"])
    requests = 1 / posts_of + 1
    reads = 1
    if wait_s:
        requests, reading = 1, wait_s * 1e3
        reads = WAIT_READS
    invocations = requests + 1 / batch
    calls = [counted[each]["calls"] for each in (post, "GET", work)]
    sqs = sum(number for kinds in calls for kind, number in kinds.items() if kind.startswith("sqs.")) + 2 / batch
    log_bytes = sum(
        counted[each]["log bytes"] + counted[each]["log lines"] * LOG_EVENT_BYTES for each in (post, "GET", work)
    )
    units = write_units(row["submitted"], row["ended"], transaction=posts_of > 1)
    gb_seconds = prices.lambda_dollars((submitting + reading) / 1e3, api_mb, architecture)
    gb_months = row["ended"] / 1e9 * DAYS / 30
    dollars = {
        "API Gateway": requests * prices.REST_API_REQUEST,
        "Lambda, api": gb_seconds + requests * prices.LAMBDA_REQUEST,
        "Lambda, worker": prices.lambda_dollars(running / 1e3, lanes()[lane].memory_mb, architecture)
        + prices.LAMBDA_REQUEST / batch,
        "DynamoDB writes": units * prices.DYNAMODB_WRITE_UNIT,
        "DynamoDB reads": math.ceil(row["ended"] / 4096) * reads * prices.DYNAMODB_READ_UNIT,
        "DynamoDB storage": gb_months * (prices.DYNAMODB_GB_MONTH + prices.DYNAMODB_POINT_IN_TIME_GB_MONTH),
        "SQS": sqs * prices.SQS_REQUEST,
        "CloudWatch Logs": (log_bytes + invocations * PLATFORM_LOG_BYTES) / 1e9 * prices.LOGS_INGESTED_GB,
        "X-Ray": requests * TRACED * prices.XRAY_TRACE,
        "transfer": requests * ANSWER_BYTES / 1e9 * prices.TRANSFER_OUT_GB,
    }
    return {item: round(each * 1e6, 3) for item, each in dollars.items()}


def table(figures: Mapping[str, Any], counted: Mapping[str, Any], posts_of: int) -> dict[str, Any]:
    """Return the costs of each case, what Braket SV1 asks for its circuit, and what an idle month costs."""
    cases: dict[str, dict[str, Any]] = {
        "Bell, single posts": {"circuit": "Bell"},
        "Bell, single posts, arm64": {"circuit": "Bell", "architecture": "arm64"},
        "Bell, single posts, a worker's call each": {"circuit": "Bell", "batch": 1},
        "Bell, posts that wait": {"circuit": "Bell", "wait_s": WAIT_S},
        f"Bell, posts of {posts_of}": {"circuit": "Bell", "posts_of": posts_of},
        "QFT-20, small lane": {"circuit": "QFT-20", "batch": 1},
        "QFT-20, small lane, arm64": {"circuit": "QFT-20", "batch": 1, "architecture": "arm64"},
        "QFT-20, large lane": {"circuit": "QFT-20", "batch": 1, "lane": "large"},
        "QFT-20, large lane, arm64": {"circuit": "QFT-20", "batch": 1, "lane": "large", "architecture": "arm64"},
    }
    found = {}
    for name, case in cases.items():
        items = million(figures, counted, **case)
        seconds = (
            figures[f"worker, {case['circuit']}, {case.get('batch', BATCH)} a batch: CPU ms a task"]["median"] / 1e3
        )
        found[name] = {
            "total": round(sum(items.values()), 2),
            "items": items,
            "largest": max(items, key=lambda item: items[item]),
            "Braket SV1": round(prices.braket_sv1_dollars(seconds) * 1e6, 2),
        }
    return {
        "prices": {"dated": prices.DATED, "region": prices.REGION},
        "per million tasks": found,
        "idle month": idle(),
    }


def idle() -> dict[str, float]:
    """Return what a month without tasks costs: the pollers of two queues, the sweeper, its schedule."""
    pollers = 2 * 5 * MONTH_S / 20  # five a queue, each asking for 20 seconds at a time (Lambda developer guide)
    sweeps = MONTH_S / 60
    memory_mb = load()["Resources"]["SweeperFunction"]["Properties"]["MemorySize"]
    return {
        "SQS polling": round(pollers * prices.SQS_REQUEST, 2),
        "sweeper": round(sweeps * (prices.lambda_dollars(0.3, memory_mb) + prices.LAMBDA_REQUEST), 2),
        "schedule": round(sweeps * prices.SCHEDULER_INVOCATION, 2),
    }
