"""Reads requests strictly: it refuses what two parsers could read differently (RFC 8259, 4 and 6).

The same holds for the query: a misspelled or repeated name would silently change the meaning of the request. The cost
of reading is bounded beforehand: by bytes, and by lists and objects, each of which takes memory.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NoReturn

from fastapi import Request, Response
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.routing import APIRoute

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine

MAX_REQUEST_BYTES = 6 * 2**20  # Lambda's limit; API Gateway's is 10 MB
# A full batch of sweeps of 1,000 bindings each has 100,101 lists and objects.
MAX_CONTAINERS = 250_000
SHOWN = 100  # characters of a name in a message
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)  # also without its end, so that no byte is read twice
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}".encode()


class UnreadableBodyError(HTTPException):
    """The body is not JSON that this service reads; `detail` is the reason. FastAPI passes on only its own errors."""

    def __init__(self, sentence: str, hint: str = "Send JSON in UTF-8.") -> None:
        super().__init__(HTTPStatus.BAD_REQUEST, sentence)
        self.hint = hint


class RequestTooLargeError(HTTPException):
    """The body is too large: it has `actual` bytes."""

    def __init__(self, actual: int) -> None:
        super().__init__(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        self.actual = actual


class EncodedBodyError(HTTPException):
    """The body has a Content-Encoding, which is not supported."""

    def __init__(self, encoding: str) -> None:
        super().__init__(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        self.encoding = encoding


class AmbiguousBodyError(HTTPException):
    """The body is ambiguous: a name occurs twice in one object, or a number is NaN or infinite."""

    def __init__(self, sentence: str) -> None:
        super().__init__(422, sentence)


class StrictRequest(Request):
    """A request whose body must be strict JSON in UTF-8, with each name once in an object."""

    async def body(self) -> bytes:
        """Return the body's bytes; raises RequestTooLargeError and EncodedBodyError."""
        encoding = self.headers.get("content-encoding", "identity")
        if encoding.strip().lower() != "identity":
            raise EncodedBodyError(encoding)
        body = await super().body()
        if len(body) > MAX_REQUEST_BYTES:
            raise RequestTooLargeError(len(body))
        return body

    async def json(self) -> Any:  # noqa: ANN401 - any JSON
        """Return the parsed body; raises AmbiguousBodyError, UnreadableBodyError, or JSONDecodeError."""
        body = await self.body()
        if body.count(b"[") + body.count(b"{") > MAX_CONTAINERS:  # most programs' brackets are fewer
            bare = _STRING.sub(b"", body)
            if (found := bare.count(b"[") + bare.count(b"{")) > MAX_CONTAINERS:
                raise UnreadableBodyError(
                    f"The body has {found:,} lists and objects; the limit is {MAX_CONTAINERS:,}.",
                    hint="Send fewer tasks, bindings or observables in one request.",
                )
        if _REPLACEMENT in body:
            # API Gateway replaces each byte that is not UTF-8 by this character before the function is invoked.
            raise UnreadableBodyError(
                "The body has bytes that are not UTF-8, or the character U+FFFD that stands for such bytes.",
                hint="Send JSON in UTF-8; write a U+FFFD that is meant as \\ufffd.",
            )
        try:
            return json.loads(body.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_refuse_constant)
        except UnicodeDecodeError:
            raise UnreadableBodyError("The body has bytes that are not UTF-8.") from None
        except json.JSONDecodeError:
            raise
        except ValueError:  # Python's limit for the digits of an integer
            raise UnreadableBodyError(
                "The body has an integer of more than 4,300 digits.", hint="No field takes such a number."
            ) from None
        except RecursionError:
            raise UnreadableBodyError(
                "The body has lists or objects nested too deeply.", hint="No field takes such a value."
            ) from None


class StrictRoute(APIRoute):
    """A route that reads its body strictly and refuses a query that it does not declare."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler, which receives a StrictRequest."""
        handle = super().get_route_handler()
        known = frozenset(field.alias for field in self.dependant.query_params)

        async def handle_strictly(request: Request) -> Response:
            check_query(request, known)
            return await handle(StrictRequest(request.scope, request.receive))

        return handle_strictly


def check_query(request: Request, known: Collection[str] = ()) -> None:
    """Raise RequestValidationError if a name in the query is unknown or repeated."""
    if not request.scope["query_string"]:
        return
    problems = []
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name not in known:
            problems.append({"type": "extra_forbidden", "loc": ("query", name), "msg": "There is no such parameter"})
        elif name in seen:
            problems.append({"type": "repeated", "loc": ("query", name), "msg": "The parameter occurs twice"})
        seen.add(name)
    if problems:
        raise RequestValidationError(problems)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise AmbiguousBodyError(f"The name {json.dumps(name[:SHOWN])} occurs twice in one object.")
            seen.add(name)
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise AmbiguousBodyError(f"JSON has no number {name}.")
