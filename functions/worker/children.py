"""Runs a batch of programs in child processes: the worker's handler calls it, and never touches a program itself."""

from __future__ import annotations

import math
import signal
import time
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from admission import Budget
from child_processes import Answered, Child, ChildProcesses, Lost
from tasks.errors import ErrorCode, TaskError
from tasks.limits import Limits
from tasks.logs import Event, logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tasks.options import Options

STOP_MARGIN_S = 0.5  # kept before the deadline, to kill what still runs and to hand everything back
START_LEAST_S = 1.0  # with less than this left, starting a program would only waste its time
MEMORY_SHARE = 0.8  # of its budget in resident memory: a child killed there was killed for its memory
RESTARTS = 2  # of the fork server in one batch; after that something is wrong with this machine
CRASHES = 2  # of one program
HOLD_S = 0.05  # how often to ask whether programs may start again
STEAL_S = 0.05  # a program that waits behind one that has run for this long is given to an idle child


@dataclass(frozen=True, slots=True)
class Program:
    """One task's text and options, the fields of the log's lines about it (`task_id`, ...), and which attempt it is."""

    qc: str
    options: Options
    log: Mapping[str, Any] = field(default_factory=dict)
    attempt: int = 1
    dry_run: Limits | None = None  # only admit it, to a worker with these limits: `execution` has the estimates


@dataclass(frozen=True, slots=True)
class Completed:
    """The program ran; `payload` has `result` and `execution`, and `memory` and `expectation_values` if asked for.

    `size` is how many bytes it came in.
    """

    payload: dict[str, Any]
    size: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """The program will fail every time: its circuit is bad, over a limit, or crashed the simulator twice.

    `run_ms` is how long its last try kept a child busy, reading included.
    """

    error: TaskError
    run_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Returned:
    """The program was not run to its end, for no fault of its own that is known: back to the queue.

    `reason` is "deadline" (the batch's time is up), "stopped" (tick said so), "killed" (something from outside kills
    children) or "unavailable" (no child can be had). `started` says whether it had begun.
    """

    reason: str
    started: bool = False


Outcome = Completed | Failed | Returned


class Children:
    """`size` warm processes (0: one per core of the memory) on `memory_mb` MiB, each task limited to `time_limit_s`.

    Constructing starts the imports in another process and returns at once. `simulate` names the function that runs in
    the children, as `module:function`; tests put their own there.
    """

    def __init__(self, size: int, memory_mb: int, time_limit_s: float, *, simulate: str = "simulator:simulate") -> None:
        self.limits = Limits(memory_mb=memory_mb, time_limit_s=time_limit_s, children=size)
        self._nursery = ChildProcesses(self.limits.children, simulate, self.limits.children, self.limits.alone_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill every process."""
        self._nursery.close()

    @property
    def pids(self) -> list[int]:
        """The processes that are known to have been born."""
        return [child.pid for child in self._nursery.children if child.pid is not None]

    def wait_until_ready(self, timeout_s: float = 60.0) -> bool:
        """Wait for the imports and the first children; the handler's init may, to keep it out of the first batch."""
        until = time.monotonic() + timeout_s
        while not (self._nursery.ready and len(self.pids) == self.limits.children):
            if time.monotonic() > until:
                return False
            self._nursery.poll(0.1)
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
        those that wait their turn; it returns the ones to stop. While `hold` says so, nothing starts. `_Batch` has the
        rules.
        """
        batch = _Batch(self._nursery, self.limits, programs, deadline - STOP_MARGIN_S)
        if tick is not None:
            batch.tick, batch.tick_every_s = tick, tick_every_s
        if hold is not None:
            batch.hold = hold
        # Between invocations the machine may have been frozen, and children may have died: look before using them.
        batch.look(0.0)
        try:
            while batch.open or batch.finished:
                batch.advance()
                while batch.finished:
                    yield batch.finished.popleft()
        finally:
            batch.abandon()


@dataclass(eq=False, slots=True)
class _Run:
    """One program in one child, since `started` and until `ends` at most (its time limit)."""

    index: int
    child: Child
    started: float
    ends: float
    memory_bytes: int
    alone: bool


@dataclass(eq=False, slots=True)
class _Batch:
    """The rules of one batch.

    - What earlier batches have given back starts first, then long texts, else programs start in order, one per child,
      with their share of the memory. One that
      needs more says so after being read, and waits to run alone, with all memory and all threads. It goes when the
      others are done, or at the last moment that leaves it its whole time limit: from then on nothing else starts, and
      what runs but stands later in the batch is stopped and returned.
    - A program may run for the time limit, then it fails. At `stop` whatever still runs is killed and returned, and
      what has not started is returned; nothing starts with less than a second left.
    - A crash (a signal, an exit, rubbish) is tried once more in a fresh child; the second one fails the program. Where
      the evidence is memory, it is tried alone instead, and fails there. A SIGKILL without that evidence came from
      outside: tried once more, then returned.
    - While more programs wait than there are children, a busy child is sent its next one ahead, and need not wait for
      this process to wake. Such a program has not started; one that waits too long is taken back (the child then
      holds a program too many, and is killed when it is done with its own).
    """

    nursery: ChildProcesses
    limits: Limits
    programs: Sequence[Program]
    stop: float
    tick: Callable[[Sequence[int]], Iterable[int]] | None = None
    tick_every_s: float = math.inf
    hold: Callable[[], bool] = lambda: False
    held: bool = False
    next_tick: float = 0.0
    queue: deque[int] = field(default_factory=deque)
    alone: list[int] = field(default_factory=list)
    running: dict[Child, _Run] = field(default_factory=dict)
    ahead: dict[Child, int] = field(default_factory=dict)
    spoiled: set[Child] = field(default_factory=set)
    oom_kills: int = 0
    finished: deque[tuple[int, Outcome]] = field(default_factory=deque)
    crashes: dict[int, int] = field(default_factory=dict)
    kills: dict[int, int] = field(default_factory=dict)
    begun: set[int] = field(default_factory=set)
    restarts: int = 0

    def __post_init__(self) -> None:
        # Of as many attempts the longer texts first, to the half kilobyte: what is short fills the gaps at the end.
        ranks = [(-program.attempt, -(len(program.qc) // 512)) for program in self.programs]
        self.queue.extend(sorted(range(len(ranks)), key=ranks.__getitem__))
        self.oom_kills = _oom_kills()
        self.restarts = self.nursery.restarts

    @property
    def open(self) -> bool:
        """Whether something runs or waits."""
        return bool(self.queue or self.alone or self.running)

    def advance(self) -> None:
        """Start what may start, wait for something to happen, and deal with it."""
        now = time.monotonic()
        if self.tick is not None and not self.next_tick:
            self.next_tick = now + self.tick_every_s
        self.expire(now)
        self.start(now)
        if self.open and not self.finished:
            self.look(self.patience(time.monotonic()))
        self.beat(time.monotonic())

    def patience(self, now: float) -> float:
        """Return the seconds until the next thing that has a time."""
        times = [self.stop, *(run.ends for run in self.running.values())]
        if self.tick is not None:
            times.append(self.next_tick)
        if self.alone and self.running and self.alone_by() > now:
            times.append(self.alone_by())
        if self.ahead and len(self.running) < len(self.nursery.children):
            times.append(now + STEAL_S)
        if self.held and (self.queue or self.alone):
            times.append(now + HOLD_S)
        return max(0.0, min(times) - now)

    def alone_by(self) -> float:
        """Return the last moment that leaves a program alone its whole time limit."""
        return self.stop - self.limits.time_limit_s

    def start(self, now: float) -> None:
        """Put programs into idle children by the rules above."""
        if self.stop - now < min(START_LEAST_S, self.limits.time_limit_s):
            for index in [*self.alone, *self.queue]:
                self.finish(index, Returned("deadline", started=index in self.begun))
            self.alone.clear()
            self.queue.clear()
            return
        self.held = self.hold()  # asked once a round: what it says decides how long to wait, too
        if self.held or any(run.alone for run in self.running.values()):
            return
        if self.alone and (not self.queue or now >= self.alone_by()):
            self.start_alone(now)
            return
        for child in self.idle():
            if not self.queue:
                self.take_back(now)
            if self.queue:
                self.launch(self.queue.popleft(), child, now, alone=False)
        for child in self.running:
            if len(self.queue) > self.nursery.size and child not in self.ahead and child not in self.spoiled:
                self.ahead[child] = self.queue.popleft()
                self.send(self.ahead[child], child, self.limits.shared_bytes, now, threads=1)

    def idle(self) -> list[Child]:
        """Return the children that could take a program: born, for the time limit is not to be spent on imports."""
        return [
            child
            for child in self.nursery.children
            if child.pid is not None and child not in self.running and child.closed_at is None
        ]

    def start_alone(self, now: float) -> None:
        """Start the first program that needs the worker for itself, once it is empty."""
        first = self.alone[0]
        if now >= self.alone_by():
            for run in [run for run in self.running.values() if run.index > first]:
                self.end(run, Returned("deadline", started=True))
        idle = self.idle()
        if not self.running and idle:
            self.alone.pop(0)
            self.launch(first, idle[0], now, alone=True)

    def take_back(self, now: float) -> None:
        """Put into the queue one program that waits behind a long one."""
        for child, index in self.ahead.items():
            if now - self.running[child].started >= STEAL_S:
                del self.ahead[child]
                self.spoiled.add(child)
                self.queue.append(index)
                return

    def launch(self, index: int, child: Child, now: float, *, alone: bool) -> None:
        """Start a program in an idle child."""
        memory = self.limits.alone_bytes if alone else self.limits.shared_bytes
        lone = alone or not (self.running or self.queue or self.alone)
        self.send(index, child, memory, now, threads=self.limits.children if lone else 1)
        self.begin(index, child, now, memory, alone=alone)

    def begin(self, index: int, child: Child, now: float, memory: int, *, alone: bool) -> None:
        """Start a program's clock."""
        self.begun.add(index)
        self.running[child] = _Run(index, child, now, now + self.limits.time_limit_s, memory, alone)

    def send(self, index: int, child: Child, memory: int, now: float, *, threads: int) -> None:
        """Send a program and what it may use."""
        limit_s = self.limits.time_limit_s
        time_s, branching = min(limit_s, self.stop - now), index not in self.crashes
        budget = Budget(memory, time_s, self.limits.alone_bytes, limit_s, threads, branching=branching)
        program = self.programs[index]
        if program.dry_run is not None:
            # It is read in this worker's memory, whatever the other one has.
            budget = replace(Budget.alone(program.dry_run), memory_bytes=memory, dry_run=True)
        self.nursery.send(child, {"qc": program.qc, "options": program.options.as_dict(), "budget": budget.as_dict()})

    def go_on(self, child: Child, now: float) -> None:
        """Start the clock of what a child that has answered does next; what must not run is stopped with its child."""
        index = self.ahead.pop(child, None)
        draining = bool(self.alone) and now >= self.alone_by()
        if child in self.spoiled or (index is not None and draining):
            self.nursery.kill(child)
        if child not in self.nursery.children:
            self.spoiled.discard(child)
            if index is not None:
                self.queue.appendleft(index)
        elif index is not None:
            self.begin(index, child, now, self.limits.shared_bytes, alone=False)

    def look(self, patience_s: float) -> None:
        """Wait for the children and take what they say."""
        for event in self.nursery.poll(patience_s):
            run = self.running.pop(event.child, None)
            if isinstance(event, Answered):
                self.take(event, run)
            elif run is not None:
                self.mourn(event, run)
            self.go_on(event.child, time.monotonic())
        if self.nursery.restarts - self.restarts > RESTARTS:
            self.give_up()

    def give_up(self) -> None:
        """Return everything: the machine cannot keep a fork server alive."""
        for run in list(self.running.values()):
            self.end(run, Returned("unavailable", started=True))
        for index in [*self.alone, *self.queue]:
            self.finish(index, Returned("unavailable", started=index in self.begun))
        self.alone.clear()
        self.queue.clear()

    def take(self, event: Answered, run: _Run | None) -> None:
        """Judge a frame: only a child with a program has something to say, and only in these words."""
        outcome = None if run is None else _judge(event, self.programs[run.index].log)
        if run is None or outcome is None:
            self.nursery.kill(event.child)
            if run is not None:
                self.mourn(Lost(event.child, "rubbish"), run)
            return
        if event.message.get("last") is True:
            self.nursery.retire(event.child)
        if isinstance(outcome, str):
            self.postpone(run, outcome)
        else:
            self.conclude(run, outcome)

    def postpone(self, run: _Run, why: str) -> None:
        """Deal with a program that was read, but cannot run in what it was given."""
        if why == "time":
            self.conclude(run, Returned("deadline", started=True))
        elif run.memory_bytes < self.limits.alone_bytes:
            self.alone.append(run.index)
            self.alone.sort()
        else:
            self.conclude(run, Failed(_out_of_memory(run)))

    def mourn(self, lost: Lost, run: _Run) -> None:
        """Decide what a child's death says about its program."""
        logger.warning(
            "A child was lost",
            event=Event.CHILD_LOST,
            reason=lost.reason,
            exit_status=lost.status,
            max_rss_bytes=lost.max_rss_bytes,
            **self.programs[run.index].log,
        )
        if _is_memory(lost, run) or (lost.status == -signal.SIGKILL and self.was_oom_kill()):
            self.postpone(run, "memory")
        elif lost.reason == "fork server" or (lost.reason == "died" and lost.status in (-signal.SIGKILL, None)):
            self.kills[run.index] = self.kills.get(run.index, 0) + 1
            self.again(run, Returned("killed", started=True), self.kills[run.index])
        else:
            self.crashes[run.index] = self.crashes.get(run.index, 0) + 1
            self.again(run, Failed(_crashed()), self.crashes[run.index])

    def was_oom_kill(self) -> bool:
        """Say whether the kernel has killed for memory since this was last asked."""
        before, self.oom_kills = self.oom_kills, _oom_kills()
        return self.oom_kills > before

    def again(self, run: _Run, verdict: Outcome, times: int) -> None:
        """Try a program once more, first in the line; after that the verdict stands."""
        if times >= CRASHES:
            self.conclude(run, verdict)
        elif run.alone:
            self.alone.insert(0, run.index)
        else:
            self.queue.appendleft(run.index)

    def expire(self, now: float) -> None:
        """End what has run for its time limit, and at `stop` everything."""
        for run in list(self.running.values()):
            if now >= run.ends:
                self.end(run, Failed(_out_of_time(self.limits.time_limit_s)))
            elif now >= self.stop:
                self.end(run, Returned("deadline", started=True))

    def beat(self, now: float) -> None:
        """Call tick when it is due, and stop what it says."""
        if self.tick is None or now < self.next_tick or not self.open:
            return
        self.next_tick = now + self.tick_every_s
        waiting = [*self.alone, *self.queue, *self.ahead.values()]
        stopped = set(self.tick(sorted([*(run.index for run in self.running.values()), *waiting])))
        for run in list(self.running.values()):
            if run.index in stopped:
                self.end(run, Returned("stopped", started=True))
        for index in stopped & set(waiting):
            self.finish(index, Returned("stopped", started=index in self.begun))
        self.queue = deque(index for index in self.queue if index not in stopped)
        self.alone = [index for index in self.alone if index not in stopped]
        for child in [child for child, index in self.ahead.items() if index in stopped]:
            del self.ahead[child]
            self.spoiled.add(child)

    def end(self, run: _Run, outcome: Outcome) -> None:
        """Kill a program's child."""
        del self.running[run.child]
        self.nursery.kill(run.child)
        self.go_on(run.child, time.monotonic())
        self.conclude(run, outcome)

    def conclude(self, run: _Run, outcome: Outcome) -> None:
        """Say the last word on a program that ran."""
        if isinstance(outcome, Failed):
            outcome = replace(outcome, run_ms=round((time.monotonic() - run.started) * 1000, 3))
        self.finish(run.index, outcome)

    def finish(self, index: int, outcome: Outcome) -> None:
        """Say a program's last word."""
        self.finished.append((index, outcome))

    def abandon(self) -> None:
        """Kill what still runs: the batch is over, or its consumer has gone."""
        for run in list(self.running.values()):
            self.end(run, Returned("stopped", started=True))


def _judge(event: Answered, log: Mapping[str, Any]) -> Completed | Failed | str | None:
    """Return what a frame says, "alone", "time" or "memory" for a postponement, None for rubbish."""
    message = event.message
    kinds = [kind for kind in ("completed", "failed", "later") if kind in message]
    if len(kinds) != 1:
        return None
    said = message[kinds[0]]
    if kinds[0] == "later":
        return said if said in ("alone", "time", "memory") else None
    if not isinstance(said, dict):
        return None
    if kinds[0] == "completed":
        return Completed(said, event.size) if _is_payload(said) else None
    if "unexpected" in message:
        trace = str(message["unexpected"])[:2_000]
        logger.error("A child met an unexpected error", event=Event.CHILD_FAULTY, exception=trace, **log)
    return _read_error(said)


def _read_error(said: dict[str, Any]) -> Failed | None:
    numbers = ("line", "column", "limit", "actual", "binding")
    texts = ("code", "message", "hint", "excerpt")
    if not all(
        (name in numbers and type(value) in (int, float)) or (name in texts and isinstance(value, str))
        for name, value in said.items()
    ):
        return None
    try:
        return Failed(TaskError(ErrorCode(said["code"]), **{name: said[name] for name in said if name != "code"}))
    except (KeyError, TypeError, ValueError):
        return None


def _is_payload(said: dict[str, Any]) -> bool:
    result, execution = said.get("result"), said.get("execution")
    every = result if isinstance(result, list) else [result]
    return (
        isinstance(execution, dict)
        and all(isinstance(counts, dict) and _are_counts(counts) for counts in every)
        and isinstance(said.get("memory", []), list)
        and isinstance(said.get("expectation_values", []), list)
        and said.keys() <= {"result", "execution", "memory", "expectation_values"}
    )


def _are_counts(counts: dict[str, Any]) -> bool:
    return set(map(type, counts.values())) <= {int} and min(counts.values(), default=0) >= 0


def _is_memory(lost: Lost, run: _Run) -> bool:
    if any(sign in lost.tail for sign in ("bad_alloc", "MemoryError", "Cannot allocate memory", "memory allocation")):
        return True
    if lost.status != -signal.SIGKILL:
        return False
    return lost.max_rss_bytes >= MEMORY_SHARE * run.memory_bytes


def _oom_kills() -> int:
    """Return how many processes this machine's kernel has killed for memory, 0 where it does not say (proc(5))."""
    try:
        text = Path("/proc/vmstat").read_text()
    except OSError:
        return 0
    _, _, rest = text.partition("oom_kill ")
    return int(rest.split(maxsplit=1)[0]) if rest else 0


def _out_of_memory(run: _Run) -> TaskError:
    return TaskError(
        ErrorCode.MEMORY_LIMIT,
        f"The simulation needs more than the {run.memory_bytes // 2**20} MB of memory that a task may use.",
        limit=run.memory_bytes,
        hint="Use fewer qubits, single precision, or a circuit with less entanglement.",
    )


def _out_of_time(limit_s: float) -> TaskError:
    return TaskError(
        ErrorCode.TIME_LIMIT,
        f"The simulation ran for longer than {limit_s:g} seconds.",
        limit=limit_s,
        hint="Use fewer shots, fewer gates or fewer qubits.",
    )


def _crashed() -> TaskError:
    return TaskError(
        ErrorCode.SIMULATION_ERROR,
        "The simulator crashed on this circuit, twice.",
        hint="Simplify the circuit; if it is a plain one, report it with the correlation id.",
    )
