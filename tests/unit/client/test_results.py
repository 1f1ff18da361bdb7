"""Results beside counts as the client reads them."""

from __future__ import annotations

import sys

import pytest

from quantum_circuits import ConfigurationError, Result, Task

ENTRIES = [
    {"type": "counts"},
    {"type": "probabilities", "qubits": [0], "values": [0.25, 0.75]},
    {"type": "density_matrix", "qubits": [0], "real": [[0.5, 0.0], [0.0, 0.5]], "imag": [[0.0, -0.5], [0.5, 0.0]]},
    {"type": "expectation", "value": -1.0, "standard_error": 0.0, "variance": 0.5},
]
BODY = {"task_id": "id", "status": "completed", "submitted_at": "", "shots": 0}


def test_numbers_are_arrays_and_values() -> None:
    """Of each type its own; what a type has not is an error that names the type."""
    counts, probabilities, density, value = Task.from_body({**BODY, "result": {}, "results": ENTRIES}).results
    assert probabilities.array.tolist() == [0.25, 0.75]
    assert density.array.tolist() == [[0.5, -0.5j], [0.5j, 0.5]]
    signed = Result("statevector", {"real": [-0.0, 0.0], "imag": [1.0, -0.0]}).array
    assert [str(part) for part in (*signed.real, *signed.imag)] == ["-0.0", "0.0", "1.0", "-0.0"]
    assert (value.value, value.variance, counts.variance) == (-1.0, 0.5, None)
    with pytest.raises(ValueError, match="A result of type counts has no array"):
        _ = counts.array
    with pytest.raises(ValueError, match="A result of type probabilities is not an expectation value"):
        _ = probabilities.value


def test_arrays_without_numpy_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy is not among the client's requirements: an array without it is an error that says so."""
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(ConfigurationError, match="pip install numpy"):
        _ = Result("probabilities", {"values": [1.0]}).array


def test_a_sweep_has_them_by_binding() -> None:
    """A list for each binding; a task without results says that it was not asked for any."""
    swept = Task.from_body({**BODY, "result": [{}, {}], "results": [ENTRIES, ENTRIES[:1]]})
    assert [[each.type for each in entries] for entries in swept.results_by_binding] == [
        ["counts", "probabilities", "density_matrix", "expectation"],
        ["counts"],
    ]
    with pytest.raises(ValueError, match="is a sweep"):
        _ = swept.results
    with pytest.raises(ValueError, match="was not asked for it"):
        _ = Task.from_body({**BODY, "result": {}}).results
    assert Result("counts", {"type": "counts"}).type == "counts"
