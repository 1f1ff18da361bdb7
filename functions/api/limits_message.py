"""The body of `GET /limits`, as the HTTP contract promises it and the OpenAPI document shows it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, JsonValue

Whole = Annotated[int, Field(ge=0)]


class WorkersLimits(BaseModel):
    """The largest number of workers at a time; further tasks wait in a queue."""

    small: Whole
    large: Whole


class KeyLimits(BaseModel):
    """What one API key may send, and what its tasks may take together; the service answers 429 to more.

    A key can have limits of its own, of which `GET /usage` shows the last three.
    """

    requests_per_second: Annotated[Whole, Field(description="The average over time.")]
    requests_at_once: Whole
    requests_per_day: Annotated[Whole, Field(description="From 00:00 UTC.")]
    open_tasks: Annotated[Whole, Field(description="Tasks that have not ended.")]
    open_seconds: Annotated[
        Whole,
        Field(
            description=(
                "Compute seconds of those tasks together. A task counts with an upper bound of what it takes, and at "
                "most the time limit."
            )
        ),
    ]
    dollars_per_month: Annotated[
        Whole,
        Field(
            description=(
                "What the tasks that end in a month (UTC) may cost. Once they have, the service answers 402 until the "
                "month's end; tasks that it accepted before still run."
            )
        ),
    ]


class RequestLimits(BaseModel):
    """The limits of one request."""

    max_bytes: Whole
    max_idempotency_key_chars: Whole


class BatchLimits(BaseModel):
    """The limits of one batch."""

    max_tasks: Whole
    check_seconds: Annotated[
        float, Field(description="Seconds of CPU to read all its circuits; a single task has the same limit.")
    ]


class ListLimits(BaseModel):
    """The number of tasks in one answer of a list."""

    max_tasks: Whole
    default_tasks: Whole
    max_searched: Annotated[
        Whole, Field(description="The largest number of tasks that one request looks at for the first that matches.")
    ]


class WaitLimits(BaseModel):
    """The limits of answers that wait; a longer `Prefer: wait=<seconds>` is cut to the limit."""

    max_seconds: Whole
    max_at_a_time: Annotated[
        Whole, Field(description="Further ones are answered at once, without `Preference-Applied`.")
    ]
    max_of_key_at_a_time: Annotated[Whole, Field(description="Of these, those of one API key.")]


class LimitsBody(BaseModel):
    """All limits in force."""

    circuit: Annotated[
        dict[str, int], Field(description="The limits of a program; one over them is refused as `circuit_too_large`.")
    ]
    run: Annotated[
        dict[str, JsonValue],
        Field(description="The limits of a run, and the number of qubits of each method within its memory."),
    ]
    workers: WorkersLimits
    key: KeyLimits
    request: RequestLimits
    batch: BatchLimits
    list: ListLimits
    wait: WaitLimits
    task_retention_days: Annotated[Whole, Field(description="For how many days a task can be read.")]
