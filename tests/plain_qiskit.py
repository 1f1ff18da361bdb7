"""Runs scripts in a process that has Qiskit and Aer, and nothing of ours; one process for all scripts of a module."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self

from scripts import script
from tasks.task import Status, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from tasks.options import Options

# Each script runs as if it were alone in the process.
_LOOP = """
import contextlib, io, json, sys, traceback
for line in sys.stdin:
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(json.loads(line), "script", "exec"), {"__name__": "__main__"})
        answer = {"printed": printed.getvalue()}
    except Exception:
        answer = {"failed": traceback.format_exc()}
    print(json.dumps(answer), flush=True)
"""


class PlainQiskit:
    """The process; it ends with the `with` block."""

    def __enter__(self) -> Self:
        """Start it, without waiting for it."""
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-c", _LOOP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.process.__exit__(kind, error, trace)

    def run(self, scripts: Iterable[str]) -> list[list[str]]:
        """Return the lines that each script prints; raises AssertionError with the trace of one that fails."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        found = []
        for text in scripts:
            self.process.stdin.write(json.dumps(text) + "\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline())
            assert "printed" in answer, f"{text}\n{answer['failed']}"
            found.append(answer["printed"].splitlines())
        return found


def script_of(text: str, options: Options, outcome: Mapping[str, Any]) -> str:
    """Return the script of a task that came to this outcome."""
    stored = {name: value for name, value in options.as_dict().items() if name != "shots"}
    return script(Task("id", "me", Status.COMPLETED, "", "", text, options.shots, stored, outcome=outcome), 0)
