"""What key A's tasks lose when key B sends a few: tasks a second on a local stack, alone and beside B, in turns.

The stand-in hands messages out by the order that AWS states for fair queues (infra/local/fair_queues.py). What A loses
is B's share of the work, and what the order costs. `python tests/bench/bench.py --take fair` measures this alone.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from figures import Figures
from stack import running

from local_stack import Stack, eventually
from simulated_aws import BELL
from tasks.payloads import Payloads
from tasks.table import TaskTable

if TYPE_CHECKING:
    import httpx

TASKS = 3_000  # of A in a round
ROUNDS = 8
EVERY_S = 1.0  # from the end of a task of B's to the next
PATIENCE_S = 300
MOST_S = 2.0  # that B's task may take beside A's


class Quiet(threading.Thread):
    """Key B: a task every EVERY_S, each waited for; how long each took, or the first answer that is no counts."""

    def __init__(self, http: httpx.Client) -> None:
        super().__init__(daemon=True)
        self._http = http
        self.over = threading.Event()
        self.waits: list[float] = []
        self.fault = ""

    def run(self) -> None:
        """Send and wait until it is over."""
        while not self.over.wait(EVERY_S) and not self.fault:
            started = time.monotonic()
            answer = self._http.post("/tasks", json={"qc": BELL}, headers={"Prefer": "wait=20"})
            self.waits.append(time.monotonic() - started)
            if answer.json().get("task", {}).get("status") != "completed":
                self.fault = answer.text


def rate(stack: Stack, http: httpx.Client, tasks: int) -> float:
    """Return how many tasks of A end a second, from the first one's submission to the last one's end."""
    started, ids = time.monotonic(), set()
    for _ in range(tasks // 100):
        answer = http.post("/tasks/batch", json={"tasks": [{"qc": BELL}] * 100})
        if answer.status_code != 200:
            raise SystemExit(f"A's tasks were not accepted: {answer.text}")
        ids |= {task["task_id"] for task in answer.json()["tasks"]}
    payloads = Payloads(stack.client("s3"), stack.env["PAYLOAD_BUCKET_NAME"])
    table = TaskTable(stack.client("dynamodb"), stack.env["TASKS_TABLE_NAME"], payloads)
    eventually(lambda: not any(task.task_id in ids for task in table.open_tasks()), PATIENCE_S, every=0.1)
    return tasks / (time.monotonic() - started)


def beside_b(stack: Stack, http: httpx.Client, other: httpx.Client, tasks: int) -> tuple[float, list[float]]:
    """Return A's rate while B sends, and how long B's tasks took."""
    quiet = Quiet(other)
    quiet.start()
    found = rate(stack, http, tasks)
    quiet.over.set()
    quiet.join()
    if quiet.fault or not quiet.waits:
        raise SystemExit(f"B's task did not end: {quiet.fault or 'B sent none'}")
    return found, quiet.waits


def measure(tasks: int = TASKS, rounds: int = ROUNDS) -> Figures:
    """Measure both ways in turn, which comes first in turn too."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    figures = Figures()
    with running() as stack, stack.http() as http, stack.http(stack.new_key()) as other:
        beside_b(stack, http, other, tasks)  # as many environments start as it takes
        for number in range(rounds):
            rates = {}
            for beside in (True, False) if number % 2 else (False, True):
                if beside:
                    rates[beside], waits = beside_b(stack, http, other, tasks)
                    figures.add("a Bell pair of B beside A's", "s", *waits)
                    figures.add("2 s ÷ B's longest of a round", "", MOST_S / max(waits))
                else:
                    rates[beside] = rate(stack, http, tasks)
            figures.add("A alone", "/s", rates[False])
            figures.add("A beside B", "/s", rates[True])
            figures.add("A beside B ÷ A alone", "", rates[True] / rates[False])
    return figures
