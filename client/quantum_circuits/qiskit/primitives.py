"""Qiskit's primitives, natively: each PUB is one task, its parameters a sweep, its observables taken in one pass."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.primitives import (
    BaseEstimatorV2,
    BasePrimitiveJob,
    BaseSamplerV2,
    BitArray,
    DataBin,
    PrimitiveResult,
    PubResult,
    SamplerPubResult,
)
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers import JobStatus
from qiskit.quantum_info import SparseObservable, SparsePauliOp

from quantum_circuits.client import Client
from quantum_circuits.qiskit.backend import QuantumCircuitsBackend
from quantum_circuits.qiskit.program import write
from quantum_circuits.qiskit.submission import DEFAULT_SHOTS, Submission, cancel, task_options
from quantum_circuits.samples import samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from qiskit.primitives.containers import EstimatorPubLike, SamplerPubLike

    from quantum_circuits.task import Task

    Collect = Callable[[list[Task]], PrimitiveResult]

ESTIMATOR_SHOTS = 1_000  # where no precision is asked for: so many of 1,000 bindings are still one task


class PrimitiveJob(BasePrimitiveJob):  # type: ignore[misc]  # Qiskit ships no types
    """PUBs that were submitted; with `task_ids` the primitive's `retrieve_job` finds them again."""

    def __init__(self, client: Client, tasks: Sequence[Task], collect: Collect) -> None:
        super().__init__(tasks[0].task_id if tasks else "")
        self._client = client
        self._tasks = list(tasks)
        self._collect = collect

    @property
    def task_ids(self) -> list[str]:
        """The ids of the tasks in the order of the PUBs."""
        return [task.task_id for task in self._tasks]

    def result(self) -> PrimitiveResult:
        """Wait for the tasks and return the PUBs' results; raises as `Client.wait` does for the first that fails."""
        self._tasks = [task if task.body.get("result") is not None else self._client.wait(task) for task in self._tasks]
        return self._collect(self._tasks)

    def status(self) -> JobStatus:
        """Ask how the tasks are doing: the job is as its least finished task."""
        self._tasks = [task if task.ended else self._client.get(task.task_id) for task in self._tasks]
        found = {task.status for task in self._tasks}
        if "failed" in found:
            return JobStatus.ERROR
        if "cancelled" in found:
            return JobStatus.CANCELLED
        return JobStatus.RUNNING if "pending" in found else JobStatus.DONE

    def done(self) -> bool:
        """Return whether all tasks completed."""
        return bool(self.status() is JobStatus.DONE)

    def running(self) -> bool:
        """Return whether a task has not ended."""
        return bool(self.status() is JobStatus.RUNNING)

    def cancelled(self) -> bool:
        """Return whether a task was cancelled."""
        return bool(self.status() is JobStatus.CANCELLED)

    def in_final_state(self) -> bool:
        """Return whether all tasks have ended."""
        return self.status() is not JobStatus.RUNNING

    def cancel(self) -> bool:
        """Cancel what has not ended; returns whether anything was cancelled."""
        return cancel(self._client, self._tasks)


class SamplerV2(BaseSamplerV2):  # type: ignore[misc]  # Qiskit ships no types
    """Samples circuits on the service; takes a `Client` or a backend, or what `Client` takes.

    `seed`, `method` and `noise` are the service's. Shots are exchangeable: their order holds no meaning.
    """

    def __init__(
        self,
        client: Client | QuantumCircuitsBackend | None = None,
        *,
        default_shots: int = DEFAULT_SHOTS,
        seed: int | None = None,
        method: str | None = None,
        noise: Mapping[str, Any] | None = None,
        **configuration: Any,  # noqa: ANN401 - Client's own
    ) -> None:
        self.client = _client(client, configuration)
        self.default_shots = default_shots
        self._options = {"seed_simulator": seed, "method": method, "noise_model": noise}

    def run(self, pubs: Iterable[SamplerPubLike], *, shots: int | None = None) -> PrimitiveJob:
        """Submit the PUBs, one task each (one per 1,000 bindings of its parameters), and return their job.

        Raises ExportError and CircuitError, which name the circuit's instruction.
        """
        submission, collect = self._prepared(pubs, shots)
        return PrimitiveJob(self.client, submission.send(), collect)

    def retrieve_job(
        self, task_ids: Sequence[str], pubs: Iterable[SamplerPubLike], *, shots: int | None = None
    ) -> PrimitiveJob:
        """Return the job that `run` made of the same PUBs, perhaps in another process; raises TaskNotFoundError."""
        submission, collect = self._prepared(pubs, shots)
        return PrimitiveJob(self.client, submission.found(task_ids), collect)

    def _prepared(self, pubs: Iterable[SamplerPubLike], shots: int | None) -> tuple[Submission, Collect]:
        coerced = [SamplerPub.coerce(pub, self.default_shots if shots is None else shots) for pub in pubs]
        submitted = Submission(self.client)
        for index, pub in enumerate(coerced):
            options = task_options({**self._options, "shots": pub.shots}, 1_000 * index)
            submitted.add(write(pub.circuit).to_be_counted(), pub.parameter_values, options)

        def collect(ended: list[Task]) -> PrimitiveResult:
            parts = submitted.parts(ended)
            results = [_sampled(pub, part) for pub, part in zip(coerced, parts, strict=True)]
            return PrimitiveResult(results, metadata={"version": 2})

        return submitted, collect


class EstimatorV2(BaseEstimatorV2):  # type: ignore[misc]  # Qiskit ships no types
    """Estimates observables on the service; takes a `Client` or a backend, or what `Client` takes.

    Values of circuits without noise and without measurement are exact, and their standard errors 0, whatever the
    precision; those of others are means over shots, as many as the precision asks for (1,000 where it is 0). A warning
    says when the service does not allow so many shots.
    """

    def __init__(
        self,
        client: Client | QuantumCircuitsBackend | None = None,
        *,
        default_precision: float = 0.0,
        seed: int | None = None,
        method: str | None = None,
        noise: Mapping[str, Any] | None = None,
        **configuration: Any,  # noqa: ANN401 - Client's own
    ) -> None:
        self.client = _client(client, configuration)
        self.default_precision = default_precision
        self._options = {"seed_simulator": seed, "method": method, "noise_model": noise}
        self._limits = self.client.limits()["run"]

    def run(self, pubs: Iterable[EstimatorPubLike], *, precision: float | None = None) -> PrimitiveJob:
        """Submit the PUBs, one task each (one per 1,000 bindings or 100 observables), and return their job.

        Raises ExportError and CircuitError, which name the circuit's instruction.
        """
        submission, collect = self._prepared(pubs, precision)
        return PrimitiveJob(self.client, submission.send(), collect)

    def retrieve_job(
        self, task_ids: Sequence[str], pubs: Iterable[EstimatorPubLike], *, precision: float | None = None
    ) -> PrimitiveJob:
        """Return the job that `run` made of the same PUBs, perhaps in another process; raises TaskNotFoundError."""
        submission, collect = self._prepared(pubs, precision)
        return PrimitiveJob(self.client, submission.found(task_ids), collect)

    def _prepared(self, pubs: Iterable[EstimatorPubLike], precision: float | None) -> tuple[Submission, Collect]:
        coerced = [EstimatorPub.coerce(pub, self.default_precision if precision is None else precision) for pub in pubs]
        submitted = Submission(self.client)
        plans = []
        for index, pub in enumerate(coerced):
            program = write(pub.circuit)
            exact = not program.samples and self._options["noise_model"] is None
            shots = ESTIMATOR_SHOTS if exact else _shots(pub.precision, self._limits["max_shots"])
            options = task_options({**self._options, "shots": shots}, 1_000 * index)
            sums, places = _observables(pub)
            first = submitted.count
            groups = list(_groups(sums, self._limits["max_observables"], self._limits["max_terms"]))
            for group in groups:
                submitted.add(program, pub.parameter_values, {**options, "observables": group})
            plans.append((first, len(groups), places))

        def collect(ended: list[Task]) -> PrimitiveResult:
            parts = submitted.parts(ended)
            results = []
            for pub, (first, groups, places) in zip(coerced, plans, strict=True):
                found = [_values(part) for part in parts[first : first + groups]]
                values = np.concatenate(found or [np.zeros((pub.parameter_values.size, 0, 2))], axis=1)
                results.append(_estimated(pub, values, places))
            return PrimitiveResult(results, metadata={"version": 2})

        return submitted, collect


def _client(given: Client | QuantumCircuitsBackend | None, configuration: Mapping[str, Any]) -> Client:
    return given.client if isinstance(given, QuantumCircuitsBackend) else given or Client(**configuration)


def _sampled(pub: SamplerPub, tasks: Sequence[Task]) -> SamplerPubResult:
    """Return the samples of a PUB, register by register; what registers share a shot stays together."""
    counts = [each for task in tasks for each in task.counts_by_binding]
    seeds = [task.execution.get("seed", 0) for task in tasks]
    shape, circuit = pub.shape, pub.circuit
    width = circuit.num_clbits
    shots = np.array([samples(each, width, [seeds[0], index]) for index, each in enumerate(counts)], dtype=bool)
    shots = shots.reshape(len(counts), pub.shots, width)
    positions = {bit: index for index, bit in enumerate(circuit.clbits)}
    arrays: dict[str, BitArray] = {}
    for register in circuit.cregs:
        chosen = shots[:, :, [positions[bit] for bit in register]].reshape(*shape, pub.shots, register.size)
        others = {each.name for each in circuit.cregs} - {register.name}
        arrays[_field(register.name, others)] = BitArray.from_bool_array(chosen, order="little")
    metadata = {"shots": pub.shots, "task_ids": [task.task_id for task in tasks], "circuit_metadata": circuit.metadata}
    return SamplerPubResult(DataBin(**arrays, shape=shape), metadata=metadata)


def _field(register: str, others: AbstractSet[str]) -> str:
    """Return the field of a register's samples: `DataBin` has some names for itself, which get an underscore or more.

    `others` are the names of the other registers.
    """
    name = register
    while name == "self" or hasattr(DataBin(), name) or (name != register and name in others):
        name += "_"
    return name


def _shots(precision: float, most: int) -> int:
    """Return how many shots give a standard error of at most `precision`, of an observable between -1 and 1."""
    if precision <= 0:
        return ESTIMATOR_SHOTS
    if precision**-2 > most:
        warnings.warn(
            f"A precision of {precision:g} needs {precision**-2:.3g} shots; the service has {most} at most, "
            f"which gives {most**-0.5:.2g}.",
            stacklevel=4,
        )
        return most
    return max(2, math.ceil(precision**-2))


def _observables(pub: EstimatorPub) -> tuple[list[list[tuple[str, float]]], np.ndarray]:
    """Return the different observables of a PUB as Pauli sums, and which of them stands at each place of its array."""
    numbers: dict[tuple[tuple[str, float], ...], int] = {}
    places = np.empty(pub.observables.shape, dtype=int)
    for place in np.ndindex(*pub.observables.shape):
        terms = tuple(_paulis(pub.observables[place]))
        places[place] = numbers.setdefault(terms, len(numbers))
    return [list(terms) for terms in numbers], places


def _paulis(observable: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return an observable as Pauli strings and coefficients; projectors such as `0` and `+` are written out."""
    if all(set(label) <= set("IXYZ") for label in observable):
        return [(label, float(np.real(coefficient))) for label, coefficient in observable.items()]
    written = SparseObservable.from_list([(label, complex(value)) for label, value in observable.items()])
    found = SparsePauliOp.from_sparse_observable(written).simplify()
    return [(label, float(value.real)) for label, value in found.to_list()]


def _groups(sums: Sequence[list[tuple[str, float]]], most: int, terms: int) -> Iterable[list[list[tuple[str, float]]]]:
    """Yield the sums in groups that one task takes."""
    group: list[list[tuple[str, float]]] = []
    size = 0
    for each in sums:
        if group and (len(group) == most or size + len(each) > terms):
            yield group
            group, size = [], 0
        group.append(each)
        size += len(each)
    if group:
        yield group


def _values(tasks: Sequence[Task]) -> np.ndarray:
    """Return the values and standard errors of a program's tasks, shape (bindings, observables, 2)."""
    rows = [values for task in tasks for values in task.expectation_values_by_binding]
    found = np.array([[(each.value, each.standard_error) for each in row] for row in rows])
    return found if rows else np.zeros((0, 1, 2))  # of a PUB with an axis of length 0


def _estimated(pub: EstimatorPub, values: np.ndarray, places: np.ndarray) -> PubResult:
    """Put the values where the broadcast of parameters and observables has them."""
    bindings = np.arange(values.shape[0]).reshape(pub.parameter_values.shape or ())
    bindings, observables = np.broadcast_arrays(bindings, places)
    found = values[bindings, observables]
    data = DataBin(evs=found[..., 0], stds=found[..., 1], shape=pub.shape)
    return PubResult(data, metadata={"target_precision": pub.precision, "circuit_metadata": pub.circuit.metadata})
