"""Programs that never collapse: one statevector serves all shots and all observables, many bindings side by side.

A sweep whose inputs decide angles alone has the same operations for every binding: their statevectors are columns of
one array, gates that differ have an array of angles, and each binding's shots are drawn with its own seed. So binding i
has the counts that it has alone, for alone it is a sweep of one.

An observable of a wide program is taken term by term, on the light cone of the term's qubits; those that act on the
same qubits share one. Law: the value of a term depends on the state of its own qubits alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import trajectory_cost
from admission import Plan
from branches import Branches
from noise import PauliNoise
from reader.operations import Barrier, Gate, Measure, qubits_of
from reductions import GiveUp, Steps
from reductions.cone import light_cone
from trajectories import Runner

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from circuit_stats import CircuitStats
    from counts import Outcomes
    from reader.operations import Compiled, Operation
    from tasks.observables import PauliSum
    from tasks.options import Options

Array = np.ndarray[Any, Any]

# The widest program whose bindings run side by side, or whose observables are all taken of one state.
WIDEST = 12
WIDEST_ONCE = 10  # of one program, whose gates Aer takes twice as long to start
# The widest cone of a term, and the longest program that has any.
WIDEST_CONE, LONGEST = 18, 5_000
STEPS = 2_000_000  # of finding the cones of all terms: half a second
AMPLITUDES = 2**16  # of the bindings that run side by side: what a core's cache holds
NONE = PauliNoise()


class Found(NamedTuple):
    """What one binding gave: its shots, and the values of its observables."""

    outcomes: Outcomes
    values: list[float]


def fits(program: Compiled, stats: CircuitStats, options: Options) -> bool:
    """Tell whether a program runs here; the same for all bindings of a sweep that differ in angles alone."""
    noisy = options.noise is not None and options.noise.on_gates
    exact = options.method == "automatic" and options.precision == "double"
    swept = program.depends_on_inputs or options.observables is not None
    # Clifford programs without inputs are Stim's.
    widest = WIDEST if swept else 0 if stats.clifford else WIDEST_ONCE
    return exact and not noisy and not stats.mid_circuit and stats.active_qubits <= widest


def plan(program: Compiled, stats: CircuitStats, options: Options) -> Plan:
    """Return the estimate of one binding."""
    seconds = trajectory_cost.cost(program, NONE, options.shots).seconds
    amplitudes = max(AMPLITUDES, 1 << stats.active_qubits)
    return Plan("statevector", seconds, trajectory_cost.memory(program, 0, options.shots) + 64 * amplitudes)


def alike(one: Compiled, other: Compiled) -> bool:
    """Tell whether two programs differ in the angles of their gates alone."""
    if len(one.operations) != len(other.operations) or one.outputs != other.outputs:
        return False
    for a, b in zip(one.operations, other.operations, strict=True):
        if a is b:
            continue
        if isinstance(a, Gate) and isinstance(b, Gate):
            if a.name != b.name or a.qubits != b.qubits:
                return False
        elif a.name != b.name or a != b:
            return False
    return True


def run(programs: Sequence[Compiled], stats: CircuitStats, options: Options, seeds: Sequence[int]) -> list[Found]:
    """Run programs that are alike, with a seed each."""
    size = max(1, AMPLITUDES >> stats.active_qubits)
    found: list[Found] = []
    for start in range(0, len(programs), size):
        found += _side_by_side(programs[start : start + size], stats, options, seeds[start : start + size])
    return found


def _side_by_side(
    programs: Sequence[Compiled], stats: CircuitStats, options: Options, seeds: Sequence[int]
) -> list[Found]:
    first = programs[0]
    body, finals = _without_measurements(first, stats)
    runner = Runner(first, NONE, np.random.default_rng(0))
    branches = Branches.of(len(runner.rows), [options.shots] * len(programs))
    for index in body:
        runner.step(branches, _together([program.operations[index] for program in programs]))
    values = [expectation(branches, terms) for terms in options.observables or ()]
    found = []
    for column, seed in enumerate(seeds):
        noise = PauliNoise.of(options.noise)
        sampler = Runner(first, noise, np.random.default_rng(seed))
        outcomes = sampler.sample(branches, column, [first.operations[index] for index in finals])
        found.append(Found(outcomes, [float(each[column]) for each in values]))
    return found


def _without_measurements(program: Compiled, stats: CircuitStats) -> tuple[list[int], list[int]]:
    """Return the positions of the gates, and of the measurements that count."""
    body = [index for index, each in enumerate(program.operations) if not isinstance(each, Measure | Barrier)]
    return body, sorted(stats.final_measurements)


def _together(gates: Sequence[Operation]) -> Operation:
    """Return a gate with the angles of all."""
    first = gates[0]
    if not isinstance(first, Gate) or not first.parameters or all(gate is first or gate == first for gate in gates):
        return first
    angles = zip(*[gate.parameters for gate in gates if isinstance(gate, Gate)], strict=True)
    return Gate(first.name, tuple(np.array(each) for each in angles), first.qubits)


# ------------------------------------------------------------------ observables


def expectation(branches: Branches, terms: PauliSum) -> Array:
    """Return the expectation value of a Pauli sum in each branch."""
    total = np.zeros(branches.amplitudes.shape[1])
    numbers = np.arange(len(branches.amplitudes))
    products: dict[int, Array] = {}
    for pauli, coefficient in terms:
        flips = signs = turns = 0
        outside: Any = 1
        for qubit, letter in enumerate(reversed(pauli)):
            if letter == "I":
                continue
            if qubit not in branches.active:
                outside = outside * (0 if letter != "Z" else 1 - 2 * np.asarray(branches.bit(qubit), np.int64))
                continue
            place = 1 << branches.active.index(qubit)
            flips |= place if letter != "Z" else 0
            signs |= place if letter != "X" else 0
            turns += letter == "Y"
        if flips not in products:
            products[flips] = np.conj(branches.amplitudes[numbers ^ flips]) * branches.amplitudes
        parity = 1.0 - 2.0 * (np.bitwise_count(numbers & signs) & 1)
        value = (1j**turns * (parity @ products[flips])).real
        total += coefficient * outside * value
    return total


def gates(program: Compiled, stats: CircuitStats) -> Compiled:
    """Return the program without its measurements, all of which are final."""
    body, _ = _without_measurements(program, stats)
    return program._replace(operations=[program.operations[index] for index in body], outputs=[])


def cones(program: Compiled, sums: Iterable[PauliSum]) -> dict[tuple[int, ...], Compiled]:
    """Return the light cone for each set of qubits that a term acts on; raises GiveUp where one is too wide."""
    if len(program.operations) > LONGEST:
        raise GiveUp
    steps = Steps(STEPS)
    found: dict[tuple[int, ...], Compiled] = {}
    for terms in sums:
        for pauli, _ in terms:
            qubits = _support(pauli)
            if qubits in found:
                continue
            cone = light_cone(program, NONE, steps, qubits)
            if len({qubit for gate in cone.operations for qubit in qubits_of(gate)}) > WIDEST_CONE:
                raise GiveUp
            found[qubits] = cone
    return found


def expectations(found: dict[tuple[int, ...], Compiled], sums: Sequence[PauliSum]) -> list[float]:
    """Return the value of each Pauli sum, from the cones of its terms."""
    by_support: dict[tuple[int, ...], dict[str, float]] = {}
    for terms in sums:
        for pauli, _ in terms:
            by_support.setdefault(_support(pauli), {})[pauli] = 0.0
    for qubits, paulis in by_support.items():
        runner = Runner(found[qubits], NONE, np.random.default_rng(0))
        branches = Branches.of(0, [1])
        runner.run(branches, found[qubits].operations)
        for pauli in paulis:
            paulis[pauli] = float(expectation(branches, ((pauli, 1.0),))[0])
    return [sum(coefficient * by_support[_support(pauli)][pauli] for pauli, coefficient in terms) for terms in sums]


def _support(pauli: str) -> tuple[int, ...]:
    return tuple(qubit for qubit, letter in enumerate(reversed(pauli)) if letter != "I")
