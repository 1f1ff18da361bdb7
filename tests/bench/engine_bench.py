"""Compares the simulator, its planner and engines, with raw `AerSimulator` on what Aer is slow at, by CPU of one core.

`engine_bench.py [rounds]`. Both sides are given text and read it by our reader; raw Aer runs the circuit as it stands,
with and without shot branching, and the faster one counts. What takes Aer minutes it runs with fewer shots, and the
time is scaled: its stabilizer's shots cost the same each. What it cannot run at all has no ratio.
"""

from __future__ import annotations

import math
import os
import random
import resource
import statistics
import sys
import time
from typing import TYPE_CHECKING

os.environ["OMP_NUM_THREADS"] = "1"

from figures import Figures
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, depolarizing_error, thermal_relaxation_error

import reader
import simulator
from admission import Budget
from tasks.options import Noise, Options

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD = 'OPENQASM 3;\ninclude "stdgates.inc";\n'
BUDGET = Budget(2**31, 600.0, 2**31, 600.0)
SHOTS = 1_024


def teleported(pairs: int) -> str:
    """Return a state teleported along a chain of Bell pairs."""
    lines = [f"{HEAD}qubit[{2 * pairs + 1}] q;\nbit[{2 * pairs}] c;\nbit out;\nry(0.4) q[0];"]
    for a in range(0, 2 * pairs, 2):
        b, c = a + 1, a + 2
        lines.append(f"h q[{b}]; cx q[{b}], q[{c}]; cx q[{a}], q[{b}]; h q[{a}];")
        lines.append(f"c[{a}] = measure q[{a}]; c[{b}] = measure q[{b}]; if (c[{b}]) x q[{c}]; if (c[{a}]) z q[{c}];")
    return "\n".join([*lines, f"out = measure q[{2 * pairs}];"])


def phase_estimation(bits: int) -> str:
    """Return iterative phase estimation with one ancilla."""
    lines = [f"{HEAD}qubit[2] q;\nbit[{bits}] c;\nx q[1];"]
    for k in range(bits):
        lines.append(f"reset q[0]; h q[0]; cp({2 * math.pi * 0.3 * 2 ** (bits - 1 - k)}) q[0], q[1];")
        lines += [f"if (c[{j}]) p({-math.pi / 2 ** (k - j)}) q[0];" for j in range(k)]
        lines.append(f"h q[0]; c[{k}] = measure q[0];")
    return "\n".join(lines)


def until_success() -> str:
    """Return a repeat-until-success rotation: two ancillas, tried until both give 0."""
    body = "h q[0]; h q[1]; ccx q[0], q[1], q[2]; s q[2]; ccx q[0], q[1], q[2]; z q[2]; h q[0]; h q[1];"
    body += " f[0] = measure q[0]; f[1] = measure q[1]; reset q[0]; reset q[1];"
    return f"{HEAD}qubit[3] q;\nbit[2] f;\nbit out;\nh q[2];\n{body}\nwhile (f != 0) {{ {body} }}\nout = measure q[2];"


def corrected(distance: int, rounds: int) -> str:
    """Return a repetition code with T gates on its data, its syndromes measured, and errors of one qubit corrected."""
    n = 2 * distance - 1
    lines = [f"{HEAD}qubit[{n}] q;\nbit[{distance - 1}] s;\nbit[{distance}] d;\nh q[0];"]
    lines += [f"cx q[0], q[{2 * i}];" for i in range(1, distance)]
    for _ in range(rounds):
        lines += [f"t q[{2 * i}]; rx(0.2) q[{2 * i}];" for i in range(distance)]
        for i in range(distance - 1):
            a = 2 * i + 1
            lines.append(f"cx q[{a - 1}], q[{a}]; cx q[{a + 1}], q[{a}]; s[{i}] = measure q[{a}]; reset q[{a}];")
        lines.append("if (s[0] && !s[1]) x q[0]; if (s[0] && s[1]) x q[2];")
    lines += [f"d[{i}] = measure q[{2 * i}];" for i in range(distance)]
    return "\n".join(lines)


def fed_forward(qubits: int, measured: int) -> str:
    """Return random layers with measurements in the middle and rotations that they decide."""
    chance = random.Random(qubits)
    lines = [f"{HEAD}qubit[{qubits}] q;\nbit[{measured}] c;\nbit[{qubits}] e;"]
    for k in range(measured):
        lines += [f"ry({chance.uniform(0, 3)}) q[{i}];" for i in range(qubits)]
        lines += [f"cx q[{i}], q[{i + 1}];" for i in range(qubits - 1)]
        lines.append(
            f"c[{k}] = measure q[{chance.randrange(qubits)}]; if (c[{k}]) rx(0.7) q[{chance.randrange(qubits)}];"
        )
    return "\n".join([*lines, "e = measure q;"])


def ghz(qubits: int) -> str:
    """Return a GHZ state."""
    gates = "\n".join(f"cx q[{i}], q[{i + 1}];" for i in range(qubits - 1))
    return f"{HEAD}qubit[{qubits}] q;\nbit[{qubits}] c;\nh q[0];\n{gates}\nc = measure q;"


def repetition(distance: int, rounds: int) -> str:
    """Return a memory experiment of the repetition code."""
    n, checks = 2 * distance - 1, distance - 1
    lines = [f"{HEAD}qubit[{n}] q;\nbit[{checks * rounds + distance}] c;"]
    for r in range(rounds):
        lines += [f"cx q[{2 * i}], q[{2 * i + 1}];\ncx q[{2 * i + 2}], q[{2 * i + 1}];" for i in range(checks)]
        lines += [f"c[{r * checks + i}] = measure q[{2 * i + 1}];\nreset q[{2 * i + 1}];" for i in range(checks)]
    lines += [f"c[{checks * rounds + i}] = measure q[{2 * i}];" for i in range(distance)]
    return "\n".join(lines)


def surface(distance: int) -> str:
    """Return a memory experiment of the rotated surface code, as many rounds as its distance."""
    data = {(x, y): x * distance + y for x in range(distance) for y in range(distance)}
    checks = []
    for x in range(-1, distance):
        for y in range(-1, distance):
            around = [data[p] for p in ((x, y), (x, y + 1), (x + 1, y), (x + 1, y + 1)) if p in data]
            kind = (x + y) % 2
            edge_x, edge_y = x in (-1, distance - 1), y in (-1, distance - 1)
            if len(around) == 4 or (
                len(around) == 2 and ((edge_x and not edge_y and kind) or (edge_y and not edge_x and not kind))
            ):
                checks.append((kind, around))
    n, m = len(data), len(checks)
    lines = [f"{HEAD}qubit[{n + m}] q;\nbit[{m * distance + n}] c;"]
    for r in range(distance):
        for i, (kind, around) in enumerate(checks):
            a = n + i
            lines += [f"h q[{a}];"] * kind
            lines += [f"cx q[{a}], q[{d}];" if kind else f"cx q[{d}], q[{a}];" for d in around]
            lines += [f"h q[{a}];"] * kind
            lines += [f"c[{r * m + i}] = measure q[{a}];\nreset q[{a}];"]
    lines += [f"c[{m * distance + i}] = measure q[{i}];" for i in range(n)]
    return "\n".join(lines)


def threes() -> str:
    """Return 60 qubits in 20 independent threes."""
    lines = [f"{HEAD}qubit[60] q;\nbit[60] c;"]
    for a in range(0, 60, 3):
        lines += [f"ry({0.1 + a}) q[{a + i}]; t q[{a + i}];" for i in range(3)]
        lines.append(f"cx q[{a}], q[{a + 1}]; cx q[{a + 1}], q[{a + 2}]; rx(0.4) q[{a + 1}]; cx q[{a}], q[{a + 2}];")
    return "\n".join([*lines, "c = measure q;"])


def shallow() -> str:
    """Return 100 qubits, four layers, and five of them measured."""
    lines = [f"{HEAD}qubit[100] q;\nbit[5] c;"]
    for layer in range(4):
        lines += [f"ry({0.3 + i + layer}) q[{i}];" for i in range(100)]
        lines += [f"cx q[{i}], q[{i + 1}];" for i in range(layer % 2, 99, 2)]
    return "\n".join([*lines, *(f"c[{i}] = measure q[{20 * i + 7}];" for i in range(5))])


DYNAMIC: dict[str, tuple[str, int]] = {
    "teleportation, 3 pairs": (teleported(3), SHOTS),
    "phase estimation, 8 bits": (phase_estimation(8), SHOTS),
    "repeat until success": (until_success(), SHOTS),
    "bit-flip code with T, d=3": (corrected(3, 2), SHOTS),
    "repetition code with T, d=5": (corrected(5, 2), SHOTS),
    "feed-forward, 5 qubits": (fed_forward(5, 4), SHOTS),
    "feed-forward, 10 qubits": (fed_forward(10, 6), SHOTS),
    "feed-forward, 15 qubits": (fed_forward(15, 3), SHOTS),
}
# Aer does not end these in minutes, or refuses them.
ALONE: dict[str, str] = {
    "teleportation, 10 pairs": teleported(10),
    "teleportation, 30 pairs": teleported(30),
    "60 qubits in 20 threes": threes(),
    "100 qubits, 5 measured": shallow(),
}
# Programs by the shots that Aer runs of them.
CLIFFORD: dict[str, tuple[str, int]] = {
    "GHZ-1000": (ghz(1_000), 3),
    "repetition code, d=5": (repetition(5, 5), 256),
    "repetition code, d=11": (repetition(11, 10), 64),
    "surface code, d=3": (surface(3), 128),
    "surface code, d=5": (surface(5), 64),
    "surface code, d=7": (surface(7), 32),
}
NOISE = Noise(one_qubit=0.001, two_qubit=0.005)


def seconds(run: Callable[[], object]) -> float:
    """Return the CPU that a call takes."""
    started = time.process_time()
    run()
    return time.process_time() - started


def ours(text: str, shots: int, noise: Noise | None = None) -> Callable[[], object]:
    """Return a run of the simulator."""
    return lambda: simulator.simulate(text, Options(shots=shots, seed=1, noise=noise), BUDGET)


def raw(text: str, shots: int, settings: dict[str, object]) -> Callable[[], object]:
    """Return a run of raw Aer."""
    backend = AerSimulator(max_parallel_threads=1)
    return lambda: backend.run(reader.read(text), shots=shots, seed_simulator=1, **settings).result().get_counts()


def model() -> NoiseModel:
    """Return NOISE as Aer has it."""
    found = NoiseModel()
    found.add_all_qubit_quantum_error(depolarizing_error(NOISE.one_qubit, 1), ["h", "x"])
    found.add_all_qubit_quantum_error(depolarizing_error(NOISE.two_qubit, 2), ["cx"])
    return found


def dynamic(figures: Figures, rounds: int) -> None:
    """Measure the programs whose shots part ways."""
    ratios = []
    for name, (text, shots) in DYNAMIC.items():
        mine, theirs = [], []
        for _ in range(rounds):
            mine += [seconds(ours(text, shots)) for _ in range(10)]  # milliseconds each
            # A loop's branches have no end: there Aer dies of them.
            ways = [{"shot_branching_enable": False}]
            ways += [] if "while" in text else [{"shot_branching_enable": True}]
            theirs.append(min(seconds(raw(text, shots, way)) for way in ways))
        figures.add(f"{name}: ours", "ms", *[1e3 * each for each in mine])
        # The least of each: the machine can only add.
        ratios.append(min(theirs) / min(mine))
        figures.add(f"{name}: raw Aer ÷ ours", "", ratios[-1])
    figures.add("dynamic suite: raw Aer ÷ ours", "", statistics.geometric_mean(ratios))
    figures.add("dynamic suite, the least: raw Aer ÷ ours", "", min(ratios))


def clifford(figures: Figures, rounds: int) -> None:
    """Measure Clifford circuits, with and without noise; Aer by its stabilizer method."""
    ratios = []
    for name, (text, fewer) in CLIFFORD.items():
        for noise in (None, NOISE):
            settings: dict[str, object] = {"method": "stabilizer"} | ({"noise_model": model()} if noise else {})
            # The least of each: the machine can only add.
            once = min(seconds(raw(text, 1, settings)) for _ in range(max(3, rounds)))
            more = min(seconds(raw(text, 1 + fewer, settings)) for _ in range(max(2, rounds)))
            shot = max(0.0, more - once) / fewer
            # A noisy thousand qubits measured 100,000 times are more than one result may hold.
            for shots in (1_000,) if noise and name == "GHZ-1000" else (1_000, 100_000):
                mine = [seconds(ours(text, shots, noise)) for _ in range(max(3, rounds))]
                ratio = (once + shot * (shots - 1)) / min(mine)
                sent = f"{name}{', noisy' if noise else ''}, {shots:,} shots"
                figures.add(f"{sent}: ours", "ms", *[1e3 * each for each in mine])
                figures.add(f"{sent}: raw Aer ÷ ours", "", ratio)
                ratios.append(ratio)
    figures.add("Clifford suite: raw Aer ÷ ours", "", statistics.geometric_mean(ratios))


def layered(qubits: int, gates: int) -> str:
    """Return random gates on one and two qubits, a third of them cx."""
    chance = random.Random(4)
    steps = []
    for index in range(gates):
        if index % 3 == 2:
            steps.append("cx q[{}], q[{}];".format(*chance.sample(range(qubits), 2)))
        else:
            steps.append(
                f"{chance.choice(['rx', 'ry', 'rz'])}({chance.uniform(0, 3):.3f}) q[{chance.randrange(qubits)}];"
            )
    return f"{HEAD}qubit[{qubits}] q;\nbit[{qubits}] c;\n{' '.join(steps)}\nc = measure q;"


def noisy(figures: Figures, rounds: int) -> None:
    """Measure 200 gates on 12 qubits under noise; Aer by statevectors, which is its best method there."""
    text = layered(12, 200)
    turns = ["rx", "ry", "rz"]
    ratios = []
    for name, t2 in (("depolarizing", None), ("T2 below T1", 60e-6), ("T2 above T1", 110e-6)):
        theirs = NoiseModel()
        one, two = depolarizing_error(0.001, 1), depolarizing_error(0.01, 2)
        rules: list[dict[str, object]] = []
        if t2 is not None:
            pulse, pair = (thermal_relaxation_error(80e-6, t2, time) for time in (35e-9, 300e-9))
            one, two = pulse.compose(one), pair.tensor(pair).compose(two)
            times = {"one_qubit": 35e-9, "two_qubit": 300e-9}
            rules.append({"channel": "thermal_relaxation", "t1": 80e-6, "t2": t2, "time": times})
        rules.append({"channel": "depolarizing", "probability": 0.001, "gates": ["one_qubit"]})
        rules.append({"channel": "depolarizing", "probability": 0.01, "gates": ["two_qubit"]})
        theirs.add_all_qubit_quantum_error(one, turns)
        theirs.add_all_qubit_quantum_error(two, ["cx"])
        options = Options.from_dict({"shots": SHOTS, "seed": 1, "noise": {"rules": rules}})
        settings: dict[str, object] = {"method": "statevector", "noise_model": theirs}
        mine, raws = [], []
        for _ in range(rounds):
            mine.append(seconds(lambda options=options: simulator.simulate(text, options, BUDGET)))  # type: ignore[misc]
            raws.append(seconds(raw(text, SHOTS, settings)))
        figures.add(f"12 qubits, 200 gates, {name}: ours", "ms", *[1e3 * each for each in mine])
        ratios.append(min(raws) / min(mine))
        figures.add(f"12 qubits, 200 gates, {name}: raw Aer ÷ ours", "", ratios[-1])
    figures.add("noisy circuits, the least: raw Aer ÷ ours", "", min(ratios))


def alone(figures: Figures, rounds: int) -> None:
    """Measure what Aer cannot run."""
    for name, text in ALONE.items():
        figures.add(f"{name}: ours", "ms", *[1e3 * seconds(ours(text, SHOTS)) for _ in range(rounds)])


def measure(rounds: int = 3, *, quick: bool = False) -> Figures:
    """Return all figures; a quick run leaves out the Clifford suite's largest circuits."""
    if quick:
        for name in ("GHZ-1000", "surface code, d=7", "repetition code, d=11"):
            CLIFFORD.pop(name)
    simulator.warm_up()
    figures = Figures()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    alone(figures, rounds)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    figures.add("memory that what Aer cannot run takes", "MB", grown / 1_024)
    dynamic(figures, rounds)
    clifford(figures, rounds)
    noisy(figures, rounds)
    return figures


if __name__ == "__main__":
    for title, samples in measure(int(sys.argv[1]) if len(sys.argv) > 1 else 3).samples.items():
        print(f"{title}: {statistics.median(samples):.4g}", flush=True)
