"""The image run as Lambda runs it, under AWS's runtime interface emulator: batches of messages in, ended tasks out."""

from __future__ import annotations

import contextlib
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from deliveries import LARGE
from image.container import job, worker
from local_stack import eventually
from simulated_aws import BELL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deliveries import Deliveries
    from image.buildah import Built
    from image.container import Worker

ONE = "qubit q; bit c; x q; c = measure q;"
TWO = "qubit[2] q; bit[2] c; x q[1]; c = measure q;"
# About 8 s of work on one core; the api holds it for 4 s and leaves it in the small lane.
LONG = """qubit[22] q; bit[22] c;
          for int i in [1:15] { for int j in [0:20] { ry(0.3) q[j]; cx q[j], q[j+1]; } } c = measure q;"""
WIDE = "qubit[25] q; bit[25] c; h q[0]; c = measure q;"  # 512 MB as a statevector
READY_CPU_SECONDS = 1.2


def test_a_cold_worker_runs_its_first_batch(image: Built, deliveries: Deliveries) -> None:
    """From nothing to counts takes at most 1.2 s of CPU for all of its processes, and needs no more than /tmp."""
    task_id = deliveries.submit(BELL, shots=1000, seed=7)
    with worker(image, deliveries.variables(), 1_769) as cold:
        assert deliveries.deliver(cold, 1) == []
        assert cold.cpu_seconds() <= READY_CPU_SECONDS
    task = deliveries.task(task_id)
    assert (task["status"], task["result"]) == ("completed", {"00": 492, "11": 508})


def test_a_good_batch_ends_completed(running: Worker, deliveries: Deliveries) -> None:
    """Ten tasks in one batch: every message is acknowledged, every task has its own counts."""
    programs = {
        deliveries.submit(f"qubit[4] q; bit[4] c; {flips} c = measure q;", shots=100): {f"{number:04b}": 100}
        for number in range(10)
        for flips in ["".join(f"x q[{bit}]; " for bit in range(4) if number >> bit & 1)]
    }
    assert deliveries.deliver(running, 10) == []
    tasks = {task_id: deliveries.task(task_id) for task_id in programs}
    assert {task["status"] for task in tasks.values()} == {"completed"}
    assert {task_id: task["result"] for task_id, task in tasks.items()} == programs


def test_one_bad_message_comes_back_alone(running: Worker, deliveries: Deliveries) -> None:
    """A message that is not one of ours is the only failure of its batch; its mates are completed."""
    first, strange, second = deliveries.submit(ONE), deliveries.send("not a task"), deliveries.submit(TWO)
    assert deliveries.deliver(running, 3) == [strange]
    assert deliveries.task(first)["result"] == {"1": 1024}
    assert deliveries.task(second)["result"] == {"10": 1024}
    deliveries.purge()


def test_a_circuit_that_kills_its_process_fails_alone(running: Worker, deliveries: Deliveries) -> None:
    """A process that dies of a circuit twice fails that task; its batch mates are completed by another process."""
    poison, mate = deliveries.submit(LONG, method="statevector"), deliveries.submit(ONE)
    with crashing(running, times=2):
        assert deliveries.deliver(running, 2) == []
    task = deliveries.task(poison)
    assert (task["status"], task["message"]) == ("failed", "The simulator crashed on this circuit, twice.")
    assert task["error"]["code"] == "simulation_error"
    assert deliveries.task(mate)["result"] == {"1": 1024}


def test_a_circuit_that_runs_too_long_is_stopped(running: Worker, deliveries: Deliveries) -> None:
    """At the limit, which is the large lane's too: it is not run for as long again there. Its mate completes."""
    task_id, mate = deliveries.submit(LONG, method="statevector"), deliveries.submit(ONE)
    assert deliveries.deliver(running, 2) == []
    task = deliveries.task(task_id)
    assert deliveries.task(mate)["status"] == "completed"
    assert (task["status"], task["message"]) == ("failed", "The simulation ran for longer than 3 seconds.")
    assert (task["error"]["code"], task["error"]["limit"]) == ("time_limit", 3)


def test_a_circuit_that_needs_too_much_memory_fails(image: Built, deliveries: Deliveries) -> None:
    """Where the machine has less memory than was promised the kernel kills the process, and the task says why."""
    task_id, mate = deliveries.submit(WIDE, method="statevector"), deliveries.submit(ONE)
    with worker(image, deliveries.variables(), 400, declared_mb=1_769) as small:
        assert deliveries.deliver(small, 2) == []
        assert deliveries.deliver(small, 1, LARGE) == []
    task = deliveries.task(task_id)
    assert (task["status"], task["error"]["code"]) == ("failed", "memory_limit")
    assert task["message"] == f"The simulation needs more than the {1_769 - 256 - 32} MB of memory that a task may use."
    assert deliveries.task(mate)["status"] == "completed"


def test_the_second_entry_point_works_on_the_large_lane(image: Built, deliveries: Deliveries) -> None:
    """As a job the image runs what waits in the large lane, and ends."""
    task_id = deliveries.submit(ONE)
    deliveries.send_on(task_id)
    printed = job(image, deliveries.variables(), 2_048)
    task = deliveries.task(task_id)
    assert task["status"] == "completed", printed
    assert task["result"] == {"1": 1024}
    assert '"event":"job_ended"' in printed
    deliveries.purge()


@contextlib.contextmanager
def crashing(running: Worker, times: int) -> Iterator[None]:
    """While a batch runs, kill the process that runs a circuit, as a crash of the simulator does, that many times."""

    def crash() -> None:
        killed: set[int] = set()
        while len(killed) < times:
            pid = eventually(lambda: computing(running, killed))
            os.kill(pid, signal.SIGSEGV)
            killed.add(pid)

    with ThreadPoolExecutor(1) as pool:
        crashes = pool.submit(crash)
        yield
        crashes.result()


def computing(running: Worker, known: set[int]) -> int | None:
    """Return a new child that has used a fifth of a second of CPU; children are known by their OOM score."""
    for pid in set(running.processes()) - known:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            process = Path(f"/proc/{pid}")
            ticks = int(process.joinpath("stat").read_text().rpartition(")")[2].split()[11])
            child = process.joinpath("oom_score_adj").read_text() == "1000\n"
            if child and ticks >= os.sysconf("SC_CLK_TCK") / 5:
                return pid
    return None
