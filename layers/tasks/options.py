"""How a task wants its circuit run: the request's options, checked once and handed from the API to the simulator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from dataclasses import field as data_field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tasks.errors import ErrorCode, TaskError
from tasks.limits import MAX_BINDINGS, MAX_COEFFICIENT, MAX_OBSERVABLES, MAX_SHOTS, MAX_SWEEP_SHOTS, MAX_TERMS
from tasks.observables import PauliSum, is_number, read_sum
from tasks.results import ResultRequest, ResultType, read_results

if TYPE_CHECKING:
    from tasks.noise.rules import Rules

_RULES = frozenset({"model", "errors", "rules", "durations"})  # what the short form of noise has not
MAX_SEED = 2**63 - 1  # Aer takes the seed as a signed 64-bit integer


class Method(StrEnum):
    """How Aer represents the state; names are Aer's own."""

    AUTOMATIC = "automatic"  # the cheapest of the ones below that runs the circuit exactly, see admission.choose_method
    STATEVECTOR = "statevector"
    DENSITY_MATRIX = "density_matrix"
    STABILIZER = "stabilizer"  # Clifford circuits only
    EXTENDED_STABILIZER = "extended_stabilizer"  # withdrawn, see refuse_unrunnable
    MATRIX_PRODUCT_STATE = "matrix_product_state"  # wide circuits with little entanglement


class Precision(StrEnum):
    """The floating-point numbers the amplitudes are kept in."""

    DOUBLE = "double"  # 16 bytes per complex amplitude
    SINGLE = "single"  # 8 bytes per complex amplitude


@dataclass(frozen=True, slots=True)
class Noise:
    """A uniform noise model in probabilities between 0 and 1.

    `one_qubit` and `two_qubit` are the depolarizing parameter p of the channel rho -> (1 - p) rho + p I/2^n that
    follows every gate of that many qubits (p may not exceed 1; gates of three and more qubits are decomposed first).
    `prob_meas1_prep0` and `prob_meas0_prep1` are readout errors under the names Qiskit's backend properties use.
    """

    one_qubit: float = 0.0
    two_qubit: float = 0.0
    prob_meas1_prep0: float = 0.0
    prob_meas0_prep1: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not is_number(value) or not 0 <= value <= 1:
                raise ValueError(f"noise.{field.name} must be a probability between 0 and 1.")
            object.__setattr__(self, field.name, float(value))

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Noise:
        """Read `{"depolarizing": {"one_qubit", "two_qubit"}, "readout": {...}}`, the latter the other two names."""
        known = {"depolarizing": ("one_qubit", "two_qubit"), "readout": ("prob_meas1_prep0", "prob_meas0_prep1")}
        values: dict[str, Any] = {}
        for kind, parameters in given.items():
            if kind not in known:
                raise ValueError(f"noise has no {kind!r}; it takes depolarizing and readout.")
            if not isinstance(parameters, Mapping):
                raise ValueError(f"noise.{kind} must be an object.")  # noqa: TRY004 - one error for every bad option
            for name, value in parameters.items():
                if name not in known[kind]:
                    raise ValueError(f"noise.{kind} has no {name!r}; it takes {' and '.join(known[kind])}.")
                values[name] = value
        return cls(**values)

    def rules(self) -> Rules:
        """Return what a worker applies."""
        from tasks.noise.rule_list import short  # noqa: PLC0415 - the api needs no rules

        given = self.as_dict()
        return short(given.get("depolarizing", {}), given.get("readout", {}))

    def as_dict(self) -> dict[str, dict[str, float]]:
        """Return what `from_dict` reads, without the zeros."""
        kinds = {
            "depolarizing": {"one_qubit": self.one_qubit, "two_qubit": self.two_qubit},
            "readout": {"prob_meas1_prep0": self.prob_meas1_prep0, "prob_meas0_prep1": self.prob_meas0_prep1},
        }
        given = {kind: {name: value for name, value in named.items() if value} for kind, named in kinds.items()}
        return {kind: named for kind, named in given.items() if named}

    @property
    def on_gates(self) -> bool:
        """Whether gates are noisy, so that every shot takes a path of its own."""
        return self.one_qubit > 0 or self.two_qubit > 0

    @property
    def on_readout(self) -> bool:
        """Whether measurements are noisy."""
        return self.prob_meas1_prep0 > 0 or self.prob_meas0_prep1 > 0


@dataclass(frozen=True, slots=True)
class NoiseModel:
    """Noise by rules, as a request gives it and `tasks.noise.reading` checks it; `given` is its JSON."""

    given: Mapping[str, Any]
    read: Rules = data_field(compare=False, repr=False)

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> NoiseModel:
        """Check a request's noise; raises ValueError."""
        from tasks.noise.reading import read  # noqa: PLC0415 - most requests have no noise

        Noise.from_dict({name: given[name] for name in ("depolarizing", "readout") if name in given})
        return cls(given, read(given))

    def rules(self) -> Rules:
        """Return what a worker applies."""
        return self.read

    def as_dict(self) -> dict[str, Any]:
        """Return what `from_dict` reads."""
        return dict(self.given)

    @property
    def on_gates(self) -> bool:
        """Whether anything but measurements is noisy."""
        return self.read.on_gates

    @property
    def on_readout(self) -> bool:
        """Whether measurements are noisy."""
        return self.read.on_readout


@dataclass(frozen=True, slots=True)
class Options:
    """What a request says about the run; every field has the API's default, and a bad one raises ValueError.

    `noise` may be given as its dictionary. `observables` is a list of Pauli sums, each a Pauli string, a mapping
    `{"XX": 1.0}` or a list of `[pauli, coefficient]`; strings are little-endian as in Qiskit (the rightmost letter acts
    on qubit 0) and cover every qubit. `inputs` are values for the program's `input` declarations, or a sweep:
    a sequence of such bindings, each of which the program runs with; the reader checks them. `results` are what to
    compute, by default counts alone; without any that takes shots, `from_dict` has 0 of them by default.
    """

    shots: int = 1024
    seed: int | None = None
    method: str = Method.AUTOMATIC.value
    precision: str = Precision.DOUBLE.value
    memory: bool = False
    noise: Noise | NoiseModel | None = None
    observables: tuple[PauliSum, ...] | None = None
    inputs: Mapping[str, Any] | tuple[Mapping[str, Any], ...] | None = None
    results: tuple[ResultRequest, ...] | None = None

    def __post_init__(self) -> None:
        if self.results is not None:
            object.__setattr__(self, "results", read_results(self.results))
            self._check_results()
        elif not _is_integer(self.shots) or not 1 <= self.shots <= MAX_SHOTS:
            raise ValueError(f"shots must be an integer between 1 and {MAX_SHOTS}.")
        if self.seed is not None and (not _is_integer(self.seed) or not 0 <= self.seed <= MAX_SEED):
            raise ValueError(f"seed must be an integer between 0 and {MAX_SEED}.")
        if self.method not in set(Method):
            raise ValueError(f"method must be one of {', '.join(Method)}.")
        if self.precision not in set(Precision):
            raise ValueError(f"precision must be one of {', '.join(Precision)}.")
        if not isinstance(self.memory, bool):
            raise ValueError("memory must be true or false.")  # noqa: TRY004 - one error for every bad option
        object.__setattr__(self, "method", str(self.method))
        object.__setattr__(self, "precision", str(self.precision))
        object.__setattr__(self, "noise", _read_noise(self.noise))
        object.__setattr__(self, "observables", _read_observables(self.observables))
        object.__setattr__(self, "inputs", _read_inputs(self.inputs))
        if self.is_sweep and self.shots * len(self.bindings) > MAX_SWEEP_SHOTS:
            raise ValueError(f"shots times the number of bindings in inputs may be at most {MAX_SWEEP_SHOTS}.")

    def _check_results(self) -> None:
        """Check what depends on the results."""
        if not _is_integer(self.shots) or not 0 <= self.shots <= MAX_SHOTS:
            raise ValueError(f"shots must be an integer between 0 and {MAX_SHOTS}.")
        names = [request.type for request in self.results or () if request.sampled]
        if names and not self.shots:
            raise ValueError(f"shots is 0, but results has {names[0]}: give it shots, or leave it out of results.")
        if self.shots and not names:
            raise ValueError("results has nothing that takes shots: add counts, or leave shots out.")
        if self.memory and not self.counted:
            raise ValueError("memory is the outcome of each shot: add counts to results, or leave memory out.")
        if self.observables is not None:
            raise ValueError("observables cannot be combined with results: write each as a result of type expectation.")

    @property
    def counted(self) -> bool:
        """Whether the outcome has counts, so that the program must measure something."""
        if self.results is None:
            return not self.observables
        return any(request.type == "counts" for request in self.results)

    @property
    def is_sweep(self) -> bool:
        """Whether `inputs` is a list, so that the outcome has a list of counts, one for each binding."""
        return isinstance(self.inputs, tuple)

    @property
    def bindings(self) -> tuple[Mapping[str, Any], ...]:
        """The inputs of each run: one, except in a sweep."""
        return self.inputs if isinstance(self.inputs, tuple) else (self.inputs or {},)

    def of_binding(self, index: int, seed: int) -> Options:
        """Return the options with which binding number `index` alone gives what it gives in a task with that seed."""
        return replace(self, inputs=self.bindings[index], seed=seed_of_binding(index, seed))

    def of_program(self, results: tuple[ResultRequest, ...], *, measured: bool) -> Options:
        """Return the options for a program that asks for results itself; `measured` is whether it can be counted.

        The request's own results or observables come first. Raises TaskError (`nothing_measured`, `invalid_inputs`).
        """
        if not results:
            return self
        if self.results is not None or self.observables is not None:
            if self.counted and not measured:
                raise TaskError(
                    ErrorCode.NOTHING_MEASURED,
                    "The request asks for counts, and the program measures nothing.",
                    hint="Leave results out of the request: the program's own are computed then.",
                )
            return self
        if measured:
            results = (*results, ResultRequest(ResultType.COUNTS))
        sampled = any(request.sampled for request in results)
        try:
            return replace(self, results=results, shots=self.shots if sampled else 0)
        except ValueError as error:
            raise TaskError(ErrorCode.INVALID_INPUTS, f"The program asks for results. {error}") from None

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Options:
        """Read the request's names; an unknown one raises ValueError."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(given) - known)
        if unknown:
            raise ValueError(f"There is no option {unknown[0]!r}.")
        if given.get("results") is not None and "shots" not in given:
            results = read_results(given["results"]) or ()
            given = {**given, "results": results}
            if not any(request.sampled for request in results):
                given["shots"] = 0
        return cls(**given)

    def as_dict(self) -> dict[str, Any]:
        """Return the options that differ from their defaults, ready for JSON and for `from_dict`."""
        given: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value == field.default:
                continue
            if isinstance(value, (Noise, NoiseModel)):
                value = value.as_dict()
            elif field.name == "observables":
                value = [[[pauli, coefficient] for pauli, coefficient in terms] for terms in value]
            elif field.name == "results":
                value = [request.as_dict() for request in value]
            elif field.name == "inputs":
                value = [dict(binding) for binding in self.bindings] if self.is_sweep else dict(value)
            given[field.name] = value
        return given


def refuse_unrunnable(options: Options) -> None:
    """Raise the TaskError of a withdrawn method (`unsupported_feature`) or too large a coefficient (`invalid_inputs`).

    Here and not in Options, for tasks that were stored before must still be read. Aer 0.18.2 samples
    extended_stabilizer wrongly: `h q[0]; t q[0]; h q[0]; cx q[0], q[1];` gives 49 to 51, not 85 to 15, 80 to 20 with
    its sampling by norm estimation, at 0.1 s a shot.
    """
    if options.method == Method.EXTENDED_STABILIZER:
        raise TaskError(
            ErrorCode.UNSUPPORTED_FEATURE,
            "The extended_stabilizer method is withdrawn: its counts were not those of the circuit.",
            hint='Use "method": "automatic", or "matrix_product_state" for wide circuits that are not Clifford.',
        )
    sums = (options.observables or ()) + tuple(request.observable or () for request in options.results or ())
    largest = max((abs(factor) for terms in sums for _, factor in terms), default=0.0)
    if largest > MAX_COEFFICIENT:
        raise TaskError(
            ErrorCode.INVALID_INPUTS,
            f"An observable has a coefficient of {largest:g}; the largest magnitude allowed is {MAX_COEFFICIENT:g}.",
            limit=MAX_COEFFICIENT,
            actual=largest,
            hint="Scale the observable down, and its value up again.",
        )


def seed_of_binding(index: int, seed: int) -> int:
    """Return a binding's own seed in a task with that seed: `seed + 100,000 index`, modulo 2^63.

    Where every shot runs separately, Aer gives shot j the seed `seed + j`: bindings whose seeds were nearer to each
    other than that would share most of their shots.
    """
    return (seed + MAX_SHOTS * index) % (MAX_SEED + 1)


def _read_noise(given: object) -> Noise | NoiseModel | None:
    """Return the noise, None where there is none or all of it is zero."""
    if isinstance(given, Mapping):
        given = NoiseModel.from_dict(given) if given.keys() & _RULES else Noise.from_dict(given)
    if given is not None and not isinstance(given, (Noise, NoiseModel)):
        raise ValueError("noise must be an object.")
    return None if given is None or given == Noise() else given


def _read_inputs(given: object) -> Mapping[str, Any] | tuple[Mapping[str, Any], ...] | None:
    if given is None or isinstance(given, Mapping):
        return given
    if not isinstance(given, (list, tuple)) or not all(isinstance(binding, Mapping) for binding in given):
        raise ValueError("inputs must be an object of names and values, or a list of such objects.")
    if not 1 <= len(given) <= MAX_BINDINGS:
        raise ValueError(f"inputs may be a list of 1 to {MAX_BINDINGS} bindings.")
    return tuple(given)


def _read_observables(given: object) -> tuple[PauliSum, ...] | None:
    if given is None:
        return None
    if isinstance(given, (str, Mapping)) or not isinstance(given, Iterable):
        raise ValueError("observables must be a list of Pauli sums.")  # noqa: TRY004 - one error for every bad option
    sums = tuple(read_sum(each) for each in given)
    if len(sums) > MAX_OBSERVABLES:
        raise ValueError(f"observables may hold at most {MAX_OBSERVABLES} Pauli sums.")
    if sum(len(terms) for terms in sums) > MAX_TERMS:
        raise ValueError(f"observables may hold at most {MAX_TERMS} Pauli terms altogether.")
    return sums or None


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
