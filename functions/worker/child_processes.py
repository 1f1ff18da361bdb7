"""The worker's child processes: asks the fork server for them, carries frames to and fro, notices how they end."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import confinement
import frames
from tasks.logs import Event, logger
from tasks.settings import optional

FORK_SERVER = Path(__file__).with_name("fork_server.py")
# The environment variables that a child gets: no credentials and no names of tables.
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ", "HOME", "TMPDIR")
EXIT_REPORT_S = 2.0  # how long to wait for the fork server's report on a child whose socket has closed
TAIL_BYTES = 4_096


@dataclass(eq=False, slots=True)
class Child:
    """One process, reached by `channel`; `pid` is known once the fork server has forked it."""

    number: int
    channel: socket.socket
    errors: int
    pid: int | None = None
    incoming: bytearray = field(default_factory=bytearray)
    outgoing: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    writing: bool = False  # whether poll() waits for room in the socket
    owed: int = 0  # programs sent and not yet answered
    closed_at: float | None = None
    exited: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A child has sent a frame of `size` bytes."""

    child: Child
    message: dict[str, Any]
    size: int


@dataclass(frozen=True, slots=True)
class Lost:
    """A child is gone. `status` is its exit code, negative for a signal, None where it is unknown."""

    child: Child
    reason: str  # "died", "malformed answer", "fork server"
    status: int | None = None
    max_rss_bytes: int = 0
    tail: str = ""


class ChildProcesses:
    """`size` children of a fork server that imports `target` (`module:function`) and is started at once.

    A program may use at most `threads` threads and `memory_bytes` of memory in its child.
    """

    def __init__(self, size: int, target: str, threads: int, memory_bytes: int) -> None:
        self.size = size
        self.target = target
        self.threads = threads
        self.memory_bytes = memory_bytes
        self.children: list[Child] = []
        self.ready = False
        self.restarts = 0
        self._numbers = 0
        self._selector = selectors.DefaultSelector()
        # This process has the credentials, and runs as the same user as its children.
        confinement.close_to_others()
        self._start_fork_server()

    def _start_fork_server(self) -> None:
        # SEQPACKET keeps messages whole, and each carries its descriptors.
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {name: value for name in _ENVIRONMENT if (value := optional(name)) is not None}
        environment |= {
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            # Aer uses no more threads than OpenMP has; each run sets its own number, normally one.
            "OMP_NUM_THREADS": str(self.threads),
            "OPENBLAS_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "QISKIT_PARALLEL": "FALSE",
            "RAYON_NUM_THREADS": "1",
        }
        with theirs:
            self._fork_server = subprocess.Popen(
                [sys.executable, str(FORK_SERVER), str(theirs.fileno()), self.target, str(self.memory_bytes)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=environment,
                # A terminal's Ctrl-C is for the parent, whose end the fork server notices.
                start_new_session=True,
            )
        self._control.settimeout(0)
        self.ready = False
        self._selector.register(self._control, selectors.EVENT_READ, None)
        self.fill()

    def restart(self) -> None:
        """Begin again with a new fork server and new children; the old ones are gone or are killed now."""
        self.restarts += 1
        for child in list(self.children):
            self._forget(child)
        self._stop_fork_server()
        self._start_fork_server()

    def fill(self) -> None:
        """Ask for as many children as are missing; poll() reports when they are forked."""
        while len(self.children) < self.size:
            self._numbers += 1
            ours, theirs = socket.socketpair()
            errors, errors_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
            child = Child(self._numbers, ours, errors)
            try:
                socket.send_fds(
                    self._control, [json.dumps({"fork": child.number}).encode()], [theirs.fileno(), errors_end]
                )
            except OSError:  # the fork server is dead, which poll() reports
                ours.close()
                os.close(errors)
                return
            finally:
                theirs.close()
                os.close(errors_end)
            ours.settimeout(0)
            self._selector.register(ours, selectors.EVENT_READ, child)
            self._selector.register(errors, selectors.EVENT_READ, child)
            self.children.append(child)

    def send(self, child: Child, message: dict[str, Any]) -> None:
        """Send a frame, what the socket does not take now in later polls."""
        child.owed += 1
        child.outgoing += frames.encode(message)
        self._flush(child)

    def kill(self, child: Child) -> None:
        """Kill a child, whatever it is doing, and ask for another in its place."""
        if child not in self.children:
            return
        with contextlib.suppress(OSError):
            self._control.send(json.dumps({"kill": child.number}).encode())
        self._forget(child)
        self.fill()

    def retire(self, child: Child) -> None:
        """Let a child end by itself, as it announced, and ask for another in its place."""
        if child in self.children:
            self._forget(child)
            self.fill()

    def poll(self, timeout_s: float) -> list[Answered | Lost]:
        """Wait at most that long for something to happen, and return it."""
        events: list[Answered | Lost] = []
        if any(child.closed_at is not None for child in self.children):
            timeout_s = min(timeout_s, 0.05)
        for key, mask in self._selector.select(max(0.0, timeout_s)):
            child = key.data
            if child is None:
                if not self._read_fork_server():
                    return events + self._replace_all()
            elif child not in self.children:
                continue
            elif key.fileobj == child.errors:
                self._read_errors(child)
            else:
                if mask & selectors.EVENT_WRITE:
                    self._flush(child)
                if mask & selectors.EVENT_READ:
                    events.extend(self._read(child))
        return events + self._reap()

    def _reap(self) -> list[Answered | Lost]:
        """Return what the children that have ended left unread, and ask for others in their places."""
        events: list[Answered | Lost] = []
        now = time.monotonic()
        for child in list(self.children):
            if child.exited is None and (child.closed_at is None or now - child.closed_at < EXIT_REPORT_S):
                continue
            # Its answer may still be in the socket, and counts though that process has ended.
            events.extend(self._read_the_rest(child))
            if child in self.children:
                self._read_errors(child)
                exited = child.exited or {}
                tail = child.tail.decode(errors="replace")
                rss = int(exited.get("max_rss_kb", 0)) * 1_024
                events.append(Lost(child, "died", exited.get("status"), rss, tail))
                self.retire(child)
        return events

    def close(self) -> None:
        """End every child and the fork server; returns when the fork server is reaped."""
        for child in list(self.children):
            self._forget(child)
        self._stop_fork_server()
        self._selector.close()

    def _stop_fork_server(self) -> None:
        with contextlib.suppress(KeyError):
            self._selector.unregister(self._control)
        self._control.close()
        # Its children die with it: each has a parent-death signal set.
        self._fork_server.send_signal(signal.SIGKILL)
        self._fork_server.wait()

    def _read_fork_server(self) -> bool:
        while True:
            try:
                data = self._control.recv(4_096)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not data:
                return False
            message = json.loads(data)
            if "ready" in message:
                self.ready = True
                if message["unconfined"]:
                    logger.error(
                        "Children run unconfined on this machine",
                        event=Event.CHILDREN_UNCONFINED,
                        reason=message["unconfined"],
                    )
            for child in self.children:
                if child.number == message.get("forked"):
                    child.pid = message["pid"]
                elif child.number == message.get("exited"):
                    child.exited = message

    def _replace_all(self) -> list[Answered | Lost]:
        logger.error("The fork server died", event=Event.FORK_SERVER_LOST, exit_status=self._fork_server.poll())
        lost: list[Answered | Lost] = [Lost(child, "fork server") for child in self.children]
        self.restart()
        return lost

    def _read(self, child: Child) -> list[Answered | Lost]:
        """Take one chunk: a child that floods its socket gets no more than its turn, nor more answers than it owes."""
        try:
            chunk = child.channel.recv(2**20)
        except BlockingIOError:
            return []
        except OSError:
            chunk = b""
        if not chunk:
            if child.closed_at is None:
                child.closed_at = time.monotonic()
                self._selector.unregister(child.channel)
            return []
        child.incoming += chunk
        answers: list[Answered | Lost] = []
        malformed = False
        try:
            left = len(child.incoming)
            for message in frames.decode_all(child.incoming):
                answers.append(Answered(child, message, left - len(child.incoming)))
                left = len(child.incoming)
        except frames.FrameError:
            malformed = True
        child.owed -= len(answers)
        if malformed or child.owed < 0 or (child.owed == 0 and child.incoming):
            self.kill(child)
            return [Lost(child, "malformed answer")]
        return answers

    def _read_the_rest(self, child: Child) -> list[Answered | Lost]:
        while child in self.children and child.closed_at is None:
            before = len(child.incoming)
            events = self._read(child)
            if events or len(child.incoming) == before:
                return events
        return []

    def _read_errors(self, child: Child) -> None:
        try:
            chunk = os.read(child.errors, 65_536)
        except OSError:
            return
        if chunk:
            child.tail += chunk
            del child.tail[:-TAIL_BYTES]
        else:
            with contextlib.suppress(KeyError):
                self._selector.unregister(child.errors)

    def _flush(self, child: Child) -> None:
        try:
            while child.outgoing:
                sent = child.channel.send(child.outgoing)
                del child.outgoing[:sent]
        except BlockingIOError:
            pass
        except OSError:  # dead; poll() will say so
            child.outgoing.clear()
        if child.closed_at is None and bool(child.outgoing) != child.writing:
            child.writing = bool(child.outgoing)
            mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if child.writing else 0)
            self._selector.modify(child.channel, mask, child)

    def _forget(self, child: Child) -> None:
        self.children.remove(child)
        for end in (child.channel, child.errors):
            with contextlib.suppress(KeyError):
                self._selector.unregister(end)
        child.channel.close()
        os.close(child.errors)
