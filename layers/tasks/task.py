"""The task: one accepted circuit on its way from pending to an end, as a frozen record and its states."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Status(StrEnum):
    """Where a task stands; `store.py` has the table of all transitions.

    pending ──claim──▶ processing ──complete──▶ completed
       │                  │  ▲ └────fail──────▶ failed ──claim, only if its dead letter was redriven──▶ processing
       │                  └──┘ claim, once the lease has run out
       └──cancel──▶ cancelled ◀──cancel── processing
    """

    PENDING = "pending"  # accepted; a message is on its way, or the sweeper will send one
    PROCESSING = "processing"  # a worker holds a lease on it
    COMPLETED = "completed"  # has counts; final
    FAILED = "failed"  # has an error; final, unless it failed only because its message is a dead letter
    CANCELLED = "cancelled"  # given up by its owner; final

    @property
    def ended(self) -> bool:
        """Whether the task will not run any further by itself."""
        return self in {Status.COMPLETED, Status.FAILED, Status.CANCELLED}


class Lane(StrEnum):
    """Which queue, and so which size of worker, a task is for."""

    SMALL = "small"  # one vCPU, ten tasks a batch: nearly all circuits
    LARGE = "large"  # all the memory and cores a function can have, one task at a time


@dataclass(frozen=True, slots=True)
class Transition:
    """One line of a task's history."""

    status: Status
    transitioned_at: str  # RFC 3339, UTC
    notes: str

    def as_dict(self) -> dict[str, str]:
        """Return the line as the contract shows it."""
        return {"status": str(self.status), "transitioned_at": self.transitioned_at, "notes": self.notes}


@dataclass(frozen=True, slots=True)
class Task:
    """A task as its row holds it.

    `attempt` counts claims and is the fencing token: only the holder of the latest one may complete the task.
    `unstarted` of the attempts before it were returned before they began.
    `estimated_seconds` is what its run may take, 0 where nobody can say; `counted_seconds` is what it counts for among
    its owner's open work until it ends.
    `lease_until` is in epoch milliseconds. `circuit` is OpenQASM text, empty where it was not asked for.
    `options` are the request's further fields (`seed`, ...) by their JSON names, without those left at their default.
    `outcome` is what a completed task shows: `result` (the counts map), `execution`, ..., or, when that
    is too large for an answer, `result_url`, where it can be read for an hour at most. While `outcome_key` names the
    object in the bucket that it lies in, `outcome_bytes` in an answer, it is empty: see TaskTable.with_outcome.
    `bill` has `billed_ms` and `cost_usd` of all its attempts that have ended or given it back.
    """

    task_id: str
    owner: str
    status: Status
    submitted_at: str
    correlation_id: str
    circuit: str
    shots: int
    options: Mapping[str, Any] = field(default_factory=dict)
    request_hash: str = ""
    lane: Lane = Lane.SMALL
    estimated_seconds: float = 0.0
    counted_seconds: float = 0.0
    status_history: Sequence[Transition] = ()
    attempt: int = 0
    unstarted: int = 0
    lease_until: int = 0
    outcome: Mapping[str, Any] = field(default_factory=dict)
    outcome_key: str | None = None
    outcome_bytes: int = 0
    error: Mapping[str, Any] | None = None
    bill: Mapping[str, float] = field(default_factory=dict)
    name: str | None = None  # it and the tags as labels.py has them
    tags: Sequence[str] = ()
    callback_url: str | None = None  # called when the task ends; see callback_url.py

    @property
    def has_run(self) -> bool:
        """Whether an attempt before this one began to run, as far as anybody knows."""
        return self.attempt - 1 > self.unstarted

    @property
    def labels(self) -> dict[str, Any]:
        """The task's `name` and `tags`, where it has them."""
        named: dict[str, Any] = {"name": self.name} if self.name else {}
        return named | {"tags": list(self.tags)} if self.tags else named

    def evolve(self, **changes: Any) -> Task:  # noqa: ANN401 - the fields' own types
        """Return a copy with `changes` applied."""
        return replace(self, **changes)


def is_task_id(text: str) -> bool:
    """Return whether `text` has the form of a task id: a UUID in lower case (RFC 9562)."""
    return _UUID.fullmatch(text) is not None


def new_task_id() -> str:
    """Return a random task id, a UUID version 4 in its canonical form."""
    return str(uuid.uuid4())


def utc_now() -> datetime:
    """Return the present moment, aware and in UTC."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """Return `moment` in RFC 3339 with milliseconds and `Z`: `2026-01-31T12:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch_ms(moment: datetime) -> int:
    """Return `moment` as milliseconds since 1970."""
    return int(moment.timestamp() * 1000)
