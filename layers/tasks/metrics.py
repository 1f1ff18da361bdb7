"""Metrics: numbers that CloudWatch takes out of the log's own lines (EMF), without a call or a line of their own."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Metric(StrEnum):
    """What is measured, in a namespace named as the stack, by `service`: a closed set, as each one costs."""

    SUBMITTED = "submitted"  # tasks that the api accepted
    ACCEPT_MS = "accept_ms"  # from a request's arrival at the api to its tasks being stored and queued
    BATCH_SIZE = "batch_size"  # messages that the worker was given at a time
    RETRIED = "retried"  # attempts that were not their task's first
    QUEUE_MS = "queue_ms"  # from a message's sending to the claim of its task
    RUN_MS = "run_ms"  # of an attempt that ended its task
    TOTAL_MS = "total_ms"  # from a task's submission to its end
    COMPLETED = "completed"  # tasks
    FAILED = "failed"  # tasks; also by `code`
    FAULTS = "faults"  # of tasks that ended, 1 for a failure of ours and 0 for all else: the average is a rate
    SWEPT = "swept"  # messages that the sweeper sent again
    DEAD = "dead"  # tasks that the sweeper ended, their messages being dead


def measured(values: Mapping[Metric, Sequence[float]], **dimensions: str) -> dict[str, Any]:
    """Return the fields that make a log line carry `values` to CloudWatch, at most 99 of each metric.

    With `dimensions` each metric is counted once as it is and once by them; their values must be few.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    embedded = AmazonCloudWatchEMFProvider()  # namespace and service are in the environment
    for metric, numbers in values.items():
        unit = MetricUnit.Milliseconds if metric.endswith("_ms") else MetricUnit.Count
        for number in numbers:
            embedded.add_metric(metric, unit, number)
    if dimensions:
        embedded.add_dimensions(service=embedded.service, **dimensions)
    return dict(embedded.serialize_metric_set())
