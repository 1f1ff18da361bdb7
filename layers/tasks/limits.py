"""What a worker of a given size can run: its limits, and the memory and the seconds that a run takes.

The api chooses a lane by them, the worker an engine; admission refuses what is over them, `GET /limits` publishes them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

MAX_SHOTS = 100_000
MAX_BINDINGS = 1_000  # sets of inputs in one task
MAX_SWEEP_SHOTS = 1_000_000  # shots of all bindings together
MAX_OBSERVABLES = 100  # Pauli sums in one request
MAX_TERMS = 1_000  # Pauli strings in all of a request's observables
MAX_RESULTS = 100  # in one request's `results`
MAX_AMPLITUDES = 4_096  # that one result names
MAX_VARIANCE_TERMS = 100  # Pauli strings of an observable with its variance, whose square has 5,000
MAX_MIXED_QUBITS = 6  # of a sampled observable whose terms have different letters there: measured by one matrix
MAX_ARRAY_BYTES = 2**24  # of a task's exact results and samples, 8 a number: a statevector of 20 qubits
MAX_RULES = 1_000  # of noise in one request
MAX_COEFFICIENT = 1e30  # of a Pauli string, in size: sums of all terms and their squares stay far from overflowing
MAX_GATES = 1_000_000  # gates that Aer runs, after translation; the reader bounds before what a text may expand to
MAX_RESULT_BYTES = 64 * 2**20  # one task's result as JSON
MB_PER_VCPU = 1_769  # AWS Lambda: "at 1,769 MB, a function has the equivalent of one vCPU"
LARGEST_FUNCTION_MB = 10_240
# Beyond that, jobs on Fargate: memory in MiB and the vCPUs that template.yaml gives them with it.
JOB_VCPUS = {30_720: 4, 61_440: 8, 122_880: 16, 249_856: 32}

# What the worker's own processes hold: the handler's, and the simulator's image that the children share copy-on-write.
RESERVED_MB = 256
RESERVED_MB_PER_CHILD = 32
WORKING_BYTES = 16 * 2**20  # what a run takes beside the state, whatever the circuit

# Qubits a method takes whatever the memory: what these cost lies in the structure, and time and memory act instead.
# The reader takes no program with more than 1,024.
_WIDTH = {"stabilizer": 1_024, "matrix_product_state": 1_000}
_BYTES_PER_AMPLITUDE = {"double": 16, "single": 8}

# Seconds, fitted to runs of Aer 0.18.2 on one core of 2026. Typical circuits take between a third and three times as
# long; those whose entanglement stays below what their gates allow take much less.
START_S = 1e-3  # of any run
NOISE_START_S = 4e-3  # of one with noise on gates
GATE_S = 16e-6  # of a gate, whatever the state
AMPLITUDE_S = 1.5e-9  # of a gate and an amplitude
SHOT_S = 0.7e-6  # of a shot that is sampled from one state
SHOT_ANEW_S = 45e-6  # of a shot that runs the whole circuit
NOISY_GATE_S = 1.2e-6  # of drawing an error, in each shot


def state_bytes(method: str, num_qubits: int, precision: str = "double") -> int:
    """Return what the state of `num_qubits` takes: 16 bytes per complex amplitude, 8 in single precision.

    A statevector has 2^n amplitudes and a density matrix 4^n. A stabilizer tableau has 2n rows of 2n + 1 bits; runs of
    2,500 and 5,000 qubits took as much as four of them. The other methods grow with the circuit's structure, so only
    their floor is known: zero here.
    """
    if method == "stabilizer":
        return 2 * num_qubits * num_qubits
    if method == "density_matrix":
        return _BYTES_PER_AMPLITUDE[precision] << (2 * num_qubits)
    if method == "statevector":
        return _BYTES_PER_AMPLITUDE[precision] << num_qubits
    return 0


def widest(method: str, precision: str, memory_bytes: int) -> int:
    """Return how many qubits `method` may use in `memory_bytes`, working space set aside."""
    if method in _WIDTH:
        return _WIDTH[method]
    qubits = 0
    while state_bytes(method, qubits + 1, precision) + WORKING_BYTES <= memory_bytes:
        qubits += 1
    return qubits


def run_seconds(  # noqa: PLR0913 - the properties of a circuit that decide
    method: str,
    qubits: int,
    gates: int,
    shots: int,
    *,
    noisy: bool = False,
    mid_circuit: bool = False,
    branching: bool = False,
    crossings: int = 0,
) -> float:
    """Return the seconds that a circuit takes on one core.

    `noisy` is noise on gates, `mid_circuit` a measurement or reset that shots cannot be sampled after; with either,
    every shot runs the whole circuit. Where shots are `branching` they share their gates. `crossings` bounds log2 of a
    matrix product state's bond dimension.
    """
    every_shot = mid_circuit or noisy
    anew = (SHOT_ANEW_S if every_shot else 0.0) + (NOISY_GATE_S * gates if noisy else 0.0)
    if method == "stabilizer":
        once = gates * (GATE_S + 3e-8 * qubits)
        shot = 1.1e-8 * qubits**2 + 5e-11 * qubits**3 + anew
    elif method == "matrix_product_state":
        bond = 2.0 ** min(crossings, qubits // 2, 20)
        applied = gates * (8e-6 + 3e-10 * bond**3)
        once = GATE_S * gates + applied
        shot = qubits * (2e-6 + 4e-9 * bond**2) + anew + every_shot * applied
    else:
        # A density matrix is held as the statevector of twice the qubits, and noise is one more gate after each.
        exact = method == "density_matrix"
        amplitudes = 2.0 ** min(1_000, qubits * (2 if exact else 1))
        once = gates * (GATE_S + AMPLITUDE_S * amplitudes * (2 if exact and noisy else 1))
        shot = SHOT_S
        if branching:
            shot = anew + 1e-8 * amplitudes
        elif mid_circuit or (noisy and not exact):
            shot = anew + 0.5e-6 * gates + AMPLITUDE_S * (gates + 4 * qubits) * amplitudes
    return START_S + noisy * NOISE_START_S + once + shots * shot


@dataclass(frozen=True, slots=True)
class Limits:
    """A worker's limits: `memory_mb` of memory in MiB and at most `time_limit_s` seconds for one task.

    `children` is how many circuits run side by side; by default one per vCPU that comes with that much memory, and
    no more than the machine has.
    """

    memory_mb: int
    time_limit_s: float
    children: int = 0

    def __post_init__(self) -> None:
        if self.children < 1:
            object.__setattr__(self, "children", cores(self.memory_mb))

    @property
    def alone_bytes(self) -> int:
        """The memory a circuit may use when nothing else runs."""
        return max(64, self.memory_mb - RESERVED_MB - RESERVED_MB_PER_CHILD * self.children) * 2**20

    @property
    def shared_bytes(self) -> int:
        """The memory a circuit may use beside others; one that needs more waits to run alone."""
        return self.alone_bytes // self.children

    def max_qubits(self, method: str, precision: str = "double") -> int:
        """Return the widest circuit, in qubits in use, that `method` may run alone."""
        return widest(method, precision, self.alone_bytes)

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers as `GET /limits` shows them."""
        stateful = ("statevector", "density_matrix")
        return {
            "max_shots": MAX_SHOTS,
            "max_bindings": MAX_BINDINGS,
            "max_sweep_shots": MAX_SWEEP_SHOTS,
            "max_gates": MAX_GATES,
            "max_observables": MAX_OBSERVABLES,
            "max_terms": MAX_TERMS,
            "max_noise_rules": MAX_RULES,
            "max_coefficient": MAX_COEFFICIENT,
            "max_results": MAX_RESULTS,
            "max_amplitudes": MAX_AMPLITUDES,
            "max_variance_terms": MAX_VARIANCE_TERMS,
            "max_mixed_qubits": MAX_MIXED_QUBITS,
            "max_array_bytes": MAX_ARRAY_BYTES,
            "max_result_bytes": MAX_RESULT_BYTES,
            "time_limit_s": self.time_limit_s,
            "memory_bytes": self.alone_bytes,
            "max_qubits": {
                method: {precision: self.max_qubits(method, precision) for precision in _BYTES_PER_AMPLITUDE}
                if method in stateful
                else {"double": self.max_qubits(method)}
                for method in (*stateful, *_WIDTH)
            },
        }


def vcpus(memory_mb: int) -> int:
    """Return the whole vCPUs that come with `memory_mb`, in Lambda or in a job; at least one."""
    if memory_mb > LARGEST_FUNCTION_MB:
        return next((number for most, number in JOB_VCPUS.items() if memory_mb <= most), max(JOB_VCPUS.values()))
    return max(1, round(memory_mb / MB_PER_VCPU))


def cores(memory_mb: int) -> int:
    """Return the whole vCPUs that come with `memory_mb`, at most what this machine has."""
    return min(vcpus(memory_mb), os.cpu_count() or 1)
