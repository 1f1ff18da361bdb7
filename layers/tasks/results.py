"""The results that a task asks for beside counts or instead of them: read once, and measured before they are computed.

Qubits are numbered over all quantum registers in the order of their declaration. As in Qiskit, the qubit with the
lowest number, or the first of `qubits`, is the least significant bit of an index and the rightmost of a bit string.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from tasks.errors import ErrorCode, TaskError
from tasks.limits import MAX_AMPLITUDES, MAX_ARRAY_BYTES, MAX_MIXED_QUBITS, MAX_RESULTS, MAX_TERMS, MAX_VARIANCE_TERMS
from tasks.observables import PauliSum, mixed_qubits, read_sum

_FLOAT, _COMPLEX = 8, 16  # bytes of a number
_MOST = 2**53  # bytes that a message states: JSON has larger integers only by chance


class ResultType(StrEnum):
    """What a result is; all but counts and samples are exact."""

    COUNTS = "counts"  # how often each outcome was measured
    PROBABILITIES = "probabilities"  # of each basis state of some qubits
    STATEVECTOR = "statevector"  # all amplitudes of a pure state
    AMPLITUDES = "amplitudes"  # some amplitudes of a pure state
    DENSITY_MATRIX = "density_matrix"  # of some qubits, the others traced out
    EXPECTATION = "expectation"  # of an observable, with its variance on request
    SAMPLES = "samples"  # what each shot measures of an observable


# The fields that a type takes beside its name; those that it needs.
_TAKES = {
    ResultType.PROBABILITIES: {"qubits"},
    ResultType.STATEVECTOR: {"qubits"},
    ResultType.AMPLITUDES: {"states"},
    ResultType.DENSITY_MATRIX: {"qubits"},
    ResultType.EXPECTATION: {"observable", "variance"},
    ResultType.SAMPLES: {"observable"},
}
_NEEDS = {
    ResultType.AMPLITUDES: "states",
    ResultType.EXPECTATION: "observable",
    ResultType.SAMPLES: "observable",
}
SAMPLED = frozenset({ResultType.COUNTS, ResultType.SAMPLES})
OF_A_PURE_STATE = frozenset({ResultType.STATEVECTOR, ResultType.AMPLITUDES})


@dataclass(frozen=True, slots=True)
class ResultRequest:
    """One result to compute. `qubits` is None for all of them; `states` are bit strings over all qubits.

    A statevector of some qubits has the amplitudes of the states in which all others are 0.
    """

    type: ResultType
    qubits: tuple[int, ...] | None = None
    states: tuple[str, ...] | None = None
    observable: PauliSum | None = None
    variance: bool = False

    @classmethod
    def read(cls, given: object) -> ResultRequest:
        """Read a type's name, or an object with `type` and what that takes; raises ValueError."""
        if isinstance(given, cls):
            return given
        if isinstance(given, str):
            given = {"type": given}
        kind = given.get("type") if isinstance(given, Mapping) else None
        if not isinstance(given, Mapping) or not isinstance(kind, str) or kind not in set(ResultType):
            raise ValueError(f"A result is one of {', '.join(ResultType)}, or an object with one of them as its type.")
        kind = ResultType(kind)
        present = {name: value for name, value in given.items() if name != "type" and value is not None}
        if foreign := sorted(present.keys() - _TAKES.get(kind, set())):
            raise ValueError(f"A result of type {kind} takes no {foreign[0]!r}.")
        if kind in _NEEDS and _NEEDS[kind] not in present:
            raise ValueError(f"A result of type {kind} needs {_NEEDS[kind]!r}.")
        present = {name: _READ[name](value) for name, value in present.items()}
        request = cls(kind, **present)
        if request.variance and len(request.observable or ()) > MAX_VARIANCE_TERMS:
            raise ValueError(f"The variance of an observable may have at most {MAX_VARIANCE_TERMS} Pauli terms.")
        if request.type is ResultType.SAMPLES and len(mixed_qubits(request.observable or ())) > MAX_MIXED_QUBITS:
            raise ValueError(
                "Samples need an observable whose terms have the same letter, or I, on each qubit, or letters that"
                f" differ on at most {MAX_MIXED_QUBITS} qubits."
            )
        return request

    def as_dict(self) -> dict[str, Any]:
        """Return what `read` reads, without defaults."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in given.items() if value not in (None, False)}

    @property
    def sampled(self) -> bool:
        """Whether it takes shots."""
        return self.type in SAMPLED

    def array_bytes(self, num_qubits: int, shots: int) -> int:
        """Return the bytes of its numbers for a program of that many qubits; _MOST for anything larger."""
        width = num_qubits if self.qubits is None else len(self.qubits)
        powers = {
            ResultType.PROBABILITIES: (_FLOAT, width),
            ResultType.STATEVECTOR: (_COMPLEX, width),
            ResultType.DENSITY_MATRIX: (_COMPLEX, 2 * width),
        }
        if self.type in powers:
            size, power = powers[self.type]
            return min(size << min(power, 64), _MOST)
        lists = {
            ResultType.AMPLITUDES: _COMPLEX * len(self.states or ()),
            ResultType.EXPECTATION: 2 * _FLOAT,
            ResultType.SAMPLES: _FLOAT * shots,
        }
        return lists.get(self.type, 0)

    def check(self, index: int, num_qubits: int) -> None:
        """Raise TaskError (`invalid_inputs`) where it does not fit a program of that many qubits."""
        where = f"Result {index} ({self.type})"
        beyond = [qubit for qubit in self.qubits or () if qubit >= num_qubits]
        if beyond:
            raise TaskError(
                ErrorCode.INVALID_INPUTS,
                f"{where} names qubit {beyond[0]}; the circuit has {num_qubits} qubits.",
                limit=num_qubits,
                actual=beyond[0],
                hint="Qubits are numbered from 0 over all registers, in the order of their declaration.",
            )
        for state in self.states or ():
            if len(state) != num_qubits:
                raise TaskError(
                    ErrorCode.INVALID_INPUTS,
                    f"{where} names a state of {len(state)} bits; the circuit has {num_qubits} qubits.",
                    limit=num_qubits,
                    actual=len(state),
                    hint="Write one bit for every qubit, qubit 0 rightmost.",
                )
        if self.observable and len(self.observable[0][0]) != num_qubits:
            raise TaskError(
                ErrorCode.INVALID_INPUTS,
                f"{where} has an observable on {len(self.observable[0][0])} qubits; the circuit has {num_qubits}.",
                limit=num_qubits,
                actual=len(self.observable[0][0]),
                hint="Write one letter for every qubit, I where the observable does nothing, qubit 0 rightmost.",
            )


def read_results(given: object) -> tuple[ResultRequest, ...] | None:
    """Read the list of a request; raises ValueError."""
    if given is None:
        return None
    if isinstance(given, (str, Mapping)) or not isinstance(given, Sequence):
        raise ValueError("results must be a list.")  # noqa: TRY004 - one error for every bad option
    if not 1 <= len(given) <= MAX_RESULTS:
        raise ValueError(f"results may be a list of 1 to {MAX_RESULTS} results.")
    requests = tuple(ResultRequest.read(each) for each in given)
    if sum(each.type is ResultType.COUNTS for each in requests) > 1:
        raise ValueError("results names counts more than once.")
    if sum(len(each.observable or ()) for each in requests) > MAX_TERMS:
        raise ValueError(f"results may hold at most {MAX_TERMS} Pauli terms altogether.")
    return requests


def check_results(requests: Sequence[ResultRequest], num_qubits: Sequence[int], shots: int, total: int = 0) -> int:
    """Return the bytes of all arrays for programs of that many qubits, the bindings of a sweep; raises TaskError.

    `total` are those of other bindings.

    `invalid_inputs` where a result does not fit a program, `circuit_too_large` where all take over MAX_ARRAY_BYTES.
    """
    for width in num_qubits:
        for index, request in enumerate(requests):
            request.check(index, width)
            size = request.array_bytes(width, shots)
            total += size
            if total > MAX_ARRAY_BYTES:
                raise TaskError(
                    ErrorCode.CIRCUIT_TOO_LARGE,
                    f"Result {index} ({request.type}) takes {'over ' if size == _MOST else ''}{size:,} bytes; "
                    f"the limit is {MAX_ARRAY_BYTES:,} bytes for all results of a task together.",
                    limit=MAX_ARRAY_BYTES,
                    actual=total,
                    hint="Name the qubits or amplitudes that you need, or ask for counts.",
                )
    return total


def _qubits(given: object) -> tuple[int, ...]:
    qubits = tuple(given) if isinstance(given, (list, tuple)) else ()
    if not qubits or not all(type(each) is int and each >= 0 for each in qubits) or len(set(qubits)) < len(qubits):
        raise ValueError("qubits must be a list of different numbers from 0, at least one.")
    return qubits


def _states(given: object) -> tuple[str, ...]:
    states = tuple(given) if isinstance(given, (list, tuple)) else ()
    if not all(isinstance(each, str) and each and not set(each) - {"0", "1"} for each in states):
        raise ValueError("states are bit strings.")
    if not 1 <= len(states) <= MAX_AMPLITUDES:
        raise ValueError(f"states must be a list of 1 to {MAX_AMPLITUDES} bit strings.")
    return states


def _variance(given: object) -> bool:
    if not isinstance(given, bool):
        raise ValueError("variance must be true or false.")  # noqa: TRY004 - one error for every bad option
    return given


_READ: dict[str, Callable[[object], Any]] = {
    "qubits": _qubits,
    "states": _states,
    "observable": read_sum,
    "variance": _variance,
}
