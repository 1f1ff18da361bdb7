"""Pictures of circuits through the api's handler: what POST /circuit checks and draws, and a task's SVG file."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from test_api import call, submit

from simulated_aws import BELL

if TYPE_CHECKING:
    from simulated_aws import Aws


def test_a_program_is_drawn_without_being_stored(in_moto: Aws) -> None:
    """A Bell pair: two wires, an H, a CX and two measurements; no row and no message."""
    status, _, answer = call("POST", "/circuit", {"qc": BELL})
    assert (status, answer["num_qubits"], answer["operations"]) == (200, 2, 4)
    shapes = answer["drawing"]["shapes"]
    assert [shape[-1] for shape in shapes if shape[1] == "name"] == ["q[0]", "q[1]", "c"]
    assert [shape[-1] for shape in shapes if shape[:2] == ["text", "label"]] == ["H"]
    assert [shape[1] for shape in shapes if shape[0] == "dot"] == ["target", "control"]
    assert len([shape for shape in shapes if shape[1] == "meter"]) == 2
    assert in_moto.rows() == []
    assert in_moto.queue.size() == 0


@pytest.mark.parametrize(
    "body",
    [
        {"qc": "qubit[2] q;\nhh q[0];\nmeasure q;"},
        {"qc": "input float a; qubit q; rx(a) q; measure q;"},
        {"qc": BELL, "shots": 0},
        {"qc": BELL, "nonsense": 1},
        {"qc": "qubit q; h q;"},
        {"qc": BELL, "observables": ["ZZZ"] * 2000},
    ],
)
def test_what_is_refused_is_refused_in_the_same_words(in_moto: Aws, body: dict[str, object]) -> None:
    """The check is the one that POST /tasks does: status, code, place, hint and excerpt are equal."""
    answers = [call("POST", path, body) for path in ("/circuit", "/tasks")]
    assert answers[0][0] == answers[1][0] != 200
    for _, _, answer in answers:
        del answer["correlation_id"]
    assert answers[0][2] == answers[1][2]


def test_the_first_of_a_sweep_is_drawn(in_moto: Aws) -> None:
    """With its values, and a gate of the program's own opened by its name."""
    qc = "input float a; gate g(x) q { rx(x) q; } qubit q; g(a) q; measure q;"
    body = {"qc": qc, "inputs": [{"a": 1.5}, {"a": 2.5}]}
    for opened, labels in (("", ["g(1.5)"]), ("g", ["Rx(1.5)"])):
        _, _, answer = call("POST", "/circuit", body, query={"opened": opened})
        shapes = answer["drawing"]["shapes"]
        assert [shape[-1] for shape in shapes if shape[:2] == ["text", "label"]] == labels


def test_registers_have_their_names(in_moto: Aws) -> None:
    """In the order of their declaration, beside the drawing and of a task alone; counts have the classical ones."""
    qc = "qubit[2] q; qubit r; bit[2] both; bit one; both = measure q; one = measure r;"
    expected = {"quantum_registers": [["q", 2], ["r", 1]], "classical_registers": [["both", 2], ["one", 1]]}
    drawn = call("POST", "/circuit", {"qc": qc})[2]
    assert {name: drawn[name] for name in expected} == expected
    address = f"/tasks/{submit({'qc': qc})}/circuit"
    assert call("GET", address, query={"format": "json"})[2] == expected
    assert call("GET", address, query={"format": "json"}, api_key_id="mallory")[0] == 404


def test_a_tasks_picture_is_an_svg_file(in_moto: Aws) -> None:
    """As text, with its own size and title, that no browser runs anything of; another key has none."""
    task_id = submit()
    status, headers, svg = call("GET", f"/tasks/{task_id}/circuit", query={"format": "svg"})
    assert (status, headers["content-type"]) == (200, "image/svg+xml")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    root = ET.fromstring(svg)  # noqa: S314 - our own file
    assert root.attrib["aria-label"] == "A circuit of 2 qubits and 4 operations."
    assert call("GET", f"/tasks/{task_id}/circuit", query={"format": "qasm"})[2] == BELL
    assert call("GET", f"/tasks/{task_id}/circuit", query={"format": "svg"}, api_key_id="mallory")[0] == 404
    assert call("GET", f"/tasks/{task_id}/circuit", query={"format": "png"})[0] == 422


def test_a_stored_sweep_is_drawn_too(in_moto: Aws) -> None:
    """Its options lie in the bucket, its program draws with the first of its bindings."""
    inputs = [{"a": 0.5 + index} for index in range(1000)]
    task_id = submit({"qc": "input float a; qubit q; rx(a) q; measure q;", "inputs": inputs, "shots": 5})
    _, _, svg = call("GET", f"/tasks/{task_id}/circuit", query={"format": "svg"})
    assert "Rx(0.5)" in svg


def test_a_program_whose_state_is_asked_for_need_not_measure(in_moto: Aws) -> None:
    """It is drawn as it is admitted."""
    body = {"qc": "qubit q; h q;", "results": [{"type": "probabilities"}]}
    assert call("POST", "/tasks", body)[0] == 200
    status, _, answer = call("POST", "/circuit", body)
    assert (status, "drawing" in answer) == (200, True)
