"""Compares the runner with raw Aer in one run: prints the ratios that the issue promises, figures interleaved.

`make bench` runs both parts: `runner_bench.py batches|large [rounds]`. Raw means one process per core that reads and
runs the same circuits with nothing around it, or one process with all threads for a large circuit.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from typing import Any

# Raw Aer at its best in each part: one thread in each of several processes, all threads in one.
os.environ["OMP_NUM_THREADS"] = str(os.cpu_count() or 1) if "large" in sys.argv else "1"

from qiskit_aer import AerSimulator

import reader
from children import Children, Completed, Program
from tasks.options import Options

HEAD = 'OPENQASM 3;\ninclude "stdgates.inc";\n'
BATCHES = 15  # measured by each process in a round
WARM = 5  # batches a process runs before it is measured
MEMORY_MB = 1_769 * (os.cpu_count() or 1)


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


def qft(n: int) -> str:
    """Return the quantum Fourier transform of a basis state, as a chain of controlled phases."""
    lines = []
    for i in reversed(range(n)):
        lines.append(f"h q[{i}];\n")
        lines += [f"cp(pi/{2 ** (i - j)}) q[{i}], q[{j}];\n" for j in reversed(range(i))]
    return f"{HEAD}qubit[{n}] q;\nbit[{n}] c;\nx q[0];\n{''.join(lines)}c = measure q;\n"


MIXED = [ghz(2), ghz(5), qft(8), layers(5, 5), ghz(2), qft(10), layers(8, 6), ghz(12), layers(10, 5), ghz(3)]


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


def large(children: Children, rounds: int) -> None:
    """Compare circuits that run alone on all cores with raw Aer."""
    cores = os.cpu_count() or 1
    simulator = AerSimulator()
    for name, text in (("QFT", qft(20)), ("layers", layers(20, 5)), ("layers", layers(22, 3))):
        ratios = []
        for _ in range(rounds):
            started = time.perf_counter()
            raw(simulator, text, cores)
            ceiling = time.perf_counter() - started
            ratios.append(ceiling / run_batch(children, [text]))
        width = text.partition("qubit[")[2].partition("]")[0]
        say(f"{name}-{width} on {cores} threads: {statistics.median(ratios):.3f} of raw")


def main() -> None:
    """Run one part."""
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 9
    with Children(os.cpu_count() or 1, MEMORY_MB, 600.0) as children:
        children.wait_until_ready()
        (large if "large" in sys.argv else batches)(children, rounds)


if __name__ == "__main__":
    main()
