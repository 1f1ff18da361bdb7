"""MiniStack behind a guard, and what the local stack needs of it and it (1.5.33) leaves out.

On AWS an update is in the table's stream however it was made. MiniStack leaves out those made by PartiQL statements,
with which workers claim and end tasks. And on AWS the API answers OPTIONS, by which a browser asks what it may send;
MiniStack answers in its place that any web page may send anything. A call of a function goes on when nobody waits for
its answer any more; on AWS that costs its time, here it keeps a process. What it cannot save it passes over. And it
hands out messages in the order in which they came, whoever sent them.
"""

from __future__ import annotations

import copy
import os
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ministack import app
from ministack.core import lambda_runtime, persistence
from ministack.services import dynamodb, sqs

from local import state
from local.fair_queues import FairQueue
from local.guard import API, TICKET, guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


STREAM_SECONDS = 300


def stream_statements() -> None:
    """Let updates by PartiQL statements be in the stream like all others."""
    update = dynamodb._partiql_update  # noqa: SLF001 - there is no public way

    def update_and_emit(table: dict[str, Any], parsed: Any, data: Any = None) -> Any:  # noqa: ANN401 - MiniStack's own
        key, sort_key, _, error = dynamodb._partiql_key_target(table, parsed)  # noqa: SLF001
        if error:
            return update(table, parsed, data)
        before = copy.deepcopy(table["items"].get(key, {}).get(sort_key))
        answer = update(table, parsed, data)
        if before is not None:
            after = copy.deepcopy(table["items"][key][sort_key])
            dynamodb._emit_stream_event(table["TableName"], "MODIFY", before, after)  # noqa: SLF001 - if it differs
        return answer

    dynamodb._partiql_update = update_and_emit  # noqa: SLF001


def forget_read_records() -> None:
    """Keep the stream's records for minutes, not a day: they are in memory, and the notifier reads every second."""
    dynamodb._STREAM_RETENTION_SECONDS = STREAM_SECONDS  # noqa: SLF001 - there is no public way


def hand_out_fairly() -> None:
    """Let standard queues serve quiet senders first, as SQS does where messages have a group."""
    collect = sqs._collect_msgs  # noqa: SLF001 - there is no public way
    queues: defaultdict[str, FairQueue] = defaultdict(FairQueue)

    def collect_fairly(queue: dict[str, Any], most: int, hidden_seconds: int) -> Any:  # noqa: ANN401 - MiniStack's own
        if queue["is_fifo"]:
            return collect(queue, most, hidden_seconds)
        fair = queues[queue["attributes"]["QueueArn"]]
        with fair.lock:
            now = time.time()
            waiting = fair.waiting(queue["messages"], now)
            # It takes the first of what it is given, and changes these.
            received = collect({**queue, "messages": waiting[:most]}, most, hidden_seconds)
            fair.received(received, now)
        return received

    sqs._collect_msgs = collect_fairly  # noqa: SLF001


def leave_options_to_the_api() -> None:
    """Let the API answer OPTIONS at its addresses, or API Gateway refuse it."""
    answer = app._handle_options_request  # noqa: SLF001 - there is no public way

    def answer_elsewhere(method: str, path: str, *more: Any) -> Any:  # noqa: ANN401 - MiniStack's own
        return None if path.startswith(API) else answer(method, path, *more)

    app._handle_options_request = answer_elsewhere  # noqa: SLF001


class Save:
    """How the state is saved at the end: whole, or not at all."""

    failure: OSError | None = None

    def whole(self, services: Mapping[str, Callable[[], Any]]) -> None:
        """Save all services, in place of MiniStack's own function, which goes on after an error."""
        try:
            state.save_whole(Path(persistence.STATE_DIR), services, self._one)
        except OSError as failure:
            self.failure = failure

    def _one(self, folder: Path, name: str, now: Any) -> None:  # noqa: ANN401 - MiniStack's own
        persistence.STATE_DIR = str(folder)
        try:
            persistence.save_state(name, now)
        finally:
            persistence.STATE_DIR = str(folder.parent)
        if not (folder / f"{name}.json").exists():
            raise OSError(f"The state of {name} was not saved.")


class Calls:
    """The calls of functions under way that have a ticket, each with the environment that serves it."""

    def __init__(self) -> None:
        self._serving: dict[str, Any] = {}
        self._left: set[str] = set()

    def watch(self) -> None:
        """Take note of every call from now on."""
        invoke = lambda_runtime.Worker.invoke

        def invoke_noted(environment: Any, event: Any, *more: Any, **named: Any) -> Any:  # noqa: ANN401 - MiniStack's own
            headers = event.get("headers") if isinstance(event, dict) else None
            ticket = (headers or {}).get(TICKET)
            if ticket is None:
                return invoke(environment, event, *more, **named)
            ended = {"status": "error", "error": "Its client has left.", "log": ""}
            self._serving[ticket] = environment
            try:
                return ended if ticket in self._left else invoke(environment, event, *more, **named)
            except RuntimeError:  # it ended while it started; MiniStack would now end all of the function's
                if ticket in self._left:
                    return ended
                raise
            finally:
                del self._serving[ticket]
                self._left.discard(ticket)

        lambda_runtime.Worker.invoke = invoke_noted

    def end(self, ticket: str) -> None:
        """End a call with its environment's process, or before it begins."""
        self._left.add(ticket)
        if environment := self._serving.get(ticket):
            lambda_runtime._signal(environment._proc)  # noqa: SLF001 - there is no public way


if __name__ == "__main__":
    calls = Calls()
    calls.watch()
    stream_statements()
    forget_read_records()
    hand_out_fairly()
    leave_options_to_the_api()
    app.app = guarded(app.app, os.environ["AWS_SESSION_TOKEN"], calls.end)
    saving = Save()
    app.save_all = saving.whole
    app.main()
    if saving.failure is not None:
        sys.exit(str(saving.failure))
