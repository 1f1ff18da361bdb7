"""The environment for `sam local`: the functions run in the SAM CLI's containers, on the tables of the local stack."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from local.deployed import session
from local.ministack import LocalStackError
from local.running import environment, folder
from release.package import ReleaseError

if TYPE_CHECKING:
    from pathlib import Path


def write_environment() -> Path:
    """Write what the running local stack tells its functions to .local/sam-env.json, in the form of `--env-vars`."""
    try:
        stack = environment()
    except LocalStackError as error:
        raise ReleaseError(str(error)) from None
    client = session(stack).client("lambda", endpoint_url=stack["AWS_ENDPOINT_URL"])
    variables: dict[str, str] = {}
    for function in client.list_functions()["Functions"]:
        if "-ApiFunction-" in function["FunctionName"]:
            variables = dict(function["Environment"]["Variables"])
    variables |= {name: value for name, value in stack.items() if name.startswith("AWS_")}
    path = folder() / "sam-env.json"
    path.write_text(json.dumps({"Parameters": variables}, indent=2))
    return path
