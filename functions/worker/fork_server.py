"""The fork server: imports the simulator once, forks child processes on request, and reports how they end.

Run by `child_processes.ChildProcesses` as a script that inherits one control socket. The parent sends `{"fork": id}`
with the child's socket and error pipe attached, and `{"kill": id}`. The fork server answers `{"ready": true,
"unconfined": why}`, `{"forked": id, "pid": n}` and `{"exited": id, "status": n, "max_rss_kb": n}`. It runs no circuit.

`multiprocessing.forkserver` is not used. A child's answers reach its parent as pickles there, which a hostile child
turns into code in the parent; the fork server has the parent's environment, credentials included; and it does not
report a child's signal and memory, by which the worker distinguishes a crash from a full memory.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import importlib
import importlib.abc
import json
import math
import os
import pkgutil
import resource
import select
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import confinement
import frames
import reader
import tasks.noise
from admission import Budget, NeedsAloneError, NeedsTimeError
from tasks.errors import ErrorCode, TaskError
from tasks.options import Options

if TYPE_CHECKING:
    from collections.abc import Callable

    Simulate = Callable[[str, Options, Budget], dict[str, Any]]

PR_SET_PDEATHSIG = 1  # linux/prctl.h
CHANNEL = 3  # a child's socket
OPEN_FILES = 64
ORPHAN_CHECK_S = 5.0
CPU_MARGIN_S = 10  # over what a program may use before its parent ends it: the limit is for when no parent does
# A child whose heap has grown by this much after a program makes way for a fresh one.
GROWTH_BYTES = 128 * 2**20
TRACE_CHARACTERS = 2_000  # of an unexpected error, for the log
COLLECT_EVERY = 16  # programs, or as soon as a heap has grown by
COLLECT_BYTES = 16 * 2**20
PAGE = resource.getpagesize()


def main(control_fd: int, target: str, memory_bytes: int) -> None:
    """Import `target` (`module:function`), then fork children until the parent goes away.

    No program may ever use more than `memory_bytes`, whatever its child comes to ask for.
    """
    parent = os.getppid()
    confinement.close_to_others()
    unconfined = confinement.refusal()
    control = socket.socket(fileno=control_fd)
    simulate = _load(target)
    # Collected once, then left alone: the pages stay shared with the children.
    gc.collect()
    gc.freeze()
    wake, wake_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_end, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    pids: dict[int, int] = {}
    own = os.getpid()
    _report(control, {"ready": True, "unconfined": unconfined})
    while os.getppid() == parent:
        readable, _, _ = select.select([control.fileno(), wake], [], [], ORPHAN_CHECK_S)
        if wake in readable:
            with contextlib.suppress(BlockingIOError):
                os.read(wake, 4_096)
        _report_ended(control, pids)
        if control.fileno() not in readable:
            continue
        try:
            data, fds, _, _ = socket.recv_fds(control, 4_096, 2)
        except ConnectionResetError:
            return
        if not data:
            return
        request = json.loads(data)
        if "kill" in request:
            # Only a child not yet reaped: its number cannot have been given to another process.
            for pid in [pid for pid, child in pids.items() if child == request["kill"]]:
                os.kill(pid, signal.SIGKILL)
            continue
        channel, errors = fds
        pid = os.fork()
        if pid == 0:
            control.close()
            _become_child(own, channel, errors, lambda: _serve(simulate, memory_bytes, not unconfined))
        os.close(channel)
        os.close(errors)
        pids[pid] = request["fork"]
        _report(control, {"forked": request["fork"], "pid": pid})


def _load(target: str) -> Simulate:
    module_name, _, function = target.partition(":")
    module = importlib.import_module(module_name)
    warm_up = getattr(module, "warm_up", None)
    if warm_up is not None:
        warm_up()
    # Confined children import nothing: what is imported when a construct or a noise model asks for it is there before.
    for package in (reader, tasks.noise):
        for _, name, _ in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(name)
    simulate: Simulate = getattr(module, function)
    return simulate


class NothingMore(importlib.abc.MetaPathFinder):
    """Explains why a confined child cannot import a module that was not imported before the fork."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> NoReturn:
        """Raise ModuleNotFoundError with the reason."""
        del path, target
        reason = f"{fullname} was not imported before this process was confined; the simulator's warm_up must use it."
        raise ModuleNotFoundError(reason, name=fullname)


def _report_ended(control: socket.socket, pids: dict[int, int]) -> None:
    while pids:
        pid, status, usage = os.wait4(-1, os.WNOHANG)
        if pid == 0:
            return
        child = pids.pop(pid, None)
        if child is not None:
            code = os.waitstatus_to_exitcode(status)
            _report(control, {"exited": child, "status": code, "max_rss_kb": usage.ru_maxrss})


def _report(control: socket.socket, message: dict[str, Any]) -> None:
    try:
        control.send(json.dumps(message).encode())
    except OSError:  # the parent is gone; the children go with their parent
        os._exit(0)


def _become_child(fork_server: int, channel_fd: int, errors_fd: int, serve: Callable[[], int]) -> NoReturn:
    """Close every descriptor but the channel and the error pipe, then serve; never returns into the fork server."""
    status = 70
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != fork_server:  # it died before the line above
            os._exit(0)
        _keep_only(channel_fd, errors_fd)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
        sys.dont_write_bytecode = True
        confinement.open_to_others()  # else the file below is root's
        with contextlib.suppress(OSError):  # where the kernel allows it, the first to go when memory runs out
            Path("/proc/self/oom_score_adj").write_text("1000")
        confinement.close_to_others()
        status = serve()
    finally:
        os._exit(status)


def _keep_only(channel_fd: int, errors_fd: int) -> None:
    """Put nothing on stdin, the error pipe on stdout and stderr, the channel on 3, and close the rest."""
    null = os.open(os.devnull, os.O_RDONLY)
    # Moved above the standard descriptors and 3 first, so that none of them is overwritten before it is copied.
    channel, errors = (fcntl.fcntl(fd, fcntl.F_DUPFD, CHANNEL + 1) for fd in (channel_fd, errors_fd))
    os.dup2(null, 0)
    os.dup2(errors, 1)
    os.dup2(errors, 2)
    os.dup2(channel, CHANNEL)
    os.closerange(CHANNEL + 1, 65_536)


def _serve(simulate: Simulate, memory_bytes: int, confined: bool) -> int:  # noqa: FBT001 - called once, above
    """Answer programs one at a time; return the exit status, 0 if all went well."""
    channel = socket.socket(fileno=CHANNEL)
    memory = Memory()
    memory.allow_at_most(memory_bytes)
    if confined:
        confinement.confine()
        sys.meta_path.insert(0, NothingMore())
    # Cycles are collected between programs, after the answer has gone: a reader's many small objects are none.
    gc.disable()
    served = 0
    while (request := frames.receive(channel)) is not None:
        budget = Budget.from_dict(request["budget"])
        memory.allow(budget.memory_bytes)
        _allow_seconds(budget.time_limit_s * budget.threads)
        answer = _answer(simulate, request, budget)
        # What MemoryError or a panic leaves behind is not worth trusting, nor is a heap that stays large.
        growth = memory.growth()
        last = bool(answer.pop("tainted", False)) or growth > GROWTH_BYTES
        if last:
            answer["last"] = True
        channel.sendall(frames.encode(answer))
        if last:
            return 0
        served += 1
        if served % COLLECT_EVERY == 0 or growth > COLLECT_BYTES:
            gc.collect()
    return 0


def _answer(simulate: Simulate, request: dict[str, Any], budget: Budget) -> dict[str, Any]:
    try:
        return {"completed": simulate(request["qc"], Options.from_dict(request["options"]), budget)}
    except TaskError as error:
        return {"failed": error.as_dict()}
    except NeedsAloneError:
        return {"later": "alone"}
    except NeedsTimeError:
        return {"later": "time"}
    except MemoryError:
        return {"later": "memory", "tainted": True}
    except BaseException:  # noqa: BLE001 - Rust's panics are no Exceptions
        fault = TaskError(ErrorCode.INTERNAL_ERROR, "The simulator met an unexpected error; it has been logged.")
        return {"failed": fault.as_dict(), "unexpected": traceback.format_exc()[-TRACE_CHARACTERS:], "tainted": True}


class Memory:
    """This process's private writable memory, in bytes, beyond what it was forked with.

    RLIMIT_DATA bounds it: unlike RLIMIT_AS that does not count what is only reserved.
    """

    def __init__(self) -> None:
        # Kept open: a confined process opens no file.
        self._statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        self._start = self._bytes()
        self._hard = resource.RLIM_INFINITY

    def allow_at_most(self, most: int) -> None:
        """Set what `allow` can never again go beyond."""
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        self._hard = self._start + most if hard == resource.RLIM_INFINITY else min(self._start + most, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (self._hard, self._hard))

    def allow(self, now: int) -> None:
        """Set what the next program may use."""
        resource.setrlimit(resource.RLIMIT_DATA, (min(self._start + now, self._hard), self._hard))

    def growth(self) -> int:
        """Return by how much it has grown."""
        return self._bytes() - self._start

    def _bytes(self) -> int:
        """Return the size of data and stack, from proc(5) statm's sixth field."""
        return int(os.pread(self._statm, 256, 0).split()[5]) * PAGE


def _allow_seconds(seconds: float) -> None:
    """Bound the CPU time of the next program; SIGXCPU ends one that uses more."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    until = math.ceil(usage.ru_utime + usage.ru_stime + seconds) + CPU_MARGIN_S
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (until if hard == resource.RLIM_INFINITY else min(until, hard), hard))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
