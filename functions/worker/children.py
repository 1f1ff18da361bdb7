"""Runs a batch of programs in child processes: the worker's handler calls it, and never touches a program itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from child_processes import ChildProcesses
from schedule import Schedule
from tasks.limits import Limits
from tasks.logs import Event, logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from schedule import Program
    from verdicts import Outcome

STOP_MARGIN_S = 0.5  # kept before the deadline, to kill what still runs and to hand everything back


class Children:
    """`size` warm processes (0: one per core of the memory) on `memory_mb` MiB, each task limited to `time_limit_s`.

    Constructing starts the imports in another process and returns at once. `simulate` names the function that runs in
    the children, as `module:function`; tests put their own there.
    """

    def __init__(self, size: int, memory_mb: int, time_limit_s: float, *, simulate: str = "simulator:simulate") -> None:
        self.limits = Limits(memory_mb=memory_mb, time_limit_s=time_limit_s, children=size)
        self._processes = ChildProcesses(self.limits.children, simulate, self.limits.children, self.limits.alone_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill every process."""
        self._processes.close()

    @property
    def pids(self) -> list[int]:
        """The processes that are known to have been born."""
        return [child.pid for child in self._processes.children if child.pid is not None]

    def wait_until_ready(self, timeout_s: float = 60.0) -> bool:
        """Wait for the imports and the first children; the handler's init may, to keep it out of the first batch."""
        until = time.monotonic() + timeout_s
        while not (self._processes.ready and len(self.pids) == self.limits.children):
            if time.monotonic() > until:
                return False
            self._processes.poll(0.1)
        return True

    def run(
        self,
        programs: Sequence[Program],
        *,
        deadline: float,
        tick: Callable[[Sequence[int]], Iterable[int]] | None = None,
        tick_every_s: float = 5.0,
        hold: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[int, Outcome]]:
        """Run the programs side by side; yield each one's index and outcome as it ends, all of them by `deadline`.

        `deadline` is a `time.monotonic()`. `tick` is called about every `tick_every_s` with the indices that run and
        those that wait their turn; it returns the ones to stop. While `hold` returns True, nothing starts. The
        rules are those of Schedule.
        """
        batch = Schedule(self._processes, self.limits, programs, deadline - STOP_MARGIN_S)
        if tick is not None:
            batch.tick, batch.tick_every_s = tick, tick_every_s
        if hold is not None:
            batch.hold = hold
        # Between invocations the machine may have been frozen, and children may have died: look before using them.
        batch.look(0.0)
        try:
            while batch.open or batch.finished:
                try:
                    batch.advance()
                except OSError:  # no process, socket or pipe can be had
                    logger.exception("No child can be started", event=Event.FORK_SERVER_LOST)
                    batch.give_up()
                while batch.finished:
                    yield batch.finished.popleft()
        finally:
            batch.abandon()
