"""The client against the running system."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from local_stack import ROOT, eventually
from quantum_circuits import AsyncClient, CircuitError, Client, InvalidApiKeyError, TaskCancelledError, TaskEndedError
from simulated_aws import BELL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_stack import Stack

FLIPPED = "OPENQASM 3; qubit[2] q; bit[2] c; x q[1]; c = measure q;"
TURNED = "input float theta; qubit q; rx(theta) q; measure q;"
ENDLESS = "bit c; qubit q; x q; c = measure q; while (c) { c = measure q; }"


@pytest.fixture(name="client")
def fixture_client(stack: Stack) -> Iterator[Client]:
    """Give a client of the stack."""
    with Client(stack.env["API_URL"], stack.env["API_KEY"]) as client:
        yield client


def test_a_circuit_is_run_and_found_again(stack: Stack, client: Client) -> None:
    """`run` gives counts; another client finds the task by its id, its program and itself in the list."""
    task = client.run(FLIPPED, shots=100)
    assert task.counts == {"10": 100}
    with Client(stack.env["API_URL"], stack.env["API_KEY"]) as other:
        assert other.get(task.task_id).counts == {"10": 100}
        assert other.circuit(task) == FLIPPED
        assert task.task_id in {each.task_id for each in other.list()}


def test_a_batch_and_a_sweep_come_back_in_their_order(client: Client) -> None:
    """Tasks of a batch and bindings of a sweep are where they were sent."""
    programs = [FLIPPED.replace("q[1]", f"q[{index % 2}]") for index in range(6)]
    tasks = client.batch([{"qc": program, "shots": 10} for program in programs])
    assert [client.wait(task).counts for task in tasks] == [{"01": 10}, {"10": 10}] * 3
    (swept,) = client.sweep(TURNED, [{"theta": 0.0}, {"theta": 3.141592653589793}], shots=50, observables=["Z"])
    assert swept.counts_by_binding == [{"0": 50}, {"1": 50}]
    values = [values[0].value for values in swept.expectation_values_by_binding]
    assert values == pytest.approx([1.0, -1.0])


def test_results_beside_counts_and_the_script_come_back(client: Client) -> None:
    """Exact numbers as arrays, from a file too, and a program that repeats the task."""
    results = ["counts", "statevector", {"type": "expectation", "observable": "ZZ", "variance": True}]
    task = client.run(BELL, results=results, shots=10, seed=1)
    assert sum(task.counts.values()) == 10
    assert abs(task.results[1].array[3]) == pytest.approx(0.5**0.5)
    assert (task.results[2].value, task.results[2].variance) == (pytest.approx(1.0), pytest.approx(0.0))
    assert client.array(task, 1).tobytes() == task.results[1].array.tobytes()
    assert client.result(task, 1) == task.results[1]
    assert "circuit.cx(0, 1)" in client.script(task)


def test_a_split_sweep_gives_what_one_task_gives(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep that is split has the counts of one that is not, for the same seed."""
    bindings = [{"theta": 0.3 * index} for index in range(7)]
    (whole,) = client.sweep(TURNED, bindings, shots=200, seed=11)
    limits = client.limits()
    fewer = {**limits, "run": {**limits["run"], "max_bindings": 3}}
    monkeypatch.setattr(client, "_limits", fewer)  # a test cannot lower the service's
    parts = client.sweep(TURNED, bindings, shots=200, seed=11)
    assert len(parts) == 3
    assert [counts for part in parts for counts in part.counts_by_binding] == whole.counts_by_binding


def test_a_large_result_arrives_whole(client: Client) -> None:
    """A result of several megabytes is fetched from where the answer says it is."""
    wide = "qubit[20] q; bit[20] c; for int i in [0:19] { h q[i]; } c = measure q;"
    task = client.run(wide, shots=100_000, memory=True)
    assert (sum(task.counts.values()), len(task.memory)) == (100_000, 100_000)


def test_what_goes_wrong_is_told(stack: Stack, client: Client) -> None:
    """A wrong program has its place, a wrong key its exception, a dry run says what a task would take."""
    with pytest.raises(CircuitError) as raised:
        client.run("OPENQASM 3; qubit q; hh q; measure q;")
    assert (raised.value.code, raised.value.line, raised.value.column) == ("invalid_circuit", 1, 22)
    assert raised.value.hint == "Did you mean h?"
    with Client(stack.env["API_URL"], "no-such-key") as stranger, pytest.raises(InvalidApiKeyError):
        stranger.run(BELL)
    assert client.dry_run(BELL).method == "stabilizer"


def test_a_task_is_cancelled_while_another_thread_waits_for_it(client: Client) -> None:
    """Who waits for a cancelled task gets TaskCancelledError; a second cancellation is refused."""
    task = client.submit(ENDLESS)
    caught: list[BaseException] = []

    def wait() -> None:
        try:
            client.wait(task)
        except TaskCancelledError as error:
            caught.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    client.cancel(task)
    waiting.join(60)
    assert len(caught) == 1
    with pytest.raises(TaskEndedError):
        client.cancel(task)


def test_coroutines_run_side_by_side(stack: Stack) -> None:
    """Five circuits run from one event loop."""

    async def run() -> list[dict[str, int]]:
        async with AsyncClient(stack.env["API_URL"], stack.env["API_KEY"]) as client:
            tasks = await asyncio.gather(*(client.run(FLIPPED, shots=10) for _ in range(5)))
        return [dict(task.counts) for task in tasks]

    with ThreadPoolExecutor(1) as other:  # after tests of pages this thread has the loop of Playwright
        assert other.submit(asyncio.run, run()).result() == [{"10": 10}] * 5


def test_the_command_line_runs_a_program(stack: Stack) -> None:
    """`quantum-circuits run -` reads standard input and draws the counts."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "client"),
        "QUANTUM_CIRCUITS_URL": stack.env["API_URL"],
        "QUANTUM_CIRCUITS_API_KEY": stack.env["API_KEY"],
    }
    command = "import sys; from quantum_circuits.cli import main; sys.exit(main(['run', '-', '--shots', '8']))"
    ran = subprocess.run(
        [sys.executable, "-c", command], input=FLIPPED, env=environment, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[1].split()[:3] == ["10", "8", "100.0%"]


def test_ctrl_c_ends_at_once_and_cancels_nothing(stack: Stack, client: Client) -> None:
    """An interrupted `run` exits with 130 and no traceback, its task continues; a script has no thread left."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "client"),
        "QUANTUM_CIRCUITS_URL": stack.env["API_URL"],
        "QUANTUM_CIRCUITS_API_KEY": stack.env["API_KEY"],
    }
    # A shell starts what continues in the background, this test perhaps, deaf to Ctrl-C.
    hears = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    script = (
        "import threading, quantum_circuits\n"
        f"client = quantum_circuits.Client()\ntry:\n    client.run({ENDLESS!r})\n"
        "except KeyboardInterrupt:\n    print(threading.active_count())\n"
    )
    command = f"import sys; from quantum_circuits.cli import main; sys.argv[1:] = ['run', {'-'!r}]; sys.exit(main())"
    for program, code, says in ((command, 130, "tasks continue"), (script, 0, "1")):
        known = {task.task_id for task in client.list(status="pending")}
        with subprocess.Popen(
            [sys.executable, "-c", hears + program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            text=True,
        ) as process:
            assert process.stdin is not None
            process.stdin.write(ENDLESS)
            process.stdin.close()
            (task_id,) = eventually(lambda: {task.task_id for task in client.list(status="pending")} - known)  # noqa: B023 - called at once
            process.send_signal(signal.SIGINT)
            assert process.stdout is not None
            printed = process.stdout.read()
        assert (process.returncode, says in printed, "Traceback" in printed) == (code, True, False), printed
        assert not client.get(task_id).ended
        client.cancel(task_id)
