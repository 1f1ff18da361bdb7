"""What the clients ask of the service, apart from how it is sent.

Each function is a generator. It yields a `Request` and is given the `Answer`, or yields a `Pause` and is given None; a
client carries them out, with or without coroutines. What the generator returns is what the client's method returns.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import string
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from quantum_circuits.errors import (
    NotTheServiceError,
    QuantumCircuitsError,
    RefusedError,
    ResultExpiredError,
    TaskPurgedError,
    UnreachableError,
    refusal,
)
from quantum_circuits.task import Estimate, Result, Task

WAIT_SECONDS = 20  # what one answer waits for at most; the service may have a shorter limit
BATCH_TASKS = 100
BATCH_BYTES = 4_000_000  # the service takes 6 MB
MAX_SEED = 2**63 - 1
SEEDS_APART = 100_000  # between the bindings of a sweep, as the service has them
RETRIES = 5
LONGEST_PAUSE = 60.0
_ID_CHARACTERS = frozenset(string.ascii_letters + string.digits + "-_")
_RETRIED = {429, 500, 502, 503, 504}


@dataclass(frozen=True)
class Request:
    """A request to the service; `path` may also be a whole URL elsewhere, which gets no key."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    waits: float = 0.0  # seconds that the service may take before it answers


@dataclass(frozen=True)
class Pause:
    """A time to wait, in seconds."""

    seconds: float


@dataclass(frozen=True)
class Answer:
    """An answer: its status, its headers by lower-case names, and its body."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self, *names: str) -> dict[str, Any]:
        """Return the body, an object with these names; raises UnreachableError when it is not: it is another's then."""
        try:
            body = json.loads(self.content)
        except ValueError:
            body = None
        if not isinstance(body, dict) or not set(names) <= set(body):
            raise NotTheServiceError(self.status)
        return body

    @property
    def retry_after(self) -> float | None:
        """Seconds from the header `Retry-After`, None where there is none in seconds."""
        text = self.headers.get("retry-after", "")
        return float(text) if text.isdecimal() else None


_TASK = ("task_id", "status", "submitted_at", "shots")

Returned = TypeVar("Returned")
Call = Generator["Request | Pause", "Answer | None", Returned]


def encoded(body: Mapping[str, Any]) -> bytes:
    """Return a body as JSON, NumPy's numbers and arrays too; raises QuantumCircuitsError for what has no JSON."""
    try:
        text = json.dumps(body, default=_plain, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        return text.encode()
    except (TypeError, ValueError) as error:
        raise QuantumCircuitsError(
            f"The request has a value that JSON cannot hold: {error}. Numbers must be finite; "
            "names and programs must be text."
        ) from error


def _plain(value: Any) -> Any:  # noqa: ANN401 - what json does not know
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a {type(value).__name__}")


def _address(task_id: str) -> str:
    """Return the address of a task; raises QuantumCircuitsError for what could be no id."""
    if not task_id or not set(task_id) <= _ID_CHARACTERS:
        raise QuantumCircuitsError(f"{task_id!r} is not the id of a task.")
    return f"/tasks/{task_id}"


def send(request: Request) -> Call[Answer]:
    """Send until there is an answer that another try would not change; raises RefusedError and UnreachableError.

    Tries again after a fault of the network, 429 and 5xx: after what `Retry-After` says, else after twice as long each
    time. Every request of this module may be repeated: submissions carry an idempotency key.
    """
    pause = 0.25
    for left in range(RETRIES, -1, -1):
        try:
            answer = yield request
        except UnreachableError:  # of the network: what answers is judged below
            if not left:
                raise
            wanted = None
        else:
            assert answer is not None  # noqa: S101 - a request is answered
            if answer.status < 400:  # noqa: PLR2004 - success, or not modified
                return answer
            wanted = answer.retry_after
            body = _problem(answer)
            final = answer.status not in _RETRIED or body.get("code") == "quota_exceeded"
            if final or not left or (wanted or 0) > LONGEST_PAUSE:
                raise refusal(answer.status, body, wanted)
        yield Pause(wanted if wanted is not None else pause * random.uniform(0.8, 1.2))  # noqa: S311 - no secret
        pause *= 2
    raise AssertionError  # pragma: no cover - the last round returns or raises


def _problem(answer: Answer) -> Mapping[str, Any]:
    try:
        body = json.loads(answer.content)
    except ValueError:
        body = None
    if isinstance(body, dict):
        return body
    return {"message": f"The service answered with the status {answer.status}"}


def submit(qc: str, options: Mapping[str, Any], idempotency_key: str | None = None, wait: float = 0) -> Call[Task]:
    """Submit a circuit, and wait up to `wait` seconds for it to end; returns the task, pending perhaps."""
    started = time.monotonic()
    headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
    if wait >= 1:
        headers["Prefer"] = f"wait={int(min(wait, WAIT_SECONDS))}"
    request = Request("POST", "/tasks", {"qc": qc, **options}, headers=headers, waits=min(wait, WAIT_SECONDS))
    answer = yield from send(request)
    body = answer.json()
    if "task" in body:
        task = yield from _whole(Task.from_body(body["task"]))
    else:
        body = answer.json("task_id", "submitted_at")
        task = Task(body["task_id"], "pending", body["submitted_at"], options.get("shots", 1024), body)
    left = wait - (time.monotonic() - started)
    if not task.ended and left > 0:
        task = yield from poll(task.task_id, left)
    return task


def batch(tasks: Sequence[Mapping[str, Any]]) -> Call[list[Task]]:
    """Submit many circuits, up to BATCH_TASKS a request; returns them, pending, in their order.

    The circuits of one request are accepted or refused together; when a later request is refused, earlier ones stay,
    and the RefusedError has their ids.
    """
    accepted: list[Task] = []
    for some in _requests(tasks):
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        try:
            answer = yield from send(Request("POST", "/tasks/batch", {"tasks": some}, headers=headers))
        except RefusedError as error:
            if accepted:
                raise _of_the_whole(error, accepted) from error
            raise
        for each in answer.json("tasks")["tasks"]:
            shots = some[each["index"]].get("shots", 1024)
            accepted.append(Task(each["task_id"], "pending", each["submitted_at"], shots, each))
    return accepted


def _of_the_whole(error: RefusedError, accepted: Sequence[Task]) -> Exception:
    """Return a refusal of one request of a batch with its tasks counted from the first of all."""
    body = dict(error.body)
    if isinstance(body.get("errors"), list):
        body["errors"] = [{**each, "index": each["index"] + len(accepted)} for each in body["errors"]]
    found = refusal(error.http_status, body, getattr(error, "retry_after", None))
    if isinstance(found, RefusedError):
        found.accepted = [task.task_id for task in accepted]
    return found


def get(task_id: str, wait: float = 0) -> Call[tuple[Task, float]]:
    """Return a task, after at most `wait` seconds, and in how many seconds it is worth asking again."""
    headers = {"Prefer": f"wait={int(min(wait, WAIT_SECONDS))}"} if wait >= 1 else {}
    waits = min(wait, WAIT_SECONDS)
    try:
        answer = yield from send(Request("GET", _address(task_id), headers=headers, waits=waits))
    except RefusedError as error:
        if error.code == "payload_gone":
            raise ResultExpiredError(task_id) from error
        raise
    task = yield from _whole(Task.from_body(answer.json(*_TASK)))
    waited = "preference-applied" in answer.headers
    return task, 0.0 if waited else (answer.retry_after or 1.0)


def _whole(task: Task) -> Call[Task]:
    """Return the task with its result, which is elsewhere when it is large; raises ResultExpiredError."""
    url = task.body.get("result_url")
    if url is None:
        return task
    answer = yield from _stored(url, task.task_id)
    outcome = answer.json()
    body = {name: value for name, value in task.body.items() if name != "result_url"}
    return Task.from_body({**body, **outcome})


def _stored(url: str, task_id: str) -> Call[Answer]:
    """Return the result at an address that the service gave; raises ResultExpiredError."""
    try:
        return (yield from send(Request("GET", url)))
    except RefusedError as error:  # with the storage's faults tried again
        raise UnreachableError(f"The storage of results answered with the status {error.http_status}.") from error
    except NotTheServiceError as error:
        if error.http_status in {403, 404, 410}:
            raise ResultExpiredError(task_id) from error
        raise


def poll(task_id: str, timeout: float | None) -> Call[Task]:
    """Ask until the task has ended or `timeout` seconds are over, and return it as it is then."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        left = WAIT_SECONDS if deadline is None else deadline - time.monotonic()
        task, pause = yield from get(task_id, left)
        if task.ended or (deadline is not None and time.monotonic() >= deadline):
            return task
        if pause and deadline is not None:
            pause = max(0.0, min(pause, deadline - time.monotonic()))  # and one last question when it is over
        if pause:
            yield Pause(pause)


def tasks(filters: Mapping[str, str | None], tags: Sequence[str], limit: int | None) -> Call[list[Task]]:
    """Return the key's own tasks that pass the query's `filters` and have all tags, newest first; at most `limit`."""
    found: list[Task] = []
    query: dict[str, Any] = {"limit": 100, **{name: value for name, value in filters.items() if value}}
    if tags:
        query["tag"] = ",".join([tags] if isinstance(tags, str) else tags)
    while True:
        answer = yield from send(Request("GET", "/tasks", query=query))
        body = answer.json("tasks")
        found += [Task.from_body(each) for each in body["tasks"]]
        if "next_cursor" not in body or (limit is not None and len(found) >= limit):
            return found[:limit]
        query["cursor"] = body["next_cursor"]


def cancel(task_id: str) -> Call[Task]:
    """Cancel a task that is pending or running; raises TaskEndedError."""
    answer = yield from send(Request("DELETE", _address(task_id)))
    return Task.from_body(answer.json(*_TASK))


def purge(task_id: str) -> Call[None]:
    """Remove what an ended task holds; raises TaskNotEndedError."""
    # Sent again after an answer that was lost, it finds the task purged, as it does when somebody else was faster.
    with contextlib.suppress(TaskPurgedError):
        yield from send(Request("DELETE", _address(task_id), query={"purge": "true"}))


def usage(first: object, last: object, by: str) -> Call[Mapping[str, Any]]:
    """Return what the key's ended tasks have used from a day to a day."""
    query = {name: str(day) for name, day in (("from", first), ("to", last)) if day is not None}
    answer = yield from send(Request("GET", "/usage", query={**query, "by": by}))
    return answer.json("total", "usage")


def circuit(task_id: str) -> Call[str]:
    """Return a task's program, exactly as it was sent."""
    answer = yield from send(Request("GET", f"{_address(task_id)}/circuit"))
    return answer.content.decode()


def script(task_id: str, binding: int) -> Call[str]:
    """Return the Python program that repeats a task; of a sweep, one binding of it."""
    query = {"binding": binding} if binding else {}
    answer = yield from send(Request("GET", f"{_address(task_id)}/script", query=query))
    return answer.content.decode()


def result(task_id: str, index: int, binding: int) -> Call[Result]:
    """Return one of a task's results; a large one is read from the service's storage."""
    answer = yield from _result(task_id, index, binding, "application/json")
    if "location" in answer.headers:
        answer = yield from _stored(answer.headers["location"], task_id)
    body = answer.json("type")
    return Result(body["type"], body)


def result_file(task_id: str, index: int, binding: int) -> Call[bytes]:
    """Return the NumPy file that the service makes of the numbers of one result."""
    answer = yield from _result(task_id, index, binding, "application/x-npy")
    if "location" not in answer.headers:
        raise NotTheServiceError(answer.status)
    file = yield from _stored(answer.headers["location"], task_id)
    return file.content


def array(task_id: str, index: int, binding: int) -> Call[Any]:
    """Return the numbers of one result as a NumPy array, read from the file that the service makes of them."""
    content = yield from result_file(task_id, index, binding)
    import numpy as np  # noqa: PLC0415 - most users have no need of it

    try:
        return np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise NotTheServiceError(200) from error


def _result(task_id: str, index: int, binding: int, accept: str) -> Call[Answer]:
    query = {"binding": binding} if binding else {}
    return (
        yield from send(Request("GET", f"{_address(task_id)}/results/{index}", query=query, headers={"Accept": accept}))
    )


def dry_run(qc: str, options: Mapping[str, Any]) -> Call[Estimate]:
    """Return what the task would take; raises TaskFailedError when it would fail."""
    answer = yield from send(Request("POST", "/tasks", {"qc": qc, **options}, query={"dry_run": "true"}))
    return Estimate.from_body(answer.json("status"))


def document(path: str, name: str) -> Call[Mapping[str, Any]]:
    """Return what `path` answers, `/limits` or `/callback-secret`; `name` must be in it."""
    answer = yield from send(Request("GET", path))
    return answer.json(name)


def health() -> Call[Mapping[str, Any]]:
    """Return what the service says of its parts, be it healthy or not."""
    answer = yield Request("GET", "/health")
    assert answer is not None  # noqa: S101 - a request is answered
    body = answer.json("status")
    if body.get("status") not in {"healthy", "unhealthy"}:
        raise refusal(answer.status, body)
    return body


def sweep(
    qc: str,
    bindings: Sequence[Mapping[str, Any]],
    options: Mapping[str, Any],
    limits: Mapping[str, Any],
    progress: Callable[[int], None],
) -> Call[list[Task]]:
    """Run a circuit with every binding of its inputs; returns the ended tasks that hold them, in their order.

    What one task takes of bindings and shots is in `limits`, the part `run` of `GET /limits`, so a long sweep becomes
    several tasks, whose seeds are those that one task would have had. `progress` is called with the number of bindings
    that have ended, each time some have.
    """
    shots = options.get("shots", 1024)
    size = max(1, min(limits["max_bindings"], limits["max_sweep_shots"] // max(1, shots)))
    requests = []
    for start, some in _pieces(bindings, size):
        request = {"qc": qc, **options, "inputs": list(some)}
        if options.get("seed") is not None:
            request["seed"] = (options["seed"] + SEEDS_APART * start) % (MAX_SEED + 1)
        requests.append(request)
    if len(requests) == 1:
        only = yield from submit(
            qc, {name: value for name, value in requests[0].items() if name != "qc"}, None, WAIT_SECONDS
        )
        accepted = [only]
    else:
        accepted = yield from batch(requests)
    ended = []
    for task, request in zip(accepted, requests, strict=True):
        whole = task if task.ended else (yield from poll(task.task_id, None))
        progress(len(request["inputs"]))
        ended.append(whole)
    return ended


def _pieces(items: Sequence[Any], size: int) -> Iterator[tuple[int, Sequence[Any]]]:
    for start in range(0, len(items), size):
        yield start, items[start : start + size]


def _requests(tasks: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Yield the tasks in lists that one request takes: up to BATCH_TASKS and about BATCH_BYTES."""
    some: list[Mapping[str, Any]] = []
    size = 0
    for task in tasks:
        bytes_of_task = len(encoded(task))
        if some and (len(some) == BATCH_TASKS or size + bytes_of_task > BATCH_BYTES):
            yield some
            some, size = [], 0
        some.append(task)
        size += bytes_of_task
    if some:
        yield some
