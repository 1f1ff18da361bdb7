"""A Model Context Protocol server over the client, for assistants that run circuits; needs the extra `mcp`.

`quantum-circuits-mcp` speaks over standard input and output; URL and key come from where the client's do.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from mcp.server import MCPServer

from quantum_circuits.client import Client
from quantum_circuits.errors import QuantumCircuitsError, RefusedError, TaskFailedError, WaitTimeoutError

WAIT_SECONDS = 60.0

server = MCPServer(
    "quantum-circuits",
    instructions=(
        "Runs quantum circuits written in OpenQASM 3 or 2 and returns counts. Check a program before running a large "
        "one. Bit strings have the last declared bit leftmost."
    ),
)


@cache
def client() -> Client:
    """Return the client of this process, made on first use."""
    return Client()


def _answered(error: QuantumCircuitsError) -> dict[str, Any]:
    """Return an error as an answer that says what to change."""
    fields = dict(error.body) if isinstance(error, (RefusedError, TaskFailedError)) else {}
    return {
        "status": "error",
        "message": str(error),
        **{name: fields[name] for name in ("code", "hint") if name in fields},
    }


@server.tool()
def check_circuit(qasm: str, shots: int = 1024) -> dict[str, Any]:
    """Say what a circuit would take (time, memory, dollars), or where it is wrong, without running it."""
    try:
        return dict(client().dry_run(qasm, shots=shots).body)
    except QuantumCircuitsError as error:
        return _answered(error)


@server.tool()
def run_circuit(
    qasm: str, shots: int = 1024, seed: int | None = None, inputs: dict[str, float] | None = None
) -> dict[str, Any]:
    """Run a circuit and return its counts; one that takes more than a minute is returned pending, with its id."""
    options = {"shots": shots, "seed": seed, "inputs": inputs}
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return dict(client().run(qasm, timeout=WAIT_SECONDS, **given).body)
    except WaitTimeoutError as error:
        return {"status": "pending", "task_id": error.task_id, "message": str(error)}
    except QuantumCircuitsError as error:
        return _answered(error)


@server.tool()
def get_task(task_id: str) -> dict[str, Any]:
    """Return a task's status, and its counts once it has completed."""
    try:
        return dict(client().get(task_id).body)
    except QuantumCircuitsError as error:
        return _answered(error)


@server.tool()
def list_tasks(limit: int = 20) -> dict[str, Any]:
    """Return the newest tasks of the API key."""
    try:
        return {"tasks": [dict(task.body) for task in client().list(limit=limit)]}
    except QuantumCircuitsError as error:
        return _answered(error)


@server.tool()
def limits() -> dict[str, Any]:
    """Return every limit of the service: qubits by method, shots, time, memory."""
    try:
        return dict(client().limits())
    except QuantumCircuitsError as error:
        return _answered(error)


def main() -> None:
    """Serve over standard input and output."""
    server.run()
