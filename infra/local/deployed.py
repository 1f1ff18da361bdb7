"""A deployed stack, the one that runs here or one in the cloud: what the commands that look at it need of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.ministack import LocalStackError
from local.running import STACK_NAME, environment, variable
from tasks.payloads import Payloads
from tasks.purging import Purging
from tasks.store import TaskStore
from tasks.table import TaskTable
from tasks.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient


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
            f"The stack {stack!r} cannot be read from AWS: {error}\n"
            f"Its account and region are those of AWS_PROFILE and AWS_REGION; samconfig.toml has the stacks' names."
        ) from error
    outputs = {variable(output["OutputKey"]): output["OutputValue"] for output in described.get("Outputs", [])}
    return Deployed(stack, cloud, outputs, None)
