"""The handlers of circuits' texts and pictures: a task's own, and that of a program before it is sent."""

from __future__ import annotations

from itertools import islice
from time import thread_time
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel, Field

import reader
from incoming import Caller, TaskId
from request_errors import TaskNotFoundError
from submission import CHECK_SECONDS, reading_budget, task_of
from submitted import TaskRequest
from tasks import aws
from tasks.errors import TaskError
from tasks.options import Options
from tasks.task import is_task_id, rfc3339, utc_now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from circuit_drawing import Drawing
    from reader.operations import Compiled
    from reader.outline import Outline

# A stranger's text at our address: no browser may interpret it as a page. A picture has its own style, and no more.
TEXT_HEADERS = {"X-Content-Type-Options": "nosniff"}
MOST_REGISTERS = 1_000  # that are named
SVG_HEADERS = TEXT_HEADERS | {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}

Opened = Annotated[
    str,
    Query(max_length=2_000, description="Names of the program's own gates to open, separated by commas."),
]
Width = Annotated[int, Query(ge=320, le=8_000, description="How wide a row of the picture may be, in pixels.")]


class DrawingBody(BaseModel):
    """A picture of a circuit as shapes, which a page makes SVG elements of."""

    width: float
    height: float
    shapes: Annotated[
        list[list[str | float]],
        Field(description="Each shape has a kind, a class, and the numbers and text of its element."),
    ]
    description: Annotated[str, Field(description="A description of the picture for people who cannot see it.")]


Registers = Annotated[
    list[tuple[str, int]],
    Field(description=f"Name and size of each, in the order of their declaration; the first {MOST_REGISTERS:,}."),
]
# Of the JSON that read_circuit answers: as a model FastAPI would analyse it at each cold start.
NAMES_SCHEMA = {
    "type": "object",
    "required": ["quantum_registers", "classical_registers"],
    "properties": {
        name: {"type": "array", "items": {"prefixItems": [{"type": "string"}, {"type": "integer"}], "type": "array"}}
        for name in ("quantum_registers", "classical_registers")
    },
}


class PictureBody(BaseModel):
    """A task that would be accepted, and its circuit."""

    num_qubits: Annotated[int, Field(description="Qubits of all registers together.")]
    quantum_registers: Registers | None = None
    classical_registers: Registers | None = None
    operations: Annotated[int, Field(description="Operations after loops and definitions are expanded.")]
    notes: Annotated[
        list[str] | None, Field(description="Parts of the program that have no effect here, or are probably mistakes.")
    ] = None
    drawing: DrawingBody | None = None
    undrawn: Annotated[str | None, Field(description="Why there is no drawing.")] = None
    correlation_id: str


async def draw_program(
    request: Request, body: TaskRequest, caller: Caller, opened: Opened = "", width: Width = 1_100
) -> JSONResponse:
    """Check a task as `POST /tasks` does, without storing or running it, and draw its circuit, a sweep's first one.

    `drawing.shapes` are lists of a kind, a class and what SVG's element of that kind takes: `rect` (x, y, width,
    height), `dot` (x, y, radius), `path` (d) and `text` (x, y, text). `open` and `close` (name, x, y, width, height)
    are where a gate of the program's own can be opened or closed.
    """
    correlation_id = request.state.correlation_id
    started = thread_time()
    size = task_of(body, caller, correlation_id, None, rfc3339(utc_now()), reading_budget()).size
    left = reader.Budget(seconds=max(0.0, CHECK_SECONDS - (thread_time() - started)))
    try:
        compiled, drawing = _drawing(body.qc, body.options(), opened, width, left)
        found = {**_registers(compiled), "drawing": drawing.as_dict()}
    except TaskError as error:  # what the check admits may take too long to read once more, with all its names
        found = {"undrawn": error.message}
    picture = {
        "num_qubits": size.num_qubits,
        "operations": size.operations,
        **({"notes": list(size.notes)} if size.notes else {}),
        **found,
        "correlation_id": correlation_id,
    }
    return JSONResponse(picture)


async def read_circuit(
    task_id: TaskId,
    caller: Caller,
    format: Annotated[  # noqa: A002 - the query's name
        Literal["qasm", "svg", "json"],
        Query(description="The program exactly as it was sent, a picture of its circuit, or its registers' names."),
    ] = "qasm",
    opened: Opened = "",
    width: Width = 1_100,
) -> Response:
    """Return the program exactly as it was sent, a picture of its circuit, or its registers; of a sweep the first's.

    The classical registers are those of the counts: the last one is leftmost in a key.
    """
    if format == "qasm":
        text = aws.task_store().circuit(task_id, caller) if is_task_id(task_id) else None
        if text is None:
            raise TaskNotFoundError
        return PlainTextResponse(text, headers=TEXT_HEADERS)
    task = aws.task_store().whole(task_id, caller) if is_task_id(task_id) else None
    if task is None:
        raise TaskNotFoundError
    options = Options.from_dict({**task.options, "shots": task.shots})
    if format == "json":
        return JSONResponse(_registers(_outlined(task.circuit, options, reading_budget())[0]))
    from circuit_svg import svg_of  # noqa: PLC0415 - cold start: few ask for pictures

    svg = svg_of(_drawing(task.circuit, options, opened, width, reading_budget())[1])
    return Response(svg, media_type="image/svg+xml", headers=SVG_HEADERS)


async def read_script(
    task_id: TaskId,
    caller: Caller,
    binding: Annotated[int, Query(ge=0, description="For a sweep: which binding, from 0.")] = 0,
) -> Response:
    """Return a short Python program that repeats the task on plain `qiskit` and `qiskit-aer`, in the versions it names.

    It has the program's operations, the method, shots, seed and noise. A task that Aer ran as it stands has the same
    counts again; those of others agree within sampling.
    """
    task = aws.task_store().whole(task_id, caller, with_outcome=True) if is_task_id(task_id) else None
    if task is None:
        raise TaskNotFoundError
    from scripts import script  # noqa: PLC0415 - cold start: few ask for scripts

    return PlainTextResponse(script(task, binding), headers=TEXT_HEADERS)


def _outlined(qc: str, options: Options, budget: reader.Budget) -> tuple[Compiled, Outline]:
    """Return a program that was checked as it is drawn; raises TaskError where it is too large to be read again."""
    return reader.outlined(qc, options.bindings[0], counted=options.counted, budget=budget)


def _drawing(qc: str, options: Options, opened: str, width: int, budget: reader.Budget) -> tuple[Compiled, Drawing]:
    """Return a program that was checked, and its drawing; raises TaskError where it is too large to be read again."""
    from circuit_drawing import draw  # noqa: PLC0415 - cold start: few ask for pictures

    compiled, outline = _outlined(qc, options, budget)
    return compiled, draw(compiled, outline, frozenset(opened.split(",")), width)


def _registers(compiled: Compiled) -> dict[str, list[tuple[str, int]]]:
    """Return the names and sizes of a program's registers, fit to be shown."""
    from reader.outline import shown  # noqa: PLC0415 - cold start: few ask for pictures

    def named(registers: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
        return [(shown(name), size) for name, size in islice(registers, MOST_REGISTERS)]

    outputs = ((output.name, len(output.cells)) for output in compiled.outputs)
    return {"quantum_registers": named(compiled.registers), "classical_registers": named(outputs)}
