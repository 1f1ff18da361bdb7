"""Sends a deployed stack a circuit whose answer is known, as its first client."""

from __future__ import annotations

import threading
import time

from quantum_circuits import Client, InvalidApiKeyError, QuantumCircuitsError, Task
from release.package import ReleaseError

FLIPPED = "OPENQASM 3; qubit[2] q; bit[2] c; x q[1]; c = measure q;"
PATIENCE_S = 120  # the first worker of a new image starts from a cold cache
KEY_PATIENCE_S = 60  # API Gateway answers 403 for some seconds to a key that was just made
PAUSE_S = 0.5


def smoke(url: str, api_key: str) -> None:
    """Check the health of the API at `url` and run a circuit there; raises ReleaseError when either goes wrong.

    `api_key` is the value of a key in the stack's usage plan.
    """
    try:
        with Client(url, api_key) as client:
            health = client.health()
            if health["status"] != "healthy":
                raise ReleaseError(f"{url}/health says {dict(health)}.")
            started = time.monotonic()
            counts = client.wait(_submitted(client), timeout=PATIENCE_S).counts
    except QuantumCircuitsError as error:
        raise ReleaseError(f"{url}: {error}") from error
    if counts != {"10": 100}:
        raise ReleaseError(f"The circuit should have counted 10 a hundred times, not {dict(counts)}.")
    print(f"{url} is healthy and ran a circuit in {time.monotonic() - started:.1f} s.")


def _submitted(client: Client) -> Task:
    """Submit the circuit; a key that is not known yet is tried again for a while."""
    started, pause = time.monotonic(), threading.Event()
    while True:
        try:
            return client.submit(FLIPPED, shots=100)
        except InvalidApiKeyError:
            if time.monotonic() - started > KEY_PATIENCE_S:
                raise
        pause.wait(PAUSE_S)
