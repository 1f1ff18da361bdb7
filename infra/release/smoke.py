"""Sends a deployed stack a circuit whose answer is known, as its first client."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import Any

from release.package import ReleaseError

FLIPPED = "OPENQASM 3; qubit[2] q; bit[2] c; x q[1]; c = measure q;"
PATIENCE_S = 120  # the first worker of a new image starts from a cold cache
KEY_PATIENCE_S = 60  # API Gateway answers 403 for some seconds to a key that was just made
PAUSE_S = 0.5


def smoke(url: str, api_key: str) -> None:
    """Check the health of the API at `url` and run a circuit there; raises ReleaseError when either goes wrong.

    `api_key` is the value of a key in the stack's usage plan.
    """
    health = _call(f"{url}/health", api_key)
    if health["status"] != "healthy":
        raise ReleaseError(f"{url}/health says {health}.")
    started = time.monotonic()
    task_id = _call(f"{url}/tasks", api_key, {"qc": FLIPPED, "shots": 100})["task_id"]
    pause = threading.Event()
    while (task := _call(f"{url}/tasks/{task_id}", api_key))["status"] == "pending":
        if time.monotonic() - started > PATIENCE_S:
            raise ReleaseError(f"Task {task_id} is still pending after {PATIENCE_S} s; see the worker's log.")
        pause.wait(PAUSE_S)
    if task.get("result") != {"10": 100}:
        raise ReleaseError(f"Task {task_id} should have counted 10 a hundred times: {task}.")
    print(f"{url} is healthy and ran a circuit in {time.monotonic() - started:.1f} s.")


def _call(url: str, api_key: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "x-api-key": api_key}
    request = urllib.request.Request(url, data, headers)  # noqa: S310 - the stack's own URL
    started = time.monotonic()
    pause = threading.Event()
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                read: dict[str, Any] = json.loads(answer.read())
        except (urllib.error.URLError, ValueError) as error:
            refused = isinstance(error, urllib.error.HTTPError) and error.code == HTTPStatus.FORBIDDEN
            if not refused or time.monotonic() - started > KEY_PATIENCE_S:
                raise ReleaseError(f"{url}: {error}") from error
        else:
            return read
        pause.wait(PAUSE_S)
