"""Logging: one JSON line per event, the same field names in every function, never a circuit, a key or a result.

Metrics are numbers that CloudWatch takes out of these lines (EMF), without a call or a line of their own.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_lambda_powertools.logging.types import LogRecord


class Event(StrEnum):
    """What a line says has happened, in its field `event`: a closed set, which queries and alarms rest on."""

    # api
    TASK_SUBMITTED = "task_submitted"  # its row is stored
    TASK_UNSENT = "task_unsent"  # its row is stored, its message not sent; the sweeper will
    TASK_CANCELLED = "task_cancelled"  # by its owner
    TASK_PURGED = "task_purged"  # by its owner
    REQUEST_REFUSED = "request_refused"  # `code` and `http_status` say why
    REQUEST_FAILED = "request_failed"  # because of a fault in the service, in `exception`
    REQUEST_ANSWERED = "request_answered"  # one line a request, at DEBUG
    PART_UNAVAILABLE = "part_unavailable"  # found by GET /health
    # worker
    TASK_CLAIMED = "task_claimed"  # an attempt begins
    TASK_COMPLETED = "task_completed"
    TASK_FAILED = "task_failed"  # for good; `code` says why
    TASK_RETURNED = "task_returned"  # unfinished, to the queue; `reason` says why
    TASK_PASSED_ON = "task_passed_on"  # unfinished, to the large lane; `code` says why
    ATTEMPT_STALE = "attempt_stale"  # cancelled or overtaken; what this attempt did does not count
    BATCH_DONE = "batch_done"  # its metrics; about no one task
    MESSAGE_STALE = "message_stale"  # a duplicate, or its task has ended
    TASK_UNREADABLE = "task_unreadable"  # its row is not one that this code understands (all functions)
    MESSAGE_MALFORMED = "message_malformed"  # not a task's (worker and sweeper)
    HEARTBEAT_MISSED = "heartbeat_missed"  # a lease or a message's time was not renewed
    BATCH_REFUSED = "batch_refused"  # DynamoDB left statements of a batch undone; single writes did them
    TASK_ESTIMATED = "task_estimated"  # a dry run was answered; nothing ran
    ENVIRONMENT_ENDED = "environment_ended"  # it could run no circuit of a batch, and made way for another
    CHILD_LOST = "child_lost"  # the process of a circuit died; `reason` and `exit_status` say how
    CHILD_FAULTY = "child_faulty"  # our code raised an unexpected error in the process of a circuit
    FORK_SERVER_LOST = "fork_server_lost"  # the process that makes those processes died
    CHILDREN_UNCONFINED = "children_unconfined"  # this kernel lets no process give up its rights; `reason` says why
    JOB_ENDED = "job_ended"  # no more tasks wait for this job of AWS Batch; it worked on `tasks`
    # launcher
    JOBS_STARTED = "jobs_started"  # `started` of them, while `waiting` tasks waited in the large lane
    # sweeper
    TASK_SWEPT = "task_swept"  # its message was sent again
    TASK_DEAD = "task_dead"  # failed for good: its message is in the dead-letter queue
    SWEPT = "swept"  # a run has ended
    KEY_ENDED = "key_ended"  # the API key `key_id`, which was rotated, whose overlap is over
    KEY_NOT_ENDED = "key_not_ended"  # though it is due; the next run tries again
    # notifier
    CHANGES_PUBLISHED = "changes_published"  # a batch of changes was published as events
    USAGE_ADDED = "usage_added"  # what a batch of changes used was added to `rows` rows
    RECORD_MALFORMED = "record_malformed"  # in the table's stream; it was passed over
    CALLBACK_QUEUED = "callback_queued"  # a task has ended whose owner wants to be called
    # callback
    CALLBACK_DELIVERED = "callback_delivered"
    CALLBACK_FAILED = "callback_failed"  # to be tried again; `reason` or `http_status` say why
    CALLBACK_GIVEN_UP = "callback_given_up"  # failed for the last time; to its dead-letter queue
    CALLBACK_GONE = "callback_gone"  # answered with 410: not wanted any more
    CALLBACK_REFUSED = "callback_refused"  # its host is not one of the public internet
    CALLBACK_ERROR = "callback_error"  # not made because of a fault in the service, in `exception`


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
    FAULTS = "faults"  # of tasks that ended, 1 for a fault of the service and 0 for all else: the average is a rate
    SWEPT = "swept"  # messages that the sweeper sent again
    DEAD = "dead"  # tasks that the sweeper ended, their messages being dead


# The event says where a line comes from, the log group and `memory_mb` of which function it is.
_LEFT_OUT = ("location", "function_name", "function_arn", "function_memory_size")


class _Lines(LambdaPowertoolsFormatter):
    """Powertools' lines without what costs bytes and says nothing; `trace_id` in place of the invocation's trace."""

    def serialize(self, log: dict[str, Any] | LogRecord) -> str:
        line: dict[str, Any] = {name: value for name, value in log.items() if name not in _LEFT_OUT}
        if "trace_id" in line:
            line["xray_trace_id"] = line.pop("trace_id")
        return super().serialize(line)


logger = Logger(logger_formatter=_Lines(serialize_stacktrace=False, utc=True))  # `exception` has the traceback


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


def logged(labels: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a Task's `labels` are in a log line, where `name` is Python's own."""
    return {"task_name" if field == "name" else field: value for field, value in labels.items()}
