"""The bodies of requests, as the HTTP contract promises them; what may be long is counted before it is read."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    PrivateAttr,
    StrictBool,
    StrictInt,
    StrictStr,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from tasks.limits import MAX_BINDINGS, MAX_OBSERVABLES, MAX_SHOTS, MAX_SWEEP_SHOTS, MAX_TERMS
from tasks.options import MAX_SEED, Method, Options, Precision
from tasks.submissions import MAX_TASKS_AT_ONCE

MAX_KEY = 255  # characters of an idempotency key
MAX_DETAIL = 10  # entries of a refusal's `detail`
MAX_INPUTS = 8_192  # values in one binding: no program has more bits
MAX_PARTS = 16  # members of an input that is a list; a complex number has two
MAX_NAME = 40  # characters of an input's name in a message
Number = Annotated[float, Field(strict=True)]  # no string and no truth value
Probability = Annotated[Number, Field(ge=0, le=1)]
BELL = 'OPENQASM 3;\ninclude "stdgates.inc";\nqubit[2] q;\nbit[2] c;\nh q[0];\ncx q[0], q[1];\nc = measure q;\n'


# Pydantic describes everything that is wrong, and each description costs a kilobyte and microseconds. So what a request
# may have many of is counted before it looks at them, and it stops at the first that is wrong.


class _Strict(BaseModel):
    """A part of a request, in which names that it does not know are errors."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _few_unknown_names(cls, given: Any) -> Any:  # noqa: ANN401 - any JSON
        """Leave out all but the first unknown names: they are refused, and one refusal need not name them all."""
        if not isinstance(given, dict) or len(given) <= MAX_DETAIL:
            return given
        known = {name: value for name, value in given.items() if name in cls.model_fields}
        unknown = (name for name in given if name not in cls.model_fields)
        return known | {name: None for name, _ in zip(unknown, range(MAX_DETAIL), strict=False)}


def _at_most(limit: int, members: str) -> BeforeValidator:
    """Refuse a list or object of more than `limit` members before any of them is looked at."""

    def count(given: Any) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(given, (list, dict)) and len(given) > limit:
            raise PydanticCustomError(
                "too_long",
                "There may be at most {max_length} {members}, not {actual_length}",
                {"max_length": limit, "members": members, "actual_length": len(given)},
            )
        return given

    return BeforeValidator(count)


def _plain(binding: Any) -> Any:  # noqa: ANN401 - any JSON
    """Refuse inputs that no declaration takes, whatever its type: long lists, and lists or objects inside others."""
    if isinstance(binding, dict):
        for name, value in binding.items():
            parts = value if isinstance(value, list) and len(value) <= MAX_PARTS else [value]
            if any(isinstance(part, (list, dict)) for part in parts):
                raise PydanticCustomError(
                    "input_type",
                    "The input {name} must be a number, a truth value, a string or a list of two numbers",
                    {"name": repr(name[:MAX_NAME])},
                )
    return binding


Binding = Annotated[dict[str, JsonValue], BeforeValidator(_plain), _at_most(MAX_INPUTS, "inputs")]


class Depolarizing(_Strict):
    """The depolarizing error after each gate, by its number of qubits; gates on three and more are decomposed first."""

    one_qubit: Probability = 0.0
    two_qubit: Probability = 0.0


class Readout(_Strict):
    """The probability that a measurement reads the other value than the qubit has."""

    prob_meas1_prep0: Probability = 0.0
    prob_meas0_prep1: Probability = 0.0


class NoiseRequest(_Strict):
    """A uniform noise model."""

    depolarizing: Depolarizing = Depolarizing()
    readout: Readout = Readout()


PauliSum = Annotated[
    str | dict[str, Number] | Annotated[list[tuple[str, Number]], Field(fail_fast=True)],
    _at_most(MAX_TERMS, "terms"),
]


class TaskRequest(_Strict):
    """A circuit to run, and how; the worker runs it with `tasks.options.Options`, which has the last word on them."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"qc": BELL, "shots": 1024, "seed": 7}]})

    qc: Annotated[StrictStr, Field(description="The circuit: an OpenQASM 3 or 2 program.")]
    shots: Annotated[StrictInt, Field(ge=1, le=MAX_SHOTS, description="How often to run the circuit.")] = 1024
    seed: Annotated[
        StrictInt | None,
        Field(ge=0, le=MAX_SEED, description="Makes the counts reproducible; drawn at random when left out."),
    ] = None
    method: Annotated[Method, Field(description="How the simulator represents the state.")] = Method.AUTOMATIC
    precision: Annotated[Precision, Field(description="Single halves the memory.")] = Precision.DOUBLE
    memory: Annotated[StrictBool, Field(description="Also return each shot's outcome, in order.")] = False
    noise: Annotated[NoiseRequest | None, Field(description="Errors to simulate.")] = None
    observables: Annotated[
        Annotated[list[PauliSum], Field(fail_fast=True), _at_most(MAX_OBSERVABLES, "observables")] | None,
        Field(
            description=(
                "Pauli sums whose expectation values to return, little-endian as in Qiskit, of the state before the "
                "final measurements; the circuit must have some."
            ),
            examples=[["ZZ", {"XX": 0.5, "ZI": 0.5}]],
        ),
    ] = None
    inputs: Annotated[
        Annotated[
            Annotated[Binding, Tag("object")]
            | Annotated[list[Binding], Field(fail_fast=True), _at_most(MAX_BINDINGS, "bindings"), Tag("list")],
            Discriminator(lambda given: "list" if isinstance(given, list) else "object"),
        ]
        | None,
        Field(
            description=(
                "Values for the program's `input` declarations, by name. A list of them is a sweep: the program runs "
                f"with each of up to {MAX_BINDINGS:,}, and `result`, `memory` and `expectation_values` are lists in "
                "the same order. Binding i has the seed `seed + 100000 i`, so that it gives the same alone "
                "with that seed. "
                f"All bindings together may have {MAX_SWEEP_SHOTS:,} shots."
            ),
            examples=[{"theta": 0.5}, [{"theta": 0.0}, {"theta": 0.5}]],
        ),
    ] = None
    callback_url: Annotated[
        StrictStr | None,
        Field(
            description=(
                "An https URL, called once the task has ended, signed as Standard Webhooks say with the secret of "
                "`GET /callback-secret`."
            ),
            examples=["https://example.com/hooks/circuits"],
        ),
    ] = None

    _options: Options = PrivateAttr()

    @model_validator(mode="after")
    def _options_fit(self) -> Self:
        others = {"qc", "callback_url", "idempotency_key"}  # the latter is a task's in a batch
        given = {name: getattr(self, name) for name in self.model_fields_set - others}
        if self.noise is not None:
            given["noise"] = self.noise.model_dump()
        self._options = Options.from_dict(given)  # its ValueError has a sentence where two fields do not fit together
        return self

    def options(self) -> Options:
        """Return how to run the circuit."""
        return self._options


class TaskInBatch(TaskRequest):
    """One task of a batch."""

    idempotency_key: Annotated[
        StrictStr | None,
        Field(
            pattern=rf"^[ -~]{{1,{MAX_KEY}}}$",
            description="Stands for this task as the header does for one sent alone; no two tasks may have the same.",
        ),
    ] = None


class BatchRequest(_Strict):
    """Circuits to run; all are accepted or none."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"tasks": [{"qc": BELL}, {"qc": BELL, "shots": 10}]}]})

    tasks: Annotated[
        list[TaskInBatch],
        Field(min_length=1, max_length=MAX_TASKS_AT_ONCE),
        _at_most(MAX_TASKS_AT_ONCE, "tasks"),
    ]
