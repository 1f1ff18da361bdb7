"""The OpenAPI document lists what there is: every code that a request can be refused with, and no other."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from answers import REFUSALS
from api import create_app
from local.translate import load
from quantum_circuits.errors import _BY_CODE, CircuitError
from tasks.errors import ErrorCode

ROOT = Path(__file__).resolve().parents[2]
# What only a task that was accepted can end in, and so is in no refusal.
OF_RUNS = {
    ErrorCode.TIME_LIMIT,
    ErrorCode.MEMORY_LIMIT,
    ErrorCode.SIMULATION_ERROR,
    ErrorCode.ATTEMPTS_EXHAUSTED,
}


def codes_of_refusals() -> set[str]:
    """Return the codes in the calls of Refusal, and those that bounds have in a table of their own."""
    nodes = list(ast.walk(ast.parse((ROOT / "functions/api/refusals.py").read_text())))
    calls = [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) == "Refusal"]
    of_bounds = [
        row.elts[0]
        for table in nodes
        if isinstance(table, ast.Dict)
        for key, row in zip(table.keys, table.values, strict=True)
        if key is not None and ast.unparse(key).startswith("Bound.") and isinstance(row, ast.Tuple)
    ]
    return {
        str(code.value) for code in [*(call.args[1] for call in calls), *of_bounds] if isinstance(code, ast.Constant)
    }


def test_every_code_is_described() -> None:
    """The table has the codes of our own refusals, of API Gateway's, and those that reading a circuit ends in."""
    responses: dict[str, Any] = load()["Resources"]["Api"]["Properties"]["GatewayResponses"]
    templates = [template for response in responses.values() for template in response["ResponseTemplates"].values()]
    of_gateway = {json.loads(text.replace("$context.error.messageString", '""'))["code"] for text in templates}
    assert codes_of_refusals() | of_gateway | (set(ErrorCode) - OF_RUNS) == {
        code for codes in REFUSALS.values() for code in codes
    }


def test_the_client_has_an_exception_for_what_is_wrong_with_a_circuit() -> None:
    """Each code that reading a request can end in is a CircuitError of the client, except for our own fault."""
    codes = {code for code, kind in _BY_CODE.items() if kind is CircuitError}
    assert codes == set(ErrorCode) - OF_RUNS - {ErrorCode.INTERNAL_ERROR}


def test_a_refusals_codes_are_where_its_status_is() -> None:
    """A status describes its own codes."""
    from refusals import refusal_of
    from request_errors import KeyMissingError, TaskEndedError, TaskNotFoundError
    from tasks.errors import KeyReusedError, UnavailableError
    from tasks.task import Status

    errors = [
        KeyMissingError(),
        TaskEndedError(Status.COMPLETED),
        TaskNotFoundError(),
        KeyReusedError("id"),
        UnavailableError("SQS"),
        RuntimeError(),
    ]
    for refusal in map(refusal_of, errors):
        assert refusal.code in REFUSALS[refusal.http_status]


DOCUMENT = create_app().openapi()
OPERATIONS = [
    (f"{method} {path}", operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_every_operation_is_described(name: str, operation: dict[str, Any]) -> None:
    """Each has a summary and a text, each parameter beside the path's a description, each with a key its refusals."""
    assert operation["summary"]
    assert operation["description"]
    parameters = operation.get("parameters", [])
    assert [each["name"] for each in parameters if each["in"] != "path" and not each.get("description")] == []
    if "security" in operation:
        assert {"403", "422", "429", "500", "503"} <= set(operation["responses"])
    if "{task_id}" in name:
        assert "404" in operation["responses"]
