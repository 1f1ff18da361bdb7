"""The launcher function: each minute, starts jobs for the tasks that wait in the large lane, where jobs run that lane.

A job works until nothing waits, so there need not be one for each task, and one too many ends at once.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import boto3

from tasks.aws import CONFIG, task_queues
from tasks.logs import Event, logger
from tasks.settings import Settings, settings, variable
from tasks.task import Lane

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_batch import BatchClient
    from mypy_boto3_batch.literals import JobStatusType
    from mypy_boto3_batch.type_defs import KeyValuePairTypeDef

STARTING: tuple[JobStatusType, ...] = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING")


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001 - Lambda's signature
    """Start the jobs that are missing; the answer is for an operator who invokes the function."""
    logger.append_keys(correlation_id=context.aws_request_id)  # its lines are about no task
    waiting = task_queues()[Lane.LARGE].waiting()
    if waiting == 0:
        return {"waiting": 0, "started": 0}  # An idle system costs this one look.
    jobs = Jobs(
        boto3.client("batch", config=CONFIG),
        queue=variable("JOB_QUEUE"),
        definition=variable("JOB_DEFINITION"),
        most=max(1, int(variable("JOBS_MAX_VCPUS")) // int(variable("JOB_VCPUS"))),
    )
    started = jobs.start_missing(waiting)
    logger.info("Jobs started", event=Event.JOBS_STARTED, waiting=waiting, started=started)
    return {"waiting": waiting, "started": started}


@dataclass(frozen=True, slots=True)
class Jobs:
    """The jobs of one queue of AWS Batch, `most` of them at a time."""

    client: BatchClient
    queue: str
    definition: str
    most: int

    def start_missing(self, waiting: int) -> int:
        """Start a job for each waiting task that no starting job is for, as far as `most` allows; return how many."""
        starting = sum(self._count(status) for status in STARTING)
        number = max(0, min(waiting - starting, self.most - starting - self._count("RUNNING")))
        for _ in range(number):
            self.client.submit_job(
                jobName="large-lane",
                jobQueue=self.queue,
                jobDefinition=self.definition,
                containerOverrides={"environment": _settings()},
            )
        return number

    def _count(self, status: JobStatusType) -> int:
        pages = self.client.get_paginator("list_jobs").paginate(jobQueue=self.queue, jobStatus=status)
        return sum(len(page["jobSummaryList"]) for page in pages)


def _settings() -> list[KeyValuePairTypeDef]:
    """Return this function's own settings for the job, which template.yaml has once; its definition has the rest."""
    return [
        {"name": setting.name.upper(), "value": str(getattr(settings(), setting.name))} for setting in fields(Settings)
    ]
