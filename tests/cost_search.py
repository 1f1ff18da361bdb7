"""A genetic search for the greatest cost: reader_search.py gives it programs, request_search.py requests."""

from __future__ import annotations

import gc
import json
import os
import resource
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

MOST_CPU = 2.0  # seconds
MOST_MEMORY = 400.0  # MB
_POPULATION = 24
_ALARM = 30  # seconds of CPU after which a process that is measured is ended

Genome = TypeVar("Genome")


@dataclass(frozen=True)
class Cost:
    """CPU in seconds, memory beyond the process's own in MB, what the search counts as work, and how it ended."""

    cpu: float
    memory: float
    work: int
    outcome: str

    @property
    def share(self) -> float:
        """The larger of the shares of what is allowed."""
        return max(self.cpu / MOST_CPU, self.memory / MOST_MEMORY)


@dataclass
class CostSearch(ABC, Generic[Genome]):
    """Keeps what cost most so far, by CPU and by memory, and varies it."""

    random: random.Random
    suspect: float = 0.4  # the share of the target from which a measurement is made again
    found: dict[Genome, Cost] = field(default_factory=dict)
    tried: int = 0

    @abstractmethod
    def new(self) -> Genome:
        """Return some genome."""

    @abstractmethod
    def varied(self, genome: Genome) -> Genome:
        """Return the genome with something changed."""

    @abstractmethod
    def cost(self, genome: Genome) -> Cost:
        """Return what the genome costs."""

    @abstractmethod
    def size(self, genome: Genome) -> int:
        """Return how many bytes its sender sends."""

    def run(self, *, seconds: float = 1e9, programs: int = 10**9) -> None:
        """Search for so long, or through so many genomes."""
        ends = time.monotonic() + seconds
        population: list[Genome] = []
        while time.monotonic() < ends and self.tried < programs:
            fresh = len(population) < _POPULATION or self.random.random() < 0.2
            genome = self.new() if fresh else self.varied(self.random.choice(population))
            if genome in self.found:
                continue
            cost = self.cost(genome)
            for _ in range(2 * (cost.share > self.suspect)):  # other programs on the machine only ever add to it
                cost = min(cost, self.cost(genome), key=lambda each: each.share)
            self.found[genome] = cost
            self.tried += 1
            by_cpu, by_memory = self.worst(lambda cost: cost.cpu), self.worst(lambda cost: cost.memory)
            population = list(dict.fromkeys(by_cpu[: _POPULATION // 2] + by_memory[: _POPULATION // 2]))
            if len(population) < _POPULATION:
                population = by_cpu[:_POPULATION]
            self.found = {each: self.found[each] for each in dict.fromkeys(by_cpu[:200] + by_memory[:200])}

    def worst(self, key: Callable[[Cost], float]) -> list[Genome]:
        """Return the genomes, the most expensive first."""
        return sorted(self.found, key=lambda genome: key(self.found[genome]), reverse=True)

    def report(self, genomes: str, work: str) -> int:
        """Print the worst; return 1 if anything is over the target, else 0."""
        for title, by in (("CPU", lambda cost: cost.cpu), ("memory", lambda cost: cost.memory)):
            print(f"Most {title}:")  # noqa: T201 - a command
            for genome in self.worst(by)[:8]:
                cost = self.found[genome]
                shown = f"{cost.cpu:6.2f} s {cost.memory:7.0f} MB {cost.work:9,} {work}"
                print(f"{shown}  {self.size(genome):7,} bytes, {cost.outcome}\n      {genome}")  # noqa: T201
        print(f"{self.tried} {genomes} tried.")  # noqa: T201
        return int(max(cost.share for cost in self.found.values()) > 1)


def forked(measured: Callable[[], tuple[int, str]]) -> Cost:
    """Return what a call costs that returns its work and how it ended, found in a process of its own."""
    gc.freeze()  # what there is already need not be gone through in the child
    back, out = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (_ALARM, _ALARM))
        gc.collect()
        before, started = _memory_mb(), time.process_time()
        work, outcome = measured()
        used = time.process_time() - started
        with os.fdopen(out, "w") as pipe:
            json.dump((used, _peak_mb() - before, work, outcome), pipe)
        os._exit(0)
    os.close(out)
    with os.fdopen(back) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return Cost(*json.loads(answer)) if answer else Cost(float(_ALARM), 0.0, 0, "ended")


def _memory_mb() -> float:
    """Return what this process holds now, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def _peak_mb() -> float:
    """Return the most that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
