"""The handlers of the addresses that are about the service and the key, not about one task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus

from fastapi.responses import JSONResponse

import reader
from incoming import MAX_REQUEST_BYTES, Caller
from listing import DEFAULT_PAGE, MAX_PAGE
from messages import CallbackSecretBody
from submission import CHECK_SECONDS
from submitted import MAX_KEY
from tasks import aws
from tasks.callback_secret import callback_secret, secret_text
from tasks.errors import UnavailableError
from tasks.logs import Event, logger
from tasks.settings import settings
from tasks.submissions import MAX_TASKS_AT_ONCE
from tasks.table import MAX_SEARCHED
from tasks.task import rfc3339, utc_now


async def read_callback_secret(caller: Caller) -> JSONResponse:
    """Return the caller's secret, which verifies the header `webhook-signature` of a callback.

    A callback is a POST of `{"type": "task.completed", "timestamp", "data": {"task_id", "status", ...}}` without the
    counts. The service repeats a callback for about 28 hours until the answer is 2xx. An answer of 410 ends this.
    """
    body = CallbackSecretBody(secret=secret_text(callback_secret(aws.callback_key(), caller)))
    return JSONResponse(body.model_dump(), headers={"Cache-Control": "no-store"})


async def health() -> JSONResponse:
    """Report whether the table and the queues answer; 503 if one of them does not."""
    parts = {}
    probes: dict[str, Callable[[], object]] = {
        "database_status": lambda: aws.task_store().get("health"),
        "queue_status": lambda: [queue.size() for queue in aws.task_queues().values()],
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
    return JSONResponse(body, status_code=HTTPStatus.OK if healthy else HTTPStatus.SERVICE_UNAVAILABLE)


async def limits() -> JSONResponse:
    """List all limits. `run` has those of the large lane's worker, the largest there is."""
    limit, places = settings(), aws.waits()
    return JSONResponse(
        {
            "circuit": asdict(reader.LIMITS),
            "run": limit.large_worker.as_dict(),
            "workers": {
                "small": limit.worker_maximum_concurrency,
                "large": limit.large_worker_maximum_concurrency,
            },
            "key": {
                "requests_per_second": limit.key_rate_limit,
                "requests_at_once": limit.key_burst_limit,
                "requests_per_day": limit.key_daily_quota,
                "open_tasks": limit.key_open_tasks,
                "open_seconds": limit.key_open_seconds,
                "dollars_per_month": limit.key_monthly_dollars,
            },
            "request": {"max_bytes": MAX_REQUEST_BYTES, "max_idempotency_key_chars": MAX_KEY},
            "batch": {"max_tasks": MAX_TASKS_AT_ONCE, "check_seconds": CHECK_SECONDS},
            "list": {"max_tasks": MAX_PAGE, "default_tasks": DEFAULT_PAGE, "max_searched": MAX_SEARCHED},
            "wait": {
                "max_seconds": limit.max_wait_seconds,
                "max_at_a_time": places.most,
                "max_of_key_at_a_time": places.most_of_owner,
            },
            "task_retention_days": limit.task_retention_days,
        }
    )
