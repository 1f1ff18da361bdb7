"""What FastAPI passes to several handlers: the caller, and parts of the request.

The store and the queues are not among it: they belong to the process, not to the request.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request, Security
from fastapi.security import APIKeyHeader
from pydantic import AfterValidator

from request_errors import KeyMissingError
from submitted import MAX_KEY
from tasks.owners import owner_of


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
        description="A submission with the same key and body gives the same task or tasks.",
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
