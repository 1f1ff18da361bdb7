"""The handlers of the addresses of tasks: submit, read, list and cancel.

The handlers are coroutines, and they block: a Lambda environment serves one request at a time, so a thread would only
cost. In-process servers (sam local, tests) also handle one request at a time.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import Header, Query, Request, Response
from fastapi.responses import JSONResponse

from dependencies import (
    Caller,
    DryRun,
    IdempotencyKey,
    Prefer,
    TaskId,
)
from dry_runs import estimated, estimated_batch
from listing import DEFAULT_PAGE, MAX_PAGE, Moment, cursor_of, next_link, position_of
from messages import AcceptedInBatch, BatchAccepted, TaskAccepted, TaskPurged
from presentation import SHOWN_AS, etag_of, known, shown
from request_errors import BatchKeyReusedError, SearchesBusyError, TaskEndedError, TaskNotFoundError, TaskOpenError
from submission import check_bounds, count_accepted, reading_budget, send_new, task_of, tasks_of
from submitted import BatchRequest, TaskRequest
from tasks import aws
from tasks.errors import CancellationUnconfirmedError, KeyReusedError, UnavailableError
from tasks.labels import MAX_NAME, MAX_TAG, MAX_TAGS
from tasks.logs import Event, logged, logger
from tasks.settings import settings
from tasks.store import TaskStore
from tasks.table import MAX_SEARCHED, Wanted
from tasks.task import Status, Task, is_task_id, rfc3339, utc_now
from waiting import retry_after, wait_seconds, waited

SEARCHES = 2  # far back in the list of one key that run at a time: each keeps the table and an environment busy
SEARCH_TIME = timedelta(seconds=28)  # what a request may take at most


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


async def list_tasks(  # noqa: PLR0913 - FastAPI hands each part of the request as an argument
    caller: Caller,
    status: Annotated[
        Literal["pending", "completed", "failed", "cancelled"] | None,
        Query(description="Only tasks with this status. A running task is `pending`."),
    ] = None,
    limit: Annotated[
        int, Query(ge=1, le=MAX_PAGE, description="The largest number of tasks in one answer.")
    ] = DEFAULT_PAGE,
    cursor: Annotated[
        str | None,
        Query(max_length=200, description="`next_cursor` of the previous page, with the other parameters unchanged."),
    ] = None,
    submitted_after: Annotated[Moment | None, Query(description="Only tasks submitted after this time.")] = None,
    name: Annotated[
        str | None, Query(min_length=1, max_length=MAX_NAME, description="Only tasks with exactly this name.")
    ] = None,
    tag: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=MAX_TAGS * (MAX_TAG + 1),
            description="Only tasks with this tag; with all of them if there are several, separated by commas.",
        ),
    ] = None,
) -> JSONResponse:
    """List the key's own tasks, newest first.

    While an answer has `next_cursor`, more tasks may follow. With `status`, `name` or `tag` a page can be shorter than
    `limit`. It is empty only if no task matches, or none of the next 5,000 does (`list.max_searched` of `/limits`); a
    cursor then goes on behind these. Two such searches of a key run at a time, and more are answered 429. A task is
    listed within a second of its submission.
    """
    look = partial(
        aws.task_store().page,
        caller,
        limit,
        wanted=Wanted(
            SHOWN_AS[status] if status else (), name or "", tag.split(",") if tag else (), submitted_after or ""
        ),
    )
    page = look(behind=position_of(cursor, caller) if cursor is not None else None)
    if page.following and not page.tasks:
        with aws.places().held([f"search/{caller}/{place}" for place in range(SEARCHES)], SEARCH_TIME) as held:
            if not held:
                raise SearchesBusyError
            page = look(behind=page.following, search=MAX_SEARCHED)
    body: dict[str, Any] = {"tasks": [shown(task) for task in page.tasks]}
    headers = {}
    if page.following is not None:
        body["next_cursor"] = cursor_of(page.following, caller)
        query = {"status": status, "limit": limit, "submitted_after": submitted_after, "name": name, "tag": tag}
        headers["Link"] = next_link(query, body["next_cursor"])
    return JSONResponse(body, headers=headers)


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
