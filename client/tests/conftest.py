"""The service that these tests use: the one that the environment names, else a local stack of their own.

The stack runs in the service's environment, whose Python SERVICE_PYTHON names; this one has the frameworks and not the
service.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from quantum_circuits import Client
from quantum_circuits.configuration import KEY_VARIABLE, URL_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(name="client", scope="session")
def fixture_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Give a client of the service; what makes a client of its own finds the service in the environment."""
    if URL_VARIABLE in os.environ:
        with Client() as client:
            yield client
        return
    folder = tmp_path_factory.mktemp("stack")
    python = ROOT / os.environ.get("SERVICE_PYTHON", ".venv/bin/python")
    path = ":".join(str(ROOT / part) for part in ("infra", "layers", "client"))
    environment = {**os.environ, "LOCAL_DIR": str(folder), "PYTHONPATH": path, "OWNER_PID": str(os.getpid())}
    subprocess.run([python, "-m", "local", "up"], env=environment, check=True)
    found = dict(line.split("=", 1) for line in (folder / "env").read_text().splitlines())
    os.environ |= {URL_VARIABLE: found["API_URL"], KEY_VARIABLE: found["API_KEY"]}
    with Client() as client:
        yield client
    del os.environ[URL_VARIABLE], os.environ[KEY_VARIABLE]
    subprocess.run([python, "-m", "local", "down"], env=environment, check=True)
