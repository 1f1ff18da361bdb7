"""Noise models over HTTP: what is accepted and stored, and each refusal with its code and its field."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from lambda_events import Context, http_event

from simulated_aws import BELL

if TYPE_CHECKING:
    from simulated_aws import Aws

KRAUS = {"channel": "kraus", "operators": [[[1, 0], [0, 1]]]}


def post(noise: Any) -> tuple[int, dict[str, Any]]:
    """Submit a Bell pair under noise; return the status and the answer."""
    return ask("POST", "/tasks", {"qc": BELL, "noise": noise})


def ask(method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    """Send a request through the function's handler."""
    from api import handler

    answer = handler(http_event(method, path, body), Context())
    return answer["statusCode"], json.loads(answer["body"])


def test_a_model_of_every_form_is_accepted_and_stored(in_moto: Aws) -> None:
    """The worker reads what was sent, large models from the bucket."""
    from tasks.options import Options

    error = {
        "type": "qerror",
        "id": "1",
        "operations": ["cx"],
        "gate_qubits": [[0, 1]],
        "probabilities": [0.9, 0.1],
        "instructions": [[{"name": "id", "qubits": [0]}], [{"name": "pauli", "qubits": [0, 1], "params": ["XY"]}]],
    }
    noise = {
        "depolarizing": {"one_qubit": 0.1},
        "model": "ibmq_lima",
        "rules": [KRAUS | {"gates": ["h"]}] * 200,
        "errors": [error] * 20,
        "durations": {"cx": 3e-7},
    }
    status, answer = post(noise)
    assert status == 200, answer
    task = in_moto.store.claim(answer["task_id"])
    assert task is not None
    assert Options.from_dict(dict(task.options)) == Options.from_dict({"noise": noise})


@pytest.mark.parametrize(
    ("noise", "status", "code", "message"),
    [
        (
            {"rules": [KRAUS | {"operators": [[[1, 0], [0, 0.9]]]}]},
            422,
            "invalid_request",
            "noise.rules[0].operators do not preserve the trace",
        ),
        (
            {"rules": [{"channel": "pauli", "probabilities": {"X": -0.1}}]},
            422,
            "invalid_request",
            "noise.rules[0].probabilities.X must be a probability",
        ),
        (
            {"rules": [KRAUS | {"qubits": [2]}]},
            400,
            "invalid_inputs",
            "noise.rules[0] (kraus) is for qubit 2; the circuit",
        ),
        (
            {"rules": [KRAUS | {"gates": ["hh"]}]},
            400,
            "invalid_inputs",
            "noise.rules[0] (kraus) is for 'hh', which is not",
        ),
        ({"rules": [{}] * 1_001}, 422, "invalid_request", "There may be at most 1000 rules, not 1001"),
        ({"model": "ibmq_atlantis"}, 422, "invalid_request", "noise.model must be one of ibmq_lima, ibmq_mumbai."),
        ({"noise": 1}, 422, "invalid_request", "Extra inputs are not permitted"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_stored(
    in_moto: Aws, noise: Any, status: int, code: str, message: str
) -> None:
    """Each with its code, and the field in its words."""
    found, answer = post(noise)
    assert (found, answer["code"], message in json.dumps(answer)) == (status, code, True), answer
    assert ask("GET", "/tasks")[1]["tasks"] == []


def test_ten_megabytes_of_operators_are_too_large(in_moto: Aws) -> None:
    """The body's own limit comes first, and below it the one for numbers."""
    matrix = [[[0.1234567890123456, 0.0]] * 8] * 8
    status, answer = post({"rules": [KRAUS | {"operators": [matrix] * 64}] * 100})
    assert (status, answer["code"]) == (413, "request_too_large")
    one = [[float(row == column) for column in range(8)] for row in range(8)]
    zero = [[0.0] * 8] * 8
    status, answer = post({"rules": [KRAUS | {"operators": [one] + [zero] * 63}] * 17})
    assert (status, answer["code"]) == (422, "invalid_request")
    assert "exceeds the limit of 65,536 numbers" in json.dumps(answer)


def test_named_models_are_listed(in_moto: Aws) -> None:
    """With their source, day and licence; their rules can be sent as they are."""
    status, answer = ask("GET", "/noise-models")
    assert status == 200
    assert [(model["name"], model["num_qubits"], model["license"]) for model in answer["models"]] == [
        ("ibmq_lima", 5, "Apache-2.0"),
        ("ibmq_mumbai", 27, "Apache-2.0"),
    ]
    five = answer["models"][0]["rules"]
    circuit = "qubit[5] q; bit[5] c; h q; c = measure q;"
    status, answer = ask("POST", "/tasks", {"qc": circuit, "noise": {"rules": five}})
    assert status == 200, answer


def test_the_api_reads_noise_without_numpy(in_moto: Aws) -> None:
    """Which its layer does not have."""
    assert post({"rules": [KRAUS]})[0] == 200
    for name, module in list(sys.modules.items()):
        if name.startswith(("tasks.noise", "reader.compiler.gate_tables")):
            assert not hasattr(module, "np"), name
