"""`make run`, `make up` and `make down`: the whole system on this machine, without Docker and without an account."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import gc
import json
import os
import secrets
import shlex
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from local import machine, state
from local.ministack import LocalStackError, PortTakenError, UnkeptError, free_port, listening, ministack
from local.running import CLIENT_FILE, folder, write_environment
from local.translate import LOCAL_API_KEY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from io import TextIOWrapper
    from pathlib import Path

    from local.deploy import Deployment
    from local.ministack import Standin
    from local.translate import LocalTemplate

PORT = 8000
AWS_PORT = 4566  # LocalStack's, which tools know
PORT_TRIES = 3  # another program may take the port that was free
UNKEPT = "!"  # behind the process's id in the lock, when its state could not be saved
LOOK_SECONDS = 0.2  # how soon the end of the stand-in is noticed
LEAST_LIFE_SECONDS = 60.0  # of a stand-in that is started again when it ends
OWNER = "OWNER_PID"  # the variable that names the process, tests for example, with which the stack ends
BELL = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'


def only_one(where: Path) -> TextIOWrapper:
    """Take the folder's lock, which the kernel frees when this process ends in whatever way, and write our id into it.

    `down` takes a free lock for the end of the process. Raises LocalStackError when another stack holds it.
    """
    where.mkdir(parents=True, exist_ok=True)
    lock = (where / "lock").open("a+")
    if not _try_lock(lock):
        raise LocalStackError("The stack is already running. `make down` stops it.")
    lock.seek(0)
    lock.truncate()
    lock.write(str(os.getpid()))
    lock.flush()
    os.dup(lock.fileno())  # Python closes the other descriptor while this process still ends
    return lock


def _try_lock(lock: TextIOWrapper) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def serve(say: Callable[[str], None], ready: Callable[[str], Coroutine[None, None, None]]) -> None:
    """Bring the stack up, warm it, call `ready` with its URL, and keep serving until SIGINT or SIGTERM.

    When the stand-in ends before that it is started again, but not twice within a minute.
    """
    from local.front import Target, front  # noqa: PLC0415 - imports that `up` and `down` need not wait for

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    where = folder()
    lock = only_one(where)
    with contextlib.ExitStack() as cleanup:
        cleanup.callback((where / "env").unlink, missing_ok=True)
        entrance = cleanup.enter_context(listening(_wanted("PORT"), PORT))
        target = Target(where / "state")
        serving = contextlib.AsyncExitStack()
        showing: asyncio.Task[None] | None = None
        early = 0  # how many stand-ins one after the other ended soon
        try:
            async with serving:
                while not stop.is_set():
                    started = time.monotonic()
                    async with _standin(where, say) as (standin, deployment, key):
                        target.url = deployment.api_url
                        if showing is None:
                            url = await serving.enter_async_context(front(entrance, target))
                        write_environment(url, LOCAL_API_KEY, standin.endpoint, key, deployment.outputs)
                        showing = showing or asyncio.create_task(_warmed(url, ready))
                        await _first(stop, standin.process, showing)
                        if stop.is_set():
                            say("Stopping; queued and finished tasks are kept for the next start ...")
                        else:
                            target.url = None
                            early = early + 1 if time.monotonic() - started < LEAST_LIFE_SECONDS else 0
                            _report_end(standin.process, early, where, say)
        except UnkeptError:
            lock.write(UNKEPT)  # to a file that is there and has room for it, where the disk may have none
            lock.flush()
            raise
        finally:
            if showing is not None:
                showing.cancel()


async def _warmed(url: str, ready: Callable[[str], Coroutine[None, None, None]]) -> None:
    """Let the api's first environment start, then call `ready`: who opens the page then does not wait for it."""
    import aiohttp  # noqa: PLC0415 - imports that `down` and `--help` need not wait for

    # An answer that is none, or an error, is for the first caller to see.
    with contextlib.suppress(aiohttp.ClientError):
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            await answer.read()
    await ready(url)


@contextlib.asynccontextmanager
async def _standin(where: Path, say: Callable[[str], None]) -> AsyncIterator[tuple[Standin, Deployment, str]]:
    """Run the stand-in with the stack deployed to it; give both and the access key of this start."""
    (where / "state").mkdir(parents=True, exist_ok=True)
    state.check(where / "state")
    key = secrets.token_hex(16)
    with contextlib.ExitStack() as running:
        overrides = {
            **machine.parameters(machine.memory_mb(), os.cpu_count() or 1),
            # After an invocation that wrote nothing the stand-in waits 50 ms for lines; at this level each writes one.
            "LogLevel": "DEBUG",
            # One key does all there is to do here, tests and benchmarks included.
            "KeyRateLimit": "10000",
            "KeyBurstLimit": "5000",
            "KeyDailyQuota": "100000000",
            "KeyOpenTasks": "1000000",
            "KeyOpenSeconds": "100000000",
            "KeyMonthlyDollars": "1000000",
            # The stand-in does nothing else while the notifier reads a table's stream, and here nobody listens.
            "PublishEvents": "no",
            "ShowDashboard": "yes",  # it costs nothing here
            **dict(pair.split("=", 1) for pair in shlex.split(os.environ.get("PARAMETERS", ""))),
        }
        translating = asyncio.create_task(asyncio.to_thread(_translated, overrides))  # while the stand-in starts
        standin = await _started(where, key, say, running)
        say("Deploying template.yaml ...")
        deployment = await asyncio.to_thread(_deployed, standin.endpoint, key, await translating, overrides)
        gc.freeze()  # what was imported is there to stay: looking through it at the end takes a quarter of a second
        yield standin, deployment, key


def _translated(overrides: dict[str, str]) -> LocalTemplate:
    from local.deploy import CODE_BUCKET  # noqa: PLC0415 - half a second of imports that `up` and `down` need not wait for
    from local.translate import translate  # noqa: PLC0415 - it is of no use without these

    return translate(CODE_BUCKET, overrides)


def _deployed(endpoint: str, key: str, translated: LocalTemplate, overrides: dict[str, str]) -> Deployment:
    from local.deploy import deploy  # noqa: PLC0415 - as above

    return deploy(endpoint, key, translated, overrides)


async def _first(stop: asyncio.Event, process: subprocess.Popen[bytes], showing: asyncio.Task[None]) -> None:
    """Wait until we are to stop, or the process has ended; raise what `showing` failed with.

    We are to stop, too, when the process that OWNER names has ended, however it did.
    """
    waiting = asyncio.create_task(stop.wait())
    owner = int(os.environ.get(OWNER) or os.getpid())
    while not stop.is_set() and process.poll() is None:
        await asyncio.wait({waiting}, timeout=LOOK_SECONDS)
        if not _is_there(owner):
            stop.set()
        if showing.done():
            showing.result()
    waiting.cancel()


def _is_there(pid: int) -> bool:
    """Return whether there is such a process, another user's perhaps."""
    try:
        os.kill(pid, 0)
    except OSError as error:
        return isinstance(error, PermissionError)
    return True


def _report_end(process: subprocess.Popen[bytes], early: int, where: Path, say: Callable[[str], None]) -> None:
    """Say that the stand-in has ended by itself; raises LocalStackError when it is not started again."""
    status, log = process.returncode, where / "ministack.log"
    end = f"MiniStack ended by itself ({status}; see {log}): what came since its start is lost."
    if early > 1:
        raise LocalStackError(f"{end} It is not started again, because it ended soon after its last start.")
    say(f"{end} Starting it again ...")


async def _started(where: Path, key: str, say: Callable[[str], None], running: contextlib.ExitStack) -> Standin:
    """Start the stand-in, which `running` stops: on its state's port, which is always the same as queues' URLs name it.

    A state without a port gets the usual one or any that is free; when another program takes it first, another one.
    """
    wanted, kept = _wanted("AWS_PORT"), where / "state" / "port"
    belongs = int(kept.read_text()) if kept.exists() else None
    again = f" The tasks kept in {kept.parent} belong to port {belongs}; remove that folder to start without them."
    if belongs and wanted not in {None, belongs}:
        raise LocalStackError(again.strip())
    tries = 1 if belongs or wanted is not None else PORT_TRIES
    while True:
        tries -= 1
        try:
            with contextlib.ExitStack() as start:
                port = free_port(belongs or wanted, AWS_PORT)
                say(f"Starting MiniStack, the AWS stand-in, on port {port} ...")
                standin = start.enter_context(ministack(port, where / "state", where / "ministack.log", key))
                await asyncio.to_thread(standin.wait_until_ready, key)
                running.enter_context(start.pop_all())
        except LocalStackError as error:
            if not (isinstance(error, PortTakenError) and tries):
                raise LocalStackError(f"{error}{again if belongs else ''}") from None
        else:
            kept.write_text(str(port))
            return standin


def _wanted(name: str) -> int | None:
    text = os.environ.get(name, "")
    if not text:
        return None
    if not text.isdecimal():
        raise LocalStackError(f"{name} is {text!r}, not a port number.")
    return int(text)


async def demonstrate(url: str) -> None:
    """Send a Bell circuit through the API and print its counts and how to continue."""
    from quantum_circuits import AsyncClient  # noqa: PLC0415 - imports that only this needs

    body = {"qc": BELL, "shots": 1024}
    print(f"\n  POST {url}/tasks\n       {BELL}")
    async with AsyncClient(url, LOCAL_API_KEY) as client:
        task = await client.submit(BELL, shots=1024)
        print(f"  GET  {url}/tasks/{task.task_id}")
        task = await client.wait(task)
    print(f"       {task.status}: {json.dumps(task.counts)}")
    print(f"""
The API is at {url}  ({url}/docs shows all of it). Open it in a browser, with the key
{LOCAL_API_KEY}, or paste into another terminal:

  curl -s {url}/tasks -H 'x-api-key: {LOCAL_API_KEY}' -H 'Content-Type: application/json' \\
    -d {shlex.quote(json.dumps(body))}
  curl -s {url}/tasks/{task.task_id} -H 'x-api-key: {LOCAL_API_KEY}'

The client (client/README.md) finds it by

  export QUANTUM_CIRCUITS_CONFIG={shlex.quote(str(folder().resolve() / CLIENT_FILE))}

Ctrl-C stops it.""")


def run() -> None:
    """Run in the foreground and show the main job."""
    asyncio.run(serve(print, demonstrate))


def up() -> None:
    """Run in the background; return when the API answers."""
    where = folder()
    where.mkdir(parents=True, exist_ok=True)
    log = where / "stack.log"
    reading, writing = os.pipe()
    with log.open("ab") as output:  # one that runs already writes there
        begin = output.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "local", "serve", "--ready-fd", str(writing)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[writing],
            start_new_session=True,
        )
    os.close(writing)
    # The pipe ends with the URL when the stack is up, and with nothing when the process ends before.
    try:
        with os.fdopen(reading) as pipe:
            url = pipe.read().strip()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise
    if not url:
        process.wait()
        raise LocalStackError(f"{log.read_bytes()[begin:].decode().strip()}\n(from {log})")
    print(f"The API is at {url}; API_URL, API_KEY and what AWS tools need is in {where / 'env'}. `make down` stops it.")


def down() -> None:
    """Stop what runs here, and wait until it has ended."""
    path = folder() / "lock"
    if not path.exists():
        print("Nothing is running.")
        return
    with path.open("a+") as lock:
        if _try_lock(lock):
            print("Nothing is running.")
            return
        lock.seek(0)
        os.kill(int(lock.read()), signal.SIGTERM)
        fcntl.flock(lock, fcntl.LOCK_EX)  # free when the process has ended
        lock.seek(0)
        if lock.read().endswith(UNKEPT):
            log = folder() / "ministack.log"
            raise LocalStackError(f"Stopped. What was done since the start could not be kept; {log} says why.")
        print("Stopped.")


def main() -> int:
    """Run one command; return the exit status."""
    parser = argparse.ArgumentParser(prog="local", description=__doc__)
    parser.add_argument("command", choices=["run", "up", "down", "serve"])
    parser.add_argument("--ready-fd", type=int)
    arguments = parser.parse_args()
    try:
        match arguments.command:
            case "run":
                run()
            case "up":
                up()
            case "down":
                down()
            case "serve":

                async def announce(url: str) -> None:
                    with os.fdopen(arguments.ready_fd, "w") as pipe:
                        pipe.write(url)

                asyncio.run(serve(print, announce))
    except LocalStackError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
