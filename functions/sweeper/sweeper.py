"""The sweeper function: once a minute, sends lost messages again and fails tasks whose messages are dead letters.

A task that has not ended has a message in its lane's queue, or is being worked on, which is the same to SQS: a message
in flight. A message can be lost all the same: the api died between writing the row and sending; a duplicate was
acknowledged whose other then died with its worker; a worker died before it claimed what it had received, whose messages
stay hidden for half an hour. The sweeper looks at the tasks that are overdue, lane by lane, and sends for

- those whose worker let its lease run out a while ago: SQS delivers their messages again by itself, unless the worker
  died before it cut the messages' visibility timeout to its lease;
- all that wait, when no message of the lane waits for a receiver: what they wait for is not there;
- as many as the lane has fewer messages than overdue tasks, those first that have waited longest;
- those that were overtaken: sent longer than OVERTAKEN_AFTER before a task of the same lane and owner that a worker
  has. SQS delivers an owner's messages roughly in order, so theirs are gone, however many others there are.

A long queue by itself is no reason to send anything. A message sent in vain ends quietly at the worker, and a task
whose message is a dead letter is claimed by no other message: see store.py. Rows of newer code are left to newer code.

Besides, it ends API keys that were rotated once their time is over: see ending_keys.py.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import chain, islice
from time import sleep
from typing import TYPE_CHECKING, Any

from ending_keys import end_rotated_keys
from tasks.aws import dead_letter_queue, rotated_keys, task_queues, task_store
from tasks.errors import ATTEMPTS_EXHAUSTED, UnreadableTaskError
from tasks.logs import Event, Metric, logged, logger, measured
from tasks.queue import BATCH_SIZE, MalformedMessageError, Message
from tasks.submissions import SWEEP_AFTER
from tasks.table import Holder
from tasks.task import epoch_ms, utc_now

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from tasks.queue import TaskQueue
    from tasks.store import TaskStore
    from tasks.table import OpenTask, Standing
    from tasks.task import Lane, Task

MAX_COUNTED = 100_000  # overdue tasks listed in one run
MAX_CHECKED = 10_000  # overdue tasks whose rows are read in one run, the longest overdue first
MAX_YOUNG = 200  # tasks not overdue yet whose rows are read, for the newest that a worker has
MAX_SENT = 1_000  # messages sent again in one run, whatever for
MAX_FAILED = 1_000  # dead letters looked at in one run
DEAD_HIDDEN_SECONDS = 120  # more than a run takes to meet each dead letter once; they are shown again at its end
# Until a task whose message was sent again is looked at once more, should a worker die of that one too. A message that
# was received too little ago to have been claimed may be sent for twice; one of the two ends quietly.
PUT_OFF = timedelta(seconds=25)
OVERTAKEN_AFTER = timedelta(minutes=2)  # SQS keeps the order of standard queues only roughly
# A first message is sent within the api's 28 seconds after the submission; later ones say nothing about the order.
FIRST_DUE = SWEEP_AFTER + timedelta(seconds=28)
# A run that leaves tasks waiting, or sent for some, looks again: EventBridge calls no oftener than each minute, and a
# task whose message is held by a dead worker looks, until the last message was received, like one whose turn will come.
MOST_LOOKS = 3
PAUSE_SECONDS = 18  # from one look to the next; the next run begins 24 s after the third
SOON = timedelta(seconds=15)  # less than until the next look; most tasks have ended long before they are so old
LOOK_SECONDS = 15  # what a look may take; with less time left there is no other one


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one look found and did, in tasks.

    `waiting` are those overdue that were left to their messages, `soon` those that will be overdue at the next look.
    """

    overdue: int = 0
    waiting: int = 0
    soon: int = 0
    failed: int = 0
    sent: int = 0


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, int]:
    """Sweep. The answer is for an operator who invokes the function, and may send `{"looks": 1}`."""
    logger.append_keys(correlation_id=context.aws_request_id)  # of the lines that are about no task
    end_rotated_keys(rotated_keys(), utc_now())
    swept = look()
    for _ in range(1, event.get("looks", MOST_LOOKS)):
        left = context.get_remaining_time_in_millis() / 1000
        if not (swept.waiting or swept.soon or swept.sent) or left <= PAUSE_SECONDS + LOOK_SECONDS:
            break
        sleep(PAUSE_SECONDS)
        swept = look()
    return asdict(swept)


def look() -> Sweep:
    """Sweep once, and log what that was."""
    swept = sweep(task_store(), task_queues(), dead_letter_queue())
    # Without work there is nothing to measure: an idle system sends no metrics, for they cost.
    metrics = {Metric.SWEPT: [swept.sent], Metric.DEAD: [swept.failed]} if swept.sent or swept.failed else {}
    logger.info("Swept", event=Event.SWEPT, **asdict(swept), **(measured(metrics) if metrics else {}))
    return swept


def sweep(store: TaskStore, queues: Mapping[Lane, TaskQueue], dead_letters: TaskQueue) -> Sweep:
    """Fail the tasks whose messages are dead letters, then send the messages that are missing.

    Two sweeps at once are harmless: `fail_dead` and `reschedule` are conditional writes that only one of them wins.
    Raises UnavailableError; the next run continues where this one stopped.
    """
    now = utc_now()
    near = sorted(islice(store.open_tasks(due_before=now + SOON), MAX_COUNTED), key=lambda task: task.due_at)
    overdue = [task for task in near if task.due_at < epoch_ms(now)]
    soon = len(near) - len(overdue)
    if not overdue:
        return Sweep(soon=soon)  # An idle system costs this one look.
    failed = fail_dead_tasks(store, dead_letters)
    # Counted before the rows are read: what ends in between makes too few messages seem missing rather than too many.
    lengths = {lane: queue.length() for lane, queue in queues.items()}
    looked_at = overdue[:MAX_CHECKED]
    standings = store.standings([task.task_id for task in looked_at])
    sent = waiting = 0
    for lane, length in lengths.items():
        mine = [task for task in looked_at if task.task_id in standings and standings[task.task_id].lane == lane]
        dead = [task for task in mine if standings[task.task_id].holder is Holder.DEAD_WORKER]
        idle = [task for task in mine if standings[task.task_id].holder is Holder.NOBODY]
        missing = len(idle) if not length.waiting else max(0, len(mine) - length.held)
        lost = idle[:missing]
        if len(lost) < len(idle):
            newest = newest_held(store, lane, looked_at, standings)
            lost += [
                task
                for task in idle[missing:]
                if task.due_at < newest.get(standings[task.task_id].owner, 0) - _ms(OVERTAKEN_AFTER)
            ]
        gone = send_again(store, queues, [*dead, *lost], MAX_SENT - sent)
        sent += gone
        late = sum(standings[task.task_id].holder is Holder.LATE_WORKER for task in mine)
        waiting += len(dead) + late + len(idle) - gone
    return Sweep(len(overdue), waiting, soon, failed, sent)


def newest_held(
    store: TaskStore, lane: Lane, overdue: Sequence[OpenTask], standings: Mapping[str, Standing]
) -> dict[str, int]:
    """Return for each owner when the message was sent, in epoch ms, of the newest task of the lane that a worker has.

    A lower bound: the time of submission, and only of tasks that no second message was sent for.
    """
    young = list(islice(store.open_tasks(due_from=utc_now()), MAX_YOUNG))
    all_standings = {**standings, **store.standings([task.task_id for task in young])}
    newest: dict[str, int] = {}
    for task in [*overdue, *young]:
        standing = all_standings.get(task.task_id)
        if (
            standing is not None
            and standing.lane == lane
            and standing.holder is Holder.WORKER
            and task.due_at <= standing.submitted_ms + _ms(FIRST_DUE)
        ):
            newest[standing.owner] = max(standing.submitted_ms, newest.get(standing.owner, 0))
    return newest


def fail_dead_tasks(store: TaskStore, dead_letters: TaskQueue) -> int:
    """Fail the tasks whose messages are in the dead-letter queue; the messages stay there for an operator."""
    failed = 0
    handles = []
    for record in islice(chain.from_iterable(dead_letters.receive(DEAD_HIDDEN_SECONDS)), MAX_FAILED):
        handles.append(record["receiptHandle"])
        try:
            message = Message.of(record["body"])
        except MalformedMessageError as error:
            logger.error("A dead letter is not valid", event=Event.MESSAGE_MALFORMED, reason=str(error))
            continue
        try:
            task = store.fail_dead(message.task_id, ATTEMPTS_EXHAUSTED, message.send_id)
        except UnreadableTaskError:
            _log_unreadable(message.task_id)
            continue
        if task is not None:
            failed += 1
            logger.error(
                "Task failed: its message is in the dead-letter queue",
                event=Event.TASK_DEAD,
                task_id=task.task_id,
                correlation_id=task.correlation_id,
                attempt=task.attempt,
                status=task.status,
                code=ATTEMPTS_EXHAUSTED.code,
                **logged(task.labels),
            )
    dead_letters.hide(handles, 0)
    return failed


def send_again(store: TaskStore, queues: Mapping[Lane, TaskQueue], open_tasks: Iterable[OpenTask], most: int) -> int:
    """Send a message for each of the tasks that no worker holds, `most` of them at most; return how many were sent."""
    sent = 0
    tasks = _put_off(store, open_tasks)
    while group := list(islice(tasks, min(BATCH_SIZE, most - sent))):
        sent += sum(_sent(queues[lane], [task for task in group if task.lane == lane]) for lane in queues)
    return sent


def _put_off(store: TaskStore, open_tasks: Iterable[OpenTask]) -> Iterator[Task]:
    """Yield the tasks that are this sweep's to send for; the next look at them is put off."""
    for open_task in open_tasks:
        try:
            task = store.reschedule(open_task, utc_now() + PUT_OFF)
        except UnreadableTaskError:
            _log_unreadable(open_task.task_id)
            continue
        if task is not None:
            yield task


def _sent(queue: TaskQueue, tasks: Sequence[Task]) -> int:
    """Send for some tasks of a lane in one call; return for how many SQS took a message."""
    refused = queue.send_all([(task.task_id, task.owner, task.correlation_id) for task in tasks])
    sent = [task for task in tasks if task.task_id not in refused]
    for task in sent:
        logger.warning(
            "Message sent again",
            event=Event.TASK_SWEPT,
            task_id=task.task_id,
            correlation_id=task.correlation_id,
            attempt=task.attempt,
            status=task.status,
        )
    return len(sent)


def _log_unreadable(task_id: str) -> None:
    """Log a task that cannot be read: it must not keep the others from being swept."""
    logger.exception("A task cannot be read", event=Event.TASK_UNREADABLE, task_id=task_id)


def _ms(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)
