"""The bodies of requests and answers, as the HTTP contract promises them and the OpenAPI document shows them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from tasks.errors import ErrorCode

MAX_SHOTS = 100_000
BELL = 'OPENQASM 3;\ninclude "stdgates.inc";\nqubit[2] q;\nbit[2] c;\nh q[0];\ncx q[0], q[1];\nc = measure q;\n'


class TaskRequest(BaseModel):
    """A circuit to run."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"qc": BELL, "shots": 1024, "seed": 7}]})

    qc: Annotated[StrictStr, Field(description="The circuit: an OpenQASM 3 or 2 program.")]
    shots: Annotated[StrictInt, Field(ge=1, le=MAX_SHOTS, description="How often to run the circuit.")] = 1024
    seed: Annotated[
        StrictInt | None,
        Field(ge=0, lt=2**31, description="Makes the counts reproducible; drawn at random when left out."),
    ] = None


class TaskAccepted(BaseModel):
    """The task was stored and will be run."""

    task_id: str
    message: Literal["Task submitted successfully."] = "Task submitted successfully."
    submitted_at: Annotated[str, Field(description="RFC 3339, UTC.")]
    correlation_id: str


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


class TaskBody(BaseModel):
    """A task as its owner sees it; `status` is pending until it has ended, running included."""

    task_id: str
    status: Literal["pending", "completed", "failed", "cancelled"]
    message: str
    submitted_at: Annotated[str, Field(description="RFC 3339, UTC.")]
    status_history: list[TransitionBody]
    correlation_id: str
    shots: int
    result: Annotated[
        dict[str, int] | None,
        Field(description="How often each bit string was measured: the last declared bit leftmost, registers spaced."),
    ] = None
    result_url: Annotated[
        str | None, Field(description="Where to read a result too large for an answer, for an hour.")
    ] = None
    execution: dict[str, Any] | None = None
    error: TaskErrorBody | None = None


class HealthBody(BaseModel):
    """Whether the service can take tasks; a broken part says so in place of `connected`."""

    status: Literal["healthy", "unhealthy"]
    timestamp: str
    database_status: Literal["connected", "unavailable"]
    queue_status: Literal["connected", "unavailable"]


class ErrorBody(BaseModel):
    """Any refusal."""

    model_config = ConfigDict(extra="allow")

    status: Literal["error"] = "error"
    message: str
    code: str
    correlation_id: str
