"""The handler of one entry of a task's `results`: as JSON, or its numbers as a NumPy file."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from fastapi import Path, Query, Request, Response
from fastapi.responses import JSONResponse

from incoming import Caller, TaskId
from request_errors import NoArrayError, ResultNotFoundError, TaskNotFoundError
from tasks import aws
from tasks.rows import RESPONSE_BYTES
from tasks.task import is_task_id

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON, NPY = "application/json", "application/x-npy"  # IANA has registered no type for NumPy's files
_WEIGHT = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")  # RFC 9110, 12.4.2


class _File(NamedTuple):
    ending: str
    media_type: str
    data: bytes


async def read_result(
    request: Request,
    task_id: TaskId,
    index: Annotated[int, Path(ge=0, description="Which of the task's `results`, from 0.")],
    caller: Caller,
    binding: Annotated[int, Query(ge=0, description="For a sweep: which binding, from 0.")] = 0,
) -> Response:
    """Return one entry of a task's `results`, or its numbers as a file that `numpy.load` reads.

    With `Accept: application/x-npy` the answer is 303 with the file's address. The file holds float64 numbers of
    probabilities and samples, complex128 ones else, in the shape that the entry has. An entry that is too large for an
    answer has an address too. An address is valid for an hour at most and needs no key; ask again for a new one.
    """
    store = aws.task_store()
    outcome = store.outcome(task_id, caller) if is_task_id(task_id) else None
    if outcome is None:
        raise TaskNotFoundError
    entry = _entry(outcome.get("results") or [], index, binding)
    file = _file(entry, ",".join(request.headers.getlist("accept")) or JSON)
    if file is None:
        return JSONResponse(entry, headers={"Vary": "Accept"})
    url = store.file_url(f"{task_id}-{binding}-{index}.{file.ending}", file.data, file.media_type)
    # No cache may keep the answer: the address expires.
    headers = {"Location": url, "Cache-Control": "no-store", "Vary": "Accept"}
    return Response(status_code=HTTPStatus.SEE_OTHER, headers=headers)


def _entry(results: list[Any], index: int, binding: int) -> Mapping[str, Any]:
    """Return the entry of a task, or of a binding of a sweep; raises ResultNotFoundError where there is none."""
    of_bindings = results if results and isinstance(results[0], list) else [results]
    if binding >= len(of_bindings) or index >= len(of_bindings[binding]):
        raise ResultNotFoundError
    found: Mapping[str, Any] = of_bindings[binding][index]
    return found


def _file(entry: Mapping[str, Any], accept: str) -> _File | None:
    """Return the file that answers a request, None where the entry itself does; raises NoArrayError."""
    weights = _weights(accept)
    json_weight = next((weights[kind] for kind in (JSON, "application/*", "*/*") if kind in weights), 0.0)
    if weights.get(NPY, 0.0) >= (json_weight or 0.001):  # the smallest weight there is
        from npy import npy  # noqa: PLC0415 - cold start: few ask for files

        if (data := npy(entry)) is not None:
            return _File("npy", NPY, data)
        if not json_weight:
            raise NoArrayError(entry["type"])
    text = json.dumps(entry, separators=(",", ":"))
    return _File("json", JSON, text.encode()) if len(text) > RESPONSE_BYTES else None


def _weights(accept: str) -> dict[str, float]:
    """Return the media types of `Accept` with their weights, 1 where one is missing or is none."""
    weights = {}
    for each in accept.lower().split(","):
        kind, *parameters = (part.strip() for part in each.split(";"))
        given = [match for match in map(_WEIGHT.fullmatch, parameters) if match]
        weights[kind] = float(given[0][1]) if given else 1.0
    return weights
