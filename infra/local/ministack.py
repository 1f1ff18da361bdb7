"""The AWS stand-in's process: started on loopback, ended with this one, stopped so that it saves its state."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.translate import REGION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READY_SECONDS = 60
STOP_SECONDS = 60  # for saving tens of megabytes on a busy machine
IDLE_SECONDS = 60
PR_SET_PDEATHSIG = 1  # prctl(2)
PARENT = "LOCAL_STACK_PROCESS"  # the variable that names the process which started MiniStack


class LocalStackError(Exception):
    """The local stack cannot start; the message says what to do."""


class UnkeptError(LocalStackError):
    """The local stack has ended, and its next start will not know what this one did."""


class PortTakenError(LocalStackError):
    """Another program took the stand-in's port between our choice and its start."""


def listening(wanted: int | None, usual: int) -> socket.socket:
    """Return a socket that listens on the wanted port of 127.0.0.1, or else on the usual one or any that is free.

    Nobody else gets its port as long as it is open. Raises LocalStackError when a wanted port is taken.
    """
    for port in (usual, 0) if wanted is None else (wanted,):
        found = socket.socket()
        # A port whose last connections are still winding down may be listened on again.
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind(("127.0.0.1", port))
            found.listen()
        except OSError:
            found.close()
            continue
        return found
    raise LocalStackError(f"Port {wanted} is in use. Stop what listens there, or choose another port.")


def free_port(wanted: int | None, usual: int) -> int:
    """Return the wanted port, or else the usual one or any that is free, for a program that binds it itself.

    Another program may take it before that. Raises LocalStackError when a wanted port is taken.
    """
    with listening(wanted, usual) as probe:
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Standin:
    """A running MiniStack: its endpoint URL and its process."""

    endpoint: str
    process: subprocess.Popen[bytes]
    _log: Path

    def wait_until_ready(self, key: str) -> None:
        """Return when it answers who has the access key `key`.

        Raises PortTakenError when another program listens at its port, LocalStackError when it does not come up.
        """
        headers = {"X-Amz-Security-Token": key}
        request = urllib.request.Request(f"{self.endpoint}/_ministack/health", headers=headers)  # noqa: S310 - loopback
        wait = threading.Event()
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                port = int(self.endpoint.rpartition(":")[2])
                if _in_use(port):
                    raise PortTakenError(f"Port {port} is in use. Stop what listens there, or choose another port.")
                raise LocalStackError(f"MiniStack ended at its start; the reason is in {self._log}.")
            try:
                with urllib.request.urlopen(request, timeout=2):  # noqa: S310 - the same
                    return
            except (urllib.error.URLError, OSError):
                wait.wait(0.05)
        raise LocalStackError(f"MiniStack did not answer within {READY_SECONDS} s; see {self._log}.")


@contextlib.contextmanager
def ministack(port: int, state: Path, log: Path, key: str) -> Iterator[Standin]:
    """Run MiniStack on 127.0.0.1:`port` with its state under `state`, for those who have the access key `key`.

    It is still starting when it is given. Raises UnkeptError at the end when its state could not be saved. The thread
    that enters must be the one that lives as long as this process: MiniStack ends with it.
    """
    state.mkdir(parents=True, exist_ok=True)
    _read_streams_from_the_start(state)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MINISTACK_"))},
        "BIND_HOST": "127.0.0.1",  # its default listens on every interface
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(state / "s3"),
        # What it gives its functions: an access key that it makes of the account's number, and these.
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": key,
        "AWS_SESSION_TOKEN": key,
        "AWS_DEFAULT_REGION": REGION,
        # Where the functions find AWS: here, unless the fault tests put something between.
        "AWS_ENDPOINT_URL": os.environ.get("FUNCTIONS_ENDPOINT_URL", f"http://127.0.0.1:{port}"),
        "SFTP_ENABLED": "0",
        "MALLOC_ARENA_MAX": "2",  # glibc: else each of its many threads keeps memory of its own
        "IOT_MTLS_ENABLED": "0",
        # MiniStack looks each half minute for environments that did nothing for so long; see ministack_main.py.
        "LAMBDA_WARM_TTL_SECONDS": str(IDLE_SECONDS),
        "LOG_LEVEL": "WARNING",
        "TMPDIR": str(_emptied(state.parent / "tmp")),
        PARENT: str(os.getpid()),
    }
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.ministack_main"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is ours: it must not kill the stand-in before it saved its state
        )
    try:
        yield Standin(f"http://127.0.0.1:{port}", process, log)
    finally:
        ended = process.poll() is not None  # by itself: `serve` reports that
        _stop(process)
    if not ended and process.returncode != 0:
        raise UnkeptError(
            f"What was done since the start could not be kept; {log} says why. What was done before is kept."
        )


def _read_streams_from_the_start(state: Path) -> None:
    """Make it forget how far its functions had read the tables' streams.

    It keeps these positions across a stop but not the streams, and would pass over as many new records as there were.
    """
    path = state / "lambda.json"
    if path.exists():
        saved = json.loads(path.read_text())
        saved["payload"].pop("dynamodb_stream_positions", None)
        path.write_text(json.dumps(saved))


def _emptied(folder: Path) -> Path:
    """Return a folder without what a start that was killed has left there: each environment's code and programs.

    An environment that is just ending may still write there; what it leaves is removed by the next start.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def end_with_parent() -> None:
    """End this process, MiniStack's, by SIGTERM when the one that started it ends, or if it has ended already."""
    parent = int(os.environ.pop(PARENT))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit("What started MiniStack has ended.")


def _in_use(port: int) -> bool:
    try:
        free_port(port, port)
    except LocalStackError:
        return True
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End MiniStack and the functions it runs, giving it time to save its state."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # the functions' processes, and MiniStack itself if it hangs
    process.wait()
