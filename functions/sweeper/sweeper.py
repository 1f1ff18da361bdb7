"""The sweeper function: once a minute, what fell between the table and the queue.

A task that has not ended has a message in the queue, or is being worked on, which is the same to SQS: a message in
flight. So when there are more open tasks than messages, some task's message is gone: it was never sent (the api died
between writing the row and sending), or was acknowledged as a duplicate of an attempt that then died. The sweeper sends
as many messages as are missing, for the tasks that have waited longest, and no more: a long queue is no reason to send
anything. A message sent in vain ends quietly at the worker.

A task whose lease ran out a while ago was being worked on by a worker that died. SQS delivers its message again by
itself, unless the worker died before it shortened the message's visibility timeout; so these are sent for in any case.

A worker can also die, or be cut off, before it claimed what it received: the task is still pending and its message
hidden, for half an hour. From here that looks like a task being worked on. But when no message waits in any queue,
a task that has been pending this long has no other explanation, and is sent for too.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from tasks.aws import dead_letter_queue, task_queues, task_store
from tasks.errors import ATTEMPTS_EXHAUSTED
from tasks.logs import Event, logger
from tasks.metrics import Metric, measured
from tasks.queue import MalformedMessageError, task_id_of
from tasks.task import utc_now

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from tasks.queue import TaskQueue
    from tasks.store import TaskStore
    from tasks.table import OpenTask
    from tasks.task import Lane

MAX_COUNTED = 100_000  # open tasks looked at in one run; with more, what is missing waits until there are fewer
MAX_CHECKED = 10_000  # overdue tasks whose leases are read in one run, the longest overdue first
MAX_SENT = 1_000  # messages sent again in one run
MAX_BURIED = 1_000  # dead messages looked at in one run
DEAD_HIDDEN_SECONDS = 120  # more than a run takes to meet each dead message once; they are shown again at its end
PUT_OFF = timedelta(seconds=50)  # a task whose message was sent again is looked at again in the next run


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one run found and did, in tasks."""

    overdue: int = 0
    open: int = 0
    buried: int = 0
    sent: int = 0


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001 - Lambda's signature
    """Sweep once; the answer is for whoever invokes the function by hand."""
    logger.append_keys(correlation_id=context.aws_request_id)  # of the lines that are about no task
    swept = sweep(task_store(), task_queues(), dead_letter_queue())
    # Without work there is nothing to measure: an idle system sends no metrics, for they cost.
    metrics = {Metric.SWEPT: [swept.sent], Metric.DEAD: [swept.buried]} if swept.sent or swept.buried else {}
    logger.info("Swept", event=Event.SWEPT, **asdict(swept), **(measured(metrics) if metrics else {}))
    return asdict(swept)


def sweep(store: TaskStore, queues: Mapping[Lane, TaskQueue], dead_letters: TaskQueue) -> Sweep:
    """Bury the tasks whose messages died, then send the messages that are missing.

    Two sweeps at once are harmless: `bury` and `reschedule` are conditional writes that only one of them wins. Raises
    UnavailableError; the next run goes on where this one stopped.
    """
    overdue = sorted(islice(store.open_tasks(due_before=utc_now()), MAX_COUNTED), key=lambda task: task.due_at)
    if not overdue:
        return Sweep()  # An idle system costs this one look.
    buried = bury_dead(store, dead_letters)
    held = sum(queue.size() for queue in queues.values())
    abandoned = store.abandoned([task.task_id for task in overdue[:MAX_CHECKED]])
    sent = send_again(store, queues, [task for task in overdue if task.task_id in abandoned], len(abandoned))
    # Counted after the messages, so that tasks submitted meanwhile make the count too high rather than too low: that
    # costs a needless message for an overdue task, where the reverse would leave one without.
    open_count = sum(1 for _ in islice(store.open_tasks(), MAX_COUNTED))
    waiting = [task for task in overdue if task.task_id not in abandoned]
    missing = open_count - held - sent
    if missing < len(waiting) and not any(queue.waiting() for queue in queues.values()):
        missing = len(waiting)  # those that a worker holds are passed over
    sent += send_again(store, queues, waiting, min(missing, MAX_SENT))
    return Sweep(len(overdue), open_count, buried, sent)


def bury_dead(store: TaskStore, dead_letters: TaskQueue) -> int:
    """Fail the tasks whose messages are in the dead-letter queue; the messages stay there for an operator."""
    buried = 0
    handles = []
    for body, handle in islice(dead_letters.receive(DEAD_HIDDEN_SECONDS), MAX_BURIED):
        handles.append(handle)
        try:
            task_id = task_id_of(body)
        except MalformedMessageError as error:
            logger.error("A dead message is not one of ours", event=Event.MESSAGE_MALFORMED, reason=str(error))
            continue
        task = store.bury(task_id, ATTEMPTS_EXHAUSTED)
        if task is not None:
            buried += 1
            logger.error(
                "Task failed: its message died",
                event=Event.TASK_DEAD,
                task_id=task_id,
                correlation_id=task.correlation_id,
                attempt=task.attempt,
                status=task.status,
                code=ATTEMPTS_EXHAUSTED.code,
            )
    dead_letters.hide(handles, 0)
    return buried


def send_again(store: TaskStore, queues: Mapping[Lane, TaskQueue], open_tasks: Iterable[OpenTask], most: int) -> int:
    """Send a message for each of the tasks that no worker holds, `most` of them at most; return how many were sent."""
    sent = 0
    for open_task in open_tasks:
        if sent >= most:
            break
        task = store.reschedule(open_task, utc_now() + PUT_OFF)
        if task is None:
            continue
        queues[task.lane].send(task.task_id, task.correlation_id)
        sent += 1
        logger.warning(
            "Message sent again",
            event=Event.TASK_SWEPT,
            task_id=task.task_id,
            correlation_id=task.correlation_id,
            attempt=task.attempt,
            status=task.status,
        )
    return sent
