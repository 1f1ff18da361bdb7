"""What the tests run in the children instead of the real simulate: the real one, plus words that misbehave."""

from __future__ import annotations

import mmap
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, NoReturn

import simulator
from admission import NeedsAloneError

if TYPE_CHECKING:
    from admission import Budget
    from tasks.options import Options


def warm_up() -> None:
    """Warm up as the worker does."""
    simulator.warm_up()


def simulate(qc: str, options: Options, budget: Budget) -> dict[str, Any]:
    """Run `qc`, or do what a word that no program can be says."""
    misdeed = _MISDEEDS.get(qc.partition(" ")[0])
    if misdeed is not None:
        return misdeed(qc, budget)
    return simulator.simulate(qc, options, budget)


def _exhaust(qc: str, budget: Budget) -> NoReturn:
    del qc, budget
    hoard = []
    while True:
        hoard.append(bytearray(2**24))


def _abort_of_memory(qc: str, budget: Budget) -> NoReturn:
    del qc, budget
    sys.stderr.write("terminate called after throwing an instance of 'std::bad_alloc'")
    sys.stderr.flush()
    os.abort()


def _loop(qc: str, budget: Budget) -> NoReturn:
    del qc, budget
    while True:
        pass


def _hang(qc: str, budget: Budget) -> NoReturn:
    """Loop as well, and leave the cores to the other tests."""
    del qc, budget
    while True:
        # No test waits for this: it stands for a program without an end, which the schedule stops from outside.
        time.sleep(60)


def _segfault(qc: str, budget: Budget) -> NoReturn:
    del qc, budget
    os.kill(os.getpid(), signal.SIGSEGV)
    raise AssertionError


def _die(qc: str, budget: Budget) -> NoReturn:
    del qc, budget
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


_DEATHS = mmap.mmap(-1, 4096)  # how often by which signal, shared by the children of a fork server


def _die_once(qc: str, budget: Budget) -> dict[str, Any]:
    """Die by the signal, unless a child of this fork server has."""
    del budget
    number = int(qc.split(" ")[1])
    if not _DEATHS[number]:
        _DEATHS[number] = 1
        os.kill(os.getpid(), number)
    return {"result": {"0": 1}, "execution": {"again": True}}


def _die_branching(qc: str, budget: Budget) -> dict[str, Any]:
    """Die as Aer does of some branches, where these are allowed."""
    del qc
    if budget.branching:
        os.kill(os.getpid(), signal.SIGSEGV)
    return {"result": {"0": 1}, "execution": {}}


def _rubbish(qc: str, budget: Budget) -> NoReturn:
    del qc, budget
    os.write(3, b"\xff" * 64)
    while True:
        pass


def _lie(qc: str, budget: Budget) -> dict[str, Any]:
    del qc, budget
    return {"result": {"0": -1}, "execution": {}}


def _need_everything(qc: str, budget: Budget) -> dict[str, Any]:
    """Ask for all the memory, and be content with it."""
    del qc
    if budget.memory_bytes < budget.alone_bytes:
        raise NeedsAloneError
    return {"result": {"0": 1}, "execution": {"threads": budget.threads}}


def _stumble(qc: str, budget: Budget) -> NoReturn:
    del qc, budget
    raise ZeroDivisionError("the secret of " + "the house")


def _look(qc: str, budget: Budget) -> dict[str, Any]:
    """Report what a child can see of the world."""
    del qc
    return {
        "result": {},
        "execution": {
            "pid": os.getpid(),
            "parent": os.getppid(),
            "environment": sorted(os.environ),
            "threads": budget.threads,
            "memory_bytes": budget.memory_bytes,
        },
    }


_MISDEEDS = {
    "EXHAUST": _exhaust,
    "ABORT_OF_MEMORY": _abort_of_memory,
    "LOOP": _loop,
    "HANG": _hang,
    "SEGFAULT": _segfault,
    "DIE": _die,
    "DIE_ONCE": _die_once,
    "DIE_BRANCHING": _die_branching,
    "RUBBISH": _rubbish,
    "LIE": _lie,
    "LOOK": _look,
    "STUMBLE": _stumble,
    "NEED_EVERYTHING": _need_everything,
}
