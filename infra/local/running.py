"""What the running local stack tells other commands: its folder, its environment, and a session with its AWS."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.ministack import LocalStackError
from local.translate import REGION, ROOT
from tasks.payloads import Payloads
from tasks.purging import Purging
from tasks.store import TaskStore
from tasks.table import TaskTable
from tasks.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

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


def session(env: dict[str, str]) -> boto3.session.Session:
    """Return a session with the stack's credentials; its clients still need `endpoint_url=env["AWS_ENDPOINT_URL"]`."""
    return boto3.session.Session(
        region_name=env["AWS_DEFAULT_REGION"],
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
    )


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployed stack: its name, a session with its AWS, the template's outputs by their variables' names.

    `endpoint` is the stand-in's, None in the cloud.
    """

    name: str
    session: boto3.session.Session
    outputs: Mapping[str, str]
    endpoint: str | None

    def task_table(self) -> TaskTable:
        """Return the stack's tasks, to be looked at."""
        return TaskTable(self._dynamodb(), self.outputs["TASKS_TABLE_NAME"], self._payloads())

    def task_store(self) -> TaskStore:
        """Return the stack's tasks, to be cancelled too; not to be worked on."""
        never = timedelta(0)
        return TaskStore(
            self._dynamodb(), self.outputs["TASKS_TABLE_NAME"], self._payloads(), lease=never, retention=never
        )

    def purging(self) -> Purging:
        """Return what removes ended tasks' data."""
        return Purging(self._dynamodb(), self.outputs["TASKS_TABLE_NAME"], self._payloads())

    def usage(self) -> Usage:
        """Return what the keys have used."""
        return Usage(self._dynamodb(), self.outputs["TASKS_TABLE_NAME"])

    def _dynamodb(self) -> DynamoDBClient:
        return self.session.client("dynamodb", endpoint_url=self.endpoint)

    def _payloads(self) -> Payloads:
        return Payloads(self.session.client("s3", endpoint_url=self.endpoint), self.outputs["PAYLOAD_BUCKET_NAME"])


def deployed(stack: str) -> Deployed:
    """Return the stack of that name in the cloud, or the one that runs here when there is no name.

    Raises LocalStackError when none runs, and when AWS does not show one.
    """
    if not stack:
        env = environment()
        return Deployed(STACK_NAME, session(env), env, env["AWS_ENDPOINT_URL"])
    cloud = boto3.session.Session()
    try:
        described: Any = cloud.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except (ClientError, BotoCoreError) as error:  # no such stack, no credentials, no region, not allowed
        raise LocalStackError(
            f"The stack {stack!r} cannot be looked at in AWS: {error}\n"
            f"Its account and region are those of AWS_PROFILE and AWS_REGION; samconfig.toml has the stacks' names."
        ) from error
    outputs = {variable(output["OutputKey"]): output["OutputValue"] for output in described.get("Outputs", [])}
    return Deployed(stack, cloud, outputs, None)


def variable(output: str) -> str:
    """Return the environment variable's name for an output of the template: TASK_QUEUE_URL for TaskQueueUrl."""
    return "".join("_" + letter if letter.isupper() else letter for letter in output).lstrip("_").upper()
