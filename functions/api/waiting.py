"""What spares clients polling: answers that wait for a task's end, when to come back, and what has not changed.

Waiting costs an environment of the function for as long, so its time is bounded, and so is how many wait at a time: who
waits for longer than FIRST_PAUSE holds one of the places of tasks/waits.py. Most tasks have ended by then, and cost no
call for it. While a wait lasts the row is read less and less often: 24 reads in 20 seconds.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from asyncio import sleep
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING

from tasks.errors import UnavailableError
from tasks.task import Status, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from tasks.queue import Backlog
    from tasks.task import Task

FIRST_PAUSE = 0.1  # seconds; a small circuit takes less
LONGER = 1.5
LONGEST_PAUSE = 1.0
LONGEST_RETRY_AFTER = 60
# No library reads these two headers: werkzeug.http, the well-kept one, reads entity tags as this does (a test compares
# them), but it knows no Prefer, and importing it takes 14 ms of a cold start of 290.
_WAIT = re.compile(r'wait\s*=\s*(?:"0*(\d+)"|0*(\d+))', re.ASCII | re.IGNORECASE)
_MANY_DIGITS = 9
_ETAG = re.compile(r'\s*(?:W/)?("[^"]*"|\*)\s*(?:,|$)')


def wait_seconds(prefer: Sequence[str], most: int) -> int:
    """Return how long to wait for the headers `Prefer` (RFC 7240), at most `most`; 0 without a preference to wait.

    Of several only the first counts. One that is malformed, `wait=-1` for instance, is passed over, as that document
    asks for preferences that a server does not know.
    """
    for preference in ",".join(prefer).split(","):
        token = preference.split(";")[0].strip()
        if re.match(r"wait\b", token, re.IGNORECASE):
            match = _WAIT.fullmatch(token)
            digits = (match[1] or match[2]) if match else "0"
            return most if len(digits) > _MANY_DIGITS else min(int(digits), most)
    return 0


async def waited(
    read: Callable[[], Task],
    deadline: float,
    until: Callable[[Task], bool],
    place: Callable[[float], AbstractContextManager[bool]],
) -> tuple[Task, bool]:
    """Return the task once it is as `until` says, or as it is at `deadline`, on time.monotonic's clock.

    That is so long after the request's arrival (RFC 7240, 4.3): what storing the task took is not waited a second time.
    `place` holds a place for waiting some seconds. Without one the task is returned as it is after FIRST_PAUSE,
    with False.
    """
    task = read()
    if until(task) or (left := deadline - monotonic()) <= 0:
        return task, True
    await sleep(min(FIRST_PAUSE, left))
    try:
        task = read()
        if until(task) or (left := deadline - monotonic()) <= 0:
            return task, True
        with place(left) as held:
            pause = FIRST_PAUSE * LONGER
            while held and not until(task) and (left := deadline - monotonic()) > 0:
                await sleep(min(pause, left))
                pause = min(pause * LONGER, LONGEST_PAUSE)
                task = read()
            return task, held
    except UnavailableError:
        return task, True  # what was read before still is an answer


def etag_of(task: Task) -> str:
    """Return the entity tag of a task as it is shown (RFC 9110, 8.8.3).

    Whatever changes a task adds a line to its history, so the outcome need not be loaded for it, and an address that
    expires is no part of it.
    """
    history = [line.as_dict() for line in task.status_history]
    return f'"{hashlib.sha256(json.dumps([task.task_id, history]).encode()).hexdigest()[:32]}"'


def known(if_none_match: Sequence[str], etag: str) -> bool:
    """Return whether the client's `If-None-Match` names this entity tag, or any by `*` (RFC 9110, 13.1.2)."""
    return not {etag, "*"}.isdisjoint(_ETAG.findall(",".join(if_none_match)))


def retry_after(task: Task, queues: Backlog) -> int:
    """Return in how many seconds it is worth asking for an unfinished task again, 1 to LONGEST_RETRY_AFTER."""
    if task.status is Status.PROCESSING:
        since = datetime.fromisoformat(task.status_history[-1].transitioned_at)
        estimated = task.estimated_seconds
    else:
        since = datetime.fromisoformat(task.submitted_at)
        estimated = queues.seconds(task.lane) + task.estimated_seconds
    passed = (utc_now() - since).total_seconds()
    # What has outlived its estimate will take about as long again, as far as anybody knows; asking halfway is enough.
    seconds = max(estimated - passed if task.status is Status.PROCESSING else estimated, passed / 2)
    return max(1, min(math.ceil(seconds), LONGEST_RETRY_AFTER))
