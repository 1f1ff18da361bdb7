"""Qiskit's primitives, natively: each PUB is one task, its parameters a sweep, its observables taken in one pass."""

from __future__ import annotations

import itertools
import math
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
from quantum_circuits.qiskit.backend import QuantumCircuitsBackend, submit, task_options
from quantum_circuits.qiskit.program import Program, write
from quantum_circuits.samples import samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from qiskit.primitives.containers import EstimatorPubLike, SamplerPubLike
    from qiskit.primitives.containers.bindings_array import BindingsArray

    from quantum_circuits.task import Task

DEFAULT_SHOTS = 1024


class PrimitiveJob(BasePrimitiveJob):  # type: ignore[misc]  # Qiskit ships no types
    """PUBs that were submitted: `task_ids` find their tasks again."""

    def __init__(self, client: Client, tasks: Sequence[Task], collect: Callable[[list[Task]], PrimitiveResult]) -> None:
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
        cancelled = False
        for task in self._tasks:
            if not self._client.get(task.task_id).ended:
                self._client.cancel(task)
                cancelled = True
        return cancelled


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
        """Submit the PUBs, one task each (one per 1,000 bindings of its parameters), and return their job."""
        coerced = [SamplerPub.coerce(pub, shots or self.default_shots) for pub in pubs]
        submitted = _Submission(self.client)
        for index, pub in enumerate(coerced):
            options = task_options({**self._options, "shots": pub.shots}, 1_000 * index)
            submitted.add(write(pub.circuit), pub.parameter_values, options)
        tasks = submitted.send()

        def collect(ended: list[Task]) -> PrimitiveResult:
            parts = submitted.parts(ended)
            results = [_sampled(pub, part) for pub, part in zip(coerced, parts, strict=True)]
            return PrimitiveResult(results, metadata={"version": 2})

        return PrimitiveJob(self.client, tasks, collect)


class EstimatorV2(BaseEstimatorV2):  # type: ignore[misc]  # Qiskit ships no types
    """Estimates observables on the service; takes a `Client` or a backend, or what `Client` takes.

    Values of circuits without noise and without measurement are exact, and their standard errors 0, whatever the
    precision; those of others are means over shots, as many as the precision asks for.
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
        """Submit the PUBs, one task each (one per 1,000 bindings or 100 observables), and return their job."""
        coerced = [EstimatorPub.coerce(pub, self.default_precision if precision is None else precision) for pub in pubs]
        submitted = _Submission(self.client)
        plans = []
        for index, pub in enumerate(coerced):
            shots = _shots(pub.precision, self._limits["max_shots"])
            options = task_options({**self._options, "shots": shots}, 1_000 * index)
            sums, places = _observables(pub)
            program = write(pub.circuit)
            first = submitted.count
            groups = list(_groups(sums, self._limits["max_observables"], self._limits["max_terms"]))
            for group in groups:
                submitted.add(program, pub.parameter_values, {**options, "observables": group})
            plans.append((first, len(groups), places))
        tasks = submitted.send()

        def collect(ended: list[Task]) -> PrimitiveResult:
            parts = submitted.parts(ended)
            results = []
            for pub, (first, groups, places) in zip(coerced, plans, strict=True):
                values = np.concatenate([_values(part) for part in parts[first : first + groups]], axis=1)
                results.append(_estimated(pub, values, places))
            return PrimitiveResult(results, metadata={"version": 2})

        return PrimitiveJob(self.client, tasks, collect)


class _Submission:
    """Programs with their bindings, split into tasks that the service takes, and put together again afterwards."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._limits = client.limits()["run"]
        self._programs: list[Program] = []
        self._options: list[dict[str, Any]] = []
        self._sizes: list[int] = []  # tasks of each addition

    @property
    def count(self) -> int:
        """How many programs were added."""
        return len(self._sizes)

    def add(self, program: Program, values: BindingsArray, options: dict[str, Any]) -> None:
        """Add a program with an array of values for its circuit's parameters."""
        if not program.inputs:
            # All bindings are alike; each is run, as its samples are its own.
            bindings: list[dict[str, float]] = [{} for _ in range(max(1, values.size))]
        else:
            flat = values.ravel()
            names = [parameter for group in flat.data for parameter in group]
            columns = np.concatenate([np.asarray(each).reshape(flat.size, -1) for each in flat.data.values()], axis=1)
            by_name = {parameter.name: parameter for each in program.inputs.values() for parameter in each.parameters}
            bindings = []
            for row in columns:
                given = {by_name[name]: value for name, value in zip(names, row, strict=True) if name in by_name}
                bindings.append(program.binding(given))
        shots = options.get("shots", DEFAULT_SHOTS)
        most = max(1, min(self._limits["max_bindings"], self._limits["max_sweep_shots"] // shots))
        pieces = [bindings[start : start + most] for start in range(0, len(bindings), most)]
        for number, piece in enumerate(pieces):
            own = dict(options)
            if "seed" in own:
                own["seed"] = (own["seed"] + 100_000 * most * number) % 2**63
            self._programs.append(program)
            self._options.append({**own, "inputs": piece})
        self._sizes.append(len(pieces))

    def send(self) -> list[Task]:
        """Submit everything in as few requests as there can be."""
        return submit(self._client, self._programs, self._options) if self._programs else []

    def parts(self, ended: list[Task]) -> list[list[Task]]:
        """Return the ended tasks of each program that was added."""
        starts = np.cumsum([0, *self._sizes])
        return [ended[start:stop] for start, stop in itertools.pairwise(starts)]


def _client(given: Client | QuantumCircuitsBackend | None, configuration: Mapping[str, Any]) -> Client:
    return given.client if isinstance(given, QuantumCircuitsBackend) else given or Client(**configuration)


def _sampled(pub: SamplerPub, tasks: Sequence[Task]) -> SamplerPubResult:
    """Return the samples of a PUB, register by register; what registers share a shot stays together."""
    counts = [each for task in tasks for each in task.counts_by_binding]
    seeds = [task.execution.get("seed", 0) for task in tasks]
    shape, circuit = pub.shape, pub.circuit
    width = circuit.num_clbits
    shots = np.array([samples(each, width, [seeds[0], index]) for index, each in enumerate(counts)])
    positions = {bit: index for index, bit in enumerate(circuit.clbits)}
    arrays = {
        _field(register.name): BitArray.from_bool_array(
            shots[:, :, [positions[bit] for bit in register]].reshape(*shape, pub.shots, register.size),
            order="little",
        )
        for register in circuit.cregs
    }
    metadata = {"shots": pub.shots, "task_ids": [task.task_id for task in tasks], "circuit_metadata": circuit.metadata}
    return SamplerPubResult(DataBin(**arrays, shape=shape), metadata=metadata)


def _field(register: str) -> str:
    """Return the field of a register's samples: `DataBin` has some names for itself, which get an underscore."""
    return f"{register}_" if hasattr(DataBin(), register) else register


def _shots(precision: float, most: int) -> int:
    """Return how many shots give a standard error of at most `precision`, of an observable between -1 and 1."""
    return DEFAULT_SHOTS if precision <= 0 else max(2, min(most, math.ceil(1 / precision**2)))


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
    return np.array([[(each.value, each.standard_error) for each in row] for row in rows])


def _estimated(pub: EstimatorPub, values: np.ndarray, places: np.ndarray) -> PubResult:
    """Put the values where the broadcast of parameters and observables has them."""
    bindings = np.arange(values.shape[0]).reshape(pub.parameter_values.shape or ())
    bindings, observables = np.broadcast_arrays(bindings, places)
    found = values[bindings, observables]
    data = DataBin(evs=found[..., 0], stds=found[..., 1], shape=pub.shape)
    return PubResult(data, metadata={"target_precision": pub.precision, "circuit_metadata": pub.circuit.metadata})
