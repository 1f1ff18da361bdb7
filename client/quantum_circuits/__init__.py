"""Runs quantum circuits on a Quantum Circuits API.

    from quantum_circuits import Client

    with Client() as client:
        task = client.run("OPENQASM 3; qubit q; h q; measure q;", shots=1000)
    print(task.counts)

`client.py` has the two clients, `AsyncClient` the one with coroutines; `calls.py` what they ask of the service;
`task.py` what they give back; `errors.py` what they raise; `configuration.py` where URL and key come from.
"""

from quantum_circuits.client import AsyncClient, Client
from quantum_circuits.configuration import Configuration
from quantum_circuits.errors import (
    AmountSpentError,
    CircuitError,
    ConfigurationError,
    InvalidApiKeyError,
    QuantumCircuitsError,
    RefusedError,
    ResultExpiredError,
    TaskCancelledError,
    TaskEndedError,
    TaskFailedError,
    TaskNotEndedError,
    TaskNotFoundError,
    TaskPurgedError,
    ThrottledError,
    TooMuchOpenWorkError,
    UnreachableError,
    WaitTimeoutError,
)
from quantum_circuits.task import Estimate, ExpectationValue, Result, Task

__all__ = [
    "AmountSpentError",
    "AsyncClient",
    "CircuitError",
    "Client",
    "Configuration",
    "ConfigurationError",
    "Estimate",
    "ExpectationValue",
    "InvalidApiKeyError",
    "QuantumCircuitsError",
    "RefusedError",
    "Result",
    "ResultExpiredError",
    "Task",
    "TaskCancelledError",
    "TaskEndedError",
    "TaskFailedError",
    "TaskNotEndedError",
    "TaskNotFoundError",
    "TaskPurgedError",
    "ThrottledError",
    "TooMuchOpenWorkError",
    "UnreachableError",
    "WaitTimeoutError",
]
