"""What each address of the API does; refusals.py has every answer that is not a success."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from http import HTTPStatus
from time import monotonic
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Header, Path, Query, Request, Response, Security
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.security import APIKeyHeader
from pydantic import AfterValidator, BaseModel
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

import front_page
import reader
import refusals
from answers import answers, not_modified
from bodies import MAX_REQUEST_BYTES, StrictRoute, check_query
from correlation import Correlation
from cross_origin import CrossOrigin
from dry_runs import ANSWER_SECONDS, Worker, worker
from listing import DEFAULT_PAGE, MAX_PAGE, Moment, cursor_of, next_link, position_of
from messages import (
    AcceptedInBatch,
    BatchAccepted,
    BatchEstimateBody,
    CallbackSecretBody,
    ErrorBody,
    EstimateBody,
    EstimateInBatch,
    ForeseenFailureBody,
    ForeseenFailureInBatch,
    HealthBody,
    LimitsBody,
    TaskAccepted,
    TaskBody,
    TaskList,
)
from refusals import (
    BatchKeyReusedError,
    BatchRefusedError,
    BatchTooSlowError,
    CircuitTextTooLargeError,
    KeyMissingError,
    TaskEndedError,
    TaskNotFoundError,
    error_of,
)
from submission import CHECK_SECONDS, reading_budget, refuse_repeated_keys, send_new, task_of, tasks_of
from submitted import BELL, MAX_KEY, BatchRequest, TaskRequest
from tasks import aws
from tasks.callback_secret import callback_secret, secret_text
from tasks.callback_url import CallbackUrlError
from tasks.errors import CancellationUnconfirmedError, KeyReusedError, TaskError, UnavailableError
from tasks.logs import Event, logger
from tasks.queue import Backlog, TaskQueue
from tasks.settings import settings
from tasks.store import TaskStore
from tasks.submissions import MAX_TASKS_AT_ONCE
from tasks.task import Lane, Status, Task, is_task_id, rfc3339, utc_now
from tasks.waits import Waits
from waiting import etag_of, known, retry_after, wait_seconds, waited

DESCRIPTION = f"""
Send a quantum circuit, read its counts.

    curl "$API_URL/tasks" -H "x-api-key: $API_KEY" -H 'Content-Type: application/json' \\
        -d '{json.dumps({"qc": BELL, "shots": 1024})}'
    curl "$API_URL/tasks/<task_id>" -H "x-api-key: $API_KEY"
"""

# A batch's dry runs wait for the worker one after the other; the last may take its whole time within the function's.
BATCH_DRY_RUN_SECONDS = 27 - ANSWER_SECONDS
_MESSAGES = {
    Status.PENDING: "Task is still in progress.",
    Status.PROCESSING: "Task is still in progress.",
    Status.COMPLETED: "Task completed successfully.",
    Status.CANCELLED: "Task was cancelled.",
}
_SHOWN_AS = {  # what a task's status can be that is shown so
    "pending": {Status.PENDING, Status.PROCESSING},
    **{str(status): {status} for status in Status if status.ended},
}


class NotBatch(StringConvertor):
    """A part of a path that may be a task's id: `batch` is an address of its own, as it is for API Gateway."""

    regex = "(?!batch$)[^/]+"


register_url_convertor("not_batch", NotBatch())


def create_app() -> FastAPI:
    """Return the application with all its routes; nothing is connected to before the first request that needs it."""
    app = FastAPI(
        title="Quantum Circuits API",
        version="0.1.0",
        description=DESCRIPTION,
        responses={"default": {"model": ErrorBody, "description": "The request was not carried out."}},
        swagger_ui_oauth2_redirect_url=None,  # keys are no OAuth
        redirect_slashes=False,  # a POST must not be sent twice, and another address is another address
    )
    app.router.route_class = StrictRoute
    app.add_api_route("/", front_page.read_page, methods=["GET"], include_in_schema=False)
    app.add_api_route("/page/{name}", front_page.read_part, methods=["GET"], include_in_schema=False)
    app.add_api_route(
        "/tasks",
        submit_task,
        methods=["POST"],
        response_model=TaskAccepted | EstimateBody | ForeseenFailureBody,
        response_model_exclude_none=True,
        responses=answers(
            400, 403, 413, 415, 503, headers=("Location", "Idempotent-Replayed", "Preference-Applied", "Retry-After")
        ),
        summary="Submit a circuit",
    )
    app.add_api_route(
        "/tasks/{task_id:not_batch}",
        read_task,
        methods=["GET"],
        response_model=TaskBody,
        response_model_exclude_none=True,
        responses=answers(403, 404, 410, 503, headers=("ETag", "Preference-Applied", "Retry-After")) | not_modified(),
        summary="Read a task",
    )
    app.add_api_route(
        "/tasks/batch",
        submit_batch,
        methods=["POST"],
        response_model=BatchAccepted | BatchEstimateBody,
        response_model_exclude_none=True,
        responses=answers(400, 403, 413, 415, 503, headers=("Idempotent-Replayed",)),
        summary=f"Submit up to {MAX_TASKS_AT_ONCE} circuits at once",
    )
    app.add_api_route(
        "/tasks",
        list_tasks,
        methods=["GET"],
        response_model=TaskList,
        response_model_exclude_none=True,
        responses=answers(400, 403, 503, headers=("Link",)),
        summary="List your tasks",
    )
    app.add_api_route(
        "/tasks/{task_id:not_batch}",
        cancel_task,
        methods=["DELETE"],
        response_model=TaskBody,
        response_model_exclude_none=True,
        responses=answers(403, 404, 409, 503),
        summary="Cancel a task",
    )
    app.add_api_route(
        "/tasks/{task_id:not_batch}/circuit",
        read_circuit,
        methods=["GET"],
        response_class=Response,  # no type of its own, which refusals would be said to have too
        responses=answers(403, 404, 410, 503, text=True),
        summary="Read a task's program",
    )
    app.add_api_route(
        "/callback-secret",
        read_callback_secret,
        methods=["GET"],
        response_model=CallbackSecretBody,
        responses=answers(403, 503),
        summary="What signs your callbacks",
    )
    app.add_api_route("/health", health, methods=["GET"], response_model=HealthBody, summary="Is the service up?")
    app.add_api_route("/limits", limits, methods=["GET"], response_model=LimitsBody, summary="Every limit in force")
    refusals.install(app)
    app.add_middleware(Correlation)
    app.add_middleware(CrossOrigin)  # around it: refusals are for the other origin too
    for route in app.routes:
        if type(route) is Route:  # the document and its pages, which FastAPI adds
            route.app = _without_query(route.app)
    return app


def _without_query(app: ASGIApp) -> ASGIApp:
    """Return the application, which takes no query, so that it refuses one."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        check_query(Request(scope))
        await app(scope, receive, send)

    return serve


# All these are coroutines: FastAPI hands a plain function to a thread, which cost a POST a tenth of a millisecond each.


async def task_store() -> TaskStore:
    """Return the function's store of tasks."""
    return aws.task_store()


async def task_queues() -> Mapping[Lane, TaskQueue]:
    """Return the task queue of each lane."""
    return aws.task_queues()


async def backlog() -> Backlog:
    """Return the view of how long the task queues are."""
    return aws.backlog()


async def places() -> Waits:
    """Return the places for answers that wait."""
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
    """Return whose tasks the caller sees: the id of the API key, which API Gateway has checked.

    The local stand-in checks keys too but leaves out their ids; there a hash of the key takes the id's place. Raises
    KeyMissingError when a request got here without a key, whatever let it through.
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
TaskId = Annotated[str, Path(), AfterValidator(str.lower)]  # RFC 9562, 4: read in either case
DryRun = Annotated[
    bool,
    Query(description="Only say what the task would take, or the error it would end in; nothing is stored."),
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=MAX_KEY,
        description="Submitting again with the same key gives the same task or tasks.",
    ),
]
Prefer = Annotated[
    list[str] | None,
    Header(
        alias="Prefer",
        description=(
            "`wait=<seconds>`: answer when the task has ended, or after so long; `GET /limits` has the longest."
        ),
    ),
]


# The handlers are coroutines too, and block: a Lambda environment serves one request at a time, so a thread for each
# would only cost. In-process servers (sam local, tests) see one request at a time too.


async def submit_task(  # noqa: PLR0913 - FastAPI hands each part of the request as an argument
    request: Request,
    body: TaskRequest,
    store: Store,
    queues: Queues,
    caller: Caller,
    queue_lengths: QueueLengths,
    waits: Places,
    estimator: Estimator,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
    *,
    dry_run: DryRun = False,
) -> JSONResponse:
    """Check the circuit, store the task and queue it; answers before it has run, unless asked to wait.

    The row is written before the message is sent. Should the message not get out, the task is accepted all the same:
    the sweeper finds the row and sends its message.
    """
    correlation_id = request.state.correlation_id
    new = task_of(body, caller, correlation_id, idempotency_key, rfc3339(utc_now()), reading_budget())
    if dry_run:
        return _dry_run(estimator, body, new.task.lane, correlation_id)
    submission = store.submit(new.task)
    task = submission.task
    logger.append_keys(task_id=task.task_id)
    send_new([(new, submission)], queues, request.state.arrived)
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
        with suppress(UnavailableError):  # it is stored, which is what was asked first
            task, applied = await waited(
                read, request.state.arrived + seconds, lambda task: task.status.ended, partial(waits.place, caller)
            )
            task = store.with_outcome(task)
            if applied:
                headers["Preference-Applied"] = f"wait={seconds}"
            body_of_answer["task"] = shown(task)
    if not task.status.ended:
        headers["Retry-After"] = str(retry_after(task, queue_lengths))
    return JSONResponse(body_of_answer, headers=headers)


def _dry_run(estimator: Worker, body: TaskRequest, lane: Lane, correlation_id: str) -> JSONResponse:
    said = estimator.dry_run(body.qc, body.options(), lane, correlation_id)
    if "estimate" in said:
        answer: BaseModel = EstimateBody(correlation_id=correlation_id, **said["estimate"])
    else:
        answer = ForeseenFailureBody(
            message=said["error"]["message"], error=said["error"], correlation_id=correlation_id
        )
    return JSONResponse(answer.model_dump(exclude_none=True))


def _dry_run_batch(estimator: Worker, batch: BatchRequest, caller: str, request: Request) -> JSONResponse:
    """Answer for each task what its own dry run would; the worker is asked for one after the other."""
    correlation_id = request.state.correlation_id
    refuse_repeated_keys(batch)
    tasks: list[EstimateInBatch | ForeseenFailureInBatch] = []
    budget = reading_budget()
    for index, body in enumerate(batch.tasks):
        if monotonic() - request.state.arrived > BATCH_DRY_RUN_SECONDS:
            raise BatchTooSlowError(index, len(batch.tasks))
        try:
            lane = task_of(body, caller, correlation_id, None, rfc3339(utc_now()), budget).task.lane
            said = estimator.dry_run(body.qc, body.options(), lane, correlation_id)
        except CallbackUrlError as problem:
            raise BatchRefusedError({index: problem}, len(batch.tasks)) from None
        except (TaskError, CircuitTextTooLargeError) as problem:
            if budget.exhausted:  # as the batch itself would be
                raise BatchRefusedError(
                    {index: problem}, len(batch.tasks), unchecked=len(batch.tasks) - index - 1
                ) from None
            said = {"error": error_of(problem)}
        if "estimate" in said:
            tasks.append(EstimateInBatch(index=index, correlation_id=correlation_id, **said["estimate"]))
        else:
            error = said["error"]
            tasks.append(
                ForeseenFailureInBatch(
                    index=index, message=error["message"], error=error, correlation_id=correlation_id
                )
            )
    answer = BatchEstimateBody(tasks=tasks, correlation_id=correlation_id)
    return JSONResponse(answer.model_dump(exclude_none=True))


async def submit_batch(  # noqa: PLR0913 - FastAPI hands each part of the request as an argument
    request: Request,
    body: BatchRequest,
    store: Store,
    queues: Queues,
    caller: Caller,
    estimator: Estimator,
    idempotency_key: IdempotencyKey = None,
    *,
    dry_run: DryRun = False,
) -> JSONResponse:
    """Check every circuit, store all the tasks or none, and queue them.

    When one is refused, all are; the answer says what is wrong with each. Tasks are like any others from then on.
    """
    if dry_run:
        return _dry_run_batch(estimator, body, caller, request)
    correlation_id = request.state.correlation_id
    new = tasks_of(body, caller, correlation_id, idempotency_key)
    try:
        submissions = store.submit_all([each.task for each in new])
    except KeyReusedError as error:
        index = [each.task.task_id for each in new].index(error.task_id)
        raise (BatchKeyReusedError(index) if body.tasks[index].idempotency_key else error) from None
    send_new(list(zip(new, submissions, strict=True)), queues, request.state.arrived)
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


async def read_task(  # noqa: PLR0913 - FastAPI hands each part of the request as an argument
    request: Request,
    task_id: TaskId,
    store: Store,
    caller: Caller,
    queue_lengths: QueueLengths,
    waits: Places,
    prefer: Prefer = None,
    if_none_match: Annotated[
        list[str] | None,
        Header(
            alias="If-None-Match",
            description="An `ETag` of before: 304 while the task is as it was then; with `wait`, waits for a change.",
        ),
    ] = None,
) -> Response:
    """Say how the task is doing: pending, or how it ended and with what."""
    seen = if_none_match or ()

    def worth_telling(task: Task) -> bool:
        return task.status.ended or bool(seen and not known(seen, etag_of(task)))

    seconds = wait_seconds(prefer or (), settings().max_wait_seconds)
    read = partial(_task_of, store, task_id, caller)
    task, applied = await waited(read, request.state.arrived + seconds, worth_telling, partial(waits.place, caller))
    headers = {"ETag": etag_of(task), "Cache-Control": "private, no-cache"}
    if seconds and applied:
        headers["Preference-Applied"] = f"wait={seconds}"
    if not task.status.ended:
        headers["Retry-After"] = str(retry_after(task, queue_lengths))
    if known(seen, headers["ETag"]):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return JSONResponse(shown(store.with_outcome(task)), headers=headers)


async def list_tasks(  # noqa: PLR0913 - FastAPI hands each part of the request as an argument
    store: Store,
    caller: Caller,
    status: Annotated[
        Literal["pending", "completed", "failed", "cancelled"] | None,
        Query(description="Only tasks with this status, as it is shown: a running task is pending."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Most tasks in one answer.")] = DEFAULT_PAGE,
    cursor: Annotated[
        str | None, Query(max_length=200, description="`next_cursor` of the page before, with the same other values.")
    ] = None,
    submitted_after: Annotated[Moment | None, Query(description="Only tasks submitted after this moment.")] = None,
) -> JSONResponse:
    """List the key's own tasks, newest first.

    As long as `next_cursor` is there, more may follow; with `status` a page may be shorter than `limit`, or empty, and
    yet have one following. A task is listed within a second of its submission.
    """
    page = store.page(
        caller,
        limit,
        statuses=_SHOWN_AS[status] if status else (),
        submitted_after=submitted_after or "",
        behind=position_of(cursor, caller) if cursor is not None else None,
    )
    body: dict[str, Any] = {"tasks": [shown(task) for task in page.tasks]}
    headers = {}
    if page.following is not None:
        body["next_cursor"] = cursor_of(page.following, caller)
        query = {"status": status, "limit": limit, "submitted_after": submitted_after}
        headers["Link"] = next_link(query, body["next_cursor"])
    return JSONResponse(body, headers=headers)


async def cancel_task(
    task_id: TaskId,
    store: Store,
    caller: Caller,
) -> JSONResponse:
    """End a task that is pending or running; 409 when it has ended already, by an earlier cancellation too.

    A running circuit is stopped within seconds, and what it might still put out is refused.
    """
    cancelled = is_task_id(task_id) and store.cancel(task_id, caller)
    try:
        task = _task_of(store, task_id, caller)
    except UnavailableError as error:
        raise CancellationUnconfirmedError(error.service) from error
    if not cancelled:
        raise TaskEndedError(task.status)
    logger.info("Task cancelled", event=Event.TASK_CANCELLED, status=task.status)
    return JSONResponse(shown(task))


async def read_circuit(
    task_id: TaskId,
    store: Store,
    caller: Caller,
) -> PlainTextResponse:
    """Give the program back, exactly as it was sent."""
    text = store.circuit(task_id, caller) if is_task_id(task_id) else None
    if text is None:
        raise TaskNotFoundError
    # Other people's text, on our address: no browser may take it for a page.
    return PlainTextResponse(text, headers={"X-Content-Type-Options": "nosniff"})


def _task_of(store: TaskStore, task_id: str, caller: str) -> Task:
    """Return the caller's task, a large outcome left out; raises TaskNotFoundError, for another's just as for none."""
    task = store.glance(task_id) if is_task_id(task_id) else None
    if task is None or task.owner != caller:
        raise TaskNotFoundError
    logger.append_keys(task_id=task.task_id)
    return task


def shown(task: Task) -> dict[str, Any]:
    """Return a task as the contract shows it to its owner."""
    body: dict[str, Any] = {
        "task_id": task.task_id,
        "status": Status.PENDING if task.status is Status.PROCESSING else task.status,
        "message": task.error["message"] if task.error else _MESSAGES[task.status],
        "submitted_at": task.submitted_at,
        "status_history": [line.as_dict() for line in task.status_history],
        "correlation_id": task.correlation_id,
        "shots": task.shots,
        **task.outcome,
    }
    if task.error:
        body["error"] = dict(task.error)
    return body


async def read_callback_secret(caller: Caller) -> JSONResponse:
    """Return the caller's own secret, with which the header `webhook-signature` of a callback is verified.

    A callback is a POST of `{"type": "task.completed", "timestamp", "data": {"task_id", "status", ...}}` without the
    counts. Any answer but 2xx is an error, and it is tried again for about 28 hours; 410 ends that.
    """
    body = CallbackSecretBody(secret=secret_text(callback_secret(aws.callback_key(), caller)))
    return JSONResponse(body.model_dump(), headers={"Cache-Control": "no-store"})


async def health(
    store: Store,
    queues: Queues,
) -> JSONResponse:
    """Say whether the table and the queue answer; 503 names the one that does not."""
    parts = {}
    probes: dict[str, Callable[[], object]] = {
        "database_status": lambda: store.get("health"),
        "queue_status": lambda: [queue.size() for queue in queues.values()],
    }
    for name, probe in probes.items():
        try:
            probe()
            parts[name] = "connected"
        except UnavailableError:
            logger.warning(
                "A part of the service does not answer", event=Event.PART_UNAVAILABLE, part=name, exc_info=True
            )
            parts[name] = "unavailable"
    healthy = set(parts.values()) == {"connected"}
    body = {"status": "healthy" if healthy else "unhealthy", "timestamp": rfc3339(utc_now()), **parts}
    return JSONResponse(body, status_code=200 if healthy else 503)


async def limits() -> JSONResponse:
    """List every limit; `run` is the large lane's worker, which has the last word."""
    told, places = settings(), aws.waits()
    return JSONResponse(
        {
            "circuit": asdict(reader.LIMITS),
            "run": told.large_worker.as_dict(),
            "workers": {
                "small": told.worker_maximum_concurrency,
                "large": told.large_worker_maximum_concurrency,
            },
            "key": {
                "requests_per_second": told.key_rate_limit,
                "requests_at_once": told.key_burst_limit,
                "requests_per_day": told.key_daily_quota,
            },
            "request": {"max_bytes": MAX_REQUEST_BYTES, "max_idempotency_key_chars": MAX_KEY},
            "batch": {"max_tasks": MAX_TASKS_AT_ONCE, "check_seconds": CHECK_SECONDS},
            "list": {"max_tasks": MAX_PAGE, "default_tasks": DEFAULT_PAGE},
            "wait": {
                "max_seconds": told.max_wait_seconds,
                "max_at_a_time": places.most,
                "max_of_key_at_a_time": places.most_of_owner,
            },
            "task_retention_days": told.task_retention_days,
        }
    )
