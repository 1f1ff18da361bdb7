"""`make purge OWNER=<id of an API key>`: remove what a key's tasks hold; those that have not ended are cancelled first.

For whoever handles other people's circuits and is asked to forget them. Works on the local stack and, with
`STACK=<name>`, on one in the cloud. Circuits, options, results, names, tags and callbacks' addresses go. Of each task
is left, until it expires, when it ended and what it had cost, and of the key how many tasks of what cost ended on which
day.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.deployed import deployed
from local.ministack import LocalStackError
from tasks.errors import UnavailableError
from tasks.purging import STOPS_WITHIN
from tasks.task import utc_now

if TYPE_CHECKING:
    from datetime import date

    from tasks.purging import Purging
    from tasks.store import TaskStore
    from tasks.usage import Usage

PAGE = 100
PATIENCE_S = STOPS_WITHIN.total_seconds() + 15
PAUSE_S = 3.0
LEFT = """
What else knows of them goes by itself: the logs' lines, which have names and tags, after LogRetentionDays; the table's
backups after 35 days; its stream after one; what a worker that had been frozen stores once it wakes, with the bucket's
objects after TaskRetentionDays; and callbacks in progress."""


@dataclass(frozen=True, slots=True)
class Purged:
    """How many tasks were purged, how many had to be cancelled before, and how many are left, as they run again."""

    tasks: int
    cancelled: int
    left: int = 0


def purge_owner(store: TaskStore, purging: Purging, usage: Usage, owner: str, today: date) -> Purged:
    """Purge all tasks of an owner and the tags of its usage; raises UnavailableError, and can be run again then.

    A task that is submitted meanwhile may be left: a key that is to be forgotten is withdrawn first.
    """
    purged = cancelled = 0
    stopping = []
    behind = None
    while True:
        page = store.page(owner, PAGE, behind=behind)
        for task in page.tasks:
            if not task.status.ended:
                cancelled += store.cancel(task.task_id, owner)
            if not purging.purge(task.task_id, owner):
                stopping.append(task.task_id)
            else:
                purged += 1
        behind = page.following
        if behind is None:
            break
    deadline = time.monotonic() + PATIENCE_S
    while stopping and time.monotonic() < deadline:  # their workers have a moment for it
        # A command that an operator waits for. Nothing tells it that a worker has stopped, so it asks again.
        time.sleep(PAUSE_S)
        still = [task_id for task_id in stopping if not purging.purge(task_id, owner)]
        purged += len(stopping) - len(still)
        stopping = still
    usage.forget_tags(owner, today)
    return Purged(purged, cancelled, len(stopping))


def main(arguments: list[str]) -> int:
    """Ask once more, purge, and print what was removed."""
    parser = argparse.ArgumentParser(prog="make purge", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("owner", help="the id of the API key, as `owner` in the log's lines")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    given = parser.parse_args(arguments)
    stack = deployed(os.environ.get("STACK", ""))
    if not given.yes:
        print(f"This removes all circuits and results of the key {given.owner!r} in {stack.name}, for good.")
        if input("Type its id again to go on: ").strip() != given.owner:
            print("Nothing was removed.")
            return 1
    purged = purge_owner(stack.task_store(), stack.purging(), stack.usage(), given.owner, utc_now().date())
    print(f"{purged.tasks} tasks were purged, {purged.cancelled} of which were cancelled for it.{LEFT}")
    if purged.left:
        print(f"{purged.left} tasks are left, as they were given to workers again meanwhile: run this once more.")
    return 1 if purged.left else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LocalStackError as error:
        sys.exit(str(error))
    except UnavailableError as error:
        sys.exit(f"{error}. Run it again: what was purged is purged.")
    except EOFError:
        sys.exit("Nothing was removed.")
