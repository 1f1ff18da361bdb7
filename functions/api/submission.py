"""Makes tasks of submissions: checks their circuits, chooses their lanes, queues them (POST /tasks, /tasks/batch)."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import reader
from request_errors import BatchRefusedError, CircuitTextTooLargeError, DuplicateKeysError
from tasks import aws
from tasks.callback_url import CallbackUrl, CallbackUrlError
from tasks.errors import OverBoundError, TaskError, UnavailableError
from tasks.limits import run_seconds
from tasks.logs import Event, Metric, logged, logger, measured
from tasks.options import Method, NoiseModel, refuse_unrunnable
from tasks.results import check_results
from tasks.settings import settings
from tasks.submissions import is_keyed
from tasks.task import Lane, Status, Task, Transition, new_task_id, rfc3339, utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel

    from submitted import BatchRequest, TaskRequest
    from tasks.limits import Limits
    from tasks.options import Options
    from tasks.queue import TaskQueue
    from tasks.submissions import Submission

# Of CPU, for all circuits and bindings of one request. The reader's own limit of work is usually reached first; this
# one bounds costs that the reader undercounts.
CHECK_SECONDS = 1.5
SMALL_SECONDS = 5.0  # for which one task may occupy a vCPU while the others of its batch wait


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task about to be stored, and the size of its circuit."""

    task: Task
    size: reader.Size


def reading_budget() -> reader.Budget:
    """Return the budget for reading all circuits of one request."""
    return reader.Budget(seconds=CHECK_SECONDS)


def task_of(  # noqa: PLR0913 - what a task is made from
    body: TaskRequest, owner: str, correlation_id: str, idempotency_key: str | None, now: str, budget: reader.Budget
) -> NewTask:
    """Return the task that a request submits, its circuit checked within `budget`.

    Raises CircuitTextTooLargeError, CallbackUrlError, and the TaskError of a circuit that is not valid.
    """
    text_bytes = len(body.qc.encode(errors="surrogatepass"))
    if text_bytes > reader.LIMITS.text_bytes:
        raise CircuitTextTooLargeError(text_bytes, reader.LIMITS.text_bytes)
    if body.callback_url is not None:
        CallbackUrl.parse(body.callback_url)
    options = body.options()
    size = check(body.qc, options, budget)
    large = settings().large_worker
    seconds = estimated_seconds(size, options, large) * len(options.bindings)
    task = Task(
        task_id=keyed_task_id(owner, idempotency_key) if idempotency_key else new_task_id(),
        owner=owner,
        status=Status.PENDING,
        submitted_at=now,
        correlation_id=correlation_id,
        circuit=body.qc,
        shots=options.shots,
        options={name: value for name, value in options.as_dict().items() if name != "shots"},
        lane=lane_of(seconds),
        estimated_seconds=seconds,
        counted_seconds=large.time_limit_s if size.loops else min(seconds, large.time_limit_s),
        request_hash=hashlib.sha256(_canonical(body, exclude={"idempotency_key"})).hexdigest(),
        status_history=(Transition(Status.PENDING, now, "The task was accepted."),),
        callback_url=body.callback_url,
        name=body.name,
        tags=body.tags,
    )
    return NewTask(task, size)


def tasks_of(batch: BatchRequest, owner: str, correlation_id: str, idempotency_key: str | None) -> list[NewTask]:
    """Return the tasks of a batch, every circuit checked.

    A task's own key identifies that task, however it is sent. The batch's key identifies the whole batch: tasks without
    a key of their own get their ids from it and their index, and the hash of the batch in place of their own.

    All circuits share one budget; those after the one that exceeds it are not checked. Raises DuplicateKeysError, or
    BatchRefusedError with the error of each task.
    """
    refuse_repeated_keys(batch)
    now = rfc3339(utc_now())
    budget = reading_budget()
    whole = hashlib.sha256(_canonical(batch)).hexdigest()
    found: list[NewTask] = []
    problems: dict[int, TaskError | CircuitTextTooLargeError | CallbackUrlError] = {}
    for index, body in enumerate(batch.tasks):
        key = body.idempotency_key
        if of_the_batch := key is None and idempotency_key is not None:
            key = f"{idempotency_key}\0{index}"  # no client's key has a NUL
        try:
            new = task_of(body, owner, correlation_id, key, now, budget)
        except (TaskError, CircuitTextTooLargeError, CallbackUrlError) as problem:
            problems[index] = problem
            if budget.exhausted:
                break
        else:
            found.append(replace(new, task=new.task.evolve(request_hash=whole)) if of_the_batch else new)
    if problems:
        raise BatchRefusedError(problems, len(batch.tasks), unchecked=len(batch.tasks) - len(found) - len(problems))
    return found


def refuse_repeated_keys(batch: BatchRequest) -> None:
    """Raise DuplicateKeysError if two tasks of a batch have the same key."""
    by_key = defaultdict(list)
    for index, body in enumerate(batch.tasks):
        if body.idempotency_key is not None:
            by_key[body.idempotency_key].append(index)
    if repeated := [indexes for indexes in by_key.values() if len(indexes) > 1]:
        raise DuplicateKeysError(repeated)


def check_bounds(owner: str, new: Sequence[NewTask]) -> None:
    """Raise OverBoundError if the key may not have these tasks beside its others.

    Those that were submitted before, with the same Idempotency-Key, take no room; for a refusal they are looked up.
    """
    bounds = aws.bounds()
    try:
        bounds.check(owner, len(new), sum(each.task.counted_seconds for each in new))
    except OverBoundError:
        keyed = [each.task.task_id for each in new if is_keyed(each.task.task_id)]
        there = {task.task_id for task in aws.task_store().look(keyed)}
        if not there:
            raise
        if rest := [each.task for each in new if each.task.task_id not in there]:
            bounds.check(owner, len(rest), sum(task.counted_seconds for task in rest))


def count_accepted(owner: str, submissions: Sequence[tuple[NewTask, Submission]]) -> None:
    """Count newly stored tasks among what the key has open."""
    stored = [new.task for new, submission in submissions if not submission.replayed]
    if stored:
        aws.bounds().accepted(owner, len(stored), sum(task.counted_seconds for task in stored))


def send_new(
    submissions: Sequence[tuple[NewTask, Submission]], queues: Mapping[Lane, TaskQueue], arrived: float
) -> None:
    """Send the messages of newly stored tasks; the sweeper sends those that cannot be sent here.

    A replayed task had its message at its first submission. `arrived` is the time of the request on time.monotonic's
    clock.
    """
    for lane, queue in queues.items():
        stored = [new for new, submission in submissions if not submission.replayed and new.task.lane is lane]
        messages = [(new.task.task_id, new.task.owner, new.task.correlation_id) for new in stored]
        unsent: list[str] = []
        reason = "refused"
        try:
            if len(messages) == 1:
                queue.send(*messages[0])
            else:
                unsent = queue.send_all(messages)
        except UnavailableError as error:
            unsent = [task_id for task_id, _, _ in messages]
            reason = repr(error.__cause__)
        for task_id in unsent:
            logger.warning(
                "The message was not sent; the sweeper will send it",
                event=Event.TASK_UNSENT,
                task_id=task_id,
                reason=reason,
            )
        for index, new in enumerate(stored):
            accept_ms = round((time.monotonic() - arrived) * 1000, 3)
            metrics = {} if index else measured({Metric.SUBMITTED: [len(stored)], Metric.ACCEPT_MS: [accept_ms]})
            logger.info(
                "Task submitted",
                event=Event.TASK_SUBMITTED,
                task_id=new.task.task_id,
                status=new.task.status,
                shots=new.task.shots,
                num_qubits=new.size.num_qubits,
                lane=new.task.lane,
                owner=new.task.owner,
                **logged(new.task.labels),
                **metrics,
            )


def check(qc: str, options: Options, budget: reader.Budget) -> reader.Size:
    """Return the size of a circuit, for a sweep the largest; raises the TaskError that the task would end in."""
    refuse_unrunnable(options)
    sizes = []
    checked = reader.check_each(qc, options.bindings, counted=options.counted, budget=budget)
    for index in range(len(options.bindings)):
        try:
            sizes.append(next(checked))
        except TaskError as error:
            raise (error.of_binding(index) if options.is_sweep else error) from None
    if isinstance(options.noise, NoiseModel):
        options.noise.rules().refuse_unknown(min(size.numbered for size in sizes), reader.gate_names())
    _check_results(options, sizes)
    notes = tuple(dict.fromkeys(note for size in sizes for note in size.notes))
    largest = max(sizes, key=lambda size: size[:2])  # in qubits, then in operations
    return largest._replace(notes=notes, loops=any(size.loops for size in sizes))


def _check_results(options: Options, sizes: Sequence[reader.Size]) -> None:
    """Raise the TaskError of results, the request's or the programs' own, that do not fit or are too large."""
    total = 0
    for size in sizes:
        own = options.of_program(size.results, measured=size.measured)
        if own.results is not None:
            total = check_results(own.results, [size.num_qubits], own.shots, total)


def lane_of(seconds: float) -> Lane:
    """Return the large lane for a task that would occupy one core for too long, else the small lane.

    A wrong choice costs money or time, never a result: the small lane passes on tasks that are too large for it.
    """
    return Lane.LARGE if seconds > SMALL_SECONDS else Lane.SMALL


def estimated_seconds(size: reader.Size, options: Options, large: Limits) -> float:
    """Return the seconds that the circuit takes on one core; 0 for methods without amplitudes, which depend on more.

    With noise on gates every shot computes a statevector of its own, unless a density matrix is cheaper. A circuit that
    fits neither is run by another method or refused, so it does not need the large lane.
    """
    if options.method not in {Method.AUTOMATIC, Method.STATEVECTOR, Method.DENSITY_MATRIX}:
        return 0.0
    options = options.of_program(size.results, measured=size.measured)
    noisy = size.noisy or (options.noise is not None and options.noise.on_gates)
    methods = [Method.STATEVECTOR if options.method == Method.AUTOMATIC else options.method]
    if size.num_qubits > large.max_qubits(methods[0], options.precision):
        return 0.0
    if noisy and options.method == Method.AUTOMATIC:
        methods.append(Method.DENSITY_MATRIX)
    return min(run_seconds(each, size.num_qubits, size.operations, options.shots, noisy=noisy) for each in methods)


def keyed_task_id(owner: str, idempotency_key: str) -> str:
    """Return the task id that an owner's Idempotency-Key always gives, a UUID version 8 (RFC 9562).

    The id makes a submission idempotent: of several concurrent ones, one creates the row.
    """
    digest = bytearray(hashlib.sha256(f"{owner}\0{idempotency_key}".encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(digest)))


def _canonical(body: BaseModel, exclude: set[str] | None = None) -> bytes:
    """Return the bytes that identify a body; a field with its default counts as omitted.

    A field that a later version adds therefore does not change them: a retry across a deployment is the same body.
    """
    return body.model_dump_json(exclude=exclude, exclude_defaults=True).encode()
