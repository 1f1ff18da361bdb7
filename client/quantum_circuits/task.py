"""What the service says of a task, read once and kept as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quantum_circuits.errors import ConfigurationError, TaskCancelledError, TaskFailedError

Counts = Mapping[str, int]


@dataclass(frozen=True)
class ExpectationValue:
    """The value of an observable and its standard error, 0 where the value is exact."""

    value: float
    standard_error: float


@dataclass(frozen=True)
class Result:
    """One of a task's `results`: its type, and `body` as the service shows it."""

    type: str
    body: Mapping[str, Any] = field(repr=False)

    @property
    def array(self) -> Any:  # noqa: ANN401 - a NumPy array
        """The numbers as a NumPy array: probabilities and samples real, amplitudes and density matrices complex.

        As in Qiskit, qubit 0 or the first of `qubits` is the lowest bit of an index. An expectation value has no array.
        Raises ConfigurationError if NumPy is not installed.
        """
        try:
            import numpy as np  # noqa: PLC0415 - most users do not need it
        except ImportError:
            raise ConfigurationError("Arrays need NumPy: pip install numpy.") from None

        if "values" in self.body:
            return np.array(self.body["values"], float)
        if "real" not in self.body:
            raise ValueError(f"A result of type {self.type} has no array.")
        numbers = np.array(self.body["real"], complex)
        numbers.imag = self.body["imag"]  # a sum with 1j times them would lose the signs of zeros
        return numbers

    @property
    def value(self) -> float:
        """The value of an observable; raises ValueError for any other type."""
        if "value" not in self.body:
            raise ValueError(f"A result of type {self.type} is not an expectation value.")
        value: float = self.body["value"]
        return value

    @property
    def variance(self) -> float | None:
        """The variance of an observable, None where it was not asked for."""
        return self.body.get("variance")


@dataclass(frozen=True)
class Task:
    """A task as it was when it was asked for. `body` is the service's answer as it stands.

    `status` is pending, completed, failed or cancelled; a running task is pending.
    """

    task_id: str
    status: str
    submitted_at: str = ""
    shots: int = 0
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Task:
        """Read a task as the service shows it."""
        return cls(body["task_id"], body["status"], body["submitted_at"], body["shots"], body)

    @property
    def ended(self) -> bool:
        """Whether the task has reached a status that it keeps."""
        return self.status != "pending"

    def raise_for_status(self) -> Task:
        """Return the task itself when it is completed or pending; raises TaskFailedError or TaskCancelledError."""
        if self.status == "failed":
            raise TaskFailedError(self.task_id, self.body["message"], self.body.get("error", {}))
        if self.status == "cancelled":
            raise TaskCancelledError(self.task_id)
        return self

    @property
    def counts(self) -> Counts:
        """How often each bit string was measured: the last declared bit leftmost, registers separated by a space.

        Raises TaskFailedError, TaskCancelledError, or ValueError for a task that has no counts yet or is a sweep.
        """
        return self._one("result", "counts_by_binding")  # type: ignore[no-any-return]

    @property
    def counts_by_binding(self) -> Sequence[Counts]:
        """The counts of a sweep, in the order of its bindings; raises as `counts` does."""
        counts: Sequence[Counts] = self._many("result", "counts")
        return counts

    @property
    def memory(self) -> Sequence[str]:
        """The outcome of each shot, for a task that asked for `memory`; raises as `counts` does."""
        value: Sequence[str] = self._field("memory")
        return value

    @property
    def expectation_values(self) -> Sequence[ExpectationValue]:
        """One value for each observable; raises as `counts` does."""
        return [ExpectationValue(**each) for each in self._one("expectation_values", "expectation_values_by_binding")]

    @property
    def expectation_values_by_binding(self) -> Sequence[Sequence[ExpectationValue]]:
        """The values of a sweep: by binding, then by observable; raises as `counts` does."""
        return [
            [ExpectationValue(**each) for each in values]
            for values in self._many("expectation_values", "expectation_values")
        ]

    @property
    def name(self) -> str | None:
        """The name that its owner gave the task, or None. Read a task that was just submitted first."""
        return self.body.get("name")

    @property
    def tags(self) -> Sequence[str]:
        """The task's tags. Read a task that was just submitted first."""
        tags: Sequence[str] = self.body.get("tags") or ()
        return tags

    @property
    def results(self) -> Sequence[Result]:
        """An entry for each of the `results` that the task asked for, in order; raises as `counts` does."""
        return [Result(each["type"], each) for each in self._one("results", "results_by_binding")]

    @property
    def results_by_binding(self) -> Sequence[Sequence[Result]]:
        """The results of a sweep: by binding, then in the order of the request; raises as `counts` does."""
        return [[Result(each["type"], each) for each in entries] for entries in self._many("results", "results")]

    @property
    def execution(self) -> Mapping[str, Any]:
        """How the task was run: method, seed, qubits, milliseconds, versions; empty until it has run."""
        execution: Mapping[str, Any] = self.body.get("execution") or {}
        return execution

    @property
    def is_sweep(self) -> bool:
        """Whether the task has run a list of bindings, as its result shows."""
        return isinstance(self.body.get("result"), list)

    def _field(self, name: str) -> Any:  # noqa: ANN401 - JSON
        self.raise_for_status()
        if self.body.get(name) is None:
            known = "has not ended" if not self.ended else "was not asked for it"
            raise ValueError(f"Task {self.task_id} has no {name}: it {known}.")
        return self.body[name]

    def _one(self, name: str, other: str) -> Any:  # noqa: ANN401 - JSON
        value = self._field(name)
        if self.is_sweep:
            raise ValueError(f"Task {self.task_id} is a sweep: use `{other}`.")
        return value

    def _many(self, name: str, other: str) -> Any:  # noqa: ANN401 - JSON
        value = self._field(name)
        if not self.is_sweep:
            raise ValueError(f"Task {self.task_id} is not a sweep: use `{other}`.")
        return value


@dataclass(frozen=True)
class Estimate:
    """What a dry run says the task would take; nothing was stored and nothing has run. `body` is the whole answer."""

    lane: str
    method: str
    estimated_seconds: float
    memory_bytes: int
    cost_usd: float
    body: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Estimate:
        """Read a dry run's answer; raises TaskFailedError when the task would fail."""
        if body["status"] == "failed":
            raise TaskFailedError("", body["message"], body["error"])
        return cls(
            body["lane"], body["method"], body["estimated_seconds"], body["memory_bytes"], body["cost_usd"], body
        )
