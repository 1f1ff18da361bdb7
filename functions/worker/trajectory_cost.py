"""What running a program as trajectories takes, estimated for the planner without running anything."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from branches import CLASSICAL, LARGEST
from reader.operations import NO_FLIPS, Barrier, Channel, If, Measure, Reset, Store, While, walk
from tasks.limits import WORKING_BYTES
from unitaries import controls

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reader.operations import AnyUnitary, Compiled, Operation
    from tasks.noise.channels import Error, Step

# Measured on one core of 2026: a NumPy call, and an amplitude that it goes over.
_START_S = 1e-4
_CALL_S = 1.2e-6
_AMPLITUDE_S = 4e-9
# Under noise, whose many branches fill blocks that stay in the cache: 5 to 14 qubits took 0.8 to 1.1 ns.
_NOISY_AMPLITUDE_S = 1.2e-9
_ROUNDS = 8.0  # that a loop is taken to run for


class Cost(NamedTuple):
    """What running a program takes: seconds on one core, and the most qubits in superposition at a time."""

    seconds: float
    width: int


def cost(program: Compiled, shots: int) -> Cost:
    """Estimate a run, without running anything; typical programs take between a third of it and all of it.

    An operation costs some NumPy calls and its share of all branches' amplitudes. Each collapse doubles the branches,
    until each shot has its own; a wrong bit or a Pauli error makes more of them.
    """
    noisy = any(isinstance(operation, Channel) for operation in walk(program.operations))
    estimate = _Estimate(shots, _NOISY_AMPLITUDE_S if noisy else _AMPLITUDE_S)
    estimate.over(program.operations, 1.0)
    return Cost(_START_S + estimate.seconds, estimate.width)


def memory(program: Compiled, width: int, shots: int) -> int:
    """Return the bytes that a run with states of `width` qubits takes."""
    amplitudes = 16 * max(LARGEST, 1 << width)
    waiting = 16 * LARGEST * 20
    return WORKING_BYTES + 4 * amplitudes + waiting + shots * (program.cells + 64)


class _Estimate:
    """The running totals of `cost`."""

    def __init__(self, shots: int, amplitude_s: float) -> None:
        self.shots = shots
        self.amplitude_s = amplitude_s
        self.branches = 1.0
        self.active: set[int] = set()
        self.width = 0
        self.seconds = 0.0

    def spend(self, calls: int, passes: float, times: float) -> None:
        """Count NumPy calls, and how often they go over all amplitudes."""
        amplitudes = self.branches * 2.0 ** min(len(self.active), 500)
        self.seconds += times * (calls * _CALL_S + passes * amplitudes * self.amplitude_s)

    def over(self, operations: Iterable[Operation], times: float) -> None:
        """Count operations that run this many times."""
        for operation in operations:
            if isinstance(operation, Measure | Reset):
                self.spend(30, 3, times)
                if operation.qubit in self.active:
                    self.branches = min(self.shots, 2 * self.branches)
                    self.active.discard(operation.qubit)
                if isinstance(operation, Measure) and operation.flips != NO_FLIPS:
                    self.branches = min(self.shots, 2 * self.branches)
            elif isinstance(operation, If):
                self.spend(30, 4, times)
                self.over(operation.then, times)
                self.over(operation.otherwise, times)
            elif isinstance(operation, While):
                self.over(operation.body, times * _ROUNDS)
            elif isinstance(operation, Store):
                self.spend(4, 0, times)
            elif isinstance(operation, Channel):
                self.err(operation, times)
            elif not isinstance(operation, Barrier):
                self.gate(operation, times)

    def gate(self, gate: AnyUnitary, times: float) -> None:
        """Count a gate."""
        qubits = gate.qubits
        if gate.name not in CLASSICAL or any(qubit in self.active for qubit in qubits):
            self.active.update(qubits)
            self.width = max(self.width, len(self.active))
        targets = len(qubits) - controls(gate)
        self.spend(8 if targets == 1 else 4**targets, 2.0 ** (targets - controls(gate)), times)

    def leave(self, chance: float) -> None:
        """Count branches of shots that leave theirs; one that has a branch of its own makes no more."""
        self.branches += chance * max(0.0, self.shots - self.branches)

    def err(self, channel: Channel, times: float) -> None:
        """Count an error: Paulis are applied to the branches that have them, all else to a copy."""
        error, qubits = channel
        leaving = 1 - error.stay
        if error.paulis:
            self.leave(leaving)
            self.spend(8, 2 * min(1.0, leaving * self.shots / self.branches), times)
            return
        inside = sum(chance for chance, steps in error.terms if any(step.kind != "reset" for step in steps))
        if inside:
            self.active.update(qubits)
            self.width = max(self.width, len(self.active))
        self.leave(_jumps(error))
        passes = 0.8 if len(qubits) == 1 else 0.7 * 2 ** len(qubits)
        self.spend(40, passes * (inside + 2 * min(1.0, leaving * self.shots / self.branches)), times)


@lru_cache(maxsize=4_096)
def _jumps(error: Error) -> float:
    """Return the chance that an error takes a shot away from the others of its branch."""
    return sum(chance * (1 - _likely(steps)) for chance, steps in error.terms)


def _likely(steps: Sequence[Step]) -> float:
    """Return the chance of the likeliest Kraus operators, in a state of which nothing is known; 0 for a reset."""
    chance = 1.0
    for step in steps:
        if step.kind == "reset":
            return 0.0
        if step.kind == "kraus":
            weights = [sum(abs(entry) ** 2 for row in each for entry in row) / len(each) for each in step.data]
            chance *= max(weights)
    return min(1.0, chance)
