"""The service as a Qiskit backend: `run` submits circuits as tasks, a job collects their results."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from qiskit.circuit import Measure, Reset
from qiskit.circuit.controlflow import get_control_flow_name_mapping
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.providers import BackendV2, JobStatus, JobV1, Options
from qiskit.result import Result
from qiskit.result.models import ExperimentResult, ExperimentResultData
from qiskit.transpiler import Target

from quantum_circuits.client import Client
from quantum_circuits.errors import QuantumCircuitsError
from quantum_circuits.qiskit.program import GATES, ExportError, write
from quantum_circuits.qiskit.submission import cancel, submit, task_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qiskit import QuantumCircuit

    from quantum_circuits.task import Task


class QuantumCircuitsBackend(BackendV2):  # type: ignore[misc]  # Qiskit ships no types
    """A backend whose circuits run on the service; takes a `Client`, or what `Client` takes.

    Its target has every gate and every control-flow operation that the service has, on all pairs of qubits, and as
    many qubits as a statevector may have at the service's size (`GET /limits`). Wider circuits run too, where their
    structure allows: the service decides.
    """

    def __init__(self, client: Client | None = None, **configuration: Any) -> None:  # noqa: ANN401 - Client's own
        self.client = client or Client(**configuration)
        super().__init__(name="quantum_circuits", description="Quantum Circuits API", online_date=None)
        limits = self.client.limits()["run"]
        self.max_shots: int = limits["max_shots"]
        self._target = _target(limits["max_qubits"]["statevector"]["double"])

    @property
    def target(self) -> Target:
        """What the service runs."""
        return self._target

    @property
    def max_circuits(self) -> int | None:
        """As many as one likes: they are submitted in batches."""
        return None

    @classmethod
    def _default_options(cls) -> Options:
        return Options(shots=1024, memory=False, seed_simulator=None, method=None, precision=None, noise_model=None)

    def run(self, run_input: QuantumCircuit | Sequence[QuantumCircuit], **options: Any) -> QuantumCircuitsJob:  # noqa: ANN401 - Qiskit's signature
        """Submit one circuit or many; options are shots, memory, seed_simulator, method, precision and noise_model.

        `noise_model` is the service's own `noise`, or a NoiseModel of Qiskit Aer. Circuit i of several has the seed
        `seed_simulator + 100000 i`. Raises ExportError and CircuitError, which name the circuit's instruction.
        """
        circuits = [run_input] if not isinstance(run_input, (list, tuple)) else list(run_input)
        if not circuits:
            raise QuantumCircuitsError("There is no circuit to run.")
        if options.pop("meas_level", 2) != 2:  # noqa: PLR2004 - classified outcomes, Qiskit's name for bits
            raise QuantumCircuitsError("The backend measures bits: meas_level must be 2.")
        options.pop("meas_return", None)  # of other levels
        for name in sorted(set(options) - set(self.options)):
            # Frameworks pass options of other backends: Qiskit's own warn too.
            warnings.warn(f"The backend has no option {name!r}; it is left out.", stacklevel=2)
        wanted = {**self.options.__dict__, **{name: value for name, value in options.items() if value is not None}}
        programs = [write(circuit).to_be_counted() for circuit in circuits]
        for program in programs:
            if program.inputs:
                names = sorted({each.name for value in program.inputs.values() for each in value.parameters})
                raise ExportError(
                    f"The parameters {', '.join(names)} of {program.circuit!r} have no values. Give them with "
                    "assign_parameters, or run the circuit with SamplerV2."
                )
        tasks = submit(self.client, programs, [task_options(wanted, index) for index in range(len(circuits))])
        return QuantumCircuitsJob(self, tasks, circuits)

    def retrieve_job(
        self, task_ids: str | Sequence[str], circuits: Sequence[QuantumCircuit] | None = None
    ) -> QuantumCircuitsJob:
        """Return the job of these tasks, whatever process has submitted them; raises TaskNotFoundError.

        `circuits`, in the same order, give back the names and registers; without them all bits are one register `c`.
        """
        ids = [task_ids] if isinstance(task_ids, str) else list(task_ids)
        if not ids or (circuits is not None and len(circuits) != len(ids)):
            raise QuantumCircuitsError(f"There are {len(ids)} tasks and {len(circuits or [])} circuits.")
        return QuantumCircuitsJob(self, [self.client.get(task_id) for task_id in ids], circuits or [None] * len(ids))


class QuantumCircuitsJob(JobV1):  # type: ignore[misc]  # Qiskit ships no types
    """Circuits that were submitted: `retrieve_job(task_ids)` finds them again, from another process too."""

    def __init__(
        self,
        backend: QuantumCircuitsBackend,
        tasks: Sequence[Task],
        circuits: Sequence[QuantumCircuit | None],
    ) -> None:
        super().__init__(backend, tasks[0].task_id)
        self._client = backend.client
        self._tasks = list(tasks)
        self._circuits = list(circuits)

    @property
    def task_ids(self) -> list[str]:
        """The ids of the tasks, one a circuit, in their order."""
        return [task.task_id for task in self._tasks]

    def submit(self) -> None:
        """Refuse: the circuits were submitted when the job was made."""
        raise QuantumCircuitsError("The job was submitted when it was made.")

    def result(self, timeout: float | None = None) -> Result:
        """Wait for all circuits and return their result; raises what `Client.wait` raises for the first that fails."""
        self._tasks = [
            task if task.ended and task.body.get("result") else self._client.wait(task, timeout=timeout)
            for task in self._tasks
        ]
        return Result(
            backend_name=self.backend().name,
            backend_version="1",
            job_id=self.job_id(),
            success=True,
            results=[_experiment(task, circuit) for task, circuit in zip(self._tasks, self._circuits, strict=True)],
            status="COMPLETED",
        )

    def status(self) -> JobStatus:
        """Ask how the tasks are doing: the job is as its least finished task."""
        self._tasks = [task if task.ended else self._client.get(task.task_id) for task in self._tasks]
        found = {task.status for task in self._tasks}
        for status, name in (("failed", JobStatus.ERROR), ("cancelled", JobStatus.CANCELLED)):
            if status in found:
                return name
        if "pending" not in found:
            return JobStatus.DONE
        running = any(
            line["status"] == "processing" for task in self._tasks for line in task.body.get("status_history", [])
        )
        return JobStatus.RUNNING if running else JobStatus.QUEUED

    def cancel(self) -> bool:
        """Cancel what has not ended; returns whether anything was cancelled."""
        return cancel(self._client, self._tasks)


def _experiment(task: Task, circuit: QuantumCircuit | None) -> ExperimentResult:
    """Return a task's counts in Qiskit's form: keys as hexadecimal numbers, the registers in the header."""
    data: dict[str, Any] = {"counts": {_hex(key): count for key, count in task.counts.items()}}
    if "memory" in task.body:
        data["memory"] = [_hex(key) for key in task.memory]
    execution = dict(task.execution)
    if circuit is None:
        width = max((len(key) for key in task.counts), default=0)  # the program has one register: no spaces
        header = {
            "name": task.task_id,
            "n_qubits": execution.get("num_qubits", 0),
            "memory_slots": width,
            "creg_sizes": [["c", width]],
            "metadata": {},
        }
    else:
        header = {
            "name": circuit.name,
            "n_qubits": circuit.num_qubits,
            "memory_slots": circuit.num_clbits,
            "creg_sizes": [[register.name, register.size] for register in circuit.cregs],
            "metadata": circuit.metadata or {},
        }
    return ExperimentResult(
        shots=task.shots,
        success=True,
        data=ExperimentResultData(**data),
        header=header,
        seed=execution.get("seed"),
        status="DONE",
        metadata=execution,
    )


def _hex(key: str) -> str:
    return hex(int(key.replace(" ", ""), 2))


def _target(num_qubits: int) -> Target:
    """Return a target with all gates on all qubits."""
    target = Target(description="Quantum Circuits API", num_qubits=num_qubits)
    standard = get_standard_gate_name_mapping()
    for name in sorted(GATES):
        target.add_instruction(standard[name] if name in standard else standard["x"], name=name)
    target.add_instruction(Measure())
    target.add_instruction(Reset())
    target.add_instruction(standard["delay"])
    for name, operation in get_control_flow_name_mapping().items():
        target.add_instruction(operation, name=name)
    return target
