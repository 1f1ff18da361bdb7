"""The environment for `sam local`: the functions run in the SAM CLI's containers, on the tables of the local stack."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import boto3

from local.__main__ import folder
from release.package import ReleaseError

if TYPE_CHECKING:
    from pathlib import Path


def write_environment() -> Path:
    """Write what the running local stack tells its functions to .local/sam-env.json, in the form of `--env-vars`."""
    written = folder() / "env"
    if not written.exists():
        raise ReleaseError("The local stack is not running: `make up` starts it.")
    stack = dict(line.split("=", 1) for line in written.read_text().splitlines())
    client = boto3.client(
        "lambda",
        endpoint_url=stack["AWS_ENDPOINT_URL"],
        region_name=stack["AWS_DEFAULT_REGION"],
        aws_access_key_id=stack["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=stack["AWS_SECRET_ACCESS_KEY"],
    )
    told: dict[str, str] = {}
    for function in client.list_functions()["Functions"]:
        if "-ApiFunction-" in function["FunctionName"]:
            told = dict(function["Environment"]["Variables"])
    told |= {name: value for name, value in stack.items() if name.startswith("AWS_")}
    path = folder() / "sam-env.json"
    path.write_text(json.dumps({"Parameters": told}, indent=2))
    return path
