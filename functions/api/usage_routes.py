"""The address of what a key's tasks have used: its handler, and the body of its answer."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import Query
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from incoming import Caller
from tasks import aws
from tasks.task import utc_now
from tasks.usage import MAX_TAGS, DayUsage, Sums

MAX_DAYS = 92  # in one answer: a row for each, so one BatchGetItem
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class UsageSums(BaseModel):
    """What ended tasks have used."""

    tasks: Annotated[int, Field(description="Tasks that ended: completed, failed or cancelled.")]
    shots: Annotated[int, Field(description="Shots of the completed ones; of a sweep, those of all bindings.")]
    compute_seconds: Annotated[float, Field(description="Seconds of workers' time: the sum of `execution.billed_ms`.")]
    cost_usd: Annotated[float, Field(description="The sum of `execution.cost_usd`.")]


class UsageOfOne(UsageSums):
    """The sums of one day, status or tag, whichever `by` asks for."""

    day: Annotated[str | None, Field(description="With `by=day`: a day in UTC on which tasks ended.")] = None
    status: Annotated[
        Literal["completed", "failed", "cancelled"] | None, Field(description="With `by=status`: how the tasks ended.")
    ] = None
    tag: Annotated[
        str | None,
        Field(description=f'With `by=tag`: a tag; `""` stands for tags after the first {MAX_TAGS} of a day.'),
    ] = None


class Bounded(BaseModel):
    """The key's bounds, and how much of each is in use."""

    limit: Annotated[float, Field(description="The most.")]
    in_use: Annotated[float, Field(description="The value of a second or two ago.")]


class KeyBounds(BaseModel):
    """The key's bounds as they are now: those that an operator gave it, or those of `GET /limits`."""

    open_tasks: Annotated[Bounded, Field(description="Tasks that have not ended.")]
    open_seconds: Annotated[Bounded, Field(description="Compute seconds of those tasks, as estimated.")]
    dollars_per_month: Annotated[Bounded, Field(description="What the tasks that ended this month (UTC) have cost.")]


class UsageBody(BaseModel):
    """What the key's tasks have used; each counts on the day on which it ended."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "from": "2026-11-01",
                    "to": "2026-11-28",
                    "by": "day",
                    "total": {"tasks": 3, "shots": 2048, "compute_seconds": 0.006, "cost_usd": 1.73e-07},
                    "usage": [
                        {"day": "2026-11-27", "tasks": 1, "shots": 0, "compute_seconds": 0.002, "cost_usd": 5.8e-08},
                        {
                            "day": "2026-11-28",
                            "tasks": 2,
                            "shots": 2048,
                            "compute_seconds": 0.004,
                            "cost_usd": 1.15e-07,
                        },
                    ],
                    "bounds": {
                        "open_tasks": {"limit": 10_000, "in_use": 2},
                        "open_seconds": {"limit": 36_000, "in_use": 0.2},
                        "dollars_per_month": {"limit": 100, "in_use": 1.73e-07},
                    },
                }
            ]
        }
    )

    from_: Annotated[str, Field(alias="from", description="The first day.")]
    to: Annotated[str, Field(description="The last day, included.")]
    by: Literal["day", "status", "tag"]
    total: UsageSums
    usage: Annotated[
        list[UsageOfOne],
        Field(
            description=("In order, the days, statuses or tags that have tasks. A task counts with each of its tags.")
        ),
    ]
    bounds: KeyBounds


def _day(text: str) -> str:
    if not _DAY.fullmatch(text):
        raise ValueError("not a date of RFC 3339, such as 2026-01-31")
    return date.fromisoformat(text).isoformat()


Day = Annotated[str, AfterValidator(_day), Field(json_schema_extra={"format": "date"}, examples=["2026-01-31"])]


async def read_usage(
    caller: Caller,
    from_: Annotated[
        Day | None,
        Query(alias="from", description="The first day, UTC; if omitted, the first of the last day's month."),
    ] = None,
    to: Annotated[Day | None, Query(description="The last day, UTC, included; if omitted, today.")] = None,
    by: Annotated[Literal["day", "status", "tag"], Query(description="How `usage` is grouped.")] = "day",
) -> JSONResponse:
    """Return how many of the key's tasks ended, with how many shots, and what they took of the workers and cost.

    A task is in the answer within a minute of its end, and stays there for 400 days, also when it has expired or was
    purged. All its attempts are billed but those that were lost with their worker; a cancelled one until it stopped.
    """
    last = date.fromisoformat(to) if to else utc_now().date()
    first = date.fromisoformat(from_) if from_ else last.replace(day=1)
    if not timedelta(0) <= last - first < timedelta(days=MAX_DAYS):
        sentence = f"`from` may be at most {MAX_DAYS - 1} days before `to`, and not after it"
        raise RequestValidationError([{"type": "value_error", "loc": ("query", "from"), "msg": sentence}])
    days, work = aws.usage().days_and_open_work(caller, first, last, utc_now())
    most = aws.bounds().most.but(work.own)
    return JSONResponse(
        {
            "from": first.isoformat(),
            "to": last.isoformat(),
            "by": by,
            "total": _shown(sum((used.total for used in days.values()), Sums())),
            "bounds": {
                "open_tasks": {"limit": most.tasks, "in_use": work.tasks},
                "open_seconds": {"limit": most.seconds, "in_use": work.seconds},
                "dollars_per_month": {"limit": most.dollars, "in_use": work.dollars},
            },
            "usage": [{by: name, **_shown(sums)} for name, sums in sorted(_parts(days, by).items()) if sums.tasks],
        }
    )


def _parts(days: Mapping[date, DayUsage], by: str) -> Mapping[str, Sums]:
    """Return the sums of each day, status or tag."""
    found: defaultdict[str, Sums] = defaultdict(Sums)
    for day, used in days.items():
        parts: Mapping[Any, Sums]
        parts = {"day": {day: used.total}, "status": used.statuses, "tag": used.tags}[by]  # type: ignore[assignment]
        for name, sums in parts.items():
            found[str(name)] += sums
    return found


def _shown(sums: Sums) -> dict[str, Any]:
    return {
        "tasks": sums.tasks,
        "shots": sums.shots,
        "compute_seconds": sums.billed_ms / 1000,
        "cost_usd": float(sums.cost_usd),
    }
