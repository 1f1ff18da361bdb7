"""The clients: `Client`, and `AsyncClient` with the same methods as coroutines."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from quantum_circuits import calls
from quantum_circuits.calls import Answer, Call, Pause, Request
from quantum_circuits.configuration import Configuration
from quantum_circuits.errors import UnreachableError, WaitTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date
    from typing import TypeAlias

    from quantum_circuits.task import Estimate, Result, Task

    Usage: TypeAlias = Mapping[str, Any]  # the answer of GET /usage

Returned = TypeVar("Returned")
Options = Any  # shots, seed, method, precision, memory, noise, observables, results, inputs, name, tags, callback_url
ANSWER_SECONDS = 30.0  # API Gateway gives up after 29
CONNECT_SECONDS = 10.0


def _request(http: httpx.Client | httpx.AsyncClient, configuration: Configuration, request: Request) -> httpx.Request:
    elsewhere = request.path.startswith(("https://", "http://"))
    url = request.path if elsewhere else configuration.url + request.path
    headers = dict(request.headers) if elsewhere else {"x-api-key": configuration.api_key, **request.headers}
    if request.body is not None:
        headers["content-type"] = "application/json"
    return http.build_request(
        request.method,
        url,
        params=dict(request.query) or None,
        content=None if request.body is None else calls.encoded(request.body),
        headers=headers,
        timeout=httpx.Timeout(ANSWER_SECONDS + request.waits, connect=CONNECT_SECONDS),
    )


def _answer(response: httpx.Response) -> Answer:
    return Answer(response.status_code, response.headers, response.content)


def _unreachable(request: httpx.Request, error: httpx.HTTPError) -> UnreachableError:
    where = f"{request.url.scheme}://{request.url.netloc.decode()}"
    return UnreachableError(f"{where} does not answer: {error or type(error).__name__}. Check the URL and the network.")


class Client:
    """A client of the service; its methods return when the service has answered.

    `url` and `api_key` are looked for as `Configuration.find` says. `http` may be given to set a proxy or certificates.
    Used with `with`, or closed by `close`. Every method raises RefusedError (its subclasses say which),
    and UnreachableError once five more tries, with growing pauses, have not helped.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        profile: str | None = None,
        http: httpx.Client | None = None,
    ) -> None:
        self.configuration = Configuration.find(url, api_key, profile)
        self._http = http or httpx.Client()
        self._limits: Mapping[str, Any] | None = None

    def __enter__(self) -> Client:  # noqa: PYI034 - Self needs Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __deepcopy__(self, memo: object) -> Client:
        """Return the client itself: a copy of a backend, as qiskit-experiments makes, shares its connections."""
        return self

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _do(self, call: Call[Returned]) -> Returned:
        answer: Answer | None = None
        error: UnreachableError | None = None
        try:
            while True:
                step = call.send(answer) if error is None else call.throw(error)
                answer = error = None
                if isinstance(step, Pause):
                    # What Retry-After asks for, or the pause before the next try; the caller asked to wait.
                    time.sleep(step.seconds)
                    continue
                request = _request(self._http, self.configuration, step)
                try:
                    answer = _answer(self._http.send(request))
                except httpx.HTTPError as fault:
                    error = _unreachable(request, fault)
        except StopIteration as end:
            returned: Returned = end.value
            return returned

    def submit(self, qc: str, *, idempotency_key: str | None = None, **options: Options) -> Task:
        """Submit a circuit, in OpenQASM 3 or 2; return its task, which is pending. Raises CircuitError.

        `options` are the service's: shots, seed, method, precision, memory, noise, observables, results, inputs, name,
        tags, callback_url.
        Sent again with the same `idempotency_key`, the same circuit gives the same task; by default a new key is drawn.
        """
        return self._do(calls.submit(qc, options, idempotency_key))

    def run(self, qc: str, *, timeout: float | None = None, **options: Options) -> Task:
        """Submit a circuit and return its task, completed; raises as `submit` and `wait` do."""
        task = self._do(calls.submit(qc, options, None, calls.WAIT_SECONDS if timeout is None else timeout))
        return task.raise_for_status() if task.ended else self.wait(task, timeout=timeout)

    def wait(self, task: Task | str, *, timeout: float | None = None) -> Task:
        """Return a task, given by itself or by its id, once it is completed.

        Raises TaskFailedError, TaskCancelledError, and WaitTimeoutError after `timeout` seconds (the task continues).
        """
        task_id = _id(task)
        return _checked(self._do(calls.poll(task_id, timeout)), timeout)

    def batch(self, tasks: Sequence[Mapping[str, Any]]) -> Sequence[Task]:
        """Submit many circuits, `{"qc": ..., "shots": ...}` each; return their tasks, pending, in the same order."""
        return self._do(calls.batch(tasks))

    def sweep(
        self, qc: str, bindings: Sequence[Mapping[str, Any]], *, progress: bool | None = None, **options: Options
    ) -> Sequence[Task]:
        """Run a circuit with each of `bindings`, values of its inputs; return the completed tasks, in order.

        Up to 1,000 bindings are one task; more are split, and their seeds are what they would be in one. `progress`
        shows a bar with tqdm where it is installed; by default when there is more than one task and a terminal.
        """
        run_limits = self.limits()["run"]
        with _progress(len(bindings), wanted=progress) as advance:
            ended = self._do(calls.sweep(qc, bindings, options, run_limits, advance))
        return [each.raise_for_status() for each in ended]

    def get(self, task_id: str) -> Task:
        """Return a task as it is now, whatever process submitted it; raises TaskNotFoundError."""
        return self._do(calls.get(task_id))[0]

    def list(
        self,
        *,
        status: str | None = None,
        name: str | None = None,
        tags: Sequence[str] = (),
        submitted_after: str | None = None,
        limit: int | None = 100,
    ) -> Sequence[Task]:
        """Return the key's own tasks, newest first, without their results; all of them with `limit=None`.

        Only those with this status, this very name, and all of the tags.
        """
        filters = {"status": status, "name": name, "submitted_after": submitted_after}
        return self._do(calls.tasks(filters, tags, limit))

    def cancel(self, task: Task | str) -> Task:
        """Cancel a task that is pending or running; raises TaskEndedError when it has ended."""
        return self._do(calls.cancel(_id(task)))

    def purge(self, task: Task | str) -> None:
        """Remove a task's circuit, options, result, name and tags at once; raises TaskNotEndedError."""
        self._do(calls.purge(_id(task)))

    def usage(self, first: date | str | None = None, last: date | str | None = None, *, by: str = "day") -> Usage:
        """Return what the key's ended tasks have used: `total`, and `usage` by "day", "status" or "tag".

        Days are in UTC, `2026-01-31`; by default those of this month until today.
        """
        return self._do(calls.usage(first, last, by))

    def circuit(self, task: Task | str) -> str:
        """Return a task's program, exactly as it was sent."""
        return self._do(calls.circuit(_id(task)))

    def script(self, task: Task | str, binding: int = 0) -> str:
        """Return a Python program that repeats a task on plain Qiskit and Aer; of a sweep, one binding of it."""
        return self._do(calls.script(_id(task), binding))

    def result(self, task: Task | str, index: int = 0, binding: int = 0) -> Result:
        """Return one of a task's `results` without the rest of the task; of a sweep, that of one binding."""
        return self._do(calls.result(_id(task), index, binding))

    def result_file(self, task: Task | str, index: int = 0, binding: int = 0) -> bytes:
        """Return the numbers of one of a task's `results` as a file that `numpy.load` reads."""
        return self._do(calls.result_file(_id(task), index, binding))

    def array(self, task: Task | str, index: int = 0, binding: int = 0) -> Any:  # noqa: ANN401 - a NumPy array
        """Return the numbers of one of a task's `results` as a NumPy array; of a sweep, those of one binding.

        It is what `.array` of the result is, without the rest of the task and without JSON.
        """
        return self._do(calls.array(_id(task), index, binding))

    def dry_run(self, qc: str, **options: Options) -> Estimate:
        """Return what a task would take, without running it; raises CircuitError or TaskFailedError."""
        return self._do(calls.dry_run(qc, options))

    def limits(self) -> Mapping[str, Any]:
        """Return every limit in force, as it was when this client asked first."""
        if self._limits is None:
            self._limits = self._do(calls.document("/limits", "run"))
        return self._limits

    def health(self) -> Mapping[str, Any]:
        """Return whether the service is healthy, and which part is not."""
        return self._do(calls.health())

    def callback_secret(self) -> str:
        """Return the secret that the key's callbacks are signed with, for `verify_callback`."""
        return str(self._do(calls.document("/callback-secret", "secret"))["secret"])


class AsyncClient:
    """`Client` with coroutines: the same methods, arguments and exceptions; used with `async with`."""

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        profile: str | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self.configuration = Configuration.find(url, api_key, profile)
        self._http = http or httpx.AsyncClient()
        self._limits: Mapping[str, Any] | None = None

    async def __aenter__(self) -> AsyncClient:  # noqa: PYI034 - Self needs Python 3.11
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _do(self, call: Call[Returned]) -> Returned:
        answer: Answer | None = None
        error: UnreachableError | None = None
        try:
            while True:
                step = call.send(answer) if error is None else call.throw(error)
                answer = error = None
                if isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                    continue
                request = _request(self._http, self.configuration, step)
                try:
                    answer = _answer(await self._http.send(request))
                except httpx.HTTPError as fault:
                    error = _unreachable(request, fault)
        except StopIteration as end:
            returned: Returned = end.value
            return returned

    async def submit(self, qc: str, *, idempotency_key: str | None = None, **options: Options) -> Task:
        """Submit a circuit: see `Client.submit`."""
        return await self._do(calls.submit(qc, options, idempotency_key))

    async def run(self, qc: str, *, timeout: float | None = None, **options: Options) -> Task:
        """Submit a circuit and return its task, completed: see `Client.run`."""
        task = await self._do(calls.submit(qc, options, None, calls.WAIT_SECONDS if timeout is None else timeout))
        return task.raise_for_status() if task.ended else await self.wait(task, timeout=timeout)

    async def wait(self, task: Task | str, *, timeout: float | None = None) -> Task:
        """Return a task once it is completed: see `Client.wait`."""
        return _checked(await self._do(calls.poll(_id(task), timeout)), timeout)

    async def batch(self, tasks: Sequence[Mapping[str, Any]]) -> Sequence[Task]:
        """Submit many circuits: see `Client.batch`."""
        return await self._do(calls.batch(tasks))

    async def sweep(
        self, qc: str, bindings: Sequence[Mapping[str, Any]], *, progress: bool | None = None, **options: Options
    ) -> Sequence[Task]:
        """Run a circuit with each of `bindings`: see `Client.sweep`."""
        run_limits = (await self.limits())["run"]
        with _progress(len(bindings), wanted=progress) as advance:
            ended = await self._do(calls.sweep(qc, bindings, options, run_limits, advance))
        return [each.raise_for_status() for each in ended]

    async def get(self, task_id: str) -> Task:
        """Return a task as it is now: see `Client.get`."""
        return (await self._do(calls.get(task_id)))[0]

    async def list(
        self,
        *,
        status: str | None = None,
        name: str | None = None,
        tags: Sequence[str] = (),
        submitted_after: str | None = None,
        limit: int | None = 100,
    ) -> Sequence[Task]:
        """Return the key's own tasks: see `Client.list`."""
        filters = {"status": status, "name": name, "submitted_after": submitted_after}
        return await self._do(calls.tasks(filters, tags, limit))

    async def cancel(self, task: Task | str) -> Task:
        """Cancel a task: see `Client.cancel`."""
        return await self._do(calls.cancel(_id(task)))

    async def purge(self, task: Task | str) -> None:
        """Remove what a task holds: see `Client.purge`."""
        await self._do(calls.purge(_id(task)))

    async def usage(self, first: date | str | None = None, last: date | str | None = None, *, by: str = "day") -> Usage:
        """Return what the key's ended tasks have used: see `Client.usage`."""
        return await self._do(calls.usage(first, last, by))

    async def circuit(self, task: Task | str) -> str:
        """Return a task's program, exactly as it was sent."""
        return await self._do(calls.circuit(_id(task)))

    async def script(self, task: Task | str, binding: int = 0) -> str:
        """Return a Python program that repeats a task: see `Client.script`."""
        return await self._do(calls.script(_id(task), binding))

    async def result(self, task: Task | str, index: int = 0, binding: int = 0) -> Result:
        """Return one of a task's `results`: see `Client.result`."""
        return await self._do(calls.result(_id(task), index, binding))

    async def result_file(self, task: Task | str, index: int = 0, binding: int = 0) -> bytes:
        """Return the file of one of a task's `results`: see `Client.result_file`."""
        return await self._do(calls.result_file(_id(task), index, binding))

    async def array(self, task: Task | str, index: int = 0, binding: int = 0) -> Any:  # noqa: ANN401 - a NumPy array
        """Return the numbers of one of a task's `results`: see `Client.array`."""
        return await self._do(calls.array(_id(task), index, binding))

    async def dry_run(self, qc: str, **options: Options) -> Estimate:
        """Return what a task would take: see `Client.dry_run`."""
        return await self._do(calls.dry_run(qc, options))

    async def limits(self) -> Mapping[str, Any]:
        """Return every limit in force, as it was when this client asked first."""
        if self._limits is None:
            self._limits = await self._do(calls.document("/limits", "run"))
        return self._limits

    async def health(self) -> Mapping[str, Any]:
        """Return whether the service is healthy, and which part is not."""
        return await self._do(calls.health())

    async def callback_secret(self) -> str:
        """Return the secret that the key's callbacks are signed with."""
        return str((await self._do(calls.document("/callback-secret", "secret")))["secret"])


def _id(task: Task | str) -> str:
    return task if isinstance(task, str) else task.task_id


def _checked(task: Task, timeout: float | None) -> Task:
    if not task.ended:
        raise WaitTimeoutError(task.task_id, timeout or 0.0)
    return task.raise_for_status()


@contextlib.contextmanager
def _progress(total: int, *, wanted: bool | None) -> Iterator[Callable[[int], None]]:
    """Give what shows that so many bindings more have ended: a bar on a terminal's stderr, or nothing."""
    if wanted is None:
        wanted = total > 1_000 and sys.stderr.isatty()  # noqa: PLR2004 - more than one task
    if not wanted:
        yield lambda _: None
        return
    try:
        from tqdm.auto import tqdm  # noqa: PLC0415 - an extra
    except ImportError:
        yield lambda _: None
        return
    with tqdm(total=total, unit="binding") as bar:
        yield bar.update
