"""The results that a request names: what is accepted, what is refused, and what they take before they are computed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tasks.errors import ErrorCode, TaskError
from tasks.limits import MAX_ARRAY_BYTES
from tasks.options import Options
from tasks.results import check_results, read_results

EVERY: list[Any] = [
    "counts",
    {"type": "probabilities"},
    {"type": "probabilities", "qubits": [2, 0]},
    "statevector",
    {"type": "amplitudes", "states": ["01", "11"]},
    {"type": "density_matrix", "qubits": [1]},
    {"type": "expectation", "observable": {"XX": 0.5, "ZI": 1}, "variance": True},
    {"type": "samples", "observable": "ZZ"},
]


def test_results_survive_json() -> None:
    """What as_dict writes, from_dict reads back the same, through JSON; names alone mean a type with its defaults."""
    options = Options.from_dict({"results": EVERY, "shots": 10})
    assert options == Options.from_dict(json.loads(json.dumps(options.as_dict())))
    assert Options.from_dict({"results": [{"type": "counts"}]}).results == read_results(["counts"])


def test_what_is_not_sampled_takes_no_shots() -> None:
    """Exact results alone have 0 shots by default, also after a stored task is read again; else 1,024."""
    exact = Options.from_dict({"results": ["statevector"]})
    assert (exact.shots, exact.counted) == (0, False)
    assert Options.from_dict(exact.as_dict()) == exact
    assert Options.from_dict({"results": ["statevector", "counts"]}).shots == 1024
    assert Options.from_dict({}).counted


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"results": []}, "results may be a list of 1 to 100 results."),
        ({"results": "counts"}, "results must be a list."),
        ({"results": ["counts"] * 2}, "results names counts more than once."),
        ({"results": ["state"]}, "A result is one of counts, probabilities, statevector,"),
        ({"results": [{"type": ["counts"]}]}, "A result is one of"),
        ({"results": [{"type": "counts", "qubits": [0]}]}, "A result of type counts takes no 'qubits'."),
        ({"results": ["amplitudes"]}, "A result of type amplitudes needs 'states'."),
        ({"results": ["samples"]}, "A result of type samples needs 'observable'."),
        (
            {"results": [{"type": "samples", "observable": {"XIXXXXXX": 1, "ZIZZZZZZ": 1}}]},
            "or I, on each qubit, or letters that differ on at most 6 qubits.",
        ),
        ({"results": [{"type": "probabilities", "qubits": [0, 0]}]}, "qubits must be a list of different numbers"),
        ({"results": [{"type": "probabilities", "qubits": [-1]}]}, "qubits must be a list of different numbers"),
        ({"results": [{"type": "probabilities", "qubits": []}]}, "qubits must be a list of different numbers"),
        ({"results": [{"type": "amplitudes", "states": ["0x"]}]}, "states are bit strings."),
        ({"results": [{"type": "amplitudes", "states": ["0"] * 4097}]}, "states must be a list of 1 to 4096"),
        ({"results": [{"type": "expectation", "observable": "Q"}]}, "A Pauli string is made of the letters"),
        ({"results": ["counts"], "shots": 0}, "shots is 0, but results has counts"),
        ({"results": ["statevector"], "shots": 5}, "results has nothing that takes shots"),
        ({"results": ["statevector"], "memory": True}, "memory is the outcome of each shot"),
        ({"results": ["counts"], "observables": ["Z"]}, "observables cannot be combined with results"),
        ({"shots": 0}, "shots must be an integer between 1 and 100000."),
    ],
)
def test_bad_results_are_refused(given: dict[str, Any], message: str) -> None:
    """Each with a sentence that names what is wrong."""
    with pytest.raises(ValueError, match=message):
        Options.from_dict(given)


@pytest.mark.parametrize(
    ("results", "widths", "size"),
    [
        (["statevector"], [20], 2**24),
        (["probabilities"], [21], 2**24),
        (["density_matrix"], [10], 2**24),
        ([{"type": "density_matrix", "qubits": [5, 900]}], [1000], 256),
        ([{"type": "statevector", "qubits": [5, 900]}], [1000], 64),
        ([{"type": "samples", "observable": "Z"}], [1], 8_000),
        (["probabilities", "statevector"], [3, 4, 5], 24 * (8 + 16 + 32)),
    ],
)
def test_bytes_are_known_before_anything_runs(results: list[Any], widths: list[int], size: int) -> None:
    """8 bytes a number, of all bindings together."""
    requests = read_results(results) or ()
    assert check_results(requests, widths, 1_000) == size


@pytest.mark.parametrize(
    ("results", "width", "code", "actual"),
    [
        (["statevector"], 30, ErrorCode.CIRCUIT_TOO_LARGE, 2**34),
        (["probabilities", "probabilities"], 21, ErrorCode.CIRCUIT_TOO_LARGE, 2**25),
        (["density_matrix"], 1024, ErrorCode.CIRCUIT_TOO_LARGE, 2**53),
        ([{"type": "probabilities", "qubits": [3]}], 3, ErrorCode.INVALID_INPUTS, 3),
        ([{"type": "amplitudes", "states": ["01"]}], 3, ErrorCode.INVALID_INPUTS, 2),
        ([{"type": "expectation", "observable": "ZZ"}], 3, ErrorCode.INVALID_INPUTS, 2),
    ],
)
def test_what_does_not_fit_a_program_is_refused(results: list[Any], width: int, code: ErrorCode, actual: int) -> None:
    """By the number of its qubits, with limit and actual value."""
    with pytest.raises(TaskError) as caught:
        check_results(read_results(results) or (), [width], 0)
    error = caught.value
    assert (error.code, error.actual) == (code, actual)
    assert error.limit == (MAX_ARRAY_BYTES if code is ErrorCode.CIRCUIT_TOO_LARGE else width)
    assert error.message.startswith(f"Result {len(results) - 1} (")
