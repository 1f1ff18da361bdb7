"""What a child process may ask of the kernel: to compute, to use the memory it has, to answer its parent; nothing else.

Circuit text is hostile, and Aer is a million lines of C++ that read what is made of it. Whoever takes over a child must
find nothing there: not the handler's credentials, no file, no network, no other process. Everything a child needs is
imported before it is forked, so that it opens no file at all.

The filter is a program for the kernel's own interpreter (seccomp(2), linux/bpf_common.h). It is written here because
libseccomp's Python binding is no wheel, and AWS's base image has no libseccomp. It names what is allowed: a system call
that a later kernel adds is refused. Lambda allows filters, as no_new_privs is set there.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

PR_SET_DUMPABLE = 4  # linux/prctl.h
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_SET_MODE_FILTER = 1  # linux/seccomp.h
# Without this flag a kernel before 5.16 turns speculation off in every process with a filter, which costs a circuit up
# to a tenth of its time. A child holds no secret that it could be tricked out of.
SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4
ALLOW = 0x7FFF0000
KILL_PROCESS = 0x80000000
ERRNO = 0x00050000
LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06  # BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, ...JSET, BPF_RET
NUMBER, ARCH, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data; arguments have eight bytes, the low half first
CLONE_THREAD = 0x10000
PROT_EXEC = 4
CAPABILITY_VERSION_3 = 0x20080522
CONFINED = "confined"

# The columns of the tables below: AUDIT_ARCH_* of linux/audit.h by os.uname().machine.
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_SECCOMP = (317, 277)
_CLONE3 = (435, 435)
# Numbers from asm/unistd_64.h and asm-generic/unistd.h.
_ALLOWED = {
    # Locks and time.
    "futex": (202, 98),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "getcpu": (309, 168),
    "nanosleep": (35, 101),
    "clock_nanosleep": (230, 115),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "gettimeofday": (96, 169),
    "times": (100, 153),
    "restart_syscall": (219, 128),
    # The descriptors it was born with: none can be added.
    "read": (0, 63),
    "write": (1, 64),
    "readv": (19, 65),
    "writev": (20, 66),
    "pread64": (17, 67),
    "lseek": (8, 62),
    "recvfrom": (45, 207),
    "sendto": (44, 206),
    "close": (3, 57),
    "ppoll": (271, 73),
    # Memory, within RLIMIT_DATA.
    "brk": (12, 214),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "mbind": (237, 235),
    # Itself.
    "getpid": (39, 172),
    "getppid": (110, 173),
    "gettid": (186, 178),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "getrusage": (98, 165),
    "getrlimit": (97, 163),
    "setrlimit": (160, 164),
    "uname": (63, 160),
    "sysinfo": (99, 179),
    "getrandom": (318, 278),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
_ONLY_ITSELF = {"kill": (62, 129), "tgkill": (234, 131), "prlimit64": (302, 261)}  # first argument: a process id
_NO_CODE = {"mmap": (9, 222), "mprotect": (10, 226)}  # third argument: may the pages be executed?
_ONLY_THREADS = {"clone": (56, 220)}  # first argument: flags

_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    """struct sock_fprog of linux/filter.h."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def close_to_others() -> None:
    """Let no other process of this user read this one's memory and environment in /proc, or trace it (ptrace(2))."""
    _libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def open_to_others() -> None:
    """Undo `close_to_others`; until then what is this process's own in /proc belongs to root."""
    _libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)


def drop_capabilities() -> None:
    """Give up what root may do to other processes: a developer may be root, though nobody is on Lambda."""
    _libc.capset(struct.pack("Ii", CAPABILITY_VERSION_3, 0), bytes(24))


def confine() -> None:
    """Give up every capability, close this process to others, and install the filter, for ever.

    Raises OSError where the kernel refuses the filter; the rest is done then all the same.
    """
    close_to_others()
    drop_capabilities()
    _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    column, _ = _architecture()
    instructions = filter_program(os.getpid())
    program = _Program(len(instructions) // 8, instructions)
    if _libc.syscall(_SECCOMP[column], SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, ctypes.byref(program)):
        number = ctypes.get_errno()
        raise OSError(number, f"The kernel refuses a seccomp filter: {os.strerror(number)}")


def refusal() -> str:
    """Return why this machine lets no process confine itself, empty where it does; tried in a process of its own."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        answer = "It ended without an answer."
        try:
            confine()
            answer = CONFINED
        except OSError as error:
            answer = str(error)
        finally:
            os.write(writing, answer.encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    return "" if answer == CONFINED else answer or "It was killed."


def filter_program(pid: int) -> bytes:
    """Return the filter's instructions for the process `pid`: struct sock_filter, eight bytes each."""
    column, arch = _architecture()
    forbidden = ERRNO | errno.EPERM
    program = [(LOAD, 0, 0, ARCH), (EQUAL, 1, 0, arch), (RETURN, 0, 0, KILL_PROCESS), (LOAD, 0, 0, NUMBER)]
    for numbers in _ALLOWED.values():
        program += [(EQUAL, 0, 1, numbers[column]), (RETURN, 0, 0, ALLOW)]
    for numbers in _ONLY_ITSELF.values():
        program += [(EQUAL, 0, 5, numbers[column]), (LOAD, 0, 0, ARGUMENTS)]
        program += [(EQUAL, 1, 0, pid), (EQUAL, 0, 1, 0 if numbers == _ONLY_ITSELF["prlimit64"] else pid)]
        program += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, forbidden)]
    for numbers in _NO_CODE.values():
        program += [(EQUAL, 0, 4, numbers[column]), (LOAD, 0, 0, ARGUMENTS + 16)]
        program += [(ANY_BIT, 1, 0, PROT_EXEC), (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, forbidden)]
    for numbers in _ONLY_THREADS.values():
        program += [(EQUAL, 0, 4, numbers[column]), (LOAD, 0, 0, ARGUMENTS)]
        program += [(ANY_BIT, 0, 1, CLONE_THREAD), (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, forbidden)]
    # Its flags are in memory, which a filter cannot read; glibc then takes clone.
    program += [(EQUAL, 0, 1, _CLONE3[column]), (RETURN, 0, 0, ERRNO | errno.ENOSYS), (RETURN, 0, 0, forbidden)]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in program)


def _architecture() -> tuple[int, int]:
    try:
        return _ARCHITECTURES[os.uname().machine]
    except KeyError:
        raise OSError(errno.ENOSYS, f"There is no seccomp filter for {os.uname().machine} here.") from None
