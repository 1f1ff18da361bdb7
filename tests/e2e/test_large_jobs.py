"""The large lane in jobs: the worker's second entry point, as a process of its own, on the running stack's queue."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from deliveries import LARGE, Deliveries
from local.translate import ROOT
from local_stack import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_stack import Stack

# Large by the api's upper figure; what the simulator fuses takes it about a second.
LARGE_CIRCUIT = """qubit[23] q; bit[23] c;
                   for int i in [1:20] { for int j in [0:21] { rx(0.1) q[j]; } } x q[22]; c[22] = measure q[22];"""
# Minutes of work.
LONG_CIRCUIT = """qubit[26] q; bit[26] c;
                  for int i in [1:99] { for int j in [0:24] { ry(0.3) q[j]; cx q[j], q[j+1]; } } c = measure q;"""


@pytest.fixture(name="lane")
def fixture_lane(stack: Stack) -> Iterator[Deliveries]:
    """Give the stack while the large lane's messages go to no function, as where jobs have that lane."""
    functions = stack.client("lambda")
    (mapping,) = [
        mapping["UUID"]
        for mapping in functions.list_event_source_mappings()["EventSourceMappings"]
        if "LargeWorkerFunction" in mapping["FunctionArn"]
    ]
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    yield Deliveries(stack)
    functions.update_event_source_mapping(UUID=mapping, Enabled=True)


def started(lane: Deliveries) -> subprocess.Popen[str]:
    """Start a job."""
    folders = (ROOT / "functions" / "worker", ROOT / "layers")
    return subprocess.Popen(
        [sys.executable, ROOT / "functions" / "worker" / "job.py"],
        env=os.environ | lane.variables() | {"PYTHONPATH": os.pathsep.join(map(str, folders))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_job_works_on_what_the_api_left_to_the_large_lane(lane: Deliveries) -> None:
    """A circuit that the api holds for large waits until a job comes; then it has its counts, and the job ends."""
    task_id = lane.submit(LARGE_CIRCUIT, method="statevector", shots=10)
    assert lane.task(task_id)["status"] == "pending"
    job = started(lane)
    printed, _ = job.communicate(timeout=PATIENCE)
    assert job.returncode == 0, printed
    task = lane.task(task_id)
    assert (task["status"], [key[0] for key in task["result"]]) == ("completed", ["1"])
    assert '"tasks":1' in printed
    assert lane.waiting(LARGE) == 0


def test_a_job_that_is_stopped_ends_at_once(lane: Deliveries) -> None:
    """Its processes end with it, and the task is left to whoever receives its message next."""
    task_id = lane.submit(LONG_CIRCUIT, method="statevector")
    job = started(lane)
    assert job.stdout is not None
    assert any('"event":"task_claimed"' in line for line in iter(job.stdout.readline, ""))
    job.send_signal(signal.SIGTERM)
    job.communicate(timeout=PATIENCE)
    assert job.returncode == 1
    assert lane.task(task_id)["status"] == "pending"
    eventually(lambda: children_of(job.pid) == [])
    lane.purge(LARGE)
    with lane.stack.http() as http:
        assert http.delete(f"/tasks/{task_id}").json()["status"] == "cancelled"  # else a function would run it later


def children_of(pid: int) -> list[str]:
    """Return the fork servers that were started by a process, running or not yet noticed to be gone."""
    listed = subprocess.run(["ps", "-o", "args=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout.splitlines()
