"""Dry runs: what a task would take, or the error it would end in.

The api has no simulator, so the worker's own admission answers, in a function of its own. Its concurrency is bounded:
without a bound each dry run could start an environment beside those that run tasks.
"""

from __future__ import annotations

import json
from functools import cache, cached_property
from time import monotonic
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from messages import (
    BatchEstimateBody,
    EstimateBody,
    EstimateInBatch,
    ForeseenFailureBody,
    ForeseenFailureInBatch,
)
from refusals import error_of
from request_errors import BatchRefusedError, BatchTooSlowError, CircuitTextTooLargeError
from submission import reading_budget, refuse_repeated_keys, task_of
from tasks.aws import CONFIG
from tasks.callback_url import CallbackUrlError
from tasks.errors import DryRunsBusyError, TaskError, WorkerSilentError
from tasks.settings import variable
from tasks.task import rfc3339, utc_now

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

    from submitted import BatchRequest, TaskRequest
    from tasks.options import Options
    from tasks.task import Lane

# Less than the api function's time. No second try: the worker that did not answer would read the program twice.
ANSWER_SECONDS = 24
# A batch's dry runs wait for the worker one after the other; the last may take its whole time within the function's.
BATCH_DRY_RUN_SECONDS = 27 - ANSWER_SECONDS


class Worker:
    """The function that answers dry runs, invoked directly and waited for."""

    def __init__(self, function: str) -> None:
        self._function = function

    @cached_property
    def client(self) -> LambdaClient:
        """The connection, made for the first dry run: most environments never see one."""
        config = CONFIG.merge(Config(read_timeout=ANSWER_SECONDS, retries={"total_max_attempts": 1}))
        return boto3.client("lambda", config=config)

    def dry_run(self, qc: str, options: Options, lane: Lane, correlation_id: str) -> dict[str, Any]:
        """Return the worker's `{"estimate": {...}}` or `{"error": {...}}`.

        Raises DryRunsBusyError when the function is at its bound, WorkerSilentError when it does not answer.
        """
        request = {"qc": qc, "options": options.as_dict(), "lane": lane}
        event = json.dumps({"dry_run": request, "correlation_id": correlation_id}, ensure_ascii=False)
        try:
            invoked = self.client.invoke(FunctionName=self._function, Payload=event.encode())
            answer: dict[str, Any] = json.loads(invoked["Payload"].read())
        except self.client.exceptions.TooManyRequestsException as error:
            raise DryRunsBusyError from error
        except (ClientError, BotoCoreError) as error:
            raise WorkerSilentError from error
        if invoked.get("FunctionError") or not answer:
            raise WorkerSilentError
        return answer


@cache
def worker() -> Worker:
    """Return the function for dry runs, whose name template.yaml gives to the api alone."""
    return Worker(variable("DRY_RUN_FUNCTION"))


def estimated(body: TaskRequest, lane: Lane, correlation_id: str) -> EstimateBody | ForeseenFailureBody:
    """Return what a task that was checked would take, or the error it would end in."""
    answer = worker().dry_run(body.qc, body.options(), lane, correlation_id)
    if "estimate" in answer:
        return EstimateBody(correlation_id=correlation_id, **answer["estimate"])
    error = answer["error"]
    return ForeseenFailureBody(message=error["message"], error=error, correlation_id=correlation_id)


def estimated_batch(batch: BatchRequest, owner: str, correlation_id: str, arrived: float) -> BatchEstimateBody:
    """Return for each task of a batch what its own dry run would; the worker answers them one after the other.

    `arrived` is when the request did, on time.monotonic's clock. Raises DuplicateKeysError, BatchRefusedError, and
    BatchTooSlowError when the time is over before the last task.
    """
    refuse_repeated_keys(batch)
    budget = reading_budget()
    tasks: list[EstimateInBatch | ForeseenFailureInBatch] = []
    for index, body in enumerate(batch.tasks):
        if monotonic() - arrived > BATCH_DRY_RUN_SECONDS:
            raise BatchTooSlowError(index, len(batch.tasks))
        try:
            lane = task_of(body, owner, correlation_id, None, rfc3339(utc_now()), budget).task.lane
            answer = worker().dry_run(body.qc, body.options(), lane, correlation_id)
        except CallbackUrlError as problem:
            raise BatchRefusedError({index: problem}, len(batch.tasks)) from None
        except (TaskError, CircuitTextTooLargeError) as problem:
            if budget.exhausted:  # a batch that is submitted would be refused as well
                unchecked = len(batch.tasks) - index - 1
                raise BatchRefusedError({index: problem}, len(batch.tasks), unchecked=unchecked) from None
            answer = {"error": error_of(problem)}
        if "estimate" in answer:
            tasks.append(EstimateInBatch(index=index, correlation_id=correlation_id, **answer["estimate"]))
        else:
            error = answer["error"]
            failure = ForeseenFailureInBatch(
                index=index, message=error["message"], error=error, correlation_id=correlation_id
            )
            tasks.append(failure)
    return BatchEstimateBody(tasks=tasks, correlation_id=correlation_id)
