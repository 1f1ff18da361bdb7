"""How written circuits become tasks: options, requests, and the instruction that a refused line was written for."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from quantum_circuits.errors import CircuitError, QuantumCircuitsError, TaskEndedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qiskit.primitives.containers.bindings_array import BindingsArray

    from quantum_circuits.client import Client
    from quantum_circuits.qiskit.program import Program
    from quantum_circuits.task import Task

DEFAULT_SHOTS = 1024


def task_options(options: dict[str, Any], index: int = 0) -> dict[str, Any]:
    """Return the service's options for circuit number `index` from Qiskit's."""
    seed = options.get("seed_simulator")
    given = {
        "shots": options.get("shots"),
        "seed": None if seed is None else (int(seed) + 100_000 * index) % 2**63,
        "memory": bool(options.get("memory")) or None,
        "method": options.get("method"),
        "precision": options.get("precision"),
        "noise": noise_of(options.get("noise_model")),
    }
    return {name: value for name, value in given.items() if value is not None}


def noise_of(model: Any) -> dict[str, Any] | None:  # noqa: ANN401 - Qiskit Aer ships no types
    """Return the service's `noise` from its own form, a NoiseModel of Qiskit Aer or what that one's `to_dict` gives.

    Complex numbers become [real, imaginary]. What a model's passes add to delays is not part of `to_dict`.
    """
    if model is None:
        return None
    given = model.to_dict() if hasattr(model, "to_dict") else model
    if not isinstance(given, Mapping):
        raise QuantumCircuitsError(
            f"noise_model is a {type(model).__name__}; pass a NoiseModel of Aer's or the service's `noise`, such as "
            '{"depolarizing": {"one_qubit": 0.001}}.'
        )
    return {str(name): _plain(value) for name, value in given.items()}


def _plain(value: Any) -> Any:  # noqa: ANN401 - anything that a noise model holds
    """Return a value of a noise model as JSON has it."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, complex):
        return [value.real, value.imag]
    return value.item() if isinstance(value, np.generic) and not isinstance(value, complex) else value


def submit(client: Client, programs: Sequence[Program], options: Sequence[dict[str, Any]]) -> list[Task]:
    """Submit programs with their options, one request for up to a hundred; errors name the circuit's instruction."""
    try:
        if len(programs) == 1:
            return [client.submit(programs[0].text, **options[0])]
        bodies = [{"qc": program.text, **each} for program, each in zip(programs, options, strict=True)]
        return list(client.batch(bodies))
    except CircuitError as error:
        program = programs[error.index or 0]
        line = error.line
        origin = -1 if line is None or not 0 < line <= len(program.lines) else program.lines[line - 1]
        if line is not None and origin >= 0:
            written = program.text.splitlines()[line - 1].strip()
            place = f"instruction {origin} ({program.names[origin]}) of {program.circuit!r}"
            error.args = (f"{error}\nIt is in {place}, written as: {written}",)
        raise


def cancel(client: Client, tasks: Sequence[Task]) -> bool:
    """Cancel what has not ended of a job's tasks; return whether anything was cancelled."""
    cancelled = False
    for task in tasks:
        try:
            client.cancel(task)
            cancelled = True
        except TaskEndedError:  # noqa: PERF203 - a request to the service each
            continue
    return cancelled


class Submission:
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
        bindings: list[dict[str, float]] = []  # none where an axis has the length 0
        if not program.inputs:
            # All bindings are alike; each is run, as its samples are its own.
            bindings = [{} for _ in range(values.size)]
        elif values.size:
            flat = values.ravel()
            names = [parameter for group in flat.data for parameter in group]
            columns = np.concatenate([np.asarray(each).reshape(flat.size, -1) for each in flat.data.values()], axis=1)
            by_name = {parameter.name: parameter for each in program.inputs.values() for parameter in each.parameters}
            for row in columns:
                given = {by_name[name]: value for name, value in zip(names, row, strict=True) if name in by_name}
                bindings.append(program.binding(given))
        shots = options.get("shots", DEFAULT_SHOTS)
        most = max(1, min(self._limits["max_bindings"], self._limits["max_sweep_shots"] // max(1, shots)))
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

    def found(self, task_ids: Sequence[str]) -> list[Task]:
        """Return the tasks that an earlier `send` of the same programs has submitted; raises TaskNotFoundError."""
        if len(task_ids) != len(self._programs):
            raise QuantumCircuitsError(
                f"The PUBs are {len(self._programs)} tasks, not {len(task_ids)}: pass those, and the shots or "
                "precision, that the job was made with."
            )
        return [self._client.get(task_id) for task_id in task_ids]

    def parts(self, ended: list[Task]) -> list[list[Task]]:
        """Return the ended tasks of each program that was added."""
        starts = np.cumsum([0, *self._sizes])
        return [ended[start:stop] for start, stop in itertools.pairwise(starts)]
