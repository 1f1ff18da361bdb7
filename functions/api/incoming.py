"""What every request passes on its way to its handler: middleware, its route's strict reading, and who the caller is.

CrossOrigin lets pages of another origin call the API: the origin that template.yaml names, by default none.
Correlation has the id of answer and log, the stage's prefix, HEAD, and the answers to errors. StrictRoute refuses what
two parsers could read differently (RFC 8259, 4 and 6), and a misspelled or repeated name in the query, which would
silently change the meaning of the request. It bounds the cost of reading beforehand: by bytes, and by lists and
objects, each of which takes memory.
"""

from __future__ import annotations

import json
import re
import uuid
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

from fastapi import Depends, Header, Path, Query, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader
from pydantic import AfterValidator

from refusals import refusal_response
from request_errors import (
    AmbiguousBodyError,
    EncodedBodyError,
    KeyMissingError,
    RequestTooLargeError,
    UnreadableBodyError,
)
from submitted import KEY_PATTERN, MAX_KEY
from tasks.logs import Event, logger
from tasks.owners import owner_of
from tasks.settings import optional

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_REQUEST_BYTES = 6 * 2**20  # Lambda's limit; API Gateway's is 10 MB
# A full batch of sweeps of 1,000 bindings each has 100,101 lists and objects.
MAX_CONTAINERS = 250_000
SHOWN = 100  # characters of a name in a message
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)  # also without its end, so that no byte is read twice
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}".encode()
_CORRELATION_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
REQUEST_HEADERS = ("X-Api-Key", "Content-Type", "Idempotency-Key", "If-None-Match", "Prefer", "X-Correlation-ID")
ANSWER_HEADERS = (
    "X-Correlation-ID",
    "Location",
    "Idempotent-Replayed",
    "Preference-Applied",
    "Retry-After",
    "ETag",
    "Link",
)


class CrossOrigin:
    """ASGI middleware; answers preflights and adds the headers for the allowed origin. Without one it does nothing.

    Scripts send the API key in a header, so cookies and other credentials of the browser are not allowed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        origin = optional("ALLOWED_ORIGIN")  # read with the first request, not at import
        app = _allowing(self._app, origin) if origin else self._app
        await app(scope, receive, send)


@cache
def _allowing(app: ASGIApp, origin: str) -> ASGIApp:
    from starlette.middleware.cors import CORSMiddleware  # noqa: PLC0415 - cold start: most stacks allow no other origin

    return CORSMiddleware(
        app,
        allow_origins=[origin],
        allow_methods=["GET", "HEAD", "POST", "DELETE"],
        allow_headers=REQUEST_HEADERS,
        expose_headers=ANSWER_HEADERS,
    )


class Correlation:
    """ASGI middleware; puts `correlation_id`, and `arrived` on time.monotonic's clock, on the request's state."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-correlation-id", b"")
        # Any other text is not repeated: it would go into headers and logs.
        correlation_id = given.decode() if _CORRELATION_ID.fullmatch(given) else str(uuid.uuid4())
        scope.setdefault("state", {}).update(correlation_id=correlation_id, arrived=monotonic())
        scope["root_path"] = stage_prefix(scope)
        logger.append_keys(correlation_id=correlation_id)
        head = scope["method"] == "HEAD"
        if head:  # answered as GET, without the body (RFC 9110, 9.3.2)
            scope["method"] = "GET"
        started = False

        async def send_correlated(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], (b"x-correlation-id", correlation_id.encode())]
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._app(scope, receive, send_correlated)
            logger.debug("Request answered", event=Event.REQUEST_ANSWERED, method=scope["method"], path=scope["path"])
        except Exception as error:
            if started:
                raise
            await refusal_response(error, correlation_id)(scope, receive, send_correlated)


def stage_prefix(scope: Scope) -> str:
    """Return the prefix that API Gateway removed from the path, such as a stage's `/v1`; links in /docs need it."""
    event = scope.get("aws.event", {})
    whole: str = event.get("requestContext", {}).get("path") or ""
    inner: str = event.get("path") or ""
    return whole.removesuffix(inner) if inner != "/" else whole.rstrip("/")


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


class StrictRequest(Request):
    """A request whose body must be strict JSON in UTF-8, with each name once in an object."""

    async def body(self) -> bytes:
        """Return the body's bytes; raises RequestTooLargeError and EncodedBodyError."""
        encoding = self.headers.get("content-encoding", "identity")
        if encoding.strip().lower() != "identity":
            raise EncodedBodyError(encoding)
        body = await super().body()
        if len(body) > MAX_REQUEST_BYTES:
            raise RequestTooLargeError(len(body), MAX_REQUEST_BYTES)
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


async def owner(
    request: Request,
    api_key: Annotated[
        str | None,
        Security(APIKeyHeader(name="x-api-key", scheme_name="ApiKey", description="Your API key.", auto_error=False)),
    ],
) -> str:
    """Return the owner of the caller's tasks, that of the API key which API Gateway has checked.

    The local stand-in also checks keys but does not say which, so there the header does. Raises KeyMissingError for a
    request without a key, whatever let it through.
    """
    event = request.scope.get("aws.event", {})
    identity = event.get("requestContext", {}).get("identity", {})
    if key_id := identity.get("apiKeyId"):
        return owner_of(identity.get("apiKey") or "", str(key_id))
    if not api_key:
        raise KeyMissingError
    return owner_of(api_key, None)


Caller = Annotated[str, Depends(owner)]
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
        pattern=KEY_PATTERN,
        description="A submission with the same key and body gives the same task or tasks. Printable ASCII.",
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
