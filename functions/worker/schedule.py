"""Which program of a batch runs when, in which child, for how long: the rules, and no process of its own."""

from __future__ import annotations

import math
import signal
import time
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from admission import Budget
from child_processes import Answered, Child, ChildProcesses, Lost
from tasks.logs import Event, logger
from verdicts import Failed, Returned, crashed, is_memory, judge, oom_kills, out_of_memory, out_of_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tasks.limits import Limits
    from tasks.options import Options
    from verdicts import Outcome

START_LEAST_S = 1.0  # with less than this left, starting a program would only waste its time
RESTARTS = 2  # of the fork server in one batch; after that something is wrong with this machine
CRASHES = 2  # of one program
HOLD_S = 0.05  # how often to ask whether programs may start again
SLICE_S = 3.0  # how long a program runs while others of its batch have not run at all
STEAL_S = 0.05  # a program that waits behind one that has run for this long is given to an idle child


@dataclass(frozen=True, slots=True)
class Program:
    """One task's text and options, the fields of the log's lines about it (`task_id`, ...), and whether it has run.

    That is so when an attempt before this one began to run it, and did not come to an end.
    """

    qc: str
    options: Options
    log: Mapping[str, Any] = field(default_factory=dict)
    has_run: bool = False
    dry_run: Limits | None = None  # only admit it, to a worker with these limits: `execution` has the estimates


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
class Schedule:
    """The rules of one batch.

    - Programs start in order, short texts first, one per child, with their share of the memory. One that needs more
      is postponed after being read, and waits to run alone, with all memory and all threads. It starts when the others
      are done, or at the last moment that leaves it its whole time limit: from then on nothing else starts, and what
      runs but is later in the batch is stopped and returned.
    - A program that has run for SLICE_S while others wait for their first turn makes way, and starts again when all
      have had theirs; so does, from the beginning, one that an earlier batch began. It starts only with its whole time
      limit left, else it is postponed to another batch: what is long comes last, and is run to its end once.
    - A program may run for the time limit, then it fails. At `stop` whatever still runs is killed and returned, and
      what has not started is returned; nothing starts with less than a second left.
    - A crash (a signal, an exit, a malformed answer) is tried once more in a fresh child; the second one fails the
      program. Where the evidence is memory, it is tried alone instead, and fails there. A SIGKILL without that evidence
      came from outside: tried once more, then returned.
    - While more programs wait than there are children, a busy child is sent its next one ahead, and need not wait for
      this process to wake. Such a program has not started; one that waits too long is taken back (the child then
      holds a program too many, and is killed when it is done with its own).
    """

    processes: ChildProcesses
    limits: Limits
    programs: Sequence[Program]
    stop: float
    tick: Callable[[Sequence[int]], Iterable[int]] | None = None
    tick_every_s: float = math.inf
    hold: Callable[[], bool] = lambda: False
    held: bool = False
    next_tick: float = 0.0
    queue: deque[int] = field(default_factory=deque)
    last: deque[int] = field(default_factory=deque)
    spent: set[int] = field(default_factory=set)  # what is or was in `last`
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
        self.spent.update(index for index, program in enumerate(self.programs) if program.has_run)
        # To the half kilobyte: what is about as short starts in the order that it came in.
        for index in sorted(range(len(self.programs)), key=lambda index: len(self.programs[index].qc) // 512):
            (self.last if index in self.spent else self.queue).append(index)
        self.oom_kills = oom_kills()
        self.restarts = self.processes.restarts

    @property
    def open(self) -> bool:
        """Whether something runs or waits."""
        return bool(self.queue or self.last or self.alone or self.running)

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
        if self.ahead and len(self.running) < len(self.processes.children):
            times.append(now + STEAL_S)
        if self.held and (self.queue or self.last or self.alone):
            times.append(now + HOLD_S)
        if self.queue and not self.held:
            times += [run.started + SLICE_S for run in self.running.values() if self.may_make_way(run)]
        return max(0.0, min(times) - now)

    def alone_by(self) -> float:
        """Return the last moment that leaves a program alone its whole time limit."""
        return self.stop - self.limits.time_limit_s

    def start(self, now: float) -> None:
        """Put programs into idle children by the rules above."""
        if self.stop - now < min(START_LEAST_S, self.limits.time_limit_s):
            self.start_no_more()
            return
        self.held = self.hold()  # called once a round: how long to wait depends on it, too
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
            elif self.last and not self.alone:
                self.launch_last(child, now)
        for child in self.running:
            if len(self.queue) > self.processes.size and child not in self.ahead and child not in self.spoiled:
                self.ahead[child] = self.queue.popleft()
                self.send(self.ahead[child], child, self.limits.shared_bytes, now, threads=1)

    def start_no_more(self) -> None:
        """Return what waits."""
        for index in [*self.alone, *self.queue]:
            self.finish(index, Returned("deadline", started=index in self.begun))
        self.alone.clear()
        self.queue.clear()
        self.postpone_last()

    def launch_last(self, child: Child, now: float) -> None:
        """Start a program that has run before if its whole time limit is left, or as much as a batch ever has."""
        if self.begun and self.stop - now < self.limits.time_limit_s:
            self.postpone_last()
        else:
            self.launch(self.last.popleft(), child, now, alone=False)

    def postpone_last(self) -> None:
        """Return what has run before, for a batch with more time."""
        for index in self.last:
            self.finish(index, Returned("postponed", started=index in self.begun))
        self.last.clear()

    def may_make_way(self, run: _Run) -> bool:
        """Return whether a run is its program's first, which ends after SLICE_S while others wait for theirs."""
        return not run.alone and run.index not in self.spent

    def idle(self) -> list[Child]:
        """Return the children that could take a program: born, for the time limit is not to be spent on imports."""
        return [
            child
            for child in self.processes.children
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
        lone = alone or not (self.running or self.queue or self.last or self.alone)
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
        self.processes.send(child, {"qc": program.qc, "options": program.options.as_dict(), "budget": budget.as_dict()})

    def go_on(self, child: Child, now: float) -> None:
        """Start the clock of the program that a child runs next; one that must not run is stopped with its child."""
        index = self.ahead.pop(child, None)
        draining = bool(self.alone) and now >= self.alone_by()
        if child in self.spoiled or (index is not None and draining):
            self.processes.kill(child)
        if child not in self.processes.children:
            self.spoiled.discard(child)
            if index is not None:
                self.queue.appendleft(index)
        elif index is not None:
            self.begin(index, child, now, self.limits.shared_bytes, alone=False)

    def look(self, patience_s: float) -> None:
        """Wait for the children and deal with their answers and deaths."""
        for event in self.processes.poll(patience_s):
            run = self.running.pop(event.child, None)
            if isinstance(event, Answered):
                self.take(event, run)
            elif run is not None:
                self.judge_loss(event, run)
            self.go_on(event.child, time.monotonic())
        if self.processes.restarts - self.restarts > RESTARTS:
            self.give_up()

    def give_up(self) -> None:
        """Return everything: the machine cannot keep a fork server alive."""
        for run in self.running.values():
            self.finish(run.index, Returned("unavailable", started=True))
        self.running.clear()
        for index in [*self.alone, *self.queue, *self.last, *self.ahead.values()]:
            self.finish(index, Returned("unavailable", started=index in self.begun))
        for waiting in (self.alone, self.queue, self.last, self.ahead):
            waiting.clear()

    def take(self, event: Answered, run: _Run | None) -> None:
        """Judge a frame; a child that sends one without a program, or a malformed one, is killed."""
        outcome = None if run is None else judge(event, self.programs[run.index].log)
        if run is None or outcome is None:
            self.processes.kill(event.child)
            if run is not None:
                self.judge_loss(Lost(event.child, "malformed answer"), run)
            return
        if event.message.get("last") is True:
            self.processes.retire(event.child)
        if isinstance(outcome, str):
            self.postpone(run, outcome)
        else:
            self.conclude(run, outcome)

    def postpone(self, run: _Run, why: str) -> None:
        """Deal with a program that was read, but cannot run within its budget."""
        if why == "time":
            self.conclude(run, Returned("deadline", started=True))
        elif run.memory_bytes < self.limits.alone_bytes:
            self.alone.append(run.index)
            self.alone.sort()
        else:
            self.conclude(run, Failed(out_of_memory(run.memory_bytes)))

    def judge_loss(self, lost: Lost, run: _Run) -> None:
        """Decide what becomes of a program whose child died."""
        logger.warning(
            "A child was lost",
            event=Event.CHILD_LOST,
            reason=lost.reason,
            exit_status=lost.status,
            max_rss_bytes=lost.max_rss_bytes,
            **self.programs[run.index].log,
        )
        if is_memory(lost, run.memory_bytes) or (lost.status == -signal.SIGKILL and self.was_oom_kill()):
            self.postpone(run, "memory")
        elif lost.reason == "fork server" or (lost.reason == "died" and lost.status in (-signal.SIGKILL, None)):
            self.kills[run.index] = self.kills.get(run.index, 0) + 1
            self.again(run, Returned("killed", started=True), self.kills[run.index])
        else:
            self.crashes[run.index] = self.crashes.get(run.index, 0) + 1
            self.again(run, Failed(crashed()), self.crashes[run.index])

    def was_oom_kill(self) -> bool:
        """Return whether the kernel has killed a process for memory since the last call."""
        before, self.oom_kills = self.oom_kills, oom_kills()
        return self.oom_kills > before

    def again(self, run: _Run, verdict: Outcome, times: int) -> None:
        """Try a program once more, first in the line; after that the verdict stands."""
        if times >= CRASHES:
            self.conclude(run, verdict)
        elif run.alone:
            self.alone.insert(0, run.index)
        elif run.index in self.spent:
            self.last.appendleft(run.index)
        else:
            self.queue.appendleft(run.index)

    def expire(self, now: float) -> None:
        """End what has run for its time limit, and at `stop` everything."""
        for run in list(self.running.values()):
            if now >= run.ends:
                self.end(run, Failed(out_of_time(self.limits.time_limit_s), ran_out_of_time=True))
            elif now >= self.stop:
                self.end(run, Returned("deadline", started=True))
            elif self.queue and not self.held and self.may_make_way(run) and now >= run.started + SLICE_S:
                self.end(run, None)
                self.spent.add(run.index)
                self.last.append(run.index)

    def beat(self, now: float) -> None:
        """Call tick when it is due, and stop the programs that it returns."""
        if self.tick is None or now < self.next_tick or not self.open:
            return
        self.next_tick = now + self.tick_every_s
        waiting = [*self.alone, *self.queue, *self.last, *self.ahead.values()]
        stopped = set(self.tick(sorted([*(run.index for run in self.running.values()), *waiting])))
        for run in list(self.running.values()):
            if run.index in stopped:
                self.end(run, Returned("stopped", started=True))
        for index in stopped & set(waiting):
            self.finish(index, Returned("stopped", started=index in self.begun))
        self.queue = deque(index for index in self.queue if index not in stopped)
        self.last = deque(index for index in self.last if index not in stopped)
        self.alone = [index for index in self.alone if index not in stopped]
        for child in [child for child, index in self.ahead.items() if index in stopped]:
            del self.ahead[child]
            self.spoiled.add(child)

    def end(self, run: _Run, outcome: Outcome | None) -> None:
        """Kill a program's child; without an outcome the program will run again."""
        del self.running[run.child]
        self.processes.kill(run.child)
        self.go_on(run.child, time.monotonic())
        if outcome is not None:
            self.conclude(run, outcome)

    def conclude(self, run: _Run, outcome: Outcome) -> None:
        """Note the outcome of a program that ran; one that did not complete gets the time of its run."""
        if isinstance(outcome, (Failed, Returned)):
            outcome = replace(outcome, run_ms=round((time.monotonic() - run.started) * 1000, 3))
        self.finish(run.index, outcome)

    def finish(self, index: int, outcome: Outcome) -> None:
        """Note a program's outcome."""
        self.finished.append((index, outcome))

    def abandon(self) -> None:
        """Kill what still runs: the batch is over, or its consumer has gone."""
        for run in list(self.running.values()):
            self.end(run, Returned("stopped", started=True))
