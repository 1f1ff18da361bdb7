"""Two keys at one queue, on paper: how long one's task waits beside the other's many, in either order of the queue.

The order is AWS's documented one for fair queues, which infra/local/fair_queues.py has, or that of sending. There are
as many environments as MaximumConcurrency, all warm; a batch holds up one of them for as long as all its tasks take.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import simpy

from local.fair_queues import FairQueue

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from scale import System

MANY, QUIET = "A", "B"
TIME_LIMIT_S = 120.0  # after which an endless task fails
BATCH_LIMIT_S = 270.0  # after which a worker gives back what it has not run


@dataclass
class _Queue:
    """The system's queue and workers, where A has `tasks` that take `seconds` each when the clock starts.

    As long as A has any, B sends a task every `every_s` seconds.
    """

    system: System
    fair: bool
    tasks: int
    seconds: float
    every_s: float
    clock: simpy.Environment = field(default_factory=simpy.Environment)
    order: FairQueue = field(default_factory=FairQueue)
    messages: list[dict[str, Any]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)  # of B's tasks, until they have ended
    ended_at: float = 0.0  # the last of A's
    left: int = 0

    def run(self) -> dict[str, float]:
        """Return what B waits, and how many tasks A ends a second meanwhile."""
        self.left = self.tasks
        for number in range(self.tasks):
            self._send(MANY, number)
        self.clock.process(self._quiet_one())
        for _ in range(self.system.maximum_concurrency):
            self.clock.process(self._environment())
        self.clock.run()
        return {
            "B waits, median s": round(statistics.median(self.waits), 3),
            "B waits, longest s": round(max(self.waits), 3),
            "A's tasks/s": round(self.tasks / self.ended_at, 3),
        }

    def _send(self, group: str, number: int) -> None:
        now = self.clock.now
        self.messages.append(
            {"id": f"{group}{number}", "group_id": group, "sent_at": now, "visible_at": now, "receipt_handle": None}
        )

    def _quiet_one(self) -> Generator[simpy.Event, None, None]:
        number = 0
        while self.left:
            yield self.clock.timeout(self.every_s)
            self._send(QUIET, number)
            number += 1

    def _environment(self) -> Generator[simpy.Event, None, None]:
        system = self.system
        while self.left or self.messages:
            now = self.clock.now
            waiting = [message for message in self.messages if message["visible_at"] <= now]
            if self.fair:
                waiting = self.order.waiting(self.messages, now)
            received = waiting[: system.batch]
            for message in received:
                message |= {"visible_at": float("inf"), "receipt_handle": message["id"]}
            self.order.received(received, now)
            if not received:
                yield self.clock.timeout(system.poll_s)
                continue
            # What is quick runs before what is not: workers run fresh tasks first, and stop what takes too long.
            slow = sum(message["group_id"] == MANY for message in received)
            quick_s = system.batch_s + (len(received) - slow) * system.task_s
            yield self.clock.timeout(quick_s)
            self._settle([message for message in received if message["group_id"] == QUIET])
            yield self.clock.timeout(min(slow * self.seconds, BATCH_LIMIT_S))
            self._settle([message for message in received if message["group_id"] == MANY])

    def _settle(self, done: list[dict[str, Any]]) -> None:
        for message in done:
            self.messages.remove(message)
            if message["group_id"] == QUIET:
                self.waits.append(self.clock.now - message["sent_at"])
            else:
                self.left -= 1
                self.ended_at = self.clock.now


def neighbours(
    system: System, loads: Mapping[str, tuple[int, float, float]] | None = None
) -> dict[str, dict[str, Any]]:
    """Return what B waits in either order, and what A loses by the fair one.

    `loads` have A's tasks, their seconds, and the seconds between two tasks of B's.
    """
    loads = loads or {
        "6,000 Bell tasks": (6_000, system.task_s, 0.1),
        "20 endless tasks": (20, TIME_LIMIT_S, 5.0),
        "305 endless tasks, more than all workers hold": (305, TIME_LIMIT_S, 5.0),
    }
    found: dict[str, dict[str, Any]] = {}
    for title, load in loads.items():
        sent, fair = (_Queue(system, order, *load).run() for order in (False, True))
        lost = 1 - fair["A's tasks/s"] / sent["A's tasks/s"]
        found[title] = {"as sent": sent, "fair": fair, "A loses": round(max(0.0, lost), 4)}
    return found
