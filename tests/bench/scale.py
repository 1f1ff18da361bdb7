"""The system on paper: a discrete-event model of its limits and its workers, with the service times measured here.

Clients whose requests are refused try again, so a limit shows as waiting. The model's rules are AWS's documented ones:

- API Gateway: the stage's and the key's rate limits (template.yaml), 10,000 requests a second an account and region;
- Lambda: 1,000 environments an account, 1,000 more every 10 s a function; an event source starts with five batches at a
  time and adds 300 a minute up to MaximumConcurrency; a cold environment first starts;
- DynamoDB: 1,000 write units a second a partition key of an index, throttling of which holds the table's writes back;
  4,000 units a second for a table that never had more traffic, 40,000 the account's quota a table.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import cost
import simpy

from local.translate import load
from tasks.rows import OPEN_SHARDS

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

TICK_S = 0.01
ONE_BY_ONE = 200
PARTITION_UNITS = 1000
EVENT_SOURCE_START, EVENT_SOURCE_PER_MINUTE = 5, 300


@dataclass(frozen=True)
class System:
    """What the template and the account set, and what was measured (seconds)."""

    posts_of: int = 1  # tasks in a request
    keys: int = 1  # that send at the same time, alike
    key_requests: float = 50.0
    stage_requests: float = 500.0
    account_requests: float = 10_000.0
    api_s: float = 0.016  # a request
    account_environments: int = 1000
    open_shards: int = OPEN_SHARDS
    table_units: float = 4000.0
    units_a_task: float = 4.0  # of the table itself, over a task's life
    maximum_concurrency: int = 10
    first_batches: int = EVENT_SOURCE_START
    batch: int = 10
    batch_s: float = 0.02  # an invocation, whatever it holds
    task_s: float = 0.004  # and each task of it
    spread: float = 0.1  # standard deviation of an invocation's time over its mean
    cold_s: float = 2.0
    poll_s: float = 0.02  # from the message's arrival to the invocation
    idle_gap_s: float = 0.0  # how long after an invocation the queue is not looked at, when it was empty then

    def limits(self) -> dict[str, float]:
        """Return what each limit lets through, in tasks a second, workers excepted."""
        return {
            "API key's rate": self.key_requests * self.keys * self.posts_of,
            "stage's rate": self.stage_requests * self.posts_of,
            "account's requests": self.account_requests * self.posts_of,
            "account's environments": max(1, self.account_environments - self.maximum_concurrency)
            / self.api_s
            * self.posts_of,
            "index of owners": float(PARTITION_UNITS * self.keys),  # one write a task
            "index of open tasks": PARTITION_UNITS * self.open_shards / 2,  # one write when submitted, one when ended
            "table's throughput": self.table_units / self.units_a_task,
        }

    def workers(self) -> float:
        """Return the tasks a second that the workers end, all of them warm and their batches full."""
        return self.maximum_concurrency * self.batch / (self.batch_s + self.batch * self.task_s)

    def first_to_break(self) -> tuple[str, float]:
        """Return the lowest limit, and the tasks a second that it lets through."""
        everything = self.limits() | {"workers": self.workers()}
        name = min(everything, key=lambda each: everything[each])
        return name, everything[name]


@dataclass
class Outcome:
    """What became of a run: each task's seconds from first try to end, when it was accepted, and what held it back."""

    latencies: list[float] = field(default_factory=list)
    ended_at: float = 0.0
    accepted_at: float = 0.0
    held_back_s: dict[str, float] = field(default_factory=dict)
    environments: int = 0
    invocations: int = 0

    def percentile(self, share: float) -> float:
        """Return the latency that `share` of the tasks do not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def as_dict(self, tasks: int) -> dict[str, object]:
        """Return the figures of `tasks` offered tasks."""
        return {
            "completed/s": round(len(self.latencies) / self.ended_at, 1),
            "completed": len(self.latencies),
            "offered": tasks,
            "p50 s": round(self.percentile(0.5), 3),
            "p99 s": round(self.percentile(0.99), 3),
            "accepted after s": round(self.accepted_at, 1),
            "ended after s": round(self.ended_at, 1),
            "environments": self.environments,
            "invocations a task": round(self.invocations / len(self.latencies), 3),
            "held back by": {name: round(each, 1) for name, each in self.held_back_s.items()},
        }


class _Run:
    """One run of a system: `arrivals` are (second, number of tasks)."""

    def __init__(self, system: System, arrivals: Sequence[tuple[float, int]], seed: int) -> None:
        self.system, self.arrivals = system, arrivals
        self.clock = simpy.Environment()
        self.random = random.Random(seed)
        self.waiting: deque[tuple[float, int]] = deque()  # at the clients: (first try, tasks)
        self.queue: deque[tuple[float, int]] = deque()
        self.left = sum(number for _, number in arrivals)
        self.busy = self.warm = 0
        self.backlog_since: float | None = None
        self.not_before = 0.0
        self.done = Outcome()

    def run(self) -> Outcome:
        self.clock.process(self._clients())
        self.clock.run()
        self.done.environments = self.warm
        return self.done

    def _clients(self) -> Generator[simpy.Event, None, None]:
        """Admit what the tightest limit lets through; the rest tries again."""
        limits = self.system.limits()
        tightest = min(limits, key=lambda name: limits[name])
        allowance, position = limits[tightest], 0
        while position < len(self.arrivals) or self.waiting:
            while position < len(self.arrivals) and self.arrivals[position][0] <= self.clock.now:
                self.waiting.append((self.clock.now, self.arrivals[position][1]))
                position += 1
            # A limit's bucket holds a second's worth, API Gateway's burst and DynamoDB's alike.
            allowance = min(allowance + limits[tightest] * TICK_S, limits[tightest])
            admitted = 0
            while self.waiting and allowance >= 1:
                since, number = self.waiting.popleft()
                taken = min(number, int(allowance))
                allowance -= taken
                admitted += taken
                self.queue.append((since, taken))
                if taken < number:
                    self.waiting.appendleft((since, number - taken))
            if self.waiting:
                self.done.held_back_s[tightest] = self.done.held_back_s.get(tightest, 0.0) + TICK_S
            if admitted:
                self.done.accepted_at = self.clock.now
                self.clock.process(self._poll())
            yield self.clock.timeout(TICK_S)

    def _poll(self) -> Generator[simpy.Event, None, None]:
        yield self.clock.timeout(self.system.api_s + self.system.poll_s)
        if self.clock.now < self.not_before:
            yield self.clock.timeout(self.not_before - self.clock.now)
        self._dispatch()

    def _allowed(self) -> int:
        """Return how many batches may run at a time by now."""
        if self.backlog_since is None:
            self.backlog_since = self.clock.now
        grown = self.system.first_batches + (self.clock.now - self.backlog_since) * EVENT_SOURCE_PER_MINUTE / 60
        return min(self.system.maximum_concurrency, int(grown))

    def _dispatch(self) -> None:
        while self.queue and self.busy < self._allowed():
            self.busy += 1
            self.clock.process(self._invocation(self._take()))
        if not self.queue and not self.busy:
            self.backlog_since = None

    def _take(self) -> list[tuple[float, int]]:
        room, taken = self.system.batch, []
        while self.queue and room:
            since, number = self.queue.popleft()
            some = min(room, number)
            taken.append((since, some))
            room -= some
            if some < number:
                self.queue.appendleft((since, number - some))
        return taken

    def _invocation(self, tasks: list[tuple[float, int]]) -> Generator[simpy.Event, None, None]:
        system = self.system
        if self.busy > self.warm:
            self.warm += 1
            yield self.clock.timeout(system.cold_s)
        number = sum(each for _, each in tasks)
        mean = system.batch_s + number * system.task_s
        yield self.clock.timeout(max(mean / 2, self.random.gauss(mean, mean * system.spread)))
        self.done.invocations += 1
        self.done.ended_at = self.clock.now
        for since, each in tasks:
            self.done.latencies.extend([self.clock.now - since] * each)
        self.busy -= 1
        if not self.queue:
            self.not_before = self.clock.now + system.idle_gap_s
        self._dispatch()


def simulate(system: System, arrivals: Sequence[tuple[float, int]], seed: int = 1) -> Outcome:
    """Run the system until every task has ended."""
    return _Run(system, arrivals, seed).run()


def steady(rate: float, seconds: float, seed: int = 1) -> list[tuple[float, int]]:
    """Return random arrivals of `rate` tasks a second: one by one up to 200 a second, above that a tick's together."""
    if rate <= ONE_BY_ONE:
        chance = random.Random(seed)
        moments, now = [], chance.expovariate(rate)
        while now < seconds:
            moments.append((now, 1))
            now += chance.expovariate(rate)
        return moments
    return [(tick * TICK_S, round(rate * TICK_S)) for tick in range(int(seconds / TICK_S))]


def scenarios(system: System) -> dict[str, dict[str, Any]]:
    """Run the loads on the template's defaults and on `raised` parameters, and say what breaks first."""
    loads = {
        "1/s": (steady(1, 300), 1),
        "100/s": (steady(100, 60), 1),
        "10,000/s": (steady(10_000, 30), 100),
        "a burst of a million": ([(0.0, 1_000_000)], 100),
    }
    found: dict[str, dict[str, Any]] = {}
    for title, (arrivals, posts_of) in loads.items():
        for name, variant in {"as deployed": system, "raised": raised(system)}.items():
            built = replace(variant, posts_of=posts_of)
            breaks, at = built.first_to_break()
            found[f"{title}, {name}"] = {
                **simulate(built, arrivals).as_dict(sum(number for _, number in arrivals)),
                "posts of": posts_of,
                "breaks first": breaks,
                "at tasks/s": round(at),
            }
    return found


def all_limits(system: System) -> dict[str, dict[str, int]]:
    """Return every limit in tasks a second, sent one by one, as deployed and raised; the lowest first, as it breaks."""
    deployed, more = (each.limits() | {"workers": each.workers()} for each in (system, raised(system)))
    return {
        name: {"as deployed": round(deployed[name]), "raised": round(more[name])}
        for name in sorted(deployed, key=lambda each: deployed[each])
    }


def raised(system: System) -> System:
    """Return the system with the parameters that a deployment for 10,000 tasks a second sets, and a warmed-up table."""
    return replace(
        system,
        keys=20,
        key_requests=500,
        stage_requests=500,
        maximum_concurrency=200,
        table_units=60_000,
    )


def measured(figures: Mapping[str, Any], counted: Mapping[str, Any], cold: Mapping[str, Any]) -> System:
    """Return the template's system with the service times of this run, and AWS's answers as long as `cost` assumes."""
    parameters = {name: parameter["Default"] for name, parameter in load()["Parameters"].items()}
    stage = load()["Resources"]["Api"]["Properties"]["MethodSettings"][0]
    one, ten = (f"worker, Bell, {messages} a batch" for messages in (1, cost.BATCH))
    task_ms = figures[f"{ten}: CPU ms a task"]["median"]
    batch_ms = cost.waited_ms(counted[ten]["calls"]) * cost.BATCH
    row = counted["rows"]["Bell"]
    return System(
        key_requests=parameters["KeyRateLimit"],
        stage_requests=stage["ThrottlingRateLimit"],
        maximum_concurrency=parameters["WorkerMaximumConcurrency"],
        api_s=(figures["POST: CPU ms"]["median"] * 1.7 + cost.waited_ms(counted["POST"]["calls"])) / 1e3,
        task_s=task_ms / 1e3,
        batch_s=(batch_ms + max(0.0, figures[f"{one}: CPU ms a task"]["median"] - task_ms)) / 1e3,
        spread=_spread(figures[f"{ten}: elapsed ms a task"]),
        units_a_task=cost.write_units(row["submitted"], row["ended"], transaction=True) - 3,
        cold_s=cold["worker_ready_elapsed_s"]["median"],
    )


def _spread(figure: Mapping[str, float]) -> float:
    return min(0.5, (figure["high"] - figure["low"]) / 2 / figure["median"])


LOCAL_RATES = (5, 20, 40)  # tasks a second that the local stack can take
STANDIN_GAP_S = 0.05  # it looks at its queues this long after a look that found nothing


def validation(stack: Mapping[str, Any], figures: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return latencies measured on the local stack and the model's, in milliseconds, by rate.

    The model is given what the lowest rate needs for an invocation (claimed to ended) and for a POST; it has to say
    what waiting adds at the higher ones.
    """
    alone, post = stack["claimed to ended at 5/s"]["median"], stack["POST at 5/s"]["median"]
    one = figures["worker, Bell, 1 a batch: elapsed ms a task"]["median"]
    each = figures["worker, Bell, 10 a batch: elapsed ms a task"]["median"]
    system = System(
        key_requests=1e6,
        stage_requests=1e6,
        account_requests=1e6,
        table_units=1e9,
        keys=1000,
        open_shards=1000,
        maximum_concurrency=2,
        first_batches=2,
        cold_s=0,
        api_s=post / 2e3,  # the message is sent at the end of a POST, the row written half way
        poll_s=0.004,
        idle_gap_s=STANDIN_GAP_S,
        batch_s=max(0.0, alone - each) / 1e3,
        task_s=min(one, each) / 1e3,
    )
    found = {}
    for rate in LOCAL_RATES:
        outcome = simulate(system, steady(rate, 60))
        seen = stack[f"stored to ended at {rate}/s"]
        found[f"{rate}/s"] = {
            "measured p50 ms": seen["median"],
            "model p50 ms": round(outcome.percentile(0.5) * 1e3, 1),
            "measured p95 ms": seen["p95"],
            "model p95 ms": round(outcome.percentile(0.95) * 1e3, 1),
        }
    return found
