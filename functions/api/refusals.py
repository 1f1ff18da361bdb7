"""Turns every error into its HTTP answer: status, headers and the contract's body. No other module does."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match

from request_errors import (
    AmbiguousBodyError,
    BatchKeyReusedError,
    BatchRefusedError,
    BatchTooSlowError,
    CircuitTextTooLargeError,
    CursorError,
    DuplicateKeysError,
    EncodedBodyError,
    KeyMissingError,
    NoArrayError,
    RequestTooLargeError,
    ResultNotFoundError,
    SearchesBusyError,
    TaskEndedError,
    TaskNotFoundError,
    TaskOpenError,
    UnreadableBodyError,
)
from tasks.callback_url import CallbackUrlError
from tasks.errors import (
    Bound,
    CancellationUnconfirmedError,
    DryRunsBusyError,
    KeyReusedError,
    NewerTaskError,
    OverBoundError,
    PayloadGoneError,
    PurgeUnconfirmedError,
    SubmissionUnconfirmedError,
    TaskError,
    TaskPurgedError,
    UnavailableError,
    WorkerSilentError,
)
from tasks.logs import Event, logger
from tasks.task import rfc3339
from wrong_fields import MAX_NAME, described, sentence_of

if TYPE_CHECKING:
    from fastapi import FastAPI, Request


RETRY_AFTER_SECONDS = 5
STOPPING_SECONDS = 20  # after which a worker has stopped what was cancelled, by its heartbeat


@dataclass(frozen=True, slots=True)
class Refusal:
    """The HTTP answer to a request that was refused."""

    http_status: int
    code: str
    message: str
    fields: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


def refusal_of(error: Exception) -> Refusal:
    """Return the refusal that answers `error`. An unexpected error is internal, and its text stays in the log."""
    kinds = (_of_submission, _of_bound, _of_batch, _of_body, _of_task, _of_result, _of_purge, _of_service, _of_address)
    for of_kind in kinds:
        if refusal := of_kind(error):
            return refusal
    return Refusal(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal_error",
        "Something went wrong on our side.",
        {"hint": "Try again; if it happens again, report the correlation id."},
    )


def _of_submission(error: Exception) -> Refusal | None:
    """Return the refusal of one task that cannot be accepted."""
    match error:
        case TaskError():
            shown = error.as_dict()
            code, sentence = shown.pop("code"), shown.pop("message")
            return Refusal(HTTPStatus.BAD_REQUEST, code, "QASM3 code is not valid", {"detail": sentence, **shown})
        case CircuitTextTooLargeError():
            return Refusal(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "circuit_too_large",
                f"The circuit has {error.actual:,} bytes; the limit is {error.limit:,}.",
                {"limit": error.limit, "actual": error.actual, "hint": "Use loops or gate definitions to shorten it."},
            )
        case CallbackUrlError():
            return Refusal(HTTPStatus.BAD_REQUEST, "invalid_callback_url", error.message, {"hint": error.hint})
        case KeyReusedError():
            return Refusal(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "This Idempotency-Key was used before with another body.",
                {"hint": "Use a new key for a new task."},
            )
    return None


def _of_bound(error: Exception) -> Refusal | None:
    """Return the refusal of a submission that would take its key over a bound."""
    if not isinstance(error, OverBoundError):
        return None
    fields: dict[str, Any] = {"limit": error.limit, "actual": error.in_use}
    if error.until is not None:
        fields["ends_at"] = ends_at = rfc3339(error.until)
        fields["hint"] = f"Send the request again after {ends_at}, or ask the service's operator for a higher amount."
        message = f"The key's tasks have cost {error.in_use:,.2f} dollars this month; the limit is {error.limit:,}."
        return Refusal(HTTPStatus.PAYMENT_REQUIRED, "monthly_amount_spent", message, fields)
    code, unit = {
        Bound.TASKS: ("too_many_open_tasks", "tasks"),
        Bound.SECONDS: ("too_much_open_work", "compute seconds of tasks"),
    }[error.bound]
    message = (
        f"The key has {error.in_use:,.0f} {unit} that have not ended or are being accepted, and this request adds "
        f"{error.asked:,.0f}; the limit is {error.limit:,.0f}."
    )
    if error.asked > error.limit:
        fields["hint"] = "Send fewer tasks or smaller circuits in one request."
        return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, code, message, fields)
    fields["hint"] = f"Send the request again in {error.retry_after} seconds, or cancel tasks that you do not need."
    return Refusal(HTTPStatus.TOO_MANY_REQUESTS, code, message, fields, {"Retry-After": str(error.retry_after)})


def _of_batch(error: Exception) -> Refusal | None:
    """Return the refusal of a batch."""
    match error:
        case BatchRefusedError():
            errors = [{"index": index, **error_of(problem)} for index, problem in error.problems.items()]
            hint = "`errors` lists what is wrong with each. Correct or remove these tasks, and send the batch again."
            if error.unchecked:
                hint = (
                    f"All circuits of a request share one limit of work, so the last {error.unchecked} were not "
                    "checked. Send smaller batches."
                )
            return Refusal(
                HTTPStatus.BAD_REQUEST,
                "invalid_batch",
                f"{len(errors)} of {error.tasks} tasks are not valid; none was submitted.",
                {"errors": errors, "hint": hint},
            )
        case BatchTooSlowError():
            return Refusal(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "batch_too_large",
                f"Only {error.answered} of the {error.tasks} dry runs could be answered in time.",
                {"limit": error.answered, "actual": error.tasks, "hint": "Send smaller batches."},
            )
        case BatchKeyReusedError():
            return Refusal(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                f"The key of task {error.index} was used before with another body; none was submitted.",
                {"index": error.index, "hint": "Use a new key for a new task."},
            )
        case DuplicateKeysError():
            return Refusal(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "duplicate_idempotency_key",
                "Tasks of one batch have the same idempotency_key; none was submitted.",
                {
                    "indexes": error.indexes,
                    "hint": "Give each task its own key, or give only the batch one, in the header Idempotency-Key.",
                },
            )
        case RequestValidationError() if (problem := error.errors()[0])["type"] == "too_long" and problem["loc"] == (
            "body",
            "tasks",
        ):
            limit, actual = problem["ctx"]["max_length"], problem["ctx"]["actual_length"]
            return Refusal(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "batch_too_large",
                f"The batch has {actual} tasks; the limit is {limit}.",
                {"limit": limit, "actual": actual, "hint": f"Send batches of up to {limit} tasks."},
            )
    return None


def _of_body(error: Exception) -> Refusal | None:
    """Return the refusal of a request whose body, path, query or headers are not valid."""
    match error:
        case RequestValidationError():
            detail = described(error.errors())
            fields: dict[str, Any] = {"detail": detail}
            if detail[0]["loc"] == ("body",) and detail[0]["type"] in {"missing", "model_attributes_type"}:
                fields["hint"] = "Send a JSON object with the header `Content-Type: application/json`."
            return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", sentence_of(detail), fields)
        case UnreadableBodyError():
            return Refusal(HTTPStatus.BAD_REQUEST, "invalid_request", error.detail, {"hint": error.hint})
        case EncodedBodyError():
            return Refusal(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "unsupported_encoding",
                f"The Content-Encoding {json.dumps(error.encoding[:MAX_NAME])} is not supported.",
                {"hint": "Send the body as it is, without Content-Encoding."},
                {"Accept-Encoding": "identity"},  # RFC 9110, 15.5.16
            )
        case RequestTooLargeError():
            return Refusal(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "request_too_large",
                f"The request has {error.actual:,} bytes; the limit is {error.limit:,}.",
                {
                    "limit": error.limit,
                    "actual": error.actual,
                    "hint": "Send fewer or shorter circuits in one request.",
                },
            )
        case AmbiguousBodyError():
            found = {"type": "json_invalid", "loc": ("body",), "msg": error.detail}
            return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", error.detail, {"detail": [found]})
    return None


def _of_task(error: Exception) -> Refusal | None:
    """Return the refusal of a request for stored tasks."""
    match error:
        case TaskNotFoundError():
            hint = "Use the API key that submitted the task. Tasks expire: see task_retention_days in GET /limits."
            return Refusal(HTTPStatus.NOT_FOUND, "task_not_found", "Task not found.", {"hint": hint})
        case TaskEndedError():
            return Refusal(
                HTTPStatus.CONFLICT,
                "task_ended",
                f"The task has ended already: it is {error.status}.",
                {"task_status": str(error.status), "hint": "A task that has ended does not change."},
            )
        case CursorError():
            return Refusal(
                HTTPStatus.BAD_REQUEST,
                "invalid_cursor",
                "The cursor is not valid for this key's list of tasks.",
                {"hint": "Send next_cursor exactly as answered, or omit the cursor to start with the newest task."},
            )
        case KeyMissingError():  # in the words of template.yaml's gateway response
            return Refusal(
                HTTPStatus.FORBIDDEN,
                "invalid_api_key",
                "This address needs a valid API key.",
                {"hint": "Send your key in the header x-api-key."},
            )
    return None


def _of_result(error: Exception) -> Refusal | None:
    """Return the refusal of a request for one result of a task."""
    match error:
        case ResultNotFoundError():
            hint = "Results and bindings are counted from 0; a task has its `results` once it is completed."
            return Refusal(HTTPStatus.NOT_FOUND, "result_not_found", "The task has no such result.", {"hint": hint})
        case NoArrayError():
            message, hint = (
                f"A result of type {error.kind} has no array.",
                "Request it with `Accept: application/json`.",
            )
            return Refusal(HTTPStatus.NOT_ACCEPTABLE, "not_acceptable", message, {"hint": hint})
    return None


def _of_purge(error: Exception) -> Refusal | None:
    """Return the refusal to purge a task, or to say more of one that was purged."""
    match error:
        case TaskOpenError(is_cancelled=True):
            return Refusal(
                HTTPStatus.CONFLICT,
                "task_not_ended",
                "The worker has not stopped the cancelled task yet.",
                {"hint": f"Send the request again in {STOPPING_SECONDS} seconds."},
                {"Retry-After": str(STOPPING_SECONDS)},
            )
        case TaskOpenError():
            return Refusal(
                HTTPStatus.CONFLICT,
                "task_not_ended",
                "The task has not ended, so it cannot be purged.",
                {"hint": "Cancel it first: the same request without `purge`."},
            )
        case TaskPurgedError():
            return Refusal(
                HTTPStatus.GONE,
                "task_purged",
                "The task was purged: its circuit and result are gone.",
                {"hint": "Submit it again; if it had an Idempotency-Key, with a new one."},
            )
    return None


def _of_service(error: Exception) -> Refusal | None:
    """Return the refusal that a part of the service causes."""
    match error:
        case DryRunsBusyError():
            return Refusal(
                HTTPStatus.TOO_MANY_REQUESTS,
                "throttled",
                "Too many dry runs are in progress; this one was not started.",
                {"hint": f"Send the request again in {RETRY_AFTER_SECONDS} seconds."},
                {"Retry-After": str(RETRY_AFTER_SECONDS)},
            )
        case SearchesBusyError():
            return Refusal(
                HTTPStatus.TOO_MANY_REQUESTS,
                "throttled",
                "Too many searches of this key's older tasks are in progress.",
                {"hint": f"Send the request again in {RETRY_AFTER_SECONDS} seconds, or list tasks without a filter."},
                {"Retry-After": str(RETRY_AFTER_SECONDS)},
            )
        case PayloadGoneError():
            return Refusal(
                HTTPStatus.GONE,
                "payload_gone",
                "The task's program or result is no longer stored.",
                {"hint": "Submit it again."},
            )
        case UnavailableError() | NewerTaskError():
            return _unavailable(error)
    return None


def _of_address(error: Exception) -> Refusal | None:
    """Return the refusal of an address, of a method, or of a body that is not JSON."""
    match error:
        case HTTPException(status_code=HTTPStatus.NOT_FOUND):
            return Refusal(HTTPStatus.NOT_FOUND, "not_found", "There is nothing at this address.")
        case HTTPException(status_code=HTTPStatus.METHOD_NOT_ALLOWED):
            return Refusal(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "This address does not allow the method.",
                {},
                dict(error.headers or {}),
            )
        case HTTPException(status_code=HTTPStatus.BAD_REQUEST):
            return Refusal(
                HTTPStatus.BAD_REQUEST, "invalid_request", "The body could not be read: it must be JSON in UTF-8."
            )
    return None


def error_of(problem: TaskError | CircuitTextTooLargeError | CallbackUrlError) -> dict[str, Any]:
    """Return the error of one task of several: code, message, and the fields of its refusal."""
    refusal = refusal_of(problem)
    message = refusal.fields.pop("detail", refusal.message)
    return {"code": refusal.code, "message": message, **refusal.fields}


def _unavailable(error: UnavailableError | NewerTaskError) -> Refusal:
    """Return what is known after a call without an answer: a write may have taken effect all the same."""
    again = f"in {RETRY_AFTER_SECONDS} seconds"
    match error:
        case SubmissionUnconfirmedError():
            message = "The service could not confirm that the submission was stored; it may have been."
            hint = (
                f"Send the request again {again}; with the same Idempotency-Key, what was stored is not stored twice."
            )
        case CancellationUnconfirmedError():
            message = "The service could not confirm the cancellation; the task may be cancelled."
            hint = f"Send the request again {again}; a task that was cancelled is answered with 409."
        case PurgeUnconfirmedError():
            message = "The service could not confirm the purge; the task, or a part of it, may be gone."
            hint = f"Send the request again {again}; a task that was purged is answered with 410."
        case WorkerSilentError():
            message = "No worker answered the dry run; nothing was stored."
            hint = f"Send the request again {again}."
        case NewerTaskError():
            message = "The version of the service that answered is too old for this task; nothing was changed."
            hint = f"Send the request again {again}."
        case _:
            message = "The service cannot reach its storage at the moment; nothing was changed."
            hint = f"Send the request again {again}."
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", message, {"hint": hint}, headers)


def refusal_response(error: Exception, correlation_id: str) -> JSONResponse:
    """Return the answer to a request that ended in `error`, and log it."""
    refusal = refusal_of(error)
    if refusal.http_status == HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("The request failed", exc_info=error, event=Event.REQUEST_FAILED)
    else:
        logger.info(
            "The request was refused",
            event=Event.REQUEST_REFUSED,
            code=refusal.code,
            http_status=refusal.http_status,
        )
    body = {
        "status": "error",
        "message": refusal.message,
        "code": refusal.code,
        **refusal.fields,
        **({} if "hint" in refusal.fields else {"hint": "See /docs."}),
        "correlation_id": correlation_id,
    }
    return JSONResponse(body, status_code=refusal.http_status, headers=refusal.headers)


def install(app: FastAPI) -> None:
    """Answer FastAPI's own refusals as ours are, which incoming.py catches."""

    async def refuse(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            # Starlette names the methods of the first route alone.
            routes = [route for route in app.routes if route.matches(request.scope)[0] is not Match.NONE]
            methods = {method for route in routes for method in getattr(route, "methods", ())} | {"OPTIONS"}
            error.headers = {"Allow": ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))}
            if request.method == "OPTIONS":
                return Response(status_code=HTTPStatus.NO_CONTENT, headers=error.headers)
        return refusal_response(error, request.state.correlation_id)

    for kind in (RequestValidationError, HTTPException):
        app.add_exception_handler(kind, refuse)
