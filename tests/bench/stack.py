"""A local stack of the benchmark's own, what its processes have spent, and its functions' environments."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from local_stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cpu:
    """CPU milliseconds spent so far by the parts of a local stack; only `standin` is not ours."""

    front: float
    api: float
    worker: float
    sweeper: float
    notifier: float
    usage: float
    callback: float
    standin: float

    @property
    def ours(self) -> float:
        """What everything but the stand-in spent."""
        return sum(getattr(self, field.name) for field in fields(self) if field.name != "standin")

    def since(self, earlier: Cpu, tasks: int) -> dict[str, float]:
        """Return the milliseconds a task from `earlier` to now, by part, and the sum of ours."""
        names = (*(field.name for field in fields(self)), "ours")
        return {name: (getattr(self, name) - getattr(earlier, name)) / tasks for name in names}


@contextlib.contextmanager
def running() -> Iterator[Stack]:
    """Yield an empty stack in a folder of its own, stopped afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        stack = Stack(Path(folder) / "stack", os.environ.get("BENCH_PARAMETERS", ""))
        up = stack.command("up")
        if up.returncode != 0:
            raise SystemExit(up.stderr)
        try:
            yield stack
        finally:
            stack.command("down")


def become(stack: Stack, function: str) -> None:
    """Give this process the environment of the stack's function, so that its handler can be called here."""
    for found in stack.client("lambda").list_functions()["Functions"]:
        if f"-{function}-" in f"-{found['FunctionName']}-":
            os.environ.update(found["Environment"]["Variables"])
            os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = str(found["MemorySize"])
    os.environ.update({name: value for name, value in stack.env.items() if name.startswith("AWS_")})


def cpu(stack: Stack) -> Cpu:
    """Return what the stack's processes have spent since they started, ended children of theirs included (Linux)."""
    spent = {field.name: 0.0 for field in fields(Cpu)}
    _add(int((stack.folder / "lock").read_text()), "front", spent)
    return Cpu(**spent)


def family_ms(pid: int) -> float:
    """Return the CPU milliseconds of a process and all below it."""
    spent = {"": 0.0}
    _add(pid, "", spent)
    return spent[""]


def _add(pid: int, part: str, spent: dict[str, float]) -> None:
    process = Path(f"/proc/{pid}")
    try:
        # proc(5): after the command's name, which may contain anything, come utime, stime and those of ended children.
        times = (process / "stat").read_text().rpartition(")")[2].split()[11:15]
        words = (process / "cmdline").read_bytes()
        children = [
            int(child) for thread in (process / "task").iterdir() for child in (thread / "children").read_text().split()
        ]
        if part == "front" and b"ministack" in words:
            part = "standin"
        elif part == "standin":
            environment = dict(pair.partition(b"=")[::2] for pair in (process / "environ").read_bytes().split(b"\0"))
            part = environment.get(b"POWERTOOLS_SERVICE_NAME", b"standin").decode()
    except (FileNotFoundError, ProcessLookupError):
        return
    spent[part] += sum(map(int, times)) * TICK_MS
    for child in children:
        _add(child, part, spent)
