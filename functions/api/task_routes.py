"""The handlers of the addresses of tasks: submit, read and cancel; listing.py has the list.

The handlers are coroutines, and they block: a Lambda environment serves one request at a time, so a thread would only
cost. In-process servers (sam local, tests) also handle one request at a time.

An answer that waits for a task's end occupies an environment of the function, so its time and the number of such
answers are bounded. One that waits for longer than FIRST_PAUSE holds one of the places of tasks/places.py; most tasks
have ended by then and need none. The pauses between reads of the row grow: a wait of 20 seconds makes 24 reads.
"""

from __future__ import annotations

import math
import re
from asyncio import sleep
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from functools import partial
from http import HTTPStatus
from time import monotonic
from typing import Annotated

from fastapi import Header, Query, Request, Response
from fastapi.responses import JSONResponse

from dry_runs import estimated, estimated_batch
from incoming import Caller, DryRun, IdempotencyKey, Prefer, TaskId
from messages import AcceptedInBatch, BatchAccepted, TaskAccepted, TaskPurged
from presentation import etag_of, known, shown
from request_errors import BatchKeyReusedError, TaskEndedError, TaskNotFoundError, TaskOpenError
from submission import check_bounds, count_accepted, reading_budget, send_new, task_of, tasks_of
from submitted import BatchRequest, TaskRequest
from tasks import aws
from tasks.errors import CancellationUnconfirmedError, KeyReusedError, UnavailableError
from tasks.logs import Event, logged, logger
from tasks.queue import Backlog
from tasks.settings import settings
from tasks.store import TaskStore
from tasks.task import Status, Task, is_task_id, rfc3339, utc_now

FIRST_PAUSE = 0.1  # seconds; a small circuit takes less
LONGER = 1.5
LONGEST_PAUSE = 1.0
LONGEST_RETRY_AFTER = 60
# No library in use reads `Prefer`.
_WAIT = re.compile(r'wait\s*=\s*(?:"0*(\d+)"|0*(\d+))', re.ASCII | re.IGNORECASE)
_MANY_DIGITS = 9


async def submit_task(  # noqa: PLR0913 - FastAPI hands each part of the request as an argument
    request: Request,
    body: TaskRequest,
    caller: Caller,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
    *,
    dry_run: DryRun = False,
) -> JSONResponse:
    """Check the circuit, store the task and queue it. The answer does not wait for the run unless `Prefer` asks for it.

    A task is stored before it is queued. If the queue does not answer, the task is accepted all the same, and queued
    within two minutes.
    """
    # The row is written before its message is sent; the sweeper finds a row whose message was lost.
    correlation_id = request.state.correlation_id
    new = task_of(body, caller, correlation_id, idempotency_key, rfc3339(utc_now()), reading_budget())
    if dry_run:
        estimate = estimated(body, new.task.lane, correlation_id)
        return JSONResponse(estimate.model_dump(exclude_none=True))
    store = aws.task_store()
    check_bounds(caller, [new])
    submission = store.submit(new.task)
    task = submission.task
    count_accepted(caller, [(new, submission)])
    logger.append_keys(task_id=task.task_id)
    send_new([(new, submission)], aws.task_queues(), request.state.arrived)
    accepted = TaskAccepted(
        task_id=task.task_id,
        submitted_at=task.submitted_at,
        correlation_id=correlation_id,
        notes=list(new.size.notes) or None,
    )
    headers = {"Location": f"{request.scope['root_path'].rstrip('/')}/tasks/{task.task_id}"}
    if submission.replayed:
        headers["Idempotent-Replayed"] = "true"
    body_of_answer = accepted.model_dump(exclude_none=True)
    if seconds := wait_seconds(prefer or (), settings().max_wait_seconds):
        read = partial(_task_of, store, task.task_id, caller)
        with suppress(UnavailableError):  # the task is stored, and the answer says so
            task, applied = await waited(
                read,
                request.state.arrived + seconds,
                lambda task: task.status.ended,
                partial(aws.waits().place, caller),
            )
            task = store.with_outcome(task)
            if applied:
                headers["Preference-Applied"] = f"wait={seconds}"
            body_of_answer["task"] = shown(task)
    if not task.status.ended:
        headers["Retry-After"] = str(retry_after(task, aws.backlog()))
    return JSONResponse(body_of_answer, headers=headers)


async def submit_batch(
    request: Request,
    body: BatchRequest,
    caller: Caller,
    idempotency_key: IdempotencyKey = None,
    *,
    dry_run: DryRun = False,
) -> JSONResponse:
    """Check every circuit, store all tasks or none, and queue them.

    If one task is refused, all are, and the answer has the error of each. Once stored, each task is independent.
    """
    correlation_id = request.state.correlation_id
    if dry_run:
        estimates = estimated_batch(body, caller, correlation_id, request.state.arrived)
        return JSONResponse(estimates.model_dump(exclude_none=True))
    new = tasks_of(body, caller, correlation_id, idempotency_key)
    check_bounds(caller, new)
    try:
        submissions = aws.task_store().submit_all([each.task for each in new])
    except KeyReusedError as error:
        index = [each.task.task_id for each in new].index(error.task_id)
        raise (BatchKeyReusedError(index) if body.tasks[index].idempotency_key else error) from None
    accepted_tasks = list(zip(new, submissions, strict=True))
    count_accepted(caller, accepted_tasks)
    send_new(accepted_tasks, aws.task_queues(), request.state.arrived)
    accepted = BatchAccepted(
        tasks=[
            AcceptedInBatch(
                index=index, task_id=each.task.task_id, submitted_at=each.task.submitted_at, replayed=each.replayed
            )
            for index, each in enumerate(submissions)
        ],
        correlation_id=correlation_id,
    )
    replayed = all(each.replayed for each in submissions)
    return JSONResponse(accepted.model_dump(), headers={"Idempotent-Replayed": "true"} if replayed else {})


async def read_task(
    request: Request,
    task_id: TaskId,
    caller: Caller,
    prefer: Prefer = None,
    if_none_match: Annotated[
        list[str] | None,
        Header(
            alias="If-None-Match",
            description=(
                "An earlier `ETag`. The answer is 304 while the task is unchanged; with `wait` it waits for a change."
            ),
        ),
    ] = None,
) -> Response:
    """Return the task: pending, or how it ended, with its result or error."""
    seen = if_none_match or ()

    def is_news(task: Task) -> bool:
        return task.status.ended or bool(seen and not known(seen, etag_of(task)))

    seconds = wait_seconds(prefer or (), settings().max_wait_seconds)
    store = aws.task_store()
    read = partial(_task_of, store, task_id, caller)
    task, applied = await waited(read, request.state.arrived + seconds, is_news, partial(aws.waits().place, caller))
    headers = {"ETag": etag_of(task), "Cache-Control": "private, no-cache"}
    if seconds and applied:
        headers["Preference-Applied"] = f"wait={seconds}"
    if not task.status.ended:
        headers["Retry-After"] = str(retry_after(task, aws.backlog()))
    if known(seen, headers["ETag"]):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return JSONResponse(shown(store.with_outcome(task)), headers=headers)


async def cancel_task(
    task_id: TaskId,
    caller: Caller,
    *,
    purge: Annotated[
        bool, Query(description="Remove an ended task's circuit, options, result, name and tags at once.")
    ] = False,
) -> JSONResponse:
    """Cancel a task that is pending or running; 409 if it has ended already, by an earlier cancellation too.

    A running circuit is stopped within seconds, and its result is discarded.

    With `purge=true`, remove what an ended task holds; 409 if it has not ended, or its worker has not stopped it yet.
    Every address of the task answers 410 from then on until it expires, and so does its `Idempotency-Key`.
    """
    store = aws.task_store()
    if purge:
        if not (is_task_id(task_id) and aws.purging().purge(task_id, caller)):
            raise TaskOpenError(is_cancelled=_task_of(store, task_id, caller).status is Status.CANCELLED)
        logger.info("Task purged", event=Event.TASK_PURGED, task_id=task_id)
        return JSONResponse(TaskPurged(task_id=task_id).model_dump())
    cancelled = is_task_id(task_id) and store.cancel(task_id, caller)
    try:
        task = _task_of(store, task_id, caller)
    except UnavailableError as error:
        raise CancellationUnconfirmedError(error.service) from error
    if not cancelled:
        raise TaskEndedError(task.status)
    logger.info("Task cancelled", event=Event.TASK_CANCELLED, status=task.status, **logged(task.labels))
    return JSONResponse(shown(task))


def _task_of(store: TaskStore, task_id: str, caller: str) -> Task:
    """Return the caller's task without a large outcome.

    Raises TaskNotFoundError if there is none, and in the same way if it is another caller's; else TaskPurgedError.
    """
    task = store.glance(task_id, caller) if is_task_id(task_id) else None
    if task is None or task.owner != caller:
        raise TaskNotFoundError
    logger.append_keys(task_id=task.task_id)
    return task


# ------------------------------------------------------------------ waiting for a task's end


def wait_seconds(prefer: Sequence[str], most: int) -> int:
    """Return for how many seconds the headers `Prefer` ask to wait (RFC 7240), at most `most`; 0 if they do not ask.

    The first `wait` counts. A malformed one, such as `wait=-1`, is ignored, as the RFC requires of unknown preferences.
    """
    for preference in ",".join(prefer).split(","):
        token = preference.split(";")[0].strip()
        if re.match(r"wait\b", token, re.IGNORECASE):
            match = _WAIT.fullmatch(token)
            digits = (match[1] or match[2]) if match else "0"
            return most if len(digits) > _MANY_DIGITS else min(int(digits), most)
    return 0


async def waited(
    read: Callable[[], Task],
    deadline: float,
    until: Callable[[Task], bool],
    place: Callable[[float], AbstractContextManager[bool]],
) -> tuple[Task, bool]:
    """Return the task when `until` holds for it, or as it is at `deadline` on time.monotonic's clock.

    The deadline counts from the request's arrival (RFC 7240, 4.3), so the time to store the task is part of the wait.
    `place` takes one of the places for a number of seconds. If none is free, the task is returned as it is after
    FIRST_PAUSE, with False.
    """
    task = read()
    if until(task) or (left := deadline - monotonic()) <= 0:
        return task, True
    await sleep(min(FIRST_PAUSE, left))
    try:
        task = read()
        if until(task) or (left := deadline - monotonic()) <= 0:
            return task, True
        with place(left) as held:
            pause = FIRST_PAUSE * LONGER
            while held and not until(task) and (left := deadline - monotonic()) > 0:
                await sleep(min(pause, left))
                pause = min(pause * LONGER, LONGEST_PAUSE)
                task = read()
            return task, held
    except UnavailableError:
        return task, True  # the earlier read still answers the request


def retry_after(task: Task, queues: Backlog) -> int:
    """Return after how many seconds a client should read an unfinished task again: 1 to LONGEST_RETRY_AFTER."""
    if task.status is Status.PROCESSING:
        since = datetime.fromisoformat(task.status_history[-1].transitioned_at)
        estimated = task.estimated_seconds
    else:
        since = datetime.fromisoformat(task.submitted_at)
        estimated = queues.seconds(task.lane) + task.estimated_seconds
    passed = (utc_now() - since).total_seconds()
    # A task that has outlived its estimate is expected to take as long again; the client should return halfway.
    seconds = max(estimated - passed if task.status is Status.PROCESSING else estimated, passed / 2)
    return max(1, min(math.ceil(seconds), LONGEST_RETRY_AFTER))
