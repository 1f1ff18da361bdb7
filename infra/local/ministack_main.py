"""MiniStack behind a guard, and what the local stack needs of it and it (1.5.33) leaves out.

On AWS an update is in the table's stream however it was made. MiniStack leaves out those made by PartiQL statements,
with which workers claim and end tasks. And on AWS the API answers OPTIONS, by which a browser asks what it may send;
MiniStack answers in its place that any web page may send anything. A call of a function continues when nobody waits for
its answer any more; on AWS that costs its time, here it keeps a process. What it cannot save it passes over. It hands
out messages in the order in which they came, whoever sent them. It does nothing else while a function reads a table's
stream. It disables no API key. Its log groups grow without end, and it keeps an environment of each function for ever.
"""

from __future__ import annotations

import copy
import logging
import os
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ministack import app
from ministack.core import lambda_runtime, persistence
from ministack.services import apigateway_v1, cloudwatch_logs, dynamodb, lambda_svc, sqs

from local import state
from local.fair_queues import FairQueue
from local.guard import API, TICKET, guarded
from local.ministack import end_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


STREAM_SECONDS = 300
STREAM_PAUSE_SECONDS = 1.0  # MaximumBatchingWindowInSeconds of the notifier's mapping, which MiniStack passes over
# Of each log group: an hour of a few tasks a second, about 100 MB.
MOST_LINES_KEPT = 200_000
# A stream without lines, for `make logs`: its last time is that of the last deleted line.
NO_LONGER_KEPT = "no-longer-kept"
# Part of the name of the api's function, which CloudFormation makes of the logical id in template.yaml.
API_FUNCTION = "-ApiFunction-"


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


def read_streams_aside() -> None:
    """Read the tables' streams in a thread of its own, after the pause that their mappings ask for at the most.

    MiniStack hands over a stream's records as soon as they are written, and reads no queue until the function returns.
    """
    read = lambda_svc._poll_dynamodb_streams  # noqa: SLF001 - there is no public way
    lambda_svc._poll_dynamodb_streams = lambda: False  # noqa: SLF001

    def read_all() -> None:
        pause = threading.Event()
        while not pause.wait(STREAM_PAUSE_SECONDS):
            try:
                while read():
                    pass
            except Exception:
                logging.getLogger(__name__).exception("The streams could not be read")

    threading.Thread(target=read_all, name="streams", daemon=True).start()


def disable_keys() -> None:
    """Let a patch of an API key's `enabled` say what it says: MiniStack keeps the text "false", which is true."""
    update = apigateway_v1._update_api_key  # noqa: SLF001 - there is no public way

    def update_typed(key_id: str, data: dict[str, Any]) -> Any:  # noqa: ANN401 - MiniStack's own
        for operation in data.get("patchOperations", []):
            if operation.get("path") == "/enabled":
                operation["value"] = str(operation["value"]).lower() == "true"
        return update(key_id, data)

    apigateway_v1._update_api_key = update_typed  # noqa: SLF001


def hand_out_fairly() -> None:
    """Let standard queues serve quiet owners first, as SQS does where messages have a group."""
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


def let_idle_environments_go() -> None:
    """Let each environment go that did nothing for LAMBDA_WARM_TTL_SECONDS, a function's last one too.

    Only the api keeps one (90 MB): a page that is opened after a pause would wait a second and more for a new one.
    """

    def let_go() -> int:
        now = time.time()
        idle = []
        with lambda_runtime._lock:  # noqa: SLF001 - there is no public way
            for environments in lambda_runtime._workers.values():  # noqa: SLF001
                for environment in list(environments):
                    if environment.in_use:
                        environment.last_used = now  # else it would be idle since its call began
                    elif now - environment.last_used >= lambda_runtime._LOCAL_WORKER_TTL:  # noqa: SLF001
                        if len(environments) == 1 and API_FUNCTION in environment.func_name:
                            continue
                        environments.remove(environment)
                        idle.append(environment)
        lambda_runtime.kill_workers(idle)
        return len(idle)

    lambda_svc.reap_idle_workers = let_go


class Kept:
    """How many lines each log group holds. An invocation has a stream of its own; the oldest streams are deleted."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lines: dict[str, int] = {}
        self._lock = threading.Lock()

    def watch(self) -> None:
        """Bound what the functions' invocations write from now on."""
        emit = lambda_svc._emit_lambda_logs  # noqa: SLF001 - there is no public way

        def emit_bounded(function: dict[str, Any], *more: Any, **named: Any) -> None:  # noqa: ANN401 - MiniStack's own
            with self._lock:  # so that the newest stream is this one's
                emit(function, *more, **named)
                config = function.get("config") or function
                default = f"/aws/lambda/{config.get('FunctionName')}"
                self.bound((config.get("LoggingConfig") or {}).get("LogGroup") or default)

        lambda_svc._emit_lambda_logs = emit_bounded  # noqa: SLF001

    def bound(self, name: str) -> None:
        """Count a group's newest stream, and delete its oldest ones while it has too many lines."""
        group = cloudwatch_logs._log_groups.get(name)  # noqa: SLF001
        if not group:
            return
        streams = group["streams"]
        if name in self._lines:
            self._lines[name] += len(streams[next(reversed(streams))]["events"])
        else:
            self._lines[name] = sum(len(stream["events"]) for stream in streams.values())
        while self._lines[name] > self._most:
            oldest = next((each for each in streams if each != NO_LONGER_KEPT), None)
            if oldest is None:
                return
            with cloudwatch_logs._log_events_lock:  # noqa: SLF001
                gone = streams.pop(oldest)
                marker = streams.setdefault(NO_LONGER_KEPT, {**gone, "events": [], "lastEventTimestamp": 0})
                marker["lastEventTimestamp"] = max(marker["lastEventTimestamp"], gone["lastEventTimestamp"] or 0)
                if next(iter(streams)) != NO_LONGER_KEPT:
                    streams = {NO_LONGER_KEPT: streams.pop(NO_LONGER_KEPT), **streams}
                    group["streams"] = streams
            self._lines[name] -= len(gone["events"])


class Save:
    """How the state is saved at the end: whole, or not at all."""

    failure: OSError | None = None

    def whole(self, services: Mapping[str, Callable[[], Any]]) -> None:
        """Save all services, in place of MiniStack's own function, which continues after an error."""
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
    """The calls of functions in progress that have a ticket, each with the environment that serves it."""

    def __init__(self) -> None:
        self._serving: dict[str, Any] = {}
        self._left: set[str] = set()

    def watch(self) -> None:
        """Take note of every call from now on."""
        invoke, spawn = lambda_runtime.Worker.invoke, lambda_runtime.Worker._spawn  # noqa: SLF001 - no public way

        def spawn_noted(environment: Any) -> None:  # noqa: ANN401 - MiniStack's own
            spawn(environment)
            for ticket, each in list(self._serving.items()):
                if each is environment and ticket in self._left:  # while there was no process yet
                    self.end(ticket)

        def invoke_noted(environment: Any, event: Any, *more: Any, **named: Any) -> Any:  # noqa: ANN401 - MiniStack's own
            headers = event.get("headers") if isinstance(event, dict) else None
            ticket = (headers or {}).get(TICKET)
            if ticket is None:
                return invoke(environment, event, *more, **named)
            ended = {"status": "error", "error": "Its client has left.", "log": ""}
            self._serving[ticket] = environment
            try:
                return ended if ticket in self._left else invoke(environment, event, *more, **named)
            except (RuntimeError, OSError):  # it ended while it started; MiniStack would now end all of the function's
                if ticket in self._left:
                    return ended
                raise
            finally:
                del self._serving[ticket]
                self._left.discard(ticket)

        lambda_runtime.Worker.invoke = invoke_noted
        lambda_runtime.Worker._spawn = spawn_noted  # noqa: SLF001

    def end(self, ticket: str) -> None:
        """End a call with its environment's process, or before it begins."""
        self._left.add(ticket)
        if environment := self._serving.get(ticket):
            lambda_runtime._signal(environment._proc)  # noqa: SLF001 - there is no public way


if __name__ == "__main__":
    end_with_parent()
    calls = Calls()
    calls.watch()
    stream_statements()
    forget_read_records()
    read_streams_aside()
    disable_keys()
    hand_out_fairly()
    Kept(MOST_LINES_KEPT).watch()
    leave_options_to_the_api()
    let_idle_environments_go()
    app.app = guarded(app.app, os.environ["AWS_SESSION_TOKEN"], calls.end)
    saving = Save()
    app.save_all = saving.whole
    app.main()
    if saving.failure is not None:
        sys.exit(str(saving.failure))
