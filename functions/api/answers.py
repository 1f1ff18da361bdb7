"""Describes answers in the OpenAPI document, besides their bodies: the headers, and each refusal with its codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from messages import ErrorBody
from tasks.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Mapping

# By HTTP status: each code and its meaning. API Gateway gives some of them itself (template.yaml, GatewayResponses).
REFUSALS: Mapping[int, Mapping[str, str]] = {
    400: {
        ErrorCode.INVALID_CIRCUIT: "the program breaks a rule of the language, at `line` and `column`",
        ErrorCode.UNSUPPORTED_FEATURE: "the program uses a feature that no simulator has",
        ErrorCode.CIRCUIT_TOO_LARGE: "the program is over a `limit`",
        ErrorCode.NOTHING_MEASURED: "the program measures nothing",
        ErrorCode.INVALID_INPUTS: "`inputs` do not fit the program",
        "invalid_batch": "`errors` lists each task that is not valid, and why",
        "invalid_callback_url": "`callback_url` is not https to a public DNS name",
        "invalid_cursor": "the cursor is not valid for this key's list",
        "invalid_request": "the body is not JSON in UTF-8, nests too deeply, or has numbers or lists that are too long",
    },
    402: {"monthly_amount_spent": "the key's tasks have cost all that they may this month, which ends at `ends_at`"},
    403: {
        "invalid_api_key": "no valid key in the header `x-api-key`",
        "access_denied": "API Gateway denied the request",
    },
    404: {
        "task_not_found": "the task does not exist, or belongs to another key",
        "result_not_found": "the task has no such result, or has not completed",
        "not_found": "there is nothing at this address",
    },
    405: {"method_not_allowed": "the address does not allow the method"},
    406: {"not_acceptable": "the result has no array, and the request takes nothing else"},
    409: {
        "task_ended": "the task has ended already, as `task_status` says",
        "task_not_ended": "the task cannot be purged before it has ended",
    },
    410: {
        "payload_gone": "the task's program or result is no longer stored",
        "task_purged": "the task was purged",
    },
    413: {
        ErrorCode.CIRCUIT_TOO_LARGE: "the program's text is over the limit, in bytes",
        "request_too_large": "the request is over the limit, in bytes",
    },
    415: {"unsupported_encoding": "the body has a `Content-Encoding`"},
    422: {
        "invalid_request": "a field or parameter is missing or wrong; `detail` names each",
        "idempotency_key_reused": "the key was used before with another body",
        "duplicate_idempotency_key": "tasks of the batch, at `indexes`, have the same key",
        "batch_too_large": "the batch has more tasks than the `limit`",
        "too_many_open_tasks": "the request alone has more tasks than a key may have open",
        "too_much_open_work": "the request alone is estimated to compute for longer than a key's open tasks may",
    },
    429: {
        "throttled": "the key sends more requests a second than its limit, or too many dry runs, or searches of its "
        "list, are in progress; "
        "`Retry-After` is the time to wait",
        "quota_exceeded": "the key has used up its requests for the day",
        "too_many_open_tasks": "the key would have more tasks that have not ended than the `limit`; it has `actual`",
        "too_much_open_work": "the same of the compute seconds that those tasks are estimated to take",
    },
    500: {ErrorCode.INTERNAL_ERROR: "the service failed; report the correlation id"},
    503: {"unavailable": "a part of the service does not answer; see `message` and `Retry-After`"},
}

_HEADERS: Mapping[str, tuple[str, str]] = {
    "X-Correlation-ID": (
        "string",
        "The id that the request had, or a new one. It identifies the request in the service's logs.",
    ),
    "Location": ("string", "The task's address."),
    "Idempotent-Replayed": ("string", "`true` if an earlier request with the same key stored the task."),
    "Preference-Applied": ("string", "`wait=<seconds>` if the service applied the preference to wait."),
    "Retry-After": ("integer", "The seconds after which to read the task again, if it has not ended."),
    "ETag": ("string", "The task's version, for `If-None-Match`."),
    "Link": ("string", 'The next page: `<tasks?cursor=...>; rel="next"` (RFC 8288).'),
}


# The body of every refusal, by reference: as a `model` FastAPI would analyse it anew for each address and status, which
# takes a cold start 12 ms. api.py gives it the model once an address, as the default.
_REFUSED = {"application/json": {"schema": {"$ref": f"#/components/schemas/{ErrorBody.__name__}"}}}


def answers(
    *refused: int, headers: tuple[str, ...] = (), texts: tuple[str, ...] = ()
) -> dict[int | str, dict[str, Any]]:
    """Return FastAPI's `responses` for a route that answers 200 with `headers`, or refuses with these statuses.

    `texts` are the types of an answer that is text; FastAPI documents the bodies of the others.
    """
    described: dict[int | str, dict[str, Any]] = {200: {"headers": _described("X-Correlation-ID", *headers)}}
    if texts:
        described[200]["content"] = {kind: {"schema": {"type": "string"}} for kind in texts}
    for status in sorted({*refused, 422, 429, 500}):
        codes = "; ".join(f"`{code}`: {meaning}" for code, meaning in REFUSALS[status].items())
        described[status] = {"content": _REFUSED, "description": f"{codes}."}
    return described


def not_modified() -> dict[int | str, dict[str, Any]]:
    """Return the answer to an `If-None-Match` with the current entity tag."""
    return {
        304: {
            "description": "The task has not changed since the answer with this `ETag`.",
            "headers": _described("ETag", "Retry-After"),
        }
    }


def elsewhere() -> dict[int | str, dict[str, Any]]:
    """Return the answer that names the address of a file."""
    location = {"schema": {"type": "string"}, "description": "The file's address, which needs no key."}
    return {303: {"description": "The result is in a file.", "headers": {"Location": location}}}


def _described(*names: str) -> dict[str, Any]:
    return {name: {"schema": {"type": _HEADERS[name][0]}, "description": _HEADERS[name][1]} for name in names}
