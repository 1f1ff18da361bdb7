"""Deploys the template as samconfig.toml says, to AWS or to what AWS_ENDPOINT_URL names, and tries the stack."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3

from local.deploy import served_at
from local.translate import ROOT
from release import package
from release.package import ReleaseError
from release.smoke import smoke

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed stack: where its API answers, the value of its first API key, and the template's outputs."""

    url: str
    api_key: str
    outputs: Mapping[str, str]


def deploy(environment: str) -> Stack:
    """Build everything, deploy samconfig.toml's `environment`, and try the stack's address."""
    configured = tomllib.loads((ROOT / "samconfig.toml").read_text())
    if environment not in configured or "deploy" not in configured[environment]:
        raise ReleaseError(f"samconfig.toml has no environment {environment!r}.")
    options = configured[environment]["deploy"]["parameters"]
    name, parameters = options["stack_name"], options.get("parameter_overrides", [])
    package.require("docker")
    package.build()
    # What is given here replaces what samconfig.toml says, all of it.
    parameters = [*parameters, f"Revision={package.revision(package.BUILD, [*parameters, *package.image_ids()])}"]
    how = ("--config-env", environment, "--no-fail-on-empty-changeset", "--parameter-overrides")
    package.run(package.SAM, "deploy", *how, *parameters)
    if any(parameter.startswith("LargeJobMemoryMB=") for parameter in parameters):
        # SAM pushes images for functions alone, and where it put them is known afterwards.
        package.run(package.SAM, "deploy", *how, *parameters, f"LargeJobImage={image_of(name, 'LargeWorkerFunction')}")
    stack = describe(name)
    try:
        smoke(stack.url, stack.api_key)
    except ReleaseError as error:
        raise ReleaseError(
            f"{error}\nThe stack {name} is deployed, but does not work. To go back: check out the last good commit "
            f"and `make deploy ENV={environment}`; tasks and their table stay as they are."
        ) from error
    return stack


def describe(name: str) -> Stack:
    """Return what is deployed as the stack `name`."""
    (described,) = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    key = boto3.client("apigateway").get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    url = served_at(endpoint, outputs["ApiUrl"]) if endpoint else outputs["ApiUrl"]
    return Stack(url, key["value"], outputs)


def image_of(stack: str, function: str) -> str:
    """Return the address of the image that a deployed function runs."""
    resource = boto3.client("cloudformation").describe_stack_resource(StackName=stack, LogicalResourceId=function)
    deployed = boto3.client("lambda").get_function(FunctionName=resource["StackResourceDetail"]["PhysicalResourceId"])
    return deployed["Code"]["ImageUri"]
