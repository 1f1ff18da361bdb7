"""The template as CloudFormation has it for several sets of parameters: translated by SAM, conditions decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from local.translate import REGION, load
from release.parameters import defaults_of

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT = "123456789012"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/repository:worker-0123456789ab-latest"
JOBS = {
    "LargeJobMemoryMB": "30720",
    "LargeJobVpc": "vpc-0123456789abcdef0",
    "LargeJobSubnets": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
    "LargeJobImage": IMAGE,
}
VARIANTS: Mapping[str, Mapping[str, str]] = {
    "default": {},
    "gradual": {"GradualDeployment": "true"},
    "jobs": JOBS,
    "arm64": {"Architecture": "arm64"},
    "key": {"KmsKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/01234567-89ab-cdef-0123-456789abcdef"},
    "no events": {"PublishEvents": "no"},
    "all": JOBS | {"GradualDeployment": "true", "ShowDashboard": "yes", "SnapStart": "PublishedVersions"},
}
NO_VALUE = {"Ref": "AWS::NoValue"}


def translated(parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the template after SAM's translation with these parameters, code where SAM would have put it."""
    template = load()
    for name, resource in template["Resources"].items():
        match resource["Type"]:
            case "AWS::Serverless::Function" if resource["Properties"].get("PackageType") == "Image":
                resource["Properties"]["ImageUri"] = IMAGE
            case "AWS::Serverless::Function":
                resource["Properties"]["CodeUri"] = f"s3://bucket/{name}"
            case "AWS::Serverless::LayerVersion":
                resource["Properties"]["ContentUri"] = f"s3://bucket/{name}"
    translator = Translator({}, Parser(), boto_session=boto3.session.Session(region_name=REGION))
    result: dict[str, Any] = translator.translate(template, parameter_values=dict(parameters))
    return result


def stack(parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the resources that a stack with these parameters has, each as it is there."""
    template = translated(parameters)
    values = defaults_of(load()) | dict(parameters)
    held = {
        name: _holds(condition, values, template["Conditions"]) for name, condition in template["Conditions"].items()
    }
    return {
        name: _settled(resource, values, held)
        for name, resource in template["Resources"].items()
        if held.get(resource.get("Condition", ""), True)
    }


def _holds(condition: Any, values: Mapping[str, str], all_: Mapping[str, Any]) -> bool:  # noqa: ANN401
    match condition:
        case {"Fn::Equals": [left, right]}:
            return str(_value(left, values)) == str(_value(right, values))
        case {"Fn::Not": [part]}:
            return not _holds(part, values, all_)
        case {"Fn::And": parts}:
            return all(_holds(part, values, all_) for part in parts)
        case {"Fn::Or": parts}:
            return any(_holds(part, values, all_) for part in parts)
        case {"Condition": name}:
            return _holds(all_[name], values, all_)
    raise ValueError(f"A condition that is not understood: {condition}")


def _value(part: Any, values: Mapping[str, str]) -> Any:  # noqa: ANN401
    return values.get(part["Ref"], part) if isinstance(part, dict) and "Ref" in part else part


def _settled(part: Any, values: Mapping[str, str], held: Mapping[str, bool]) -> Any:  # noqa: ANN401
    match part:
        case {"Fn::If": [condition, then, otherwise]}:
            return _settled(then if held[condition] else otherwise, values, held)
        case {"Ref": str(name)} if name in values:
            return values[name]
        case dict():
            settled = {key: _settled(value, values, held) for key, value in part.items()}
            return {key: value for key, value in settled.items() if value != NO_VALUE}
        case list():
            return [value for value in (_settled(each, values, held) for each in part) if value != NO_VALUE]
    return part
