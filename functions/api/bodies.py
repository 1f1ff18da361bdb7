"""Reads JSON bodies strictly: what two readers could read differently is refused, not guessed (RFC 8259, 4 and 6)."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NoReturn

from fastapi import Request, Response
from fastapi.exceptions import HTTPException
from fastapi.routing import APIRoute

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class AmbiguousBodyError(HTTPException):
    """The body is almost JSON: a name occurs twice in one object, or a number is not a number."""

    def __init__(self, sentence: str) -> None:
        super().__init__(422, sentence)


class StrictRequest(Request):
    """A request whose JSON is in UTF-8, with each name once and numbers that JSON has."""

    async def json(self) -> Any:  # noqa: ANN401 - any JSON
        """Return the body; raises AmbiguousBodyError, and ValueError for what is no JSON at all."""
        text = (await self.body()).decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)


class StrictRoute(APIRoute):
    """A route that reads its body so."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler, given a StrictRequest."""
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return handle_strictly


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise AmbiguousBodyError(f"The name {json.dumps(twice[:100])} occurs twice in one object.")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise AmbiguousBodyError(f"JSON has no number {name}.")
