"""What key A's tasks lose when key B sends a few: tasks a second on a local stack, alone and beside B, in turns.

`.venv/bin/python tests/bench/fair_bench.py` from the root prints the ratio and B's waits. The stand-in hands messages
out by the order that AWS states for fair queues (infra/local/fair_queues.py).
"""

from __future__ import annotations

import statistics
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("tests/bench", "tests", "layers", "infra", "client")]

from stack import running  # noqa: E402 - found by the lines above

from local_stack import Stack, eventually  # noqa: E402
from simulated_aws import BELL  # noqa: E402
from tasks.payloads import Payloads  # noqa: E402
from tasks.table import TaskTable  # noqa: E402

if TYPE_CHECKING:
    import httpx

TASKS = 3000  # of A in a round
ROUNDS = 8
EVERY_S = 1.0  # from one task of B to the next
PATIENCE_S = 300


class Quiet(threading.Thread):
    """Key B: a task every EVERY_S, each waited for."""

    def __init__(self, http: httpx.Client) -> None:
        super().__init__(daemon=True)
        self._http = http
        self.over = threading.Event()
        self.waits: list[float] = []

    def run(self) -> None:
        """Send and wait until it is over."""
        while not self.over.wait(EVERY_S):
            started = time.monotonic()
            self._http.post("/tasks", json={"qc": BELL}, headers={"Prefer": "wait=20"})
            self.waits.append(time.monotonic() - started)


def rate(stack: Stack, http: httpx.Client) -> float:
    """Return how many tasks of A end a second, from the first one's submission to the last one's end."""
    started, ids = time.monotonic(), []
    for _ in range(TASKS // 100):
        answer = http.post("/tasks/batch", json={"tasks": [{"qc": BELL}] * 100})
        ids += [task["task_id"] for task in answer.json()["tasks"]]
    payloads = Payloads(stack.client("s3"), stack.env["PAYLOAD_BUCKET_NAME"])
    table, ours = TaskTable(stack.client("dynamodb"), stack.env["TASKS_TABLE_NAME"], payloads), set(ids)
    eventually(lambda: not any(task.task_id in ours for task in table.open_tasks()), PATIENCE_S, every=0.1)
    return TASKS / (time.monotonic() - started)


def main() -> None:
    """Measure both ways in turn."""
    with running() as stack, stack.http() as http, stack.http(stack.new_key()) as other:
        rate(stack, http)  # the environments start
        other.post("/tasks", json={"qc": BELL}, headers={"Prefer": "wait=20"})
        ratios, waits = [], []
        for number in range(ROUNDS):
            rates = {}
            for beside in (True, False) if number % 2 else (False, True):
                quiet = Quiet(other)
                if beside:
                    quiet.start()
                rates[beside] = rate(stack, http)
                if beside:
                    quiet.over.set()
                    quiet.join()
                    waits += quiet.waits
            ratios.append(rates[True] / rates[False])
            print(f"A: {rates[False]:.0f}/s alone, {rates[True]:.0f}/s beside B: {ratios[-1]:.2f}")
        print(f"A beside B: {statistics.median(ratios):.3f} of its rate alone ({min(ratios):.2f} to {max(ratios):.2f})")
        print(f"B waited {statistics.median(waits):.2f} s, {max(waits):.2f} s at most, of {len(waits)}")


if __name__ == "__main__":
    main()
