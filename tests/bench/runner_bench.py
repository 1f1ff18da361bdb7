"""Compares the runner with raw Aer in one run: prints the ratios that the issue promises, figures interleaved.

`make bench` runs the parts: `runner_bench.py handler|batches|large|larger [rounds]`. Raw means one process per core
that reads and runs the same circuits with nothing around it, or one process with all threads for a large circuit.

`handler` is the Lambda handler on batches of ten mixed small circuits with AWS answered at once (handler_bench.py), in
execution environments of one vCPU, as many as there are cores: how the small lane runs. `batches` is one layer below,
the children of one environment with all cores, whose batches end with some cores waiting for the others. `large` and
`larger` are circuits that run alone on all cores, where raw Aer chooses its method as it does by itself.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

# Raw Aer at its best in each part: one thread in each of several processes, all threads in one.
os.environ["OMP_NUM_THREADS"] = str(os.cpu_count() or 1) if {"large", "larger"} & set(sys.argv) else "1"

from qiskit_aer import AerSimulator

import reader
from children import Children
from schedule import Program
from tasks.options import Options
from verdicts import Completed

HEAD = 'OPENQASM 3;\ninclude "stdgates.inc";\n'
BATCHES = 15  # measured by each process in a round
WARM = 5  # batches a process runs before it is measured
MEMORY_MB = 1_769 * max(2, os.cpu_count() or 1)  # 26 qubits are 1 GiB


def ghz(n: int) -> str:
    """Return a GHZ state's program."""
    gates = "".join(f"cx q[{i}], q[{i + 1}];\n" for i in range(n - 1))
    return f"{HEAD}qubit[{n}] q;\nbit[{n}] c;\nh q[0];\n{gates}c = measure q;\n"


def layers(n: int, depth: int) -> str:
    """Return layers of rotations and a chain of cx."""
    lines = []
    for level in range(depth):
        lines += [f"rx({0.1 + level + i}) q[{i}];\n" for i in range(n)]
        lines += [f"cx q[{i}], q[{i + 1}];\n" for i in range(n - 1)]
    return f"{HEAD}qubit[{n}] q;\nbit[{n}] c;\n{''.join(lines)}c = measure q;\n"


def across(n: int) -> str:
    """Return rotations and a cx from each qubit of one half to its own of the other: shallow, and yet no chain."""
    half = n // 2
    lines = [f"rx({0.1 + i}) q[{i}];\n" for i in range(n)]
    lines += [f"cx q[{i}], q[{i + half}];\n" for i in range(half)]
    lines += [f"rx({0.3 + i}) q[{i}];\n" for i in range(n)]
    return f"{HEAD}qubit[{n}] q;\nbit[{n}] c;\n{''.join(lines)}c = measure q;\n"


def qft(n: int) -> str:
    """Return the quantum Fourier transform of a basis state, as a chain of controlled phases."""
    lines = []
    for i in reversed(range(n)):
        lines.append(f"h q[{i}];\n")
        lines += [f"cp(pi/{2 ** (i - j)}) q[{i}], q[{j}];\n" for j in reversed(range(i))]
    return f"{HEAD}qubit[{n}] q;\nbit[{n}] c;\nx q[0];\n{''.join(lines)}c = measure q;\n"


MIXED = [ghz(2), ghz(5), qft(8), layers(5, 5), ghz(2), qft(10), layers(8, 6), ghz(12), layers(10, 5), ghz(3)]
# Circuits by what makes `make bench QUICK=1` and what only the whole; the last one is a chain so shallow that admission
# has it run as a matrix product state.
LARGE = {"QFT-20": qft(20), "layers-20": layers(20, 5)}
LARGER = {
    "layers-22": layers(22, 3),
    "shallow-24": across(24),
    "shallow-26": across(26),
    "chain-24, by the method that admission chooses,": layers(24, 2),
}


def raw(simulator: AerSimulator, text: str, threads: int = 1) -> Any:
    """Read and run with nothing around."""
    circuit = reader.read(text)
    return simulator.run(circuit, shots=1024, seed_simulator=1, max_parallel_threads=threads).result().get_counts()


def raw_rate(processes: int, batches: int) -> float:  # noqa: C901 - one story of pipes
    """Return circuits a second of `processes` that each run the mixed batch `batches` times."""
    pipes = []
    for _ in range(processes):
        ready, ready_end = os.pipe()
        go, go_end = os.pipe()
        if os.fork() == 0:
            simulator = AerSimulator(max_parallel_threads=1)
            for text in MIXED * WARM:
                raw(simulator, text)
            os.write(ready_end, b"r")
            os.read(go, 1)
            for _ in range(batches):
                for text in MIXED:
                    raw(simulator, text)
            os.write(ready_end, b"d")
            os._exit(0)
        pipes.append((ready, ready_end, go, go_end))
    for ready, *_ in pipes:
        os.read(ready, 1)
    started = time.perf_counter()
    for *_, go_end in pipes:
        os.write(go_end, b"g")
    for ready, *_ in pipes:
        os.read(ready, 1)
    rate = processes * batches * len(MIXED) / (time.perf_counter() - started)
    for pipe in pipes:
        os.wait()
        for end in pipe:
            os.close(end)
    return rate


class Environments:
    """Execution environments of the worker, each with `cores` vCPUs and its AWS stubbed, warm and waiting."""

    def __init__(self, count: int, cores: int) -> None:
        command = [sys.executable, str(Path(__file__).with_name("handler_bench.py")), str(cores), str(WARM)]
        self.processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(count)
        ]
        self._say(json.dumps(MIXED))
        self._wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.communicate()

    def rate(self, batches: int) -> float:
        """Return circuits a second of all environments together, each of which runs that many batches."""
        started = time.perf_counter()
        self._say(str(batches))
        self._wait()
        return len(self.processes) * batches * len(MIXED) / (time.perf_counter() - started)

    def _say(self, line: str) -> None:
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.write(f"{line}\n")
            process.stdin.flush()

    def _wait(self) -> None:
        for process in self.processes:
            assert process.stdout is not None
            left = process.stdout.readline().strip()
            if left != "0":
                raise SystemExit(f"not completed: {left}")


def run_batch(children: Children, texts: list[str]) -> float:
    """Return the seconds that a batch takes."""
    programs = [Program(text, Options(seed=1)) for text in texts]
    started = time.perf_counter()
    outcomes = [outcome for _, outcome in children.run(programs, deadline=time.monotonic() + 600)]
    seconds = time.perf_counter() - started
    if not all(isinstance(outcome, Completed) for outcome in outcomes):
        raise SystemExit(f"not completed: {outcomes}")
    return seconds


def say(line: str) -> None:
    """Print a line as soon as it is known."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def measure_handler(rounds: int) -> dict[str, list[float]]:
    """Return samples of the handler's rates and of their ratios to raw, all taken in turn."""
    cores = os.cpu_count() or 1
    found: dict[str, list[float]] = {
        "handler": [],
        "handler of raw": [],
        "one of raw": [],
        "scaling": [],
        "raw scaling": [],
    }
    with ExitStack() as stack:
        each = stack.enter_context(Environments(cores, 1))
        one = stack.enter_context(Environments(1, 1))
        for _ in range(rounds):
            raw_one, raw_all = raw_rate(1, BATCHES), raw_rate(cores, BATCHES)
            alone, together = one.rate(BATCHES), each.rate(BATCHES)
            found["handler"].append(together)
            found["handler of raw"].append(together / raw_all)
            found["one of raw"].append(alone / raw_one)
            found["scaling"].append(together / alone)
            found["raw scaling"].append(raw_all / raw_one)
    return found


def handler(rounds: int) -> None:
    """Compare the handler with the same circuits in bare processes, and one environment with one a core."""
    found = measure_handler(rounds)
    cores = os.cpu_count() or 1
    for title, ratio, rate in (
        (f"handler, ten mixed a batch, AWS stubbed, {cores} environments", "handler of raw", found["handler"]),
        ("handler, the same, one environment", "one of raw", None),
    ):
        ratios = found[ratio]
        shown = f"{statistics.median(rate):.0f}/s, " if rate else ""
        spread = f"({min(ratios):.3f} to {max(ratios):.3f})"
        say(f"{title}: {shown}{statistics.median(ratios):.3f} of raw {spread}")
    for title, scaling in (
        (f"handler, {cores} environments as fast as one", found["scaling"]),
        (f"raw Aer, {cores} processes as fast as one", found["raw scaling"]),
    ):
        say(f"{title}: {statistics.median(scaling):.2f} times ({min(scaling):.2f} to {max(scaling):.2f})")


def batches(children: Children, rounds: int) -> None:
    """Compare batches of ten small circuits with the same circuits in bare processes; print the cost of isolation."""
    cores = os.cpu_count() or 1
    for _ in range(WARM * cores):
        run_batch(children, MIXED)
    ratios, rates = [], []
    for _ in range(rounds):
        ceiling = raw_rate(cores, BATCHES)
        seconds = sum(run_batch(children, MIXED) for _ in range(BATCHES * cores))
        rates.append(BATCHES * cores * len(MIXED) / seconds)
        ratios.append(rates[-1] / ceiling)
    say(
        f"batch of ten mixed: {statistics.median(rates):.0f}/s, {statistics.median(ratios):.3f} of raw"
        f" ({min(ratios):.3f} to {max(ratios):.3f})"
    )
    overheads = []
    for _ in range(rounds * 20):
        programs = [Program(MIXED[0], Options(seed=1))]
        started = time.perf_counter()
        ((_, outcome),) = children.run(programs, deadline=time.monotonic() + 600)
        took = (time.perf_counter() - started) * 1e3
        execution = outcome.payload["execution"]  # type: ignore[union-attr]
        overheads.append(took - execution["parse_ms"] - execution["run_ms"])
    say(f"isolation: {statistics.median(overheads):.2f} ms a task")


def large(children: Children, rounds: int, circuits: dict[str, str]) -> None:
    """Compare circuits that run alone on all cores with raw Aer."""
    cores = os.cpu_count() or 1
    simulator = AerSimulator()
    for name, text in circuits.items():
        ratios = []
        for _ in range(rounds):
            started = time.perf_counter()
            raw(simulator, text, cores)
            ceiling = time.perf_counter() - started
            ratios.append(ceiling / run_batch(children, [text]))
        say(f"{name} on {cores} threads: {statistics.median(ratios):.3f} of raw")


def main() -> None:
    """Run one part."""
    part = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 9
    if part == "handler":
        handler(rounds)
        return
    with Children(os.cpu_count() or 1, MEMORY_MB, 600.0) as children:
        children.wait_until_ready()
        if part == "batches":
            batches(children, rounds)
        else:
            large(children, rounds, {"large": LARGE, "larger": LARGER}[part])


if __name__ == "__main__":
    main()
