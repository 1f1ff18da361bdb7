"""The worker's second entry point: a job of AWS Batch that works on the large lane until nothing waits there.

The same messages, claims, leases and children as in Lambda, which ends a function after 15 minutes and gives it 10 GB
at most: `python3 job.py` in the worker's image. The launcher function starts it.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from typing import TYPE_CHECKING

from children import Children
from tasks.aws import task_queues, task_store
from tasks.logs import Event, logger
from tasks.settings import optional, settings
from tasks.task import Lane
from worker import SAFETY_SECONDS, WORKER, Batch

if TYPE_CHECKING:
    from tasks.queue import TaskQueue

WAIT_SECONDS = 1  # for a message: a client here gives up on a call after 2 s


def main() -> int:
    """Work until no message comes; return the exit status."""
    # Process 1 of a container ignores SIGTERM without a handler. After the lease another worker runs its task again.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    limits = settings()
    with contextlib.closing(
        Children(0, memory_mb=limits.large_worker_memory_mb, time_limit_s=limits.large_time_limit_seconds)
    ) as children:
        tasks = drain(task_queues()[Lane.LARGE], children)
    logger.info("No more tasks wait", event=Event.JOB_ENDED, tasks=tasks)
    return 0


def drain(queue: TaskQueue, children: Children, wait_seconds: int = WAIT_SECONDS) -> int:
    """Work on one message after the other, each with all of the memory and cores; return how many there were."""
    # As in the worker's handler; the job's id, which only AWS Batch gives, is that of the lines that are about no task.
    job = optional("AWS_BATCH_JOB_ID") or WORKER
    logger.append_keys(worker=WORKER, memory_mb=children.limits.memory_mb, correlation_id=job)
    done = 0
    while (record := queue.next_record(wait_seconds)) is not None:
        deadline = time.monotonic() + settings().large_time_limit_seconds + SAFETY_SECONDS
        batch = Batch(
            task_store(),
            task_queues(),
            Lane.LARGE,
            children,
            deadline,
            lease_seconds=settings().lease_seconds,
            large_time_limit_s=settings().large_time_limit_seconds,
        )
        if not batch.work([record]):
            queue.delete(record["receiptHandle"])
        if batch.useless and not batch.judged:
            logger.critical("This job cannot run circuits; it ends", event=Event.ENVIRONMENT_ENDED)
            sys.exit(1)
        done += 1
    return done


if __name__ == "__main__":
    sys.exit(main())
