"""How long the saved queries take over many log lines, beside reading the same lines with `json.loads` in a loop.

Lines are like the worker's and the api's own. They are made as they are read: no list of them is in memory.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import TYPE_CHECKING

from figures import Figures

from insights import Event, evaluate, saved_queries
from local.translate import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

START = 1_795_219_200_000
EVENTS = ("task_submitted", "task_claimed", "task_completed", "task_failed")
QUICK, MANY = 100_000, 1_000_000


def lines(count: int) -> Iterator[Event]:
    """Make log lines, each with about 350 characters."""
    for number in range(count):
        fields = (
            f'{{"level":"INFO","location":"store.complete:212","message":"task ended","service":"worker",'
            f'"timestamp":"2026-11-21T00:00:00.000Z","event":"{EVENTS[number % 4]}","task_id":"task-{number // 3}",'
            f'"correlation_id":"c-{number}","queue_ms":{number % 977},"run_ms":{number % 331},'
            f'"total_ms":{number % 1999},"num_qubits":{number % 25},"depth":{number % 100},"shots":1024,'
            f'"method":"statevector","status":"completed","worker":"w-{number % 9}","memory_mb":1769}}'
        )
        yield Event(START + number * 3, fields, f"stream-{number % 50}", "/stack/worker")


def measure(*, quick: bool) -> Figures:
    """Time the saved queries over 100,000 lines, and the slowest of them over a million."""
    figures = Figures()
    queries = {name: query.fill(task="task-77") for name, query in saved_queries(load()).items()}
    slowest, longest = "", 0.0
    loop = _seconds(_read_each)
    for name, query in queries.items():
        took = _seconds(lambda query=query: evaluate(query, lines(QUICK)))
        slowest, longest = max((slowest, longest), (name, took), key=lambda pair: pair[1])
    figures.add(f"{QUICK:,} lines: slowest saved query", "s", longest)
    figures.add(f"{QUICK:,} lines: json.loads of each ÷ slowest saved query", "", round(loop / longest, 2))
    if not quick:
        took = _seconds(lambda: evaluate(queries[slowest], lines(MANY)))
        figures.add(f"{MANY:,} lines: slowest saved query", "s", took)
        figures.add(f"{MANY:,} lines: memory of the process", "MB", _megabytes())
    return figures


def _read_each() -> None:
    for event in lines(QUICK):
        json.loads(event.message)


def _seconds(what: Callable[[], object]) -> float:
    started = time.perf_counter()
    what()
    return round(time.perf_counter() - started, 3)


def _megabytes() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    for name, figure in measure(quick="--quick" in sys.argv).as_dict().items():
        print(f"{name}: {figure}")
