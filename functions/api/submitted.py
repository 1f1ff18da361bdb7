"""The bodies of requests, as the HTTP contract promises them; long values are counted before they are validated."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
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
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from tasks.labels import MAX_NAME as MAX_TASK_NAME
from tasks.labels import MAX_TAG, MAX_TAGS, check_name, check_tags
from tasks.limits import (
    MAX_AMPLITUDES,
    MAX_ARRAY_BYTES,
    MAX_BINDINGS,
    MAX_OBSERVABLES,
    MAX_RESULTS,
    MAX_RULES,
    MAX_SHOTS,
    MAX_SWEEP_SHOTS,
    MAX_TERMS,
)
from tasks.options import MAX_SEED, Method, Options, Precision
from tasks.results import SAMPLED, ResultType
from tasks.submissions import MAX_TASKS_AT_ONCE

MAX_KEY = 255  # characters of an idempotency key
# In ASCII: what becomes of other characters in a header differs from one party on the way to the next, and two keys
# could arrive as the same one.
KEY_PATTERN = rf"^[ -~]{{1,{MAX_KEY}}}$"
MAX_DETAIL = 10  # entries of a refusal's `detail`
MAX_INPUTS = 8_192  # values in one binding: no program has more bits
MAX_DEPTH = 8  # of lists inside each other in an input: an array has at most seven dimensions, and complex elements
MAX_NAME = 40  # characters of an input's name in a message
# Pydantic puts these names into the path of an error in a union, and refusals leave them out.
LIST, OBJECT, TEXT = SHAPES = ("(list)", "(object)", "(text)")
Number = Annotated[float, Field(strict=True)]  # no string and no truth value
Probability = Annotated[Number, Field(ge=0, le=1)]
BELL = 'OPENQASM 3;\ninclude "stdgates.inc";\nqubit[2] q;\nbit[2] c;\nh q[0];\ncx q[0], q[1];\nc = measure q;\n'


# Pydantic describes every error, and each description costs a kilobyte and microseconds. So lists are counted before
# Pydantic validates their members, and validation stops at the first wrong member.


class _Strict(BaseModel):
    """A part of a request; unknown names in it are errors."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _few_unknown_names(cls, given: Any) -> Any:  # noqa: ANN401 - any JSON
        """Drop all but the first unknown names: the refusal need not name them all."""
        if not isinstance(given, dict) or len(given) <= MAX_DETAIL:
            return given
        known = {name: value for name, value in given.items() if name in cls.model_fields}
        unknown = (name for name in given if name not in cls.model_fields)
        return known | {name: None for name, _ in zip(unknown, range(MAX_DETAIL), strict=False)}


def _at_most(limit: int, members: str) -> BeforeValidator:
    """Refuse a list or object of more than `limit` members before any of them is validated."""

    def count(given: Any) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(given, (list, dict)) and len(given) > limit:
            raise PydanticCustomError(
                "too_long",
                "There may be at most {max_length} {members}, not {actual_length}",
                {"max_length": limit, "members": members, "actual_length": len(given)},
            )
        return given

    return BeforeValidator(count)


def _fits_an_array(value: Any) -> bool:  # noqa: ANN401 - any JSON
    """Tell whether there are lists only, at most so deep as an array's, with at most so many values in all."""
    row = [value]
    for _ in range(MAX_DEPTH):
        if any(isinstance(part, dict) for part in row):
            return False
        lists = [part for part in row if isinstance(part, list)]
        if not lists:
            return True
        if sum(map(len, lists)) > MAX_INPUTS:
            return False
        row = [part for inner in lists for part in inner]
    return not any(isinstance(part, (list, dict)) for part in row)


def _plain(binding: Any) -> Any:  # noqa: ANN401 - any JSON
    """Refuse inputs that no declaration can take: objects, lists that are too deep, and too many values."""
    if isinstance(binding, dict):
        for name, value in binding.items():
            if isinstance(value, (list, dict)) and not _fits_an_array(value):
                raise PydanticCustomError(
                    "input_type",
                    "The input {name} must be a number, a truth value, a string or a list of them",
                    {"name": repr(name[:MAX_NAME])},
                )
    return binding


def _shape(given: Any) -> str:  # noqa: ANN401 - any JSON, or what was made of it
    """Return which of SHAPES a value has: of a union, only the member of that shape is tried and complains."""
    return LIST if isinstance(given, list) else OBJECT if isinstance(given, (dict, BaseModel)) else TEXT


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
    """A noise model: the short form, rules, a model by name, Qiskit Aer's own; several act one after another."""

    depolarizing: Depolarizing = Depolarizing()
    readout: Readout = Readout()
    model: Annotated[
        StrictStr | None, Field(description="The name of a model of `GET /noise-models`.", examples=["ibmq_lima"])
    ] = None
    rules: Annotated[
        Annotated[list[dict[str, JsonValue]], Field(fail_fast=True), _at_most(MAX_RULES, "rules")] | None,
        Field(
            description=(
                "Each has a `channel` with its parameters, and where it applies: `gates` by name (or `one_qubit`, "
                "`two_qubit`, `measure`, `reset`, `delay`, `idle`), `qubits`, and `when` (`before` or `after`). "
                "`functions/api/README.md` has all channels."
            ),
            examples=[[{"channel": "amplitude_damping", "gamma": 0.01, "gates": ["x", "h"], "qubits": [0]}]],
        ),
    ] = None
    errors: Annotated[
        list[dict[str, JsonValue]] | None,
        Field(description="The list of that name in what Qiskit Aer's `NoiseModel.to_dict(serializable=True)` gives."),
    ] = None
    durations: Annotated[
        dict[str, Number] | None,
        Field(description="Seconds that operations take, by name: what `idle` qubits wait for."),
    ] = None


PauliSum = Annotated[
    Annotated[str, Tag(TEXT)]
    | Annotated[dict[str, Number], Tag(OBJECT)]
    | Annotated[list[tuple[str, Number]], Field(fail_fast=True), Tag(LIST)],
    Discriminator(_shape),
    _at_most(MAX_TERMS, "terms"),
]


class Result(_Strict):
    """One result to compute: its type, and what that takes."""

    type: ResultType
    qubits: Annotated[
        list[Annotated[StrictInt, Field(ge=0)]] | None,
        Field(
            min_length=1,
            description="For probabilities, a density matrix or a statevector: the qubits, by default all.",
        ),
    ] = None
    states: Annotated[
        Annotated[list[Annotated[str, Field(pattern="^[01]+$")]], _at_most(MAX_AMPLITUDES, "states")] | None,
        Field(min_length=1, description="For amplitudes: the basis states, with a bit for every qubit."),
    ] = None
    observable: Annotated[PauliSum | None, Field(description="For an expectation value or samples: the Pauli sum.")] = (
        None
    )
    variance: Annotated[
        StrictBool, Field(description="For an expectation value: also return the variance of the observable.")
    ] = False


def _enough_shots(shots: int, info: ValidationInfo) -> int:
    """Refuse 0 shots where anything is sampled; `results` has been validated before."""
    if not shots:
        results = info.data.get("results", ()) or ("counts",)
        kinds = [each.type if isinstance(each, Result) else each for each in results]
        if sampled := [kind for kind in kinds if kind in SAMPLED]:
            raise PydanticCustomError("too_few_shots", "0 shots give no {result}", {"result": str(sampled[0])})
    return shots


class TaskRequest(_Strict):
    """A circuit and how to run it."""

    # `tasks.options.Options`, which the worker uses too, checks the options.

    model_config = ConfigDict(json_schema_extra={"examples": [{"qc": BELL, "shots": 1024, "seed": 7}]})

    qc: Annotated[StrictStr, Field(description="The circuit: an OpenQASM 3 or 2 program.")]
    results: Annotated[
        Annotated[
            list[
                Annotated[
                    Annotated[ResultType, Tag(TEXT)] | Annotated[Result, Tag(OBJECT)],
                    Discriminator(lambda given: OBJECT if _shape(given) == OBJECT else TEXT),
                ]
            ],
            Field(min_length=1, fail_fast=True),
            _at_most(MAX_RESULTS, "results"),
        ]
        | None,
        Field(
            description=(
                "What to compute, by default counts alone; the task's `results` has an entry for each, in the same "
                "order. All but counts and samples are exact, of the state that the program leaves before its final "
                "measurements. With mid-circuit measurements or resets, or noise on gates, that is a mixture, "
                "which has no statevector and no amplitudes. Readout errors are in it as far as the program acts on "
                "what was read. Qubits are numbered from 0 over all registers in the order of their declaration. As in "
                "Qiskit, the qubit with the lowest number, or the first of `qubits`, is the lowest bit of an index "
                f"and the rightmost letter of a string. All numbers of a task take at most {MAX_ARRAY_BYTES:,} bytes, "
                "8 each: 20 qubits of a statevector, 21 of probabilities, 10 of a density matrix."
            ),
            examples=[["counts", {"type": "probabilities", "qubits": [0, 1]}], ["statevector"]],
        ),
    ] = None
    shots: Annotated[
        StrictInt,
        Field(
            ge=0,
            le=MAX_SHOTS,
            description=(
                "The number of times to run the circuit: at least 1, but 0 (and that by default) where `results` has "
                "nothing that is sampled."
            ),
        ),
        AfterValidator(_enough_shots),
    ] = 1024
    seed: Annotated[
        StrictInt | None,
        Field(ge=0, le=MAX_SEED, description="Makes the counts reproducible; drawn at random if omitted."),
    ] = None
    method: Annotated[Method, Field(description="How the simulator represents the state.")] = Method.AUTOMATIC
    precision: Annotated[Precision, Field(description="`single` halves the memory.")] = Precision.DOUBLE
    memory: Annotated[StrictBool, Field(description="Also return the outcome of each shot.")] = False
    noise: Annotated[NoiseRequest | None, Field(description="Errors to simulate.")] = None
    observables: Annotated[
        Annotated[list[PauliSum], Field(fail_fast=True), _at_most(MAX_OBSERVABLES, "observables")] | None,
        Field(
            description=(
                "Pauli sums, little-endian as in Qiskit. Their expectation values are those of the state before the "
                "final measurements, of which the circuit must have some. A measurement is final if nothing that can "
                "run uses its qubit or its bit afterwards. One counts as not made if a later measurement overwrites "
                "its bit unread and only measurements use its qubit afterwards. All other measurements change the "
                "state, and the value is the mean over their outcomes."
            ),
            examples=[["ZZ", {"XX": 0.5, "ZI": 0.5}]],
        ),
    ] = None
    inputs: Annotated[
        Annotated[
            Annotated[Binding, Tag(OBJECT)]
            | Annotated[list[Binding], Field(fail_fast=True), _at_most(MAX_BINDINGS, "bindings"), Tag(LIST)],
            Discriminator(lambda given: LIST if _shape(given) == LIST else OBJECT),
        ]
        | None,
        Field(
            description=(
                "Values for the program's `input` declarations, by name. A list of them is a sweep: the program runs "
                f"with each of up to {MAX_BINDINGS:,}, and `result`, `memory` and `expectation_values` are lists in "
                "the same order. Binding i has the seed `seed + 100000 i`; alone with that seed it gives the same "
                "counts. "
                f"All bindings together may have {MAX_SWEEP_SHOTS:,} shots."
            ),
            examples=[{"theta": 0.5}, [{"theta": 0.0}, {"theta": 0.5}]],
        ),
    ] = None
    name: Annotated[
        StrictStr | None,
        Field(
            max_length=MAX_TASK_NAME, description="What you call the task; printable characters.", examples=["run 7"]
        ),
        AfterValidator(lambda name: name if name is None else check_name(name)),
    ] = None
    tags: Annotated[
        Annotated[
            list[Annotated[StrictStr, Field(max_length=MAX_TAG)]], Field(fail_fast=True), _at_most(MAX_TAGS, "tags")
        ],
        Field(
            description=(
                f"Up to {MAX_TAGS} words to find tasks and sum up usage by: printable characters without commas, each "
                f"up to {MAX_TAG}, no two alike."
            ),
            examples=[["calibration", "chip 3"]],
        ),
        AfterValidator(check_tags),
    ] = []
    callback_url: Annotated[
        StrictStr | None,
        Field(
            description=(
                "An https URL that is called when the task has ended, with a signature by Standard Webhooks and the "
                "secret of `GET /callback-secret`."
            ),
            examples=["https://example.com/hooks/circuits"],
        ),
    ] = None

    _options: Options = PrivateAttr()

    @model_validator(mode="after")
    def _options_fit(self) -> Self:
        others = {"qc", "name", "tags", "callback_url", "idempotency_key"}  # the last is a field of tasks in a batch
        given = {name: getattr(self, name) for name in self.model_fields_set - others}
        if self.noise is not None:
            given["noise"] = self.noise.model_dump(exclude_unset=True, exclude_none=True)
        if self.results is not None:
            given["results"] = [
                each.model_dump(exclude_unset=True) if isinstance(each, Result) else each for each in self.results
            ]
        self._options = Options.from_dict(given)  # its ValueError explains which fields do not fit together
        return self

    def options(self) -> Options:
        """Return how to run the circuit."""
        return self._options


class TaskInBatch(TaskRequest):
    """One task of a batch."""

    idempotency_key: Annotated[
        StrictStr | None,
        Field(
            pattern=KEY_PATTERN,
            description="Identifies this task, as the header does for a task sent alone. Each task needs its own key.",
        ),
    ] = None


class BatchRequest(_Strict):
    """Circuits to run; the service accepts all of them or none."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"tasks": [{"qc": BELL}, {"qc": BELL, "shots": 10}]}]})

    tasks: Annotated[
        list[TaskInBatch],
        Field(min_length=1, max_length=MAX_TASKS_AT_ONCE),
        _at_most(MAX_TASKS_AT_ONCE, "tasks"),
    ]
