"""The whole system over sockets: template.yaml deployed to MiniStack by the commands that people use."""

from __future__ import annotations

import functools
import os
import ssl
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[1]
ORIGIN = "https://app.example.org"  # that the API of one of the stacks lets in
PATIENCE = 60  # seconds until a test gives up on something that should happen


@dataclass(frozen=True)
class Stack:
    """A stack of its own, in its own folder and on its own ports."""

    folder: Path
    parameters: str = ""

    def command(self, *words: str, module: str = "local", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run one of the local commands, as make does."""
        return subprocess.run(
            [sys.executable, "-m", module, *words],
            env=self.environment() | environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE * 3,
            check=False,
        )

    def environment(self) -> dict[str, str]:
        """Return the environment of the commands."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return kept | {
            "PYTHONPATH": f"{ROOT / 'infra'}:{ROOT / 'layers'}:{ROOT / 'client'}",
            "LOCAL_DIR": str(self.folder),
            "PARAMETERS": self.parameters,
            "OWNER_PID": str(os.getpid()),  # it ends with us, were we killed before we stop it
        }

    @property
    def env(self) -> dict[str, str]:
        """What the running stack wrote to its env file."""
        lines = (self.folder / "env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def client(self, service: str) -> Any:
        """Return a client of the stack's AWS."""
        env = self.env
        return _client(service, env["AWS_ENDPOINT_URL"], env["AWS_DEFAULT_REGION"], env["AWS_ACCESS_KEY_ID"])

    def http(self, api_key: str | None = None) -> httpx.Client:
        """Return a client of the stack's API, with the local key or another."""
        env = self.env
        headers = {"x-api-key": env["API_KEY"] if api_key is None else api_key}
        return httpx.Client(base_url=env["API_URL"], timeout=PATIENCE, headers=headers, verify=_trusted())

    def new_key(self, **plan: Any) -> str:
        """Make another API key, in the stack's usage plan or in one of its own with these properties."""
        gateway, env = self.client("apigateway"), self.env
        plan_id = env["USAGE_PLAN_ID"]
        if plan:
            stages = gateway.get_usage_plan(usagePlanId=plan_id)["apiStages"]
            plan_id = gateway.create_usage_plan(name=str(uuid.uuid4()), apiStages=stages, **plan)["id"]
        key: dict[str, str] = gateway.create_api_key(name=str(uuid.uuid4()), enabled=True)
        gateway.create_usage_plan_key(usagePlanId=plan_id, keyId=key["id"], keyType="API_KEY")
        return key["value"]

    def processes(self, *words: str) -> dict[int, str]:
        """Return the command lines of the stack's processes that have all the words in them, by process id.

        Workers show their environment to nobody but root: they are known by the process that started them.
        """
        ours, unknown, lines = set(), {}, {}
        for process in Path("/proc").glob("[0-9]*"):
            pid = int(process.name)
            try:
                lines[pid] = (process / "cmdline").read_text()
                if str(self.folder).encode() in (process / "environ").read_bytes():
                    ours.add(pid)
            except PermissionError:
                unknown[pid] = _parent(pid)
            except OSError:  # it has ended meanwhile
                continue
        while more := {pid for pid, parent in unknown.items() if parent in ours} - ours:
            ours |= more
        # What has no command line is only waited for by its parent.
        return {pid: lines[pid] for pid in ours if lines[pid] and all(word in lines[pid] for word in words)}

    def ended(self, task_id: str) -> dict[str, Any]:
        """Wait until a task has ended, as a client does."""
        with self.http() as http:

            def task() -> dict[str, Any] | None:
                body: dict[str, Any] = http.get(f"/tasks/{task_id}", headers={"Prefer": "wait=20"}).json()
                return body if body["status"] != "pending" else None

            return eventually(task)


@functools.cache  # making one takes as long as several of its calls
def _client(service: str, endpoint: str, region: str, key: str) -> Any:
    return boto3.client(  # type: ignore[call-overload]  # any service
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=key,
    )


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Return what httpx makes anew for each client, although no stack here speaks TLS."""
    return ssl.create_default_context()


def _parent(pid: int) -> int:
    """Return a process's parent, 0 when it has ended."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def eventually(happens: Callable[[], Any], patience: float = PATIENCE, every: float | None = None) -> Any:
    """Return the first true value of `happens`; fail after `patience` seconds.

    It is asked `every` so many seconds, or ever less often: asking takes the processor from what is waited for.
    """
    asleep = threading.Event()
    deadline, pause = time.monotonic() + patience, every or 0.01
    while time.monotonic() < deadline:
        if value := happens():
            return value
        asleep.wait(pause)
        if every is None:
            pause = min(1.3 * pause, 0.25)
    pytest.fail("It did not happen in time.")
