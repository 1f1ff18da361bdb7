"""The notifier function: changes of the tasks table in; sums, events on the bus, and messages for callback.py, out.

The table's stream is an outbox: a change is in it exactly when it is in the table, so every change of a
task is published, and what writes a task does nothing for it. Lambda repeats a batch until it succeeds or is 24 hours
old, so an event can be published twice; its `event_id` is the same then. Sums have each change once (sums.py).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from open_changes import open_changes
from shards import ANSWER, shard_of
from sums import SumRows
from tasks.aws import callback_queue, client
from tasks.logs import Event, logger
from tasks.queue import group_of
from tasks.rows import tags_in
from tasks.settings import settings
from tasks.task import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_events import EventBridgeClient

    from tasks.queue import Queue

SOURCE = "quantum-circuits-api"
DETAIL_TYPE = "Task State Change"
VERSION = 1  # of the event's detail and the callback's message
BATCH_SIZE = 10  # most entries in one call of EventBridge


class NotSentError(Exception):
    """EventBridge or SQS took only a part; Lambda delivers the whole batch again."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a task's history, when it was written. `number` counts the lines of that history from 1."""

    number: int
    task_id: str
    owner: str
    status: Status
    transitioned_at: str
    submitted_at: str
    correlation_id: str
    error_code: str | None
    callback_url: str | None
    name: str | None
    tags: Sequence[str]

    @property
    def event_id(self) -> str:
        """What tells the change from all others, always the same for the same one."""
        return f"{self.task_id}_{self.number}"

    def as_dict(self) -> dict[str, Any]:
        """Return what anyone who may know of the task may receive: no circuit, no counts, no key."""
        return {
            "task_id": self.task_id,
            "status": str(self.status),
            "transitioned_at": self.transitioned_at,
            "submitted_at": self.submitted_at,
            "correlation_id": self.correlation_id,
            **({"error_code": self.error_code} if self.error_code else {}),
            **({"name": self.name} if self.name else {}),
            **({"tags": list(self.tags)} if self.tags else {}),
        }


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Add up and publish the changes; raises when one could not be: Lambda then calls again with the same records."""
    logger.append_keys(correlation_id=context.aws_request_id)  # of the lines that are about no task
    records = event.get("Records", [])
    found = list(changes(records))
    # First: should the bus not answer for hours, keys are not refused for tasks that ended long ago.
    SumRows(client("dynamodb"), settings().tasks_table, shard_of(event)).add(open_changes(records))
    if settings().publish_events == "yes":
        publish(client("events"), settings().task_event_bus, found)
    ask_for_callbacks(callback_queue(), found)
    logger.info("Changes were published", event=Event.CHANGES_PUBLISHED, changes=len(found), records=len(records))
    return dict(ANSWER)


def changes(records: Sequence[Mapping[str, Any]]) -> Iterator[Change]:
    """Yield the changes of state among the stream's records; a heartbeat, for example, is none.

    A record that cannot be read is logged and passed over: it would hold up all that come after it.
    """
    for record in records:
        try:
            change = _change(record["dynamodb"])
        except (KeyError, ValueError):
            sequence_number = record.get("dynamodb", {}).get("SequenceNumber")
            logger.exception("A record is not valid", event=Event.RECORD_MALFORMED, sequence_number=sequence_number)
            continue
        if change is not None:
            yield change


def _change(written: Mapping[str, Any]) -> Change | None:
    new = written["NewImage"]
    if "status_history" not in new:
        return None  # not a task's row
    number = len(new["status_history"]["L"])
    if number == len(written.get("OldImage", {}).get("status_history", {}).get("L", ())):
        return None
    last = new["status_history"]["L"][-1]["M"]
    return Change(
        number=number,
        task_id=new["task_id"]["S"],
        owner=new["owner"]["S"],
        status=Status(last["status"]["S"]),
        transitioned_at=last["transitioned_at"]["S"],
        submitted_at=new["submitted_at"]["S"],
        correlation_id=new["correlation_id"]["S"],
        error_code=json.loads(new["error"]["S"])["code"] if "error" in new else None,
        callback_url=new.get("callback_url", {}).get("S"),
        name=new.get("name", {}).get("S"),
        tags=tags_in(new),
    )


def publish(events: EventBridgeClient, bus: str, found: Sequence[Change]) -> None:
    """Put an event for each change on the bus; raises NotSentError, and boto's errors."""
    for chunk in _chunks(found):
        answer = events.put_events(
            Entries=[
                {
                    "EventBusName": bus,
                    "Source": SOURCE,
                    "DetailType": DETAIL_TYPE,
                    "Detail": json.dumps(
                        {
                            "version": VERSION,
                            "event_id": change.event_id,
                            "owner": change.owner,
                            **change.as_dict(),
                        }
                    ),
                }
                for change in chunk
            ]
        )
        if answer["FailedEntryCount"]:
            codes = {entry["ErrorCode"] for entry in answer["Entries"] if "ErrorCode" in entry}
            raise NotSentError(f"EventBridge did not take {answer['FailedEntryCount']} events: {sorted(codes)}")


def ask_for_callbacks(queue: Queue, found: Sequence[Change]) -> None:
    """Send a message for each task that ended and wants its owner called; raises NotSentError, UnavailableError.

    The message holds the very body of the call, so that every attempt sends the same.
    """
    wanted = [change for change in found if change.callback_url and change.status.ended]
    bodies, groups = [_message(change) for change in wanted], [group_of(change.owner) for change in wanted]
    if refused := queue.send_bodies(bodies, groups):
        raise NotSentError(f"SQS did not take {len(refused)} messages")
    for change in wanted:
        logger.info(
            "A callback was asked for",
            event=Event.CALLBACK_QUEUED,
            task_id=change.task_id,
            correlation_id=change.correlation_id,
            webhook_id=change.event_id,
        )


def _message(change: Change) -> str:
    payload = {"type": f"task.{change.status}", "timestamp": change.transitioned_at, "data": change.as_dict()}
    return json.dumps(
        {
            "version": VERSION,
            "webhook_id": change.event_id,
            "owner": change.owner,
            "callback_url": change.callback_url,
            "body": json.dumps(payload, separators=(",", ":")),
        }
    )


def _chunks(found: Sequence[Change]) -> Iterator[Sequence[Change]]:
    return (found[start : start + BATCH_SIZE] for start in range(0, len(found), BATCH_SIZE))
