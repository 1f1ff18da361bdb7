"""What FastAPI passes to the handlers: the store, the queues, the caller, and the parts of a request that several read.

All of these are coroutines: FastAPI runs a plain function in a thread, which cost a POST a tenth of a millisecond each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request, Security
from fastapi.security import APIKeyHeader
from pydantic import AfterValidator

from dry_runs import Worker, worker
from refusals import KeyMissingError
from submitted import MAX_KEY
from tasks import aws
from tasks.queue import Backlog, TaskQueue
from tasks.store import TaskStore
from tasks.task import Lane
from tasks.waits import Waits


async def task_store() -> TaskStore:
    """Return the function's store of tasks."""
    return aws.task_store()


async def task_queues() -> Mapping[Lane, TaskQueue]:
    """Return the task queue of each lane."""
    return aws.task_queues()


async def backlog() -> Backlog:
    """Return the estimate of how long the task queues are."""
    return aws.backlog()


async def places() -> Waits:
    """Return the places for answers that wait, which bound their number."""
    return aws.waits()


async def small_worker() -> Worker:
    """Return the small lane's worker."""
    return worker()


async def owner(
    request: Request,
    api_key: Annotated[
        str | None,
        Security(APIKeyHeader(name="x-api-key", scheme_name="ApiKey", description="Your API key.", auto_error=False)),
    ],
) -> str:
    """Return the owner of the caller's tasks: the id of the API key, which API Gateway has checked.

    The local stand-in also checks keys but omits their ids, so a hash of the key takes the id's place. Raises
    KeyMissingError for a request without a key, whatever let it through.
    """
    event = request.scope.get("aws.event", {})
    key_id = event.get("requestContext", {}).get("identity", {}).get("apiKeyId")
    if key_id:
        return str(key_id)
    if not api_key:
        raise KeyMissingError
    return hashlib.sha256(api_key.encode()).hexdigest()[:32]


Store = Annotated[TaskStore, Depends(task_store)]
Queues = Annotated[Mapping[Lane, TaskQueue], Depends(task_queues)]
QueueLengths = Annotated[Backlog, Depends(backlog)]
Places = Annotated[Waits, Depends(places)]
Caller = Annotated[str, Depends(owner)]
Estimator = Annotated[Worker, Depends(small_worker)]
TaskId = Annotated[str, Path(), AfterValidator(str.lower)]  # RFC 9562, 4: either case is valid
DryRun = Annotated[
    bool,
    Query(
        description="Estimate what the task would take, or return the error it would end in, without storing anything."
    ),
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=MAX_KEY,
        description="A submission with the same key and body gives the same task or tasks.",
    ),
]
Prefer = Annotated[
    list[str] | None,
    Header(
        alias="Prefer",
        description=(
            "`wait=<seconds>`: answer when the task has ended, or after that time. `GET /limits` has the longest."
        ),
    ),
]
