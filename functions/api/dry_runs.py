"""Asks what a task would take: the api has no simulator, and there is one admission, the worker's.

The function it asks is bounded: each dry run would else start an environment of its own, beside those that run tasks.
"""

from __future__ import annotations

import json
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tasks.aws import CONFIG
from tasks.errors import DryRunsBusyError, WorkerSilentError
from tasks.settings import variable

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

    from tasks.options import Options
    from tasks.task import Lane

# Less than the api function's time. No second try: the worker that did not answer would read the program twice.
ANSWER_SECONDS = 24


class Worker:
    """The function that answers dry runs, invoked directly and waited for."""

    def __init__(self, function: str) -> None:
        self._function = function

    @cached_property
    def client(self) -> LambdaClient:
        """The connection, made for the first dry run: most requests are none."""
        config = CONFIG.merge(Config(read_timeout=ANSWER_SECONDS, retries={"total_max_attempts": 1}))
        return boto3.client("lambda", config=config)

    def dry_run(self, qc: str, options: Options, lane: Lane, correlation_id: str) -> dict[str, Any]:
        """Return the worker's `{"estimate": {...}}` or `{"error": {...}}`.

        Raises DryRunsBusyError when as many are under way as may be, WorkerSilentError without an answer.
        """
        asked = {"qc": qc, "options": options.as_dict(), "lane": lane}
        event = json.dumps({"dry_run": asked, "correlation_id": correlation_id}, ensure_ascii=False)
        try:
            answer = self.client.invoke(FunctionName=self._function, Payload=event.encode())
            said: dict[str, Any] = json.loads(answer["Payload"].read())
        except self.client.exceptions.TooManyRequestsException as error:
            raise DryRunsBusyError from error
        except (ClientError, BotoCoreError) as error:
            raise WorkerSilentError from error
        if answer.get("FunctionError") or not said:
            raise WorkerSilentError
        return said


@cache
def worker() -> Worker:
    """Return the function that template.yaml names to the api alone."""
    return Worker(variable("DRY_RUN_FUNCTION"))
