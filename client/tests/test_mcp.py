"""The MCP server's tools, called as an assistant calls them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quantum_circuits.mcp import server

pytestmark = pytest.mark.usefixtures("client")


def call(tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool and return its structured answer."""
    found: dict[str, Any] = asyncio.run(server.call_tool(tool, arguments)).structured_content
    return found


def test_a_circuit_is_checked_run_and_found_again() -> None:
    """The tools check, run, read and list a task, and tell the limits."""
    program = "OPENQASM 3; qubit q; x q; measure q;"
    assert call("check_circuit", qasm=program)["status"] == "admitted"
    task = call("run_circuit", qasm=program, shots=10, seed=1)
    assert (task["status"], task["result"]) == ("completed", {"1": 10})
    assert call("get_task", task_id=task["task_id"])["result"] == {"1": 10}
    assert task["task_id"] in {each["task_id"] for each in call("list_tasks")["tasks"]}
    assert call("limits")["run"]["max_shots"] > 0


def test_an_error_is_an_answer() -> None:
    """A wrong program is answered with its place and hint, not with a broken call."""
    answer = call("run_circuit", qasm="OPENQASM 3; qubit q; hh q; measure q;")
    assert (answer["status"], answer["code"], answer["hint"]) == ("error", "invalid_circuit", "Did you mean h?")
    assert "line 1, column 22" in answer["message"]
