"""Single results: as JSON and as NumPy's files, small and too large for an answer, with their ways to the bucket."""

from __future__ import annotations

import io
import json
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import requests
from test_api import call, submit
from test_results import ended

if TYPE_CHECKING:
    from children import Children
    from simulated_aws import Aws

NPY = {"Accept": "application/x-npy"}
TURNED = "qubit[3] q; bit c; U(0.3, 1.1, -0.7) q; ctrl @ U(0.9, 0.2, 0.4) q[0], q[2]; gphase(1.3); c = measure q[1];"
ARRAYS: list[Any] = [
    "statevector",
    {"type": "probabilities", "qubits": [2, 0]},
    "density_matrix",
    {"type": "amplitudes", "states": ["101", "000"]},
    {"type": "samples", "observable": {"ZZI": 0.1, "III": -0.7}},
]
SHAPES = [(8,), (4,), (8, 8), (2,), (50,)]


def read(task_id: str, index: int, accept: str, **query: str) -> tuple[int, dict[str, str], Any]:
    """Ask for one result."""
    return call("GET", f"/tasks/{task_id}/results/{index}", headers={"Accept": accept}, query=query)


def file_of(answer: tuple[int, dict[str, str], Any], kind: str = "application/x-npy") -> bytes:
    """Return the file that an answer leads to, read without a key."""
    status, headers, body = answer
    assert (status, headers["cache-control"], headers["vary"], body) == (303, "no-store", "Accept", "")
    found = requests.get(headers["location"], timeout=10)  # moto answers what requests asks
    assert (found.status_code, found.headers["content-type"]) == (200, kind)
    return found.content


def array_of(answer: tuple[int, dict[str, str], Any]) -> Any:
    """Return the array of the file that an answer leads to."""
    return np.load(io.BytesIO(file_of(answer)), allow_pickle=False)


def numbers(entry: dict[str, Any]) -> Any:
    """Return the numbers of an entry as NumPy has them."""
    if "values" in entry:
        return np.array(entry["values"], float)
    found = np.array(entry["real"], complex)
    found.imag = entry["imag"]
    return found


def same(found: Any, expected: Any) -> bool:
    """Return whether two arrays are of one type and shape, and alike to the last bit."""
    return (found.dtype, found.shape, found.tobytes()) == (expected.dtype, expected.shape, expected.tobytes())


def completed(in_moto: Aws, outcome: dict[str, Any]) -> str:
    """Submit a task and complete it with an outcome; return its id."""
    task_id = submit()
    in_moto.store.complete(in_moto.claimed(task_id), outcome)
    return task_id


def test_every_array_is_a_file_of_numpys(in_moto: Aws, child: Children) -> None:
    """Of each type that has one, exact to the last bit, beside the same numbers as JSON."""
    task = ended(in_moto, child, {"qc": TURNED, "results": ARRAYS, "shots": 50, "seed": 3})
    for index, (entry, shape) in enumerate(zip(task["results"], SHAPES, strict=True)):
        array = array_of(read(task["task_id"], index, "application/x-npy"))
        assert array.shape == shape
        assert same(array, numbers(entry))
        status, headers, found = read(task["task_id"], index, "*/*")
        assert (status, headers["vary"], found) == (200, "Accept", entry)


def test_a_file_of_a_sweep_is_of_one_binding(in_moto: Aws, child: Children) -> None:
    """By `binding`, the first by default."""
    qc = "input float a; qubit q; rx(a) q;"
    body = {"qc": qc, "inputs": [{"a": 0.1}, {"a": 0.2}], "results": ["probabilities", "statevector"]}
    task = ended(in_moto, child, body)
    for binding in (0, 1):
        query = {"binding": str(binding)} if binding else {}
        array = array_of(read(task["task_id"], 1, "application/x-npy", **query))
        assert same(array, numbers(task["results"][binding][1]))
    assert read(task["task_id"], 0, "*/*", binding="2")[0] == 404


def test_results_too_large_for_an_answer_are_read_back_exactly(in_moto: Aws) -> None:
    """All of a task's at its `result_url`, one as JSON and one as NumPy's file, each to the last bit."""
    chance = random.Random(7)
    values = [chance.gauss(0, 1e-3) for _ in range(2**19)]
    entry = {"type": "statevector", "real": values[: 2**18], "imag": values[2**18 :]}
    outcome = {"result": {}, "results": [entry], "execution": {}}
    assert len(json.dumps(outcome)) > 10_000_000
    task_id = completed(in_moto, outcome)
    status, _, task = call("GET", f"/tasks/{task_id}")
    assert (status, set(task) & {"result", "results", "result_url"}) == (200, {"result_url"})
    assert requests.get(task["result_url"], timeout=10).json() == outcome
    assert json.loads(file_of(read(task_id, 0, "application/json"), "application/json")) == entry
    assert same(array_of(read(task_id, 0, "application/x-npy")), numbers(entry))


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/x-npy", 303),
        ("Application/X-NPY; q=0.5", 303),
        ("application/json, application/x-npy", 303),
        ("application/x-npy;q=0.001", 303),
        ("text/html, */*;q=0.8, application/x-npy;q=0.9", 303),
        ("application/json, application/x-npy;q=0.9", 200),
        ("application/x-npy;q=0", 200),
        ("*/*", 200),
        ("", 200),
        ("text/html", 200),
        (",;,q=", 200),
    ],
)
def test_accept_chooses(in_moto: Aws, accept: str, status: int) -> None:
    """A file is for those who name its type and like JSON no better."""
    task_id = completed(in_moto, {"results": [{"type": "probabilities", "qubits": [0], "values": [0.5, 0.5]}]})
    assert read(task_id, 0, accept)[0] == status


def test_what_has_no_array_is_json_or_refused(in_moto: Aws) -> None:
    """406 only where JSON is not taken either."""
    task_id = completed(in_moto, {"results": [{"type": "expectation", "value": 1.0, "standard_error": 0.0}]})
    assert read(task_id, 0, "application/x-npy, application/json;q=0.1")[2]["value"] == 1.0
    status, _, answer = read(task_id, 0, "application/x-npy")
    assert (status, answer["code"], answer["message"]) == (
        406, "not_acceptable", "A result of type expectation has no array."
    )  # fmt: skip


def test_what_is_not_there_is_not_found(in_moto: Aws) -> None:
    """A task of another key, one that has not ended, one without results, an entry too far."""
    task_id = completed(in_moto, {"result": {"0": 1}})
    pending = submit()
    assert [read(each, 0, "*/*")[2]["code"] for each in (task_id, pending)] == ["result_not_found"] * 2
    other = call("GET", f"/tasks/{task_id}/results/0", api_key_id="bob")
    assert (other[0], other[2]["code"]) == (404, "task_not_found")
    assert call("GET", "/tasks/none/results/0")[2]["code"] == "task_not_found"
    assert read(task_id, -1, "*/*")[0] == 422


def test_a_purge_removes_the_files(in_moto: Aws) -> None:
    """Those of the purged task alone; its address answers 410 then."""
    entry = {"type": "probabilities", "qubits": [0], "values": [0.5, 0.5]}
    task_id, other = (completed(in_moto, {"results": [entry]}) for _ in range(2))
    for each in (task_id, other):
        assert read(each, 0, "application/x-npy")[0] == 303
    assert sorted(in_moto.objects()) == sorted(f"files/{each}-0-0.npy" for each in (task_id, other))
    assert call("DELETE", f"/tasks/{task_id}", query={"purge": "true"})[0] == 200
    assert in_moto.objects() == [f"files/{other}-0-0.npy"]
    assert read(task_id, 0, "application/x-npy")[0] == 410
