"""Compares dry runs with bills: what each of 1,000 mixed tasks with a fixed seed is foreseen to cost, and costs.

Each task is admitted as a dry run is, by a worker of the small lane with one child, and then run by it in batches of
ten, and billed as the worker bills it. Tasks that a dry run gives to the large lane are left out, as this machine has
none. What else the machine does makes runs longer, and so bills larger: a loop of known length between the batches says
by how much, and the factors are also given without it.

    PYTHONPATH=tests/bench:layers:functions/worker python tests/bench/bill_bench.py [tasks]
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "WARNING")

from programs import HEAD, ghz, qft

from children import Children
from dry_run import dry_run
from schedule import Program
from tasks.bill import bill
from tasks.options import Options
from verdicts import Completed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SEED = 20261128
MEMORY_MB = 1_769
BATCH = 10
FACTORS = (3, 10)

Task = tuple[str, str, dict[str, Any]]  # kind, program, options by their JSON names


def _rotations(draw: random.Random, qubits: int, layers: int, declared: str = "") -> str:
    lines = []
    for _ in range(layers):
        lines += [f"r{draw.choice('xyz')}({draw.uniform(0, 6):.3f}) q[{i}];\n" for i in range(qubits)]
        lines += [f"cx q[{i}], q[{i + 1}];\n" for i in range(draw.randrange(2), qubits - 1, 2)]
    return f"{HEAD}{declared}qubit[{qubits}] q;\nbit[{qubits}] c;\n{''.join(lines)}"


def _clifford(draw: random.Random) -> str:
    qubits = draw.randrange(2, 60)
    lines = [f"{draw.choice(('h', 's', 'x', 'sx'))} q[{draw.randrange(qubits)}];\n" for _ in range(qubits * 4)]
    lines += ["cx q[{}], q[{}];\n".format(*draw.sample(range(qubits), 2)) for _ in range(qubits * 2)]
    draw.shuffle(lines)
    return f"{HEAD}qubit[{qubits}] q;\nbit[{qubits}] c;\n{''.join(lines)}c = measure q;\n"


def _dynamic(draw: random.Random) -> str:
    qubits, rounds = draw.randrange(2, 7), draw.randrange(1, 8)
    lines = []
    for _ in range(rounds):
        at, other = draw.sample(range(qubits), 2)
        lines.append(
            f"rx({draw.uniform(0, 6):.3f}) q[{at}];\nc[{at}] = measure q[{at}];\nif (c[{at}]) {{ x q[{other}]; }}\n"
        )
    return f"{HEAD}qubit[{qubits}] q;\nbit[{qubits}] c;\n{''.join(lines)}c = measure q;\n"


def _plain(draw: random.Random, shots: int) -> Task:
    return (
        "plain",
        _rotations(draw, draw.randrange(2, 15), draw.randrange(1, 12)) + "c = measure q;\n",
        {"shots": shots},
    )


def _noisy(draw: random.Random, shots: int) -> Task:
    noise = {"depolarizing": {"one_qubit": 0.001, "two_qubit": 0.01}}
    program = _rotations(draw, draw.randrange(2, 7), draw.randrange(1, 6)) + "c = measure q;\n"
    return "noisy", program, {"shots": min(shots, 1_000), "noise": noise}


def _sweep(draw: random.Random, shots: int) -> Task:
    qubits = draw.randrange(2, 8)
    program = (
        _rotations(draw, qubits, draw.randrange(1, 4), "input float theta;\n") + "rx(theta) q[0];\nc = measure q;\n"
    )
    inputs = [{"theta": draw.uniform(0, 6)} for _ in range(draw.randrange(2, 60))]
    return "sweep", program, {"shots": min(shots, 1_000), "inputs": inputs}


def _observed(draw: random.Random, shots: int) -> Task:
    qubits = draw.randrange(2, 11)
    observables = ["".join(draw.choice("IXYZ") for _ in range(qubits)) for _ in range(draw.randrange(1, 20))]
    program = _rotations(draw, qubits, draw.randrange(1, 8)) + "c = measure q;\n"
    return "observables", program, {"shots": shots, "observables": observables}


def _wide(draw: random.Random, shots: int) -> Task:
    return (
        "16 to 20 qubits",
        _rotations(draw, draw.randrange(16, 21), draw.randrange(1, 5)) + "c = measure q;\n",
        {"shots": shots},
    )


MIX: Sequence[tuple[int, Callable[[random.Random, int], Task]]] = (  # of 100 tasks
    (20, lambda draw, shots: ("Bell and GHZ", ghz(draw.randrange(2, 20)), {"shots": shots})),
    (10, lambda draw, shots: ("QFT", qft(draw.randrange(2, 13)), {"shots": shots})),
    (25, _plain),
    (15, lambda draw, shots: ("Clifford", _clifford(draw), {"shots": shots})),
    (10, lambda draw, shots: ("dynamic", _dynamic(draw), {"shots": min(shots, 4_096)})),
    (8, _noisy),
    (5, _sweep),
    (5, _observed),
    (2, _wide),
)


def mixed(number: int, seed: int = SEED) -> list[Task]:
    """Return so many tasks, always the same ones for a seed."""
    draw = random.Random(seed)
    kinds = draw.choices([make for _, make in MIX], [weight for weight, _ in MIX], k=number)
    return [make(draw, draw.choice((100, 1_024, 1_024, 4_096, 10_000))) for make in kinds]


def stretch() -> float:
    """Return by how much this machine's other work makes a short loop longer than the CPU it takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    sum(range(2_000_000))
    return (time.perf_counter() - wall) / max(1e-9, time.process_time() - cpu)


def agreement(number: int = 1_000) -> dict[str, Any]:
    """Return how the dry runs' dollars and the bills' compare: bill ÷ dry run, in all and task by task."""
    pairs: list[tuple[str, float, float]] = []
    stretches = []
    with Children(1, memory_mb=MEMORY_MB, time_limit_s=120) as children:
        limits = children.limits
        tasks = mixed(number)
        for start in range(0, number, BATCH):
            some = tasks[start : start + BATCH]
            foreseen = [
                dry_run({"qc": qc, "options": options, "lane": "small"}, children, limits) for _, qc, options in some
            ]
            programs = [Program(qc, Options.from_dict({"seed": 7, **options})) for _, qc, options in some]
            stretches.append(stretch())
            for index, outcome in children.run(programs, deadline=time.monotonic() + 300):
                assert isinstance(outcome, Completed), outcome
                run = outcome.payload["execution"]
                billed = bill(run.get("parse_ms", 0.0) + run["run_ms"], MEMORY_MB)["cost_usd"]
                pairs.append((some[index][0], foreseen[index]["estimate"]["cost_usd"], billed))
    stretched = statistics.mean(stretches)
    return {
        "machine's stretch": round(stretched, 2),
        "as billed": _compared(pairs, 1.0),
        "without the stretch": _compared(pairs, stretched),
    }


def _compared(pairs: Sequence[tuple[str, float, float]], stretched: float) -> dict[str, Any]:
    """Return how bills, divided by what they were `stretched` by, compare with what was foreseen."""
    bills: defaultdict[str, list[float]] = defaultdict(list)
    ratios: defaultdict[str, list[float]] = defaultdict(list)
    for kind, foreseen, billed in pairs:
        bills[kind].append(billed / stretched)
        ratios[kind].append(billed / stretched / foreseen)
    total = sum(map(sum, bills.values()))
    every = [ratio for some in ratios.values() for ratio in some]
    return {
        "tasks": len(pairs),
        "in all": round(total / sum(foreseen for _, foreseen, _ in pairs), 2),
        "median": round(statistics.median(every), 2),
        **{
            f"within a factor of {factor}": round(statistics.mean(1 / factor <= ratio <= factor for ratio in every), 3)
            for factor in FACTORS
        },
        "smallest and largest": [round(min(every), 2), round(max(every), 2)],
        "medians": {kind: round(statistics.median(some), 2) for kind, some in sorted(ratios.items())},
        "shares of the bill": {kind: round(sum(some) / total, 2) for kind, some in sorted(bills.items())},
    }


if __name__ == "__main__":
    print(json.dumps(agreement(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000), indent=1))
