"""Deploys the template as samconfig.toml says, to AWS or to what AWS_ENDPOINT_URL names, and tries the stack."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError

from local.deploy import served_at
from release import account, package
from release.package import ReleaseError
from release.parameters import environment as read_environment
from release.parameters import overrides
from release.smoke import smoke

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release.parameters import Environment


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed stack: where its API answers, the value of its first API key, and the template's outputs."""

    url: str
    api_key: str
    outputs: Mapping[str, str]


def deploy(name: str) -> Stack:
    """Build everything, deploy samconfig.toml's environment `name`, and try the stack's address."""
    environment = read_environment(name)
    package.require("docker")
    if "AWS_ENDPOINT_URL" not in os.environ:
        environment = account.ask(environment)
    parameters = dict(environment.parameters)
    package.build("--parameter-overrides", *overrides(parameters))  # which say for what processor
    own_image = parameters["LargeJobImage"]
    if environment.jobs and not own_image:
        # SAM pushes images for functions alone, and where it put them is known afterwards. Until then jobs keep the
        # image that they have.
        parameters["LargeJobImage"] = deployed_parameters(environment.stack).get("LargeJobImage", "")
    run_sam(environment, parameters)
    if environment.jobs and not own_image:
        image = image_of(environment.stack, "LargeWorkerFunction")
        if image != parameters["LargeJobImage"]:
            run_sam(environment, parameters | {"LargeJobImage": image})
    stack = describe(environment.stack)
    try:
        smoke(stack.url, stack.api_key)
    except ReleaseError as error:
        raise ReleaseError(
            f"{error}\nThe stack {environment.stack} is deployed, but does not work. To go back: check out the last "
            f"good commit and `make deploy ENV={name}`; tasks and their table stay as they are."
        ) from error
    return stack


def run_sam(environment: Environment, parameters: Mapping[str, str]) -> None:
    """Deploy what was built with these parameters."""
    # All that a function's environment depends on decides its version. Of the jobs' image, only whether there is one.
    decisive = dict(parameters) | {"LargeJobImage": str(bool(parameters["LargeJobImage"]))}
    revision = package.revision(package.BUILD, [*overrides(decisive), *package.image_ids()])
    # What is given here replaces what samconfig.toml says, all of it.
    how = ("--config-env", environment.name, "--no-fail-on-empty-changeset", "--parameter-overrides")
    package.run(package.SAM, "deploy", *how, *overrides(dict(parameters) | {"Revision": revision}))


def deployed_parameters(stack: str) -> dict[str, str]:
    """Return the parameters of the stack as it is now, none if there is no such stack."""
    try:
        (described,) = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return {}
    return {each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", [])}


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
