"""Deploys the translated template to the stand-in, as `sam deploy` does to AWS: upload the code, create or update."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local.deployed import session as session_with
from local.ministack import LocalStackError
from local.running import STACK_NAME, credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.translate import LocalTemplate

CODE_BUCKET = "local-code"
TEMPLATE_KEY = "template.json"
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployed stack: its endpoint for AWS calls, the API's address there, and the template's outputs."""

    endpoint: str
    api_url: str
    outputs: Mapping[str, str]


def deploy(endpoint: str, key: str, translated: LocalTemplate, overrides: Mapping[str, str]) -> Deployment:
    """Create the stack, or update the one a former run left; raises LocalStackError when it does not deploy."""
    session = session_with(credentials(key))
    s3 = session.client("s3", endpoint_url=endpoint)
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):  # kept from another start
        s3.create_bucket(Bucket=CODE_BUCKET)
    for name, packed in translated.zips.items():
        s3.put_object(Bucket=CODE_BUCKET, Key=name, Body=packed)
    s3.put_object(Bucket=CODE_BUCKET, Key=TEMPLATE_KEY, Body=json.dumps(translated.template).encode())
    cloudformation = session.client("cloudformation", endpoint_url=endpoint)
    request: dict[str, Any] = {
        "StackName": STACK_NAME,
        "TemplateURL": f"{endpoint}/{CODE_BUCKET}/{TEMPLATE_KEY}",  # a body may have 51,200 bytes, and this has more
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in overrides.items()],
        "Capabilities": CAPABILITIES,
    }
    try:
        cloudformation.describe_stacks(StackName=STACK_NAME)
    except ClientError:
        cloudformation.create_stack(**request)
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=STACK_NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
    else:
        try:
            cloudformation.update_stack(**request)
            cloudformation.get_waiter("stack_update_complete").wait(
                StackName=STACK_NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
            )
        except ClientError as error:
            if "No updates" not in str(error):
                raise
    stack = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    if stack["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        raise LocalStackError(
            f"The stack is {stack['StackStatus']}: {stack.get('StackStatusReason', 'no reason given')}"
        )
    functions = session.client("lambda", endpoint_url=endpoint)
    for name, most in reserved(translated.template).items():
        resource = cloudformation.describe_stack_resource(StackName=STACK_NAME, LogicalResourceId=name)
        function = resource["StackResourceDetail"]["PhysicalResourceId"]
        functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=most)
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    return Deployment(endpoint, served_at(endpoint, outputs["ApiUrl"]), outputs)


def reserved(template: Mapping[str, Any]) -> dict[str, int]:
    """Return the functions' reserved concurrency by logical id: the stand-in takes it by a call, not from a template.

    A template reserves what a parameter says, if that is not 0.
    """
    found = {}
    for name, resource in template["Resources"].items():
        match resource.get("Properties", {}).get("ReservedConcurrentExecutions"):
            case {"Fn::If": [_, int(most), _]} if most > 0:
                found[name] = most
    return found


def served_at(endpoint: str, api_url: str) -> str:
    """Return where a stand-in for AWS serves the API: on AWS its id is part of a host name, there of the path."""
    host, stage = api_url.removeprefix("https://").split("/")
    return f"{endpoint}/_aws/execute-api/{host.split('.')[0]}/{stage}"
