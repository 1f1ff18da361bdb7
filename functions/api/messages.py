"""The bodies of answers, as the HTTP contract promises them and the OpenAPI document shows them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
)

from tasks import prices
from tasks.errors import ErrorCode


class AcceptedInBatch(BaseModel):
    """One task of a batch, stored; `replayed` when an earlier request with its key had stored it."""

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
    """What your callbacks are signed with; Standard Webhooks' libraries take it as it is."""

    secret: Annotated[str, Field(description="`whsec_` and 32 bytes in Base64.", pattern="^whsec_[A-Za-z0-9+/]{43}=$")]


class TransitionBody(BaseModel):
    """One line of a task's history."""

    status: Literal["pending", "processing", "completed", "failed", "cancelled"]
    transitioned_at: Annotated[str, Field(description="RFC 3339, UTC.")]
    notes: str


class TaskErrorBody(BaseModel):
    """Why a task failed, and what to change."""

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
    """What the task would take; nothing was stored and nothing has run."""

    status: Literal["admitted"] = "admitted"
    message: Literal["The task would be run."] = "The task would be run."
    correlation_id: str
    lane: Annotated[Literal["small", "large"], Field(description="Which size of worker would run it.")]
    method: Annotated[str, Field(description="How the state would be represented; of a sweep each method that occurs.")]
    engine: Annotated[str, Field(description="What would run it: stim, trajectories, qiskit-aer, or several.")]
    num_qubits: Annotated[int, Field(description="Qubits of all registers together.")]
    num_clbits: Annotated[int, Field(description="Classical bits, those that reading the program has added included.")]
    depth: Annotated[int, Field(description="The longest path through the circuit; of a sweep the largest.")]
    gates: Annotated[int, Field(description="Gates after expanding loops and definitions; of a sweep all bindings'.")]
    bindings: Annotated[int, Field(description="How many circuits would run: 1, or the length of `inputs`.")]
    shots: Annotated[int, Field(description="Shots of each circuit.")]
    estimated_seconds: Annotated[
        float,
        Field(
            description=(
                "How long running it would take, waiting left out: for typical circuits right within a factor of three."
            )
        ),
    ]
    memory_bytes: Annotated[int, Field(description="The state and what running takes beside it.")]
    cost_usd: Annotated[
        float,
        Field(
            description=(
                f"What the worker's time and memory cost on AWS, at list prices of {prices.DATED} in {prices.REGION}; "
                "requests, queue and storage cost a fixed few millionths of a dollar more."
            )
        ),
    ]
    notes: Annotated[list[str] | None, Field(description="What has no effect here, or will probably go wrong.")] = None
    reduced: Annotated[
        dict[str, list[int]] | None,
        Field(description="What rewriting saves: qubits, operations and parts, before and after; not of a sweep."),
    ] = None


class ForeseenFailureBody(BaseModel):
    """The error that the task would end in, as reading the failed task would show it; nothing was stored."""

    status: Literal["failed"] = "failed"
    message: str
    error: TaskErrorBody
    correlation_id: str


class EstimateInBatch(EstimateBody):
    """What one task of a batch would take."""

    index: Annotated[int, Field(description="Its place in the request, from 0.")]


class ForeseenFailureInBatch(ForeseenFailureBody):
    """The error that one task of a batch would end in, or be refused with."""

    index: Annotated[int, Field(description="Its place in the request, from 0.")]


class BatchEstimateBody(BaseModel):
    """What each task of a batch would take, or the error it would end in; nothing was stored."""

    message: Literal["Nothing was submitted."] = "Nothing was submitted."
    tasks: list[EstimateInBatch | ForeseenFailureInBatch]
    correlation_id: str


class ExpectationValue(BaseModel):
    """The value of an observable, and its standard error: 0 where the value is exact."""

    value: float
    standard_error: float


class _TaskFacts(BaseModel):
    """What is shown of every task, in a list and alone."""

    task_id: str
    status: Literal["pending", "completed", "failed", "cancelled"]
    message: str
    submitted_at: Annotated[str, Field(description="RFC 3339, UTC.")]
    status_history: list[TransitionBody]
    correlation_id: str
    shots: int


class TaskBody(_TaskFacts):
    """A task as its owner sees it; `status` is pending until it has ended, running included."""

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
                    "result": {"00": 514, "11": 510},
                    "execution": {
                        "method": "statevector",
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
                "How often each bit string was measured: the last declared bit leftmost, registers spaced. For a sweep "
                "a list of such maps, one for each binding."
            )
        ),
    ] = None
    result_url: Annotated[
        str | None,
        Field(
            description=(
                "Where to read a result too large for an answer: for an hour at most, and less when the credentials "
                "that signed it end before; reading the task again gives a new address."
            )
        ),
    ] = None
    memory: Annotated[
        list[str] | list[list[str]] | None,
        Field(description="Each shot's outcome, when asked for; for a sweep a list of such lists."),
    ] = None
    expectation_values: Annotated[
        list[ExpectationValue] | list[list[ExpectationValue]] | None,
        Field(description="One for each observable; for a sweep a list of such lists."),
    ] = None
    execution: Annotated[
        dict[str, Any] | None,
        Field(
            description=(
                "How it was run: method, seed, qubits, depth, milliseconds, attempt, versions. For a sweep what is "
                "true of every binding, and in `bindings` what differs between them. `billed_ms` are the whole "
                "milliseconds of the worker's time that the attempt took, a sweep's in all, and `cost_usd` what they "
                "and the memory kept for it cost, at the prices of a dry run."
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
        Field(description="What of the program has no effect here, or is hardly meant; else missing."),
    ] = None
    task: Annotated[
        TaskBody | None, Field(description="How it is doing after the wait that `Prefer: wait=<seconds>` asked for.")
    ] = None


class TaskSummary(_TaskFacts):
    """A task in a list: as it is shown alone, without what its run has put out."""

    error: TaskErrorBody | None = None


class TaskList(BaseModel):
    """Some of the caller's tasks, newest first."""

    tasks: list[TaskSummary]
    next_cursor: Annotated[
        str | None, Field(description="Asks for what follows; missing on the last page. The header `Link` has it too.")
    ] = None


class HealthBody(BaseModel):
    """Whether the service can take tasks; a broken part says so in place of `connected`."""

    status: Literal["healthy", "unhealthy"]
    timestamp: str
    database_status: Literal["connected", "unavailable"]
    queue_status: Literal["connected", "unavailable"]


Whole = Annotated[int, Field(ge=0)]


class WorkersLimits(BaseModel):
    """Most workers at a time: what more there is to run waits in a queue."""

    small: Whole
    large: Whole


class KeyLimits(BaseModel):
    """What one API key may send; more is answered 429."""

    requests_per_second: Annotated[Whole, Field(description="Over time.")]
    requests_at_once: Whole
    requests_per_day: Annotated[Whole, Field(description="From 00:00 UTC.")]


class RequestLimits(BaseModel):
    """What one request may be."""

    max_bytes: Whole
    max_idempotency_key_chars: Whole


class BatchLimits(BaseModel):
    """What one batch may be."""

    max_tasks: Whole
    check_seconds: Annotated[
        float, Field(description="CPU that reading its circuits may take; a single task's has as much.")
    ]


class ListLimits(BaseModel):
    """How many tasks one answer lists."""

    max_tasks: Whole
    default_tasks: Whole


class WaitLimits(BaseModel):
    """How long an answer waits for `Prefer: wait=<seconds>`; longer wishes are cut to this."""

    max_seconds: Whole
    max_at_a_time: Annotated[Whole, Field(description="More are answered at once, without `Preference-Applied`.")]
    max_of_key_at_a_time: Annotated[Whole, Field(description="Of these, what one API key's may be.")]


class LimitsBody(BaseModel):
    """Every limit in force."""

    circuit: Annotated[
        dict[str, int], Field(description="What a program may have; over one of these it is `circuit_too_large`.")
    ]
    run: Annotated[
        dict[str, JsonValue],
        Field(description="What a run may have, and how many qubits each method takes in the memory there is."),
    ]
    workers: WorkersLimits
    key: KeyLimits
    request: RequestLimits
    batch: BatchLimits
    list: ListLimits
    wait: WaitLimits
    task_retention_days: Annotated[Whole, Field(description="How long a task can be read.")]


class ErrorBody(BaseModel):
    """Any refusal; which of the fields there are depends on the code."""

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
    code: Annotated[str, Field(description="The same as long as the meaning is; the answers' descriptions list them.")]
    hint: Annotated[str, Field(description="What to change or to do.")]
    correlation_id: str
    detail: Annotated[
        str | list[dict[str, Any]] | None,
        Field(description="Of a circuit, what is wrong in a sentence; of a request, each wrong field: type, loc, msg."),
    ] = None
    line: Annotated[int | None, Field(description="From 1.")] = None
    column: Annotated[int | None, Field(description="From 1.")] = None
    excerpt: Annotated[str | None, Field(description="The line, and a caret below the place.")] = None
    limit: Annotated[float | None, Field(description="What is allowed, in the unit that the message names.")] = None
    actual: Annotated[float | None, Field(description="What was sent, in the same unit.")] = None
    errors: Annotated[
        list[dict[str, Any]] | None, Field(description="Of a batch: `index`, `code`, `message`, ... of each bad task.")
    ] = None
    index: Annotated[int | None, Field(description="Of a batch: the task whose key was used before.")] = None
    indexes: Annotated[
        list[list[int]] | None, Field(description="Of a batch: the tasks that have the same key, a list for each key.")
    ] = None
    task_status: Annotated[str | None, Field(description="How a task that cannot be cancelled has ended.")] = None
