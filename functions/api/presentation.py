"""How a task is shown to its owner: the body of the HTTP contract, and the entity tag that changes with it."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from tasks.task import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.task import Task

MESSAGES = {  # by status; a failed task's is its error's
    Status.PENDING: "Task is still in progress.",
    Status.PROCESSING: "Task is still in progress.",
    Status.COMPLETED: "Task completed successfully.",
    Status.CANCELLED: "Task was cancelled.",
}
SHOWN_AS = {  # the statuses that a task can have, by the status that is shown
    "pending": {Status.PENDING, Status.PROCESSING},
    **{str(status): {status} for status in Status if status.ended},
}
# No library in use reads this header. werkzeug.http reads entity tags as this does (a test compares the two), but its
# import takes 14 ms of a cold start of 290.
_ETAG = re.compile(r'\s*(?:W/)?("[^"]*"|\*)\s*(?:,|$)')


def shown(task: Task) -> dict[str, Any]:
    """Return the body that shows a task to its owner, as the HTTP contract has it."""
    body: dict[str, Any] = {
        "task_id": task.task_id,
        "status": Status.PENDING if task.status is Status.PROCESSING else task.status,
        "message": task.error["message"] if task.error else MESSAGES[task.status],
        "submitted_at": task.submitted_at,
        "status_history": [line.as_dict() for line in task.status_history],
        "correlation_id": task.correlation_id,
        "shots": task.shots,
        **task.labels,
        **task.outcome,
    }
    if task.error:
        body["error"] = dict(task.error)
    if task.bill and task.status in {Status.FAILED, Status.CANCELLED}:  # a completed one has it in its outcome
        body["execution"] = {"attempt": task.attempt, **task.bill}
    return body


def etag_of(task: Task) -> str:
    """Return the entity tag of a task as it is shown (RFC 9110, 8.8.3).

    Every change of a task adds a line to its history, so the tag needs neither the outcome nor an address that expires;
    a cancelled task alone gets its bill later, from the worker that it stops.
    """
    shown: list[Any] = [task.task_id, [line.as_dict() for line in task.status_history]]
    if task.status is Status.CANCELLED and task.bill:
        shown.append(dict(task.bill))
    return f'"{hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:32]}"'


def known(if_none_match: Sequence[str], etag: str) -> bool:
    """Return whether `If-None-Match` contains this entity tag, or `*` for any (RFC 9110, 13.1.2)."""
    return not {etag, "*"}.isdisjoint(_ETAG.findall(",".join(if_none_match)))
