"""The bodies of answers, as the HTTP contract promises them and the OpenAPI document shows them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
)

from result_messages import ExpectationValue, ResultBody
from tasks.bill import DATED, REGION
from tasks.errors import ErrorCode


class AcceptedInBatch(BaseModel):
    """One stored task of a batch; `replayed` if an earlier request with its key stored it."""

    index: Annotated[int, Field(description="Its place in the request, from 0.")]
    task_id: str
    submitted_at: Annotated[str, Field(description="RFC 3339, UTC.")]
    replayed: bool


class BatchAccepted(BaseModel):
    """All the tasks were stored and will be run."""

    message: Literal["Tasks submitted successfully."] = "Tasks submitted successfully."
    tasks: list[AcceptedInBatch]
    correlation_id: str


class CallbackSecretBody(BaseModel):
    """The secret that signs your callbacks, in the form that the libraries of Standard Webhooks take."""

    secret: Annotated[str, Field(description="`whsec_` and 32 bytes in Base64.", pattern="^whsec_[A-Za-z0-9+/]{43}=$")]


class TransitionBody(BaseModel):
    """One line of a task's history."""

    status: Literal["pending", "processing", "completed", "failed", "cancelled"]
    transitioned_at: Annotated[str, Field(description="RFC 3339, UTC.")]
    notes: str


class TaskErrorBody(BaseModel):
    """The reason why a task failed, and what to change."""

    code: ErrorCode
    message: str
    line: int | None = None
    column: int | None = None
    limit: float | None = None
    actual: float | None = None
    hint: str | None = None
    excerpt: str | None = None
    binding: Annotated[int | None, Field(description="In a sweep: the index, from 0, of the inputs that failed.")] = (
        None
    )


class EstimateBody(BaseModel):
    """An estimate of what the task would take; nothing was stored or run."""

    status: Literal["admitted"] = "admitted"
    message: Literal["The task would be run."] = "The task would be run."
    correlation_id: str
    lane: Annotated[Literal["small", "large"], Field(description="The size of the worker that would run it.")]
    method: Annotated[
        str, Field(description="How the simulator would represent the state; for a sweep, every method that occurs.")
    ]
    engine: Annotated[
        str, Field(description="The engine that would run it: stim, trajectories, qiskit-aer, or several.")
    ]
    num_qubits: Annotated[int, Field(description="Qubits of all registers together.")]
    num_clbits: Annotated[int, Field(description="Classical bits, including those that the reader adds.")]
    depth: Annotated[int, Field(description="The longest path through the circuit; for a sweep, the largest.")]
    gates: Annotated[
        int, Field(description="Gates after loops and definitions are expanded; for a sweep, of all bindings together.")
    ]
    bindings: Annotated[int, Field(description="The number of circuits that would run: 1, or the length of `inputs`.")]
    shots: Annotated[int, Field(description="Shots of each circuit.")]
    estimated_seconds: Annotated[
        float,
        Field(
            description=(
                "How long the run would take, without the time in the queue. For typical circuits it is right within a "
                "factor of three."
            )
        ),
    ]
    memory_bytes: Annotated[int, Field(description="The memory of the state and of everything else in the run.")]
    cost_usd: Annotated[
        float,
        Field(
            description=(
                f"The worker's time and memory on AWS, at list prices of {DATED} in {REGION}. "
                "Requests, queue and storage add a few millionths of a dollar."
            )
        ),
    ]
    result_bytes: Annotated[
        int | None, Field(description="The numbers of `results`, 8 bytes each, of all bindings; absent without it.")
    ] = None
    notes: Annotated[
        list[str] | None, Field(description="Parts of the program that have no effect here, or are probably mistakes.")
    ] = None
    reduced: Annotated[
        dict[str, list[int]] | None,
        Field(description="Qubits, operations and parts before and after reduction; absent for a sweep."),
    ] = None


class ForeseenFailureBody(BaseModel):
    """The error that the task would end in, as the failed task would show it; nothing was stored."""

    status: Literal["failed"] = "failed"
    message: str
    error: TaskErrorBody
    correlation_id: str


class EstimateInBatch(EstimateBody):
    """An estimate of what one task of a batch would take."""

    index: Annotated[int, Field(description="Its place in the request, from 0.")]


class ForeseenFailureInBatch(ForeseenFailureBody):
    """The error that one task of a batch would end in or be refused for."""

    index: Annotated[int, Field(description="Its place in the request, from 0.")]


class BatchEstimateBody(BaseModel):
    """For each task of a batch, an estimate of what it would take or the error it would end in; nothing was stored."""

    message: Literal["Nothing was submitted."] = "Nothing was submitted."
    tasks: list[EstimateInBatch | ForeseenFailureInBatch]
    correlation_id: str


class _TaskFacts(BaseModel):
    """The fields of every task, in a list and alone."""

    task_id: str
    status: Literal["pending", "completed", "failed", "cancelled"]
    message: str
    submitted_at: Annotated[str, Field(description="RFC 3339, UTC.")]
    status_history: list[TransitionBody]
    correlation_id: str
    shots: int
    name: Annotated[str | None, Field(description="As it was submitted.")] = None
    tags: Annotated[list[str] | None, Field(description="As they were submitted.")] = None


class TaskBody(_TaskFacts):
    """A task as its owner sees it; `status` is `pending` until the task has ended, also while it runs."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "task_id": "0b84f2f4-52a5-4c3c-9f3a-6a3f5f0a3b56",
                    "status": "completed",
                    "message": "Task completed successfully.",
                    "submitted_at": "2026-11-21T01:11:43.695Z",
                    "status_history": [
                        {
                            "status": "pending",
                            "transitioned_at": "2026-11-21T01:11:43.695Z",
                            "notes": "The task was accepted.",
                        },
                        {
                            "status": "processing",
                            "transitioned_at": "2026-11-21T01:11:43.706Z",
                            "notes": "A worker took the task.",
                        },
                        {
                            "status": "completed",
                            "transitioned_at": "2026-11-21T01:11:43.716Z",
                            "notes": "The circuit was run.",
                        },
                    ],
                    "correlation_id": "441f2f5c-9d0c-4f0e-8a53-0a2d1c6a7f7e",
                    "shots": 1024,
                    "result": {"00": 502, "11": 522},
                    "execution": {
                        "method": "stabilizer",
                        "num_qubits": 2,
                        "depth": 3,
                        "seed": 7,
                        "attempt": 1,
                        "billed_ms": 2,
                        "cost_usd": 5.76e-08,
                    },
                }
            ]
        }
    )

    result: Annotated[
        dict[str, int] | list[dict[str, int]] | None,
        Field(
            description=(
                "How often each bit string was measured: the last declared bit is leftmost, a space separates "
                "registers. For a sweep, a list of such maps, one for each binding."
            )
        ),
    ] = None
    result_url: Annotated[
        str | None,
        Field(
            description=(
                "The address of a result that is too large for an answer. It is valid for an hour at most, and no "
                "longer than the credentials that signed it. Read the task again for a new address."
            )
        ),
    ] = None
    memory: Annotated[
        list[str] | list[list[str]] | None,
        Field(description="The outcome of each shot, if `memory` was requested; for a sweep, a list of such lists."),
    ] = None
    expectation_values: Annotated[
        list[ExpectationValue] | list[list[ExpectationValue]] | None,
        Field(description="One for each observable; for a sweep, a list of such lists."),
    ] = None
    results: Annotated[
        list[ResultBody] | list[list[ResultBody]] | None,
        Field(description="An entry for each of the requested `results`, in order; for a sweep, a list of such lists."),
    ] = None
    execution: Annotated[
        dict[str, Any] | None,
        Field(
            description=(
                "How the circuit was run: engine, method, seed, qubits, depth, milliseconds, attempt, versions, and of "
                "noise its `noise_digest`, SHA-256 of the request's `noise` as sorted JSON. For a sweep, "
                "what all bindings have in common, and in `bindings` what differs between them. `billed_ms` is the "
                "workers' time for all its attempts in whole milliseconds, `cost_usd` the cost of that time and its "
                "memory at the prices of a dry run."
            )
        ),
    ] = None
    error: TaskErrorBody | None = None


class TaskAccepted(BaseModel):
    """The task was stored and will be run."""

    task_id: str
    message: Literal["Task submitted successfully."] = "Task submitted successfully."
    submitted_at: Annotated[str, Field(description="RFC 3339, UTC.")]
    correlation_id: str
    notes: Annotated[
        list[str] | None,
        Field(description="Parts of the program that have no effect here, or are probably mistakes."),
    ] = None
    task: Annotated[
        TaskBody | None, Field(description="The task after the wait that `Prefer: wait=<seconds>` requested.")
    ] = None


class TaskPurged(BaseModel):
    """The task's circuit, options, result, name and tags are gone."""

    task_id: str
    message: Literal["Task purged."] = "Task purged."


class TaskSummary(_TaskFacts):
    """A task in a list: as it is shown alone, without the output of its run."""

    error: TaskErrorBody | None = None


class TaskList(BaseModel):
    """A page of the caller's tasks, newest first."""

    tasks: list[TaskSummary]
    next_cursor: Annotated[
        str | None,
        Field(description="The cursor of the next page; absent on the last page. The header `Link` has it too."),
    ] = None


class HealthBody(BaseModel):
    """Whether the service can accept tasks; a part that does not answer is `unavailable`."""

    status: Literal["healthy", "unhealthy"]
    timestamp: str
    database_status: Literal["connected", "unavailable"]
    queue_status: Literal["connected", "unavailable"]


class ErrorBody(BaseModel):
    """Any refusal; the code determines which fields it has."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "status": "error",
                    "message": "QASM3 code is not valid",
                    "code": "invalid_circuit",
                    "detail": "'hh' is not a gate.",
                    "line": 1,
                    "column": 22,
                    "hint": "Did you mean h?",
                    "excerpt": "OPENQASM 3; qubit q; hh q; measure q;\n                     ^",
                    "correlation_id": "441f2f5c-9d0c-4f0e-8a53-0a2d1c6a7f7e",
                }
            ]
        },
    )

    status: Literal["error"] = "error"
    message: Annotated[str, Field(description="What is wrong, in a sentence.")]
    code: Annotated[str, Field(description="Stable for programs; the descriptions of the answers list all codes.")]
    hint: Annotated[str, Field(description="What to change, or what to do.")]
    correlation_id: str
    detail: Annotated[
        str | list[dict[str, Any]] | None,
        Field(
            description="For a circuit, what is wrong, in a sentence; for a request, each wrong field: type, loc, msg."
        ),
    ] = None
    line: Annotated[int | None, Field(description="From 1.")] = None
    column: Annotated[int | None, Field(description="From 1.")] = None
    excerpt: Annotated[str | None, Field(description="The line of the program, with a caret below the position.")] = (
        None
    )
    limit: Annotated[float | None, Field(description="The limit, in the unit that the message names.")] = None
    actual: Annotated[float | None, Field(description="The actual value, in the same unit.")] = None
    errors: Annotated[
        list[dict[str, Any]] | None,
        Field(description="For a batch: `index`, `code`, `message`, ... of each task that is not valid."),
    ] = None
    index: Annotated[int | None, Field(description="For a batch: the task whose key was used before.")] = None
    indexes: Annotated[
        list[list[int]] | None, Field(description="For a batch: the tasks that have the same key, a list for each key.")
    ] = None
    ends_at: Annotated[str | None, Field(description="When the month ends whose amount is spent.")] = None
    task_status: Annotated[str | None, Field(description="The final status of a task that cannot be cancelled.")] = None
