"""What a circuit may cost: chooses its method and refuses, before anything runs, what certainly cannot finish here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from circuit_stats import WHILE
from tasks.errors import ErrorCode, TaskError
from tasks.limits import MAX_GATES, WORKING_BYTES, Limits, run_seconds, state_bytes, widest
from tasks.options import Method, Options, refuse_unrunnable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from circuit_stats import CircuitStats

# Up to here a statevector beats the stabilizer tableau even on Clifford circuits (GHZ-14: 2.0 against 3.9 ms; from 16
# qubits on it is the other way round).
SMALL_CLIFFORD = 14
# The same where every shot runs the whole circuit (noise on gates, measurement in the middle).
SMALL_CLIFFORD_EVERY_SHOT = 10
# Up to here a noisy circuit is cheaper as one density matrix than as a trajectory per shot, given enough shots.
SMALL_DENSITY = 10
# 2^crossings bounds the bond dimension: 16 costs microseconds a gate and a shot, whatever the width.
SHALLOW = 4
# From this many estimated seconds on, a shallow circuit is handed to the matrix product state method.
SLOW_S = 1.0
# Real runs may be this much faster than estimated: fusion, idle amplitudes, bonds that stay thin.
CERTAIN = 0.02
# Below this many qubits in use, threads cost more than they give.
THREADED_QUBITS = 16
# What a worker with more memory and cores may still run.
LARGER_MAY_DO = {ErrorCode.MEMORY_LIMIT, ErrorCode.TIME_LIMIT, ErrorCode.CIRCUIT_TOO_LARGE}
# Aer's copies of a circuit: measured on 60,000 cx at 1.9 kB a gate, 2.6 kB with noise, and 0.2 kB for the reader.
BYTES_PER_GATE = 3_072
# An outcome in Aer, in Python and as a key: at most one a shot.
BYTES_PER_SHOT = 512
# Shots that share their beginnings may hold this much in their branches, whatever the memory: a worker's size must not
# decide what counts a seed gives.
BRANCHING_BYTES = 256 * 2**20
# Each collapse may double the branches, and from some 4,000 on Aer 0.18.2 dies of them; long before, they cost more
# than they spare (30 collapses: 56 s against 1 s).
BRANCHING_COLLAPSES = 8


@dataclass(frozen=True, slots=True)
class Budget:
    """What one run may use: `memory_bytes` and `time_s` now, `alone_bytes` and `time_limit_s` at best.

    A dry run only estimates, so it is judged by what it may use at best. `branching` is False for a
    program that Aer has crashed on: its next try goes without what Aer is known to crash on.
    """

    memory_bytes: int
    time_s: float
    alone_bytes: int
    time_limit_s: float
    threads: int = 1
    dry_run: bool = False
    branching: bool = True

    @classmethod
    def alone(cls, limits: Limits) -> Budget:
        """Return the budget of a run that has the whole worker for the whole time limit."""
        memory, time_s = limits.alone_bytes, limits.time_limit_s
        return cls(memory, time_s, memory, time_s, limits.children)

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Budget:
        """Read what `as_dict` wrote."""
        return cls(**given)

    def as_dict(self) -> dict[str, float]:
        """Return the fields, ready for JSON."""
        return {
            "memory_bytes": self.memory_bytes,
            "time_s": self.time_s,
            "alone_bytes": self.alone_bytes,
            "time_limit_s": self.time_limit_s,
            "threads": self.threads,
            "dry_run": self.dry_run,
            "branching": self.branching,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """How an admitted circuit runs: its method, the estimated time on one core, and the memory it takes."""

    method: str
    seconds: float
    bytes: int
    branching: bool = False


class NeedsAloneError(Exception):
    """The circuit fits the worker, but not the share that a child has beside others."""


class NeedsTimeError(Exception):
    """The circuit fits the time limit, but certainly not what is left of this batch."""


def estimate(stats: CircuitStats, options: Options, method: str | None = None, *, branching: bool = False) -> Plan:
    """Estimate a run from simple stats: its time and its memory, by tasks/limits.py."""
    method = method or (options.method if options.method != Method.AUTOMATIC else "statevector")
    qubits, gates, shots = stats.active_qubits, stats.gates, options.shots
    noisy = stats.noisy
    seconds = run_seconds(
        method,
        qubits,
        gates,
        shots,
        noisy=noisy,
        mid_circuit=stats.mid_circuit,
        branching=branching,
        crossings=stats.crossings,
    )
    state = state_bytes(method, qubits, options.precision)
    # Between two shots, the next state is made before the last one is given back.
    states = 2 if stats.mid_circuit or noisy else 1
    working = WORKING_BYTES + BYTES_PER_GATE * min(gates, MAX_GATES) + BYTES_PER_SHOT * shots
    return Plan(method=method, seconds=seconds, bytes=states * state + working)


def choose_method(stats: CircuitStats, options: Options, memory_bytes: int) -> str:
    """Return the method to run with: the one that the options name, or for `automatic` the cheapest that is exact.

    1. Clifford circuits wider than 14 qubits (10 if every shot runs separately; with noise on gates only if the method
       has them by name): stabilizer, whose cost is polynomial; but one so wide that matrix product states are faster,
       and so shallow that its bond dimension is at most 16, goes to them.
    2. Noise on gates, at most 10 qubits and as many shots as amplitudes (or observables, which are then exact):
       density_matrix.
    3. Whatever fits `memory_bytes`: statevector, unless it is slow (over a second) and as shallow.
    4. Wider than any statevector that fits: matrix_product_state. Whether its entanglement fits is found by running.
    """
    if options.method != Method.AUTOMATIC:
        return options.method
    shallow = stats.crossings <= SHALLOW
    noisy = stats.noisy
    small = SMALL_CLIFFORD_EVERY_SHOT if noisy or stats.mid_circuit else SMALL_CLIFFORD
    # For noise in a loop's rounds the stabilizer method lacks Kraus operators.
    clifford = stats.clifford and not (noisy and (WHILE in stats.names or not stats.paulis))
    if clifford and stats.active_qubits > small:
        seconds = {name: estimate(stats, options, name).seconds for name in ("stabilizer", "matrix_product_state")}
        return min(seconds, key=seconds.__getitem__) if shallow else "stabilizer"
    if noisy and stats.active_qubits <= SMALL_DENSITY and not stats.mid_circuit:
        plenty = options.shots >= 2**stats.active_qubits or options.observables is not None
        if plenty and estimate(stats, options, "density_matrix").bytes <= memory_bytes:
            return "density_matrix"
    plan = estimate(stats, options, "statevector")
    if plan.bytes > memory_bytes or (plan.seconds > SLOW_S and shallow and not noisy and not stats.mid_circuit):
        return "matrix_product_state"
    return "statevector"


def admit(stats: CircuitStats, options: Options, budget: Budget) -> Plan:
    """Return the plan of a circuit that may run within `budget`.

    Raises TaskError for what can never run here (`circuit_too_large`, `memory_limit`, `time_limit`,
    `unsupported_feature`), NeedsAloneError and NeedsTimeError for what can, but not now. Time is refused only where
    even the most favourable run is over: else the clock decides.
    """
    refuse_unrunnable(options)
    method = choose_method(stats, options, budget.alone_bytes)
    _check_gates(stats)
    _check_method(stats, method)
    _check_width(stats, options, method, budget)
    branching = _branches(stats, options, method, budget)
    plan = estimate(stats, options, method, branching=branching)
    if branching:
        plan = replace(plan, bytes=plan.bytes + _branches_bytes(stats, options, method), branching=True)
    check_budget(plan, budget, _hint(stats, options, method, budget))
    return plan


def check_budget(plan: Plan, budget: Budget, hint: str) -> None:
    """Raise what `admit` raises for a plan that is over the budget; `hint` is what an owner short of memory can do."""
    if plan.bytes > budget.alone_bytes:
        raise TaskError(
            ErrorCode.MEMORY_LIMIT,
            f"The circuit needs {_mb(plan.bytes)} MB of memory; the limit is {_mb(budget.alone_bytes)} MB.",
            limit=budget.alone_bytes,
            actual=plan.bytes,
            hint=hint,
        )
    least = CERTAIN * plan.seconds / max(1, budget.threads)
    if least > budget.time_limit_s:
        raise TaskError(
            ErrorCode.TIME_LIMIT,
            f"The circuit would run for at least {least:.0f} seconds; the limit is {budget.time_limit_s:g} seconds.",
            limit=budget.time_limit_s,
            actual=round(least, 3),
            hint="Use fewer shots, fewer gates or fewer qubits.",
        )
    if plan.bytes > budget.memory_bytes and not budget.dry_run:
        raise NeedsAloneError
    if least > budget.time_s and not budget.dry_run:
        raise NeedsTimeError


def threads(stats: CircuitStats, method: str, budget: Budget) -> int:
    """Return how many threads a run gains from."""
    amplitudes = method in ("statevector", "density_matrix")
    return budget.threads if amplitudes and stats.active_qubits >= THREADED_QUBITS else 1


def _branches(stats: CircuitStats, options: Options, method: str, budget: Budget) -> bool:
    """Return whether shots share their beginnings: where the branches are few, all fit and have the same gates."""
    return (
        budget.branching
        and 0 < stats.collapses <= BRANCHING_COLLAPSES
        # With noise on gates hardly two shots have a beginning in common; and Aer 0.18.2 draws a readout error once for
        # all the shots of a branch.
        and not stats.noisy
        and not stats.misread
        and "store" not in stats.names  # Aer 0.18.2 dies of a classical assignment in a branching run
        # Aer keeps per-shot values by branch, not by shot, when it branches.
        and options.observables is None
        and method in ("statevector", "density_matrix")
        and _branches_bytes(stats, options, method) <= BRANCHING_BYTES
    )


def _branches_bytes(stats: CircuitStats, options: Options, method: str) -> int:
    return options.shots * max(state_bytes(method, stats.active_qubits, options.precision), 4_096)


def _check_gates(stats: CircuitStats) -> None:
    if stats.gates > MAX_GATES:
        raise TaskError(
            ErrorCode.CIRCUIT_TOO_LARGE,
            f"The circuit has {stats.gates} gates; the limit is {MAX_GATES} gates.",
            limit=MAX_GATES,
            actual=stats.gates,
            hint="Split the circuit, or use fewer iterations of its loops.",
        )


def _check_method(stats: CircuitStats, method: str) -> None:
    if method == "stabilizer" and not stats.clifford:
        raise TaskError(
            ErrorCode.UNSUPPORTED_FEATURE,
            f"The stabilizer method runs Clifford gates only; this circuit has {stats.first_foreign!r}.",
            hint='Use "method": "automatic".',
        )

    if method == "stabilizer" and stats.noisy and (WHILE in stats.names or not stats.paulis):
        what = "while loops" if stats.paulis else "errors that are not Paulis"
        raise TaskError(
            ErrorCode.UNSUPPORTED_FEATURE,
            f"The stabilizer method cannot apply noise with {what}.",
            hint='Use "method": "automatic".',
        )


def _check_width(stats: CircuitStats, options: Options, method: str, budget: Budget) -> None:
    limit = widest(method, options.precision, budget.alone_bytes)
    if stats.active_qubits > limit:
        raise TaskError(
            ErrorCode.CIRCUIT_TOO_LARGE,
            f"The circuit uses {stats.active_qubits} qubits; "
            f"the limit of the {method} method in {options.precision} precision is {limit} qubits.",
            limit=limit,
            actual=stats.active_qubits,
            hint=_hint(stats, options, method, budget),
        )


def _hint(stats: CircuitStats, options: Options, method: str, budget: Budget) -> str:
    """Return what an owner short of memory can do; only what is exact, and within the limits here."""
    single = replace(options, precision="single")
    ways = [
        ('"method": "statevector"', options, "statevector", method == "density_matrix"),
        ('"method": "stabilizer"', options, "stabilizer", stats.clifford and not stats.noisy),
        ('"method": "matrix_product_state"', options, "matrix_product_state", method == "statevector"),
        ('"precision": "single"', single, method, method in ("statevector", "density_matrix")),
    ]
    fitting = [
        way
        for way, changed, other, exact in ways
        if exact
        and (changed.precision, other) != (options.precision, method)
        and stats.active_qubits <= widest(other, changed.precision, budget.alone_bytes)
        and estimate(stats, changed, other).bytes <= budget.alone_bytes
    ]
    return f"Use {', '.join(fitting)}, or fewer qubits." if fitting else "Use fewer qubits or gates."


def _mb(size: int) -> int:
    return -(-size // 2**20)
