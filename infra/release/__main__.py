"""`make package`, `make deploy ENV=...`, `make smoke URL=... API_KEY=...` and `make sam-env`."""

from __future__ import annotations

import os
import sys
import tomllib

import boto3

from local.translate import ROOT
from release.package import BUILD, SAM, ReleaseError, build, image_ids, package, require, revision, run
from release.sam_local import write_environment
from release.smoke import smoke


def deploy(environment: str) -> None:
    """Build everything, deploy samconfig.toml's `environment`, and try the stack's address."""
    configured = tomllib.loads((ROOT / "samconfig.toml").read_text())
    if environment not in configured or "deploy" not in configured[environment]:
        raise ReleaseError(f"samconfig.toml has no environment {environment!r}.")
    options = configured[environment]["deploy"]["parameters"]
    stack, parameters = options["stack_name"], options.get("parameter_overrides", [])
    require("docker")
    build()
    # What is given here replaces what samconfig.toml says, all of it.
    parameters = [*parameters, f"Revision={revision(BUILD, [*parameters, *image_ids()])}"]
    how = ("--config-env", environment, "--no-fail-on-empty-changeset", "--parameter-overrides")
    run(SAM, "deploy", *how, *parameters)
    (described,) = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    key = boto3.client("apigateway").get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)
    try:
        smoke(outputs["ApiUrl"], key["value"])
    except ReleaseError as error:
        raise ReleaseError(
            f"{error}\nThe stack {stack} is deployed, but does not work. To go back: check out the last good commit "
            f"and `make deploy ENV={environment}`; tasks and their table stay as they are."
        ) from error


def main() -> int:
    """Run one command; return the exit status."""
    try:
        match sys.argv[1:]:
            case ["package"]:
                package()
            case ["deploy", environment]:
                deploy(environment)
            case ["smoke", url]:
                smoke(url.rstrip("/"), os.environ.get("API_KEY", ""))
            case ["sam-env"]:
                print(write_environment())
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except ReleaseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
