"""Compares a sweep in one task with Aer's own `EstimatorV2` and `SamplerV2`, in turns, by the CPU that each takes.

`sweeps_bench.py [rounds]`. A program has four layers of ry, each with an angle of its own, and of cx between
neighbours. Ours is given its text, Aer the circuit as an object, with the same angles as one array: what reading costs
is ours. Both have one thread, and of each side the cheapest round counts, for the machine can only add.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

os.environ["OMP_NUM_THREADS"] = "1"

import gc

import numpy as np
from figures import Figures
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer.primitives import EstimatorV2, SamplerV2

import simulator
from admission import Budget
from tasks.options import Options

if TYPE_CHECKING:
    from collections.abc import Callable

BUDGET = Budget(2**31, 600.0, 2**31, 600.0)
LAYERS, SHOTS = 4, 1_000
QUBITS, BINDINGS = (4, 8, 12), (10, 100, 1_000)
ONE_CORE = {"backend_options": {"max_parallel_threads": 1}}
ESTIMATED, SAMPLED = "EstimatorV2 ÷ ours", "SamplerV2 ÷ ours"


def text(qubits: int, *, measured: bool) -> str:
    """Return the program as OpenQASM."""
    lines = ['OPENQASM 3;\ninclude "stdgates.inc";', *(f"input float t{each};" for each in range(LAYERS * qubits))]
    lines.append(f"qubit[{qubits}] q;" + (f" bit[{qubits}] c;" if measured else ""))
    for layer in range(LAYERS):
        lines += [f"ry(t{layer * qubits + qubit}) q[{qubit}];" for qubit in range(qubits)]
        lines += [f"cx q[{qubit}], q[{qubit + 1}];" for qubit in range(qubits - 1)]
    return "\n".join([*lines, "c = measure q;"] if measured else lines)


def circuit(qubits: int, *, measured: bool) -> QuantumCircuit:
    """Return the program as Qiskit's circuit."""
    angles = ParameterVector("t", LAYERS * qubits)
    found = QuantumCircuit(qubits)
    for layer in range(LAYERS):
        for qubit in range(qubits):
            found.ry(angles[layer * qubits + qubit], qubit)
        for qubit in range(qubits - 1):
            found.cx(qubit, qubit + 1)
    if measured:
        found.measure_all()
    return found


def observables(qubits: int) -> list[list[tuple[str, float]]]:
    """Return five Pauli sums: two of one long term, and fields and couplings of all neighbours."""
    near = range(qubits - 1)
    return [
        [("Z" * qubits, 1.0)],
        [("X" * qubits, 1.0)],
        [("I" * (qubits - 1 - at) + "Z" + "I" * at, 1.0) for at in range(qubits)],
        [("I" * (qubits - 2 - at) + "ZZ" + "I" * at, 0.5) for at in near],
        [("I" * (qubits - 2 - at) + "XY" + "I" * at, 0.5) for at in near],
    ]


def compare(figures: Figures, qubits: int, bindings: int, rounds: int) -> tuple[float, float]:
    """Measure one size; return how many times as long Aer takes for values and for counts."""
    angles = np.random.default_rng(qubits).uniform(-3, 3, (bindings, LAYERS * qubits))
    inputs = [{f"t{number}": angle for number, angle in enumerate(row)} for row in angles.tolist()]
    sums = observables(qubits)
    operators = [[SparsePauliOp.from_list(terms)] for terms in sums]
    estimator, sampler = EstimatorV2(options=ONE_CORE), SamplerV2(options=ONE_CORE, seed=1)
    plain, measured = circuit(qubits, measured=False), circuit(qubits, measured=True)
    written, written_measured = text(qubits, measured=False), text(qubits, measured=True)
    valued = Options(shots=1, seed=1, inputs=inputs, observables=[list(map(list, terms)) for terms in sums])
    counted = Options(shots=SHOTS, seed=1, inputs=inputs)
    values: Any = None
    sides: dict[str, Callable[[], Any]] = {
        "values": lambda: simulator.simulate(written, valued, BUDGET),
        "EstimatorV2": lambda: estimator.run([(plain, operators, angles)]).result()[0].data.evs,
        "counts": lambda: simulator.simulate(written_measured, counted, BUDGET),
        "SamplerV2": lambda: sampler.run([(measured, angles)], shots=SHOTS).result()[0].data.meas,
    }
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, run in sides.items():
            gc.collect()
            started = time.process_time()
            found = run()
            taken[name].append((time.process_time() - started) * 1e3 / bindings)
            if name == "values":
                values = found["expectation_values"]
            elif name == "EstimatorV2":
                ours = np.array([[each["value"] for each in row] for row in values])
                assert np.allclose(ours.T, found, atol=1e-9)
    least = {name: min(each) for name, each in taken.items()}
    case = f"{qubits} qubits, {bindings:,} bindings"
    for name, milliseconds in least.items():
        figures.add(f"{case}: {name}", "ms a binding", milliseconds)
    ratios = least["EstimatorV2"] / least["values"], least["SamplerV2"] / least["counts"]
    figures.add(f"{case}: {ESTIMATED}", "", ratios[0])
    figures.add(f"{case}: {SAMPLED}", "", ratios[1])
    return ratios


def measure(rounds: int = 3, *, quick: bool = False) -> Figures:
    """Return all figures; a quick run leaves out the longest sweeps."""
    simulator.warm_up()
    gc.collect()
    gc.freeze()  # as the worker does before its children begin
    figures = Figures()
    ratios = [
        compare(figures, qubits, bindings, rounds)
        for qubits in QUBITS
        for bindings in (BINDINGS[:-1] if quick else BINDINGS)
    ]
    figures.add(f"sweeps, the least: {ESTIMATED}", "", min(estimated for estimated, _ in ratios))
    figures.add(f"sweeps, the least: {SAMPLED}", "", min(sampled for _, sampled in ratios))
    return figures


if __name__ == "__main__":
    for title, samples in measure(int(sys.argv[1]) if len(sys.argv) > 1 else 3).samples.items():
        print(f"{title}: {statistics.median(samples):.4g}", flush=True)
