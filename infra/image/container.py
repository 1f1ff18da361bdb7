"""Runs the worker's image as Lambda does: only /tmp is writable, there are no rights, and memory is limited.

The container shares the machine's network, to reach the AWS stand-in and to be reached; Lambda's own has that too.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from image.buildah import STORE, Built, ImageError, mounted, run
from local.ministack import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

READY_SECONDS = 60
PATIENCE_SECONDS = 120  # with what runs to its end
TMP_MB = 512  # Lambda's default


@dataclass(frozen=True, slots=True)
class Worker:
    """A running container and the address of its emulator, which takes one request at a time."""

    name: str
    url: str
    log: Path

    def invoke(self, event: Mapping[str, Any]) -> Any:  # noqa: ANN401 - what the handler returned, as JSON
        """Hand an event to the function; raises ImageError when it failed, which the emulator says in the body."""
        answer = _post(self.url, event)
        if isinstance(answer, dict) and "errorMessage" in answer:
            raise ImageError(f"{answer}\n{self.log.read_text()[-4_000:]}")
        return answer

    def processes(self) -> list[int]:
        """Return the ids of the container's processes, as this machine numbers them."""
        listed: list[int] = json.loads(_runc("ps", "--format", "json", self.name))
        return listed

    def cpu_seconds(self) -> float:
        """Return the CPU time that all of the container's processes have used, the emulator included."""
        stats = json.loads(_runc("events", "--stats", self.name))
        return float(stats["data"]["cpu"]["usage"]["total"]) / 1e9


@contextlib.contextmanager
def worker(
    image: Built, environment: Mapping[str, str], memory_mb: int, *, declared_mb: int | None = None
) -> Iterator[Worker]:
    """Run the image with `memory_mb` of memory, of which the function sees `declared_mb`; yield it once it answers."""
    name = f"worker-{uuid.uuid4().hex[:8]}"
    bundle = STORE / name
    bundle.mkdir(parents=True)
    with mounted(image.name) as root:
        invocations, runtime = free_port(None, 8080), free_port(None, 9001)
        own = dict(pair.split("=", 1) for pair in image.config.get("Env", []))
        addresses = f"--runtime-interface-emulator-address 127.0.0.1:{invocations}"
        settings = {
            "RIE_OPTIONS": f"{addresses} --runtime-api-address 127.0.0.1:{runtime}",
            "AWS_LAMBDA_FUNCTION_NAME": "worker",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(declared_mb or memory_mb),
        }
        description = _description(root, image.config, own | dict(environment) | settings, memory_mb)
        (bundle / "config.json").write_text(json.dumps(description))
        url = f"http://127.0.0.1:{invocations}/2015-03-31/functions/function/invocations"
        with _running(name, bundle) as (process, log):
            _wait_until_listening(process, invocations, log)
            yield Worker(name, url, log)
    shutil.rmtree(bundle)  # kept, with its log, after a failure


def job(image: Built, environment: Mapping[str, str], memory_mb: int) -> str:
    """Run the image's second entry point to its end, as Fargate does but with less to write; return its log."""
    return run_to_end(image, [*image.config["Entrypoint"], "job"], environment, memory_mb)


def run_to_end(
    image: Built,
    command: Sequence[str],
    environment: Mapping[str, str],
    memory_mb: int,
    *,
    lent: Path | None = None,
) -> str:
    """Run a command in the image, with the folder `lent` at /lent; return its log. Raises ImageError if it fails."""
    name = f"job-{uuid.uuid4().hex[:8]}"
    bundle = STORE / name
    bundle.mkdir(parents=True)
    with mounted(image.name) as root:
        own = dict(pair.split("=", 1) for pair in image.config.get("Env", []))
        description = _description(root, image.config, own | dict(environment), memory_mb)
        description["process"]["args"] = list(command)
        if lent is not None:
            binding = {"destination": "/lent", "type": "bind", "source": str(lent), "options": ["bind", "ro", "nosuid"]}
            description["mounts"].append(binding)
        (bundle / "config.json").write_text(json.dumps(description))
        with _running(name, bundle) as (process, log):
            status = process.wait(PATIENCE_SECONDS)
            printed = log.read_text()
    if status != 0:
        raise ImageError(f"{command} ended with {status}:\n{printed[-4_000:]}")
    shutil.rmtree(bundle)
    return printed


@contextlib.contextmanager
def _running(name: str, bundle: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    log = bundle / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            ["runc", "--root", STORE / "runc", "run", "--bundle", bundle, name],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process, log
    finally:
        with contextlib.suppress(ImageError):
            _runc("kill", "--all", name, "KILL")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        with contextlib.suppress(ImageError):
            _runc("delete", "--force", name)


def _runc(*arguments: str) -> str:
    return run("runc", "--root", STORE / "runc", *arguments)


def _post(url: str, event: Mapping[str, Any]) -> Any:  # noqa: ANN401
    request = urllib.request.Request(url, json.dumps(event).encode(), {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=300) as answer:  # noqa: S310 - our own loopback URL
        return json.loads(answer.read())


def _wait_until_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    pause = threading.Event()
    wanted = f":{port:04X} "
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ImageError(f"The container ended at its start:\n{log.read_text()[-4_000:]}")
        # Looked up, not connected to: the emulator takes no more than one connection at a time.
        if any(wanted in line and " 0A " in line for line in Path("/proc/net/tcp").read_text().splitlines()):
            return
        pause.wait(0.02)
    raise ImageError(f"The emulator did not listen within {READY_SECONDS} s:\n{log.read_text()[-4_000:]}")


def _description(
    root: Path, config: Mapping[str, Any], environment: Mapping[str, str], memory_mb: int
) -> dict[str, Any]:
    """Return the OCI runtime specification's config.json."""
    user, _, group = config["User"].partition(":")

    def mount(destination: str, kind: str, *options: str) -> dict[str, Any]:
        return {"destination": destination, "type": kind, "source": kind, "options": ["nosuid", *options]}

    return {
        "ociVersion": "1.0.2",
        "root": {"path": str(root), "readonly": True},
        "mounts": [
            mount("/proc", "proc", "noexec", "nodev"),
            mount("/dev", "tmpfs", "strictatime", "mode=755", "size=64k"),
            mount("/dev/shm", "tmpfs", "ro", "noexec", "nodev"),  # noqa: S108 - Lambda has none to write to
            mount("/tmp", "tmpfs", "nodev", "mode=1777", f"size={TMP_MB}m"),  # noqa: S108
        ],
        "process": {
            "user": {"uid": int(user), "gid": int(group)},
            "args": [*config["Entrypoint"], *config["Cmd"]],
            "env": [f"{name}={value}" for name, value in environment.items()],
            "cwd": config["WorkingDir"],
            "capabilities": {},
            "noNewPrivileges": True,
            "rlimits": [
                {"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 1024},
                {"type": "RLIMIT_NPROC", "soft": 1024, "hard": 1024},
            ],
        },
        "linux": {
            "namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts")],
            "resources": {"memory": {"limit": memory_mb * 2**20, "swap": memory_mb * 2**20}},
            "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    }
