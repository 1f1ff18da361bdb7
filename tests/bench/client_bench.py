"""The section `client`: what it adds to bare HTTP calls on a local stack, of CPU to a task, of time to a Qiskit Bell.

By hand means the same two requests, written with httpx: a POST, and a GET that waits. The sides take turns, task by
task; the CPU is this process's own, in which the service does not run.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

import stack as stacks
from figures import Figures
from qiskit import QuantumCircuit

from quantum_circuits import Client
from quantum_circuits.qiskit import SamplerV2
from quantum_circuits.qiskit.program import write

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_stack import Stack

ALLOWED_MS = 2.0  # of CPU that the client may add to a task
LEAST_MS = 0.01  # less cannot be distinguished from nothing
WAITED = {"Prefer": "wait=20"}


def measure(*, quick: bool) -> Figures:
    """Run the pairs on a stack of their own."""
    with stacks.running() as stack:
        return _measure(stack, rounds=60 if quick else 300)


def _measure(stack: Stack, rounds: int) -> Figures:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    body: dict[str, Any] = {"qc": write(circuit).text, "shots": 1024}
    figures = Figures()
    with Client(stack.env["API_URL"], stack.env["API_KEY"]) as client, stack.http() as http:
        sampler = SamplerV2(client)

        def by_client() -> None:
            _ = client.wait(client.submit(**body)).counts

        def by_hand(sent: dict[str, Any] = body) -> None:
            task_id = http.post("/tasks", json=sent).raise_for_status().json()["task_id"]
            _ = http.get(f"/tasks/{task_id}", headers=WAITED).raise_for_status().json()["result"]

        def by_sampler() -> None:
            sampler.run([circuit], shots=1024).result()[0].data.meas.get_counts()

        sides: dict[str, Callable[[], None]] = {
            "by the client": by_client,
            "by hand": by_hand,
            "by SamplerV2": by_sampler,
            "the same by hand": lambda: by_hand({**body, "inputs": [{}]}),
        }
        for run in sides.values():  # connections open, environments start
            run()
        found = _alternating(sides, rounds)
    cpu = {name: statistics.median(cpu for cpu, _ in taken) for name, taken in found.items()}
    elapsed = {name: statistics.median(elapsed for _, elapsed in taken) for name, taken in found.items()}
    for name in sides:
        figures.add(f"Bell {name}: CPU", "ms", cpu[name])
        figures.add(f"Bell {name}: POST to result", "ms", elapsed[name])
    pairs = zip(found["by the client"], found["by hand"], strict=True)
    added = statistics.median(ours[0] - theirs[0] for ours, theirs in pairs)
    figures.add("what the client adds to a task: CPU", "ms", added)
    figures.add("what it may add ÷ what it adds", "", ALLOWED_MS / max(added, LEAST_MS))
    pairs = zip(found["by SamplerV2"], found["the same by hand"], strict=True)
    ratio = statistics.median(theirs[1] / ours[1] for ours, theirs in pairs)
    figures.add("Bell by SamplerV2: by hand ÷ ours", "", ratio)
    return figures


def _alternating(sides: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Return the milliseconds of CPU and of time that each side took in each round."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, run in sides.items():
            spent, started = time.process_time(), time.perf_counter()
            run()
            found[name].append(((time.process_time() - spent) * 1e3, (time.perf_counter() - started) * 1e3))
    return found
