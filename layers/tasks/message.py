"""The message of a task: what a queue carries to say that a worker should look at the task's row."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any

from tasks.task import is_task_id

MESSAGE_VERSION = 1


class MalformedMessageError(Exception):
    """The message was not written by this system, or by a version of it that this one does not know."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message: the task's id, and what tells this sending from all others of the same task.

    `send_id` outlives the dead-letter queue and its redrive, which give a message a new id of SQS's. It is empty in
    messages of before there were any.
    """

    task_id: str
    send_id: str = ""

    @classmethod
    def of(cls, body: str) -> Message:
        """Read a message's body; raises MalformedMessageError."""
        try:
            given: Any = json.loads(body)
        except ValueError as error:
            raise MalformedMessageError("not JSON") from error
        if not isinstance(given, dict) or not is_task_id(str(given.get("task_id"))):
            raise MalformedMessageError("no task_id")
        version = given.get("version", MESSAGE_VERSION)
        if not isinstance(version, int) or version > MESSAGE_VERSION:
            raise MalformedMessageError("a newer version")
        return cls(str(given["task_id"]), str(given.get("send_id", ""))[:32])

    @classmethod
    def new(cls, task_id: str) -> Message:
        """Return a message that no other is like."""
        return cls(task_id, secrets.token_hex(6))

    @property
    def body(self) -> str:
        """The message as text."""
        fields = {"version": MESSAGE_VERSION, "task_id": self.task_id, "send_id": self.send_id}
        return json.dumps(fields, separators=(",", ":"))
