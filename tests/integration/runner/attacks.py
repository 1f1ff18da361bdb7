"""What a child that an attacker has taken over would try, each time harmlessly; run in a child in place of a circuit.

The program's text names the processes to attack: the handler's, the fork server's, another child's.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import resource
import socket
from typing import TYPE_CHECKING, Any

import confinement
import simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from admission import Budget
    from tasks.options import Options

PTRACE_SEIZE, PTRACE_DETACH = 0x4206, 17
CLONE_NEWUSER = 0x10000000
# Of the highest system call that this test knows: all below are tried.
LAST_SYSTEM_CALL = 470
libc = ctypes.CDLL(None, use_errno=True)


def warm_up() -> None:
    """Warm up as the worker does."""
    simulator.warm_up()


def simulate(qc: str, options: Options, budget: Budget) -> dict[str, Any]:
    """Try everything against the processes that `qc` lists; `execution` says what became of each try."""
    del options, budget
    victims = [int(pid) for pid in qc.split()]
    outcomes = {name: _outcome(attempt) for name, attempt in _attempts(victims)}
    # With everything else closed, whatever other system call there may be: none of the numbers does anything.
    if not [name for name, outcome in outcomes.items() if outcome == "done"]:
        outcomes["unlisted system calls"] = _outcome(_every_other_system_call)
    return {"result": {}, "execution": {"outcomes": outcomes, "descriptors": _descriptors()}}


def _outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except (OSError, ValueError) as error:
        return type(error).__name__ if not isinstance(error, OSError) else errno.errorcode[error.errno or 0]
    return "done"


def _attempts(victims: list[int]) -> Iterator[tuple[str, Callable[[], object]]]:
    for pid in victims:
        for name in ("environ", "mem", "maps", "cmdline", "root/etc/hostname"):
            yield f"open /proc/{pid}/{name}", lambda pid=pid, name=name: _read(f"/proc/{pid}/{name}")  # type: ignore[misc]
        yield f"trace {pid}", lambda pid=pid: _trace(pid)  # type: ignore[misc]
        yield f"read memory of {pid}", lambda pid=pid: _process_vm_readv(pid)  # type: ignore[misc]
        yield f"signal {pid}", lambda pid=pid: os.kill(pid, 0)  # type: ignore[misc]
        yield f"signal thread {pid}", lambda pid=pid: _called(libc.tgkill(pid, pid, 0))  # type: ignore[misc]
        yield f"limit {pid}", lambda pid=pid: resource.prlimit(pid, resource.RLIMIT_CORE)  # type: ignore[misc]
        yield f"hold {pid}", lambda pid=pid: os.close(os.pidfd_open(pid))  # type: ignore[misc]
        yield f"schedule {pid}", lambda pid=pid: os.getpriority(os.PRIO_PROCESS, pid)  # type: ignore[misc]
    yield "signal everybody", lambda: os.kill(-1, 0)
    yield "signal the group", lambda: os.kill(0, 0)
    for path in ("/proc/1/environ", "/proc/self/environ", "/proc/self/mem", "/etc/passwd", os.devnull, __file__):
        yield f"open {path}", lambda path=path: _read(path)  # type: ignore[misc]
    yield "list /proc", lambda: os.listdir("/proc")  # noqa: PTH208
    yield "list /tmp", lambda: os.listdir("/tmp")  # noqa: S108, PTH208
    yield "look at a file", lambda: os.stat("/etc/passwd")  # noqa: PTH116
    yield "make a file", lambda: os.close(os.open("/tmp/attack", os.O_WRONLY | os.O_CREAT))  # noqa: S108
    yield "make a folder", lambda: os.mkdir("/tmp/attack")  # noqa: S108, PTH102
    yield "make a link", lambda: os.symlink("/tmp", "/tmp/attack")  # noqa: S108, PTH211
    yield "remove a file", lambda: os.unlink("/tmp/attack")  # noqa: S108, PTH108
    yield "make a pipe", os.pipe
    yield "make a file in memory", lambda: os.close(os.memfd_create("attack"))
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            yield f"{family.name} {kind.name}", lambda family=family, kind=kind: socket.socket(family, kind).close()  # type: ignore[misc]
    yield "a pair of sockets", socket.socketpair
    yield "connect", lambda: _called(libc.connect(3, b"\1\0/tmp/attack\0", 14))
    yield "fork", _fork
    yield "run a program", lambda: os.execv("/bin/true", ["true"])  # noqa: S606
    yield "leave for a user namespace", lambda: _called(libc.unshare(CLONE_NEWUSER))
    yield "be readable again", lambda: _called(libc.prctl(confinement.PR_SET_DUMPABLE, 1, 0, 0, 0))
    yield "map code", lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    for limit in ("RLIMIT_DATA", "RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_CORE"):
        yield f"raise {limit}", lambda limit=limit: _raise_limit(getattr(resource, limit))  # type: ignore[misc]


def _read(path: str) -> None:
    with open(path, "rb") as file:  # noqa: PTH123 - the plainest that can run here
        file.read(1)


def _called(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")


def _trace(pid: int) -> None:
    _called(libc.ptrace(PTRACE_SEIZE, pid, None, None))
    libc.ptrace(PTRACE_DETACH, pid, None, None)


def _process_vm_readv(pid: int) -> None:
    """Read a byte at the address of something of our own, which a forked process has too."""
    here = ctypes.create_string_buffer(1)

    class Vector(ctypes.Structure):
        _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))

    vector = Vector(ctypes.addressof(here), 1)
    _called(libc.process_vm_readv(pid, ctypes.byref(vector), 1, ctypes.byref(vector), 1, 0))


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _raise_limit(limit: int) -> None:
    """Raise a limit to more than there was when this process was confined; to have it is not to have it."""
    _, hard = resource.getrlimit(limit)
    if hard == resource.RLIM_INFINITY:
        return  # there is none: done
    resource.setrlimit(limit, (hard, hard + 1))


def _every_other_system_call() -> None:
    """Call what the filter does not name, with arguments that mean nothing; raises OSError when all are refused."""
    column = confinement._architecture()[0]  # noqa: SLF001 - a test's own look at the table
    named: set[int] = set()
    for table in (confinement._ALLOWED, confinement._ONLY_ITSELF, confinement._NO_CODE, confinement._ONLY_THREADS):  # noqa: SLF001
        named |= {numbers[column] for numbers in table.values()}
    for number in sorted(set(range(LAST_SYSTEM_CALL)) - named):
        ctypes.set_errno(0)
        if libc.syscall(number, -1, 0, 0, 0, 0, 0) >= 0 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
            return
    raise OSError(errno.EPERM, "all refused")


def _descriptors() -> list[int]:
    """Return what is open, without opening anything."""
    found = []
    for number in range(64):
        try:
            os.lseek(number, 0, os.SEEK_CUR)
        except OSError as error:
            if error.errno == errno.EBADF:
                continue
        found.append(number)
    return found
