"""What the OpenAPI document says of answers beside their bodies: their headers, and every refusal with its codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from messages import ErrorBody
from tasks.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Mapping

# By HTTP status: each code, and what it says. API Gateway gives some of them itself (template.yaml, GatewayResponses).
REFUSALS: Mapping[int, Mapping[str, str]] = {
    400: {
        ErrorCode.INVALID_CIRCUIT: "the program breaks a rule of the language, at `line` and `column`",
        ErrorCode.UNSUPPORTED_FEATURE: "the program has what a simulator cannot do",
        ErrorCode.CIRCUIT_TOO_LARGE: "the program is over a `limit`",
        ErrorCode.NOTHING_MEASURED: "the program measures nothing",
        ErrorCode.INVALID_INPUTS: "`inputs` do not fit the program",
        "invalid_batch": "`errors` has what is wrong with which task",
        "invalid_callback_url": "`callback_url` is not https to a public DNS name",
        "invalid_cursor": "the cursor is not one that this list gave to this key",
        "invalid_request": "the body is not JSON in UTF-8, or has numbers or lists without end",
    },
    403: {
        "invalid_api_key": "no valid key in the header `x-api-key`",
        "access_denied": "not allowed",
    },
    404: {
        "task_not_found": "there is no such task, or it is another key's",
        "not_found": "there is nothing at this address",
    },
    405: {"method_not_allowed": "the address does not take this method"},
    409: {"task_ended": "the task has ended already, as `task_status` says"},
    410: {"payload_gone": "what the task kept in the storage, its program or its result, is not there any more"},
    413: {
        ErrorCode.CIRCUIT_TOO_LARGE: "the program's text is over the limit, in bytes",
        "request_too_large": "the request is",
    },
    415: {"unsupported_encoding": "the body has a `Content-Encoding`"},
    422: {
        "invalid_request": "a field or parameter is missing or wrong; `detail` names each",
        "idempotency_key_reused": "the key was used before with another body",
        "duplicate_idempotency_key": "tasks of the batch, at `indexes`, have the same key",
        "batch_too_large": "the batch has more tasks than the `limit`",
    },
    429: {
        "throttled": "the key sends more requests a second than it may, or dry runs are as many as may be; "
        "`Retry-After` says when to go on",
        "quota_exceeded": "the key has used up its requests of the day",
    },
    500: {ErrorCode.INTERNAL_ERROR: "our fault; the correlation id finds it in our logs"},
    503: {"unavailable": "a part of the service does not answer; `message` says what is known; `Retry-After`"},
}

_HEADERS: Mapping[str, tuple[str, str]] = {
    "X-Correlation-ID": ("string", "The request's own, or one made for it; it finds the request in the logs."),
    "Location": ("string", "The task's address."),
    "Idempotent-Replayed": ("string", "`true` when an earlier request with the same key had stored it."),
    "Preference-Applied": ("string", "`wait=<seconds>` when the answer could have waited so long."),
    "Retry-After": ("integer", "While the task has not ended: in how many seconds it is worth asking again."),
    "ETag": ("string", "Stands for the task as it is now, for `If-None-Match`."),
    "Link": ("string", 'The next page: `<tasks?cursor=...>; rel="next"` (RFC 8288).'),
}


def answers(*refused: int, headers: tuple[str, ...] = (), text: bool = False) -> dict[int | str, dict[str, Any]]:
    """Return FastAPI's `responses` for a route that answers 200 with `headers`, or refuses with these statuses.

    `text` says that the answer is plain text; FastAPI knows of the others' bodies.
    """
    described: dict[int | str, dict[str, Any]] = {200: {"headers": _described("X-Correlation-ID", *headers)}}
    if text:
        described[200]["content"] = {"text/plain": {"schema": {"type": "string"}}}
    for status in sorted({*refused, 422, 429, 500}):
        codes = "; ".join(f"`{code}`: {meaning}" for code, meaning in REFUSALS[status].items())
        described[status] = {"model": ErrorBody, "description": f"{codes}."}
    return described


def not_modified() -> dict[int | str, dict[str, Any]]:
    """Return the answer to an `If-None-Match` that still holds."""
    return {304: {"description": "The task is as its `ETag` was given.", "headers": _described("ETag", "Retry-After")}}


def _described(*names: str) -> dict[str, Any]:
    return {name: {"schema": {"type": _HEADERS[name][0]}, "description": _HEADERS[name][1]} for name in names}
