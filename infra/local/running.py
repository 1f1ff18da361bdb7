"""What the running local stack tells other commands: its folder and its environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from local.ministack import LocalStackError
from local.translate import REGION, ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

STACK_NAME = "quantum-circuits"  # of the one that runs here
CLIENT_FILE = "client.ini"  # the client's configuration, in the folder


def folder() -> Path:
    """Return where the running stack keeps its lock, its environment file, its logs and its state."""
    return Path(os.environ.get("LOCAL_DIR", ROOT / ".local"))


def environment() -> dict[str, str]:
    """Return what the running stack wrote for other tools; raises LocalStackError when none runs."""
    path = folder() / "env"
    if not path.exists():
        raise LocalStackError("The stack is not running: `make up` starts it (for one in the cloud: STACK=<name>).")
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def credentials(key: str) -> dict[str, str]:
    """Return the environment of AWS's tools for a stand-in that takes the access key `key`, whatever its secret."""
    return {"AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": key}


def write_environment(url: str, api_key: str, endpoint: str, key: str, outputs: Mapping[str, str]) -> Path:
    """Write for other tools where the API answers, where its AWS is, and the template's outputs; return the file.

    It opens the stand-in to who can read it: its owner.
    """
    lines = {
        "API_URL": url,
        "API_KEY": api_key,
        "AWS_ENDPOINT_URL": endpoint,
        **credentials(key),
        **{variable(name): value for name, value in outputs.items() if name != "ApiUrl"},
    }
    _write(CLIENT_FILE, f"[default]\nurl = {url}\napi_key = {api_key}\n")
    return _write("env", "".join(f"{name}={value}\n" for name, value in lines.items()))


def _write(name: str, text: str) -> Path:
    """Write a file of the folder that only its owner can read."""
    path = folder() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(0o600)
    path.write_text(text)
    return path


def variable(output: str) -> str:
    """Return the environment variable's name for an output of the template: TASK_QUEUE_URL for TaskQueueUrl."""
    return "".join("_" + letter if letter.isupper() else letter for letter in output).lstrip("_").upper()
