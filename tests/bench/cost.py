"""Section 6: dollars per million tasks, from counted calls, measured milliseconds and the list prices.

What cannot be measured without AWS is assumed here and nowhere else: how long a call takes there, and that a vCPU of
Lambda's does what a core of this machine does (arm64 as fast as x86_64).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import prices

from local.translate import load
from release.parameters import defaults_of
from tasks import bill
from tasks.bounds import LOOK_SECONDS
from tasks.logs import Metric

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WAIT_MS = {"dynamodb": 5.0, "sqs": 8.0, "s3": 25.0, "events": 15.0}  # for AWS's answer to one call
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
CHANGES = 3  # of a task: submitted, claimed, ended; each is an event
SUMMED = 2  # of these, which the sums of open work and of usage are made of: submitted, ended
SUM_UNITS = 1  # of a row of sums, under a KB: one is written a call, for the key whose tasks they are
NOTIFIER_CPU_MS = 0.5  # a change, on a whole vCPU; not measured
NOTIFIER_LOG_BYTES = 300  # a batch
EVENTS_A_CALL = 10  # of PutEvents
POLLERS = 5  # of Lambda, an SQS event source, each asking for 20 seconds at a time (Lambda developer guide)
POLL_S = 20
METHOD_METRICS = 5  # without a cache: Count, 4XXError, 5XXError, Latency, IntegrationLatency


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
    architecture: bill.Architecture = "x86_64",
    posts_of: int = 1,
    batch: int = BATCH,
    wait_s: float = 0.0,
    published: bool = True,
    request_price: float = prices.REST_API_REQUEST,
    summed: bool = True,
) -> dict[str, float]:
    """Return what a million such tasks cost, each read once, by item, in dollars.

    With `wait_s` the POST waits so long for the task's end (`Prefer: wait`), asking the table meanwhile: no GET.
    Without `published` no change becomes an event (`PublishEvents=no`); the notifier sums up all the same. Were nothing
    `summed`, no key would have bounds or a usage.
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
    gb_seconds = bill.lambda_dollars((submitting + reading) / 1e3, api_mb, architecture)
    gb_months = row["ended"] / 1e9 * DAYS / 30
    dollars = {
        "API Gateway": requests * request_price,
        "Lambda, api": gb_seconds + requests * prices.LAMBDA_REQUEST,
        "Lambda, worker": bill.lambda_dollars(running / 1e3, lanes()[lane].memory_mb, architecture)
        + prices.LAMBDA_REQUEST / batch,
        "DynamoDB writes": units * prices.DYNAMODB_WRITE_UNIT,
        "DynamoDB reads": math.ceil(row["ended"] / 4096) * reads * prices.DYNAMODB_READ_UNIT,
        "DynamoDB storage": gb_months * (prices.DYNAMODB_GB_MONTH + prices.DYNAMODB_POINT_IN_TIME_GB_MONTH),
        "SQS": sqs * prices.SQS_REQUEST,
        "CloudWatch Logs": (log_bytes + invocations * PLATFORM_LOG_BYTES) / 1e9 * prices.LOGS_INGESTED_GB,
        **notifying(batch, architecture, published=published, summed=summed),
        "S3": sum(
            number * (prices.S3_PUT if kind == "s3.PutObject" else prices.S3_GET)
            for kinds in calls
            for kind, number in kinds.items()
            if kind.startswith("s3.")
        ),
        "X-Ray": requests * TRACED * prices.XRAY_TRACE,
        "transfer": requests * ANSWER_BYTES / 1e9 * prices.TRANSFER_OUT_GB,
    }
    return {item: round(each * 1e6, 3) for item, each in dollars.items()}


def notifying(
    tasks: int, architecture: bill.Architecture, *, published: bool = True, summed: bool = True
) -> dict[str, float]:
    """Return what a task's changes cost beyond its own: its events, and its part of the functions' calls and sums.

    The stream is read by Lambda, at no charge, and hands over up to BatchSize changes at once: to the notifier those of
    a second, here of `tasks` tasks, and to the usage function those of half a minute, here of as many. An environment
    of the api, here with `tasks` of them a second, reads a key's sums once in LOOK_SECONDS and is granted some of what
    is left; one with a single task reads them for it, and needs no grant.
    """
    looks = 1.0 if tasks == 1 else 1 / LOOK_SECONDS
    changes = (CHANGES if published else SUMMED * summed) * tasks
    notifier = _called(
        "NotifierFunction", changes, architecture, summed, math.ceil(changes / EVENTS_A_CALL) * published
    )
    usage = _called("UsageFunction", tasks * summed, architecture, summed, 0)
    return {
        "EventBridge": CHANGES * published * prices.CUSTOM_EVENT,
        "Lambda, notifier": notifier / tasks,
        "Lambda, usage": usage / tasks,
        "DynamoDB, sums": 2 * summed * SUM_UNITS * prices.DYNAMODB_WRITE_UNIT / tasks,
        "DynamoDB, bounds": summed
        * looks
        * (prices.DYNAMODB_READ_UNIT / 2 + (tasks > 1) * prices.DYNAMODB_WRITE_UNIT)
        / tasks,
    }


def _called(name: str, changes: int, architecture: bill.Architecture, writes: int, puts: int) -> float:
    """Return what calling a function of the stream for so many changes costs, its writes and PutEvents waited for."""
    if not changes:
        return 0.0
    memory_mb = load()["Resources"][name]["Properties"]["MemorySize"]
    milliseconds = (
        changes * NOTIFIER_CPU_MS * max(1.0, MB_PER_VCPU / memory_mb)
        + writes * WAIT_MS["dynamodb"]
        + puts * WAIT_MS["events"]
    )
    logged = (NOTIFIER_LOG_BYTES + PLATFORM_LOG_BYTES + LOG_EVENT_BYTES) / 1e9 * prices.LOGS_INGESTED_GB
    return bill.lambda_dollars(milliseconds / 1e3, memory_mb, architecture) + prices.LAMBDA_REQUEST + logged


def table(figures: Mapping[str, Any], counted: Mapping[str, Any], posts_of: int) -> dict[str, Any]:
    """Return the costs of each case, what Braket SV1 asks for its circuit, and what an idle month costs."""
    cases: dict[str, dict[str, Any]] = {
        "Bell, single posts": {"circuit": "Bell"},
        "Bell, single posts, PublishEvents=no": {"circuit": "Bell", "published": False},
        # On paper: what bounds and usage of keys add to it.
        "Bell, single posts, without sums of keys": {"circuit": "Bell", "summed": False},
        "Bell, single posts, arm64": {"circuit": "Bell", "architecture": "arm64"},
        "Bell, single posts, a worker's call each": {"circuit": "Bell", "batch": 1},
        "Bell, single posts, a worker's call each, without sums of keys": {
            "circuit": "Bell",
            "batch": 1,
            "summed": False,
        },
        # On paper: an HTTP API has no API keys, usage plans and quotas, nor own bodies for what it refuses by itself.
        "Bell, single posts, by an HTTP API": {"circuit": "Bell", "request_price": prices.HTTP_API_REQUEST},
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
        "prices": {"dated": bill.DATED, "region": bill.REGION},
        "per million tasks": found,
        "idle month": idle(),
        "metrics of a busy month": metrics_month(),
    }


def million_bindings(sweeps: Mapping[str, Any], task: float) -> dict[str, float]:
    """Return what a million bindings of each measured sweep cost, in dollars: the worker's time, and their tasks.

    `task` is what a million small tasks cost, of which a sweep is one, whatever its size.
    """
    found = {}
    for name, figure in sweeps.items():
        case, _, what = name.rpartition(": ")
        if what in ("values", "counts"):
            bindings = int(case.split()[2].replace(",", ""))
            running = bill.lambda_dollars(figure["median"] / 1e3, lanes()["small"].memory_mb) * 1e6
            found[name] = round(running + task / bindings, 4)
    return found


def idle(parameters: Mapping[str, str] | None = None) -> dict[str, float]:
    """Return what a month without tasks costs with these parameters, by default the template's, by item, in dollars.

    What an account has free (three dashboards, ten alarms, a million SQS requests) is counted too: others may have
    used it up. Jobs are not counted: none runs while no task waits.
    """
    template = load()
    given = defaults_of(template) | dict(parameters or {})
    absent = {"LargeLaneInJobs"} | ({"HasDashboard"} if given["ShowDashboard"] == "no" else set())
    resources = [each for each in template["Resources"].values() if each.get("Condition") not in absent]
    kept = given["SnapStart"] != "None"
    functions = [each["Properties"] for each in resources if each["Type"] == "AWS::Serverless::Function"]
    queues = sum(event["Type"] == "SQS" for each in functions for event in each.get("Events", {}).values())
    sweeps = MONTH_S / 60
    sweeper_mb = template["Resources"]["SweeperFunction"]["Properties"]["MemorySize"]
    api_mb = template["Resources"]["ApiFunction"]["Properties"]["MemorySize"]
    found = {
        "snapshot of the api": kept * MONTH_S * api_mb / 1024 * prices.SNAPSTART_CACHED_GB_SECOND,
        "dashboard": _count(resources, "AWS::CloudWatch::Dashboard") * prices.DASHBOARD_MONTH,
        "alarms": sum(
            sum("MetricStat" in metric for metric in each["Properties"].get("Metrics", [])) or 1
            for each in resources
            if each["Type"] == "AWS::CloudWatch::Alarm"
        )
        * prices.ALARM_MONTH,
        "SQS polling": queues * POLLERS * MONTH_S / POLL_S * prices.SQS_REQUEST,
        "secret": _count(resources, "AWS::SecretsManager::Secret") * prices.SECRET_MONTH,
        "sweeper": sweeps * (bill.lambda_dollars(0.3, sweeper_mb) + prices.LAMBDA_REQUEST),
        "schedule": sweeps * prices.SCHEDULER_INVOCATION,
    }
    return {item: round(dollars, 2) for item, dollars in found.items()}


def _count(resources: Sequence[Mapping[str, Any]], kind: str) -> int:
    return sum(each["Type"] == kind for each in resources)


def metrics_month() -> float:
    """Return what metrics cost in a month with tasks in every hour: none is sent in an hour without.

    The stack's own are counted once each; failures are also counted by code, which adds a metric for each code that
    occurs. API Gateway's by method are added where the template asks for them.
    """
    return round((len(Metric) + metrics_by_method(load())) * prices.METRIC_MONTH, 2)


def metrics_by_method(template: Mapping[str, Any]) -> int:
    """Return how many metrics API Gateway sends by method ("detailed metrics"), each billed as a custom one.

    Source: API Gateway developer guide, "Amazon API Gateway dimensions and metrics": the dimensions ApiName, Method,
    Resource, Stage are only sent where detailed metrics are enabled, and cost extra.
    """
    detailed = any(
        setting.get("MetricsEnabled")
        for each in template["Resources"].values()
        for setting in each.get("Properties", {}).get("MethodSettings", [])
    )
    methods = sum(
        event["Type"] == "Api"
        for each in template["Resources"].values()
        if each["Type"] == "AWS::Serverless::Function"
        for event in each["Properties"].get("Events", {}).values()
    )
    return methods * METHOD_METRICS if detailed else 0
