"""`make up LOCALSTACK=1`: LocalStack, in Docker, in place of MiniStack; the template deployed to it as to AWS.

LocalStack takes the token of a paid account, so this was never run with it: tests run these commands with programs in
the place of docker and sam and with MiniStack in the place of LocalStack (tests/e2e/test_smoke.py).
"""

from __future__ import annotations

import os

from local.running import credentials, folder, write_environment
from local.translate import ROOT
from release.deployment import deploy
from release.package import ReleaseError, require, run

COMPOSE = ROOT / "infra" / "localstack" / "compose.yaml"
ENDPOINT = "http://127.0.0.1:4566"
KEY = "test"  # the access key, which LocalStack takes whatever it is
TOKEN = "LOCALSTACK_AUTH_TOKEN"  # noqa: S105 - its name


def up() -> None:
    """Start LocalStack, deploy to it, try it, and write the environment file that other tools read."""
    if not os.environ.get(TOKEN):
        raise ReleaseError(f"{TOKEN} is not set: LocalStack needs the token of an account.")
    require("docker")
    run("docker", "compose", "--file", COMPOSE, "up", "--detach", "--wait")
    os.environ |= {"AWS_ENDPOINT_URL": ENDPOINT, **credentials(KEY)}
    stack = deploy("localstack")
    path = write_environment(stack.url, stack.api_key, ENDPOINT, KEY, stack.outputs)
    print(f"The API is at {stack.url}; what AWS tools need is in {path}. `make down LOCALSTACK=1` stops it.")


def down() -> None:
    """Stop LocalStack; what it held is gone."""
    require("docker")
    os.environ.setdefault(TOKEN, "not needed to stop")  # the file asks for it whatever is done
    run("docker", "compose", "--file", COMPOSE, "down")
    (folder() / "env").unlink(missing_ok=True)
