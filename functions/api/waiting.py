"""Answers that wait for a task's end, and `Retry-After` for clients that poll.

A wait occupies an environment of the function, so its time and the number of waits are bounded. An answer that waits
for longer than FIRST_PAUSE holds one of the places of tasks/places.py; most tasks have ended by then and need none.
The pauses between reads of the row grow: a wait of 20 seconds makes 24 reads.
"""

from __future__ import annotations

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
# No library in use reads `Prefer`.
_WAIT = re.compile(r'wait\s*=\s*(?:"0*(\d+)"|0*(\d+))', re.ASCII | re.IGNORECASE)
_MANY_DIGITS = 9


def wait_seconds(prefer: Sequence[str], most: int) -> int:
    """Return for how many seconds the headers `Prefer` ask to wait (RFC 7240), at most `most`; 0 if they do not ask.

    The first `wait` counts. A malformed one, such as `wait=-1`, is ignored, as the RFC requires of unknown preferences.
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
    """Return the task when `until` holds for it, or as it is at `deadline` on time.monotonic's clock.

    The deadline counts from the request's arrival (RFC 7240, 4.3), so the time to store the task is part of the wait.
    `place` takes one of the places for a number of seconds. If none is free, the task is returned as it is after
    FIRST_PAUSE, with False.
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
        return task, True  # the earlier read still answers the request


def retry_after(task: Task, queues: Backlog) -> int:
    """Return after how many seconds a client should read an unfinished task again: 1 to LONGEST_RETRY_AFTER."""
    if task.status is Status.PROCESSING:
        since = datetime.fromisoformat(task.status_history[-1].transitioned_at)
        estimated = task.estimated_seconds
    else:
        since = datetime.fromisoformat(task.submitted_at)
        estimated = queues.seconds(task.lane) + task.estimated_seconds
    passed = (utc_now() - since).total_seconds()
    # A task that has outlived its estimate is expected to take as long again; the client should return halfway.
    seconds = max(estimated - passed if task.status is Status.PROCESSING else estimated, passed / 2)
    return max(1, min(math.ceil(seconds), LONGEST_RETRY_AFTER))
