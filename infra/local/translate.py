"""template.yaml as the local stand-in takes it: translated from SAM to CloudFormation, code replaced by local zips.

Nothing is written a second time here. What differs from AWS, and why:
- the worker is a zip of the sources that its image holds: the stand-in needs Docker to run images;
- the first API key has a fixed, well-known value, for lines that can be pasted; on AWS each stack draws its own;
- gateway responses become resources of their own: the stand-in does not read them from the API's body;
- an address that takes any method gets each by its name: the stand-in does not read that from the API's body;
- numeric parameters are put in as numbers: it would pass them on as text;
- resources it does not know are left out (LEFT_OUT).
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import logging
import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
REGION = "us-east-1"
LOCAL_API_KEY = "local-demonstration-key"
METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
LEFT_OUT = {"AWS::Logs::QueryDefinition"}
NOT_CODE = {"Dockerfile", "requirements.txt"}  # the packages are those of the environment that MiniStack runs in

logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of a feature flag file that only AWS has


@dataclass(frozen=True, slots=True)
class LocalTemplate:
    """A CloudFormation template and the zips that it names, by their keys in the bucket `bucket`."""

    template: dict[str, Any]
    zips: dict[str, bytes]


def load() -> dict[str, Any]:
    """Return template.yaml, intrinsic functions in their long form."""
    template: dict[str, Any] = pickle.loads(_read(TEMPLATE.read_text()))  # noqa: S301 - written here
    return template


@functools.lru_cache(maxsize=1)
def _read(text: str) -> bytes:
    """Return a template, pickled: commands that compare stacks ask for it dozens of times, and change it."""
    import yaml  # noqa: PLC0415 - who needs only a name here need not wait for it
    from samtranslator.yaml_helper import intrinsics_multi_constructor  # noqa: PLC0415 - the same

    class Loader(yaml.CSafeLoader):
        """What samtranslator's own `yaml_parse` reads with, in C: a seventh of its time."""

    Loader.add_multi_constructor("!", intrinsics_multi_constructor)
    return pickle.dumps(yaml.load(text, Loader))  # noqa: S506 - a safe loader


def translate(bucket: str, overrides: Mapping[str, str]) -> LocalTemplate:  # noqa: C901 - one case a difference
    """Return template.yaml for the stand-in, its code in `bucket`, `overrides` in place of parameters' defaults."""
    import boto3  # noqa: PLC0415 - half a second of imports that `up` and `down` need not wait for
    from samtranslator.parser.parser import Parser  # noqa: PLC0415 - the same
    from samtranslator.translator.translator import Translator  # noqa: PLC0415 - the same

    template = load()
    numbers = {
        name: int(overrides.get(name, parameter["Default"]))
        for name, parameter in template["Parameters"].items()
        if parameter["Type"] == "Number"
    }
    template["Resources"] = _with_numbers(template["Resources"], numbers)
    zips: dict[str, bytes] = {}

    @functools.cache  # several functions run the same code
    def store(*parts: tuple[Path, str]) -> str:
        packed = zip_of(*parts)
        key = f"{hashlib.sha256(packed).hexdigest()[:32]}.zip"
        zips[key] = packed
        return f"s3://{bucket}/{key}"

    for name, resource in list(template["Resources"].items()):
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::Serverless::Function" if properties.get("PackageType") == "Image":
                folder = Path(resource.pop("Metadata")["Dockerfile"]).parent
                properties["Handler"] = properties.pop("ImageConfig")["Command"][0]
                properties["Runtime"] = "python3.13"
                properties["CodeUri"] = store((ROOT / folder, ""), (ROOT / "layers", ""))
                del properties["PackageType"]
            case "AWS::Serverless::Function":
                properties["CodeUri"] = store((ROOT / properties["CodeUri"], ""))
            case "AWS::Serverless::LayerVersion":
                resource.pop("Metadata")
                properties["ContentUri"] = store((ROOT / properties["ContentUri"], "python/"))
            case "AWS::ApiGateway::ApiKey":
                properties["Value"] = LOCAL_API_KEY
            case kind if kind in LEFT_OUT:
                del template["Resources"][name]
    # Every function has a role of its own, so the translator needs no list of AWS's managed policies.
    translator = Translator({}, Parser(), boto_session=boto3.session.Session(region_name=REGION))
    revision = hashlib.sha256(json.dumps([template, dict(overrides)]).encode()).hexdigest()
    translated: dict[str, Any] = translator.translate(template, parameter_values={"Revision": revision})
    resources = translated["Resources"]
    for name, resource in list(resources.items()):
        if resource["Type"] == "AWS::ApiGateway::RestApi":
            _name_methods(resource["Properties"]["Body"])
            responses = _gateway_responses(name, resource["Properties"]["Body"])
            resources |= responses
            for deployment in resources.values():
                if deployment["Type"] == "AWS::ApiGateway::Deployment":
                    deployment["DependsOn"] = list(responses)  # a deployment is a snapshot
    return LocalTemplate(translated, zips)


def zip_of(*parts: tuple[Path, str]) -> bytes:
    """Return a zip of the files in each (folder, prefix), the same bytes for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder, prefix in parts:
            for path in sorted(folder.rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts and path.name not in NOT_CODE:
                    # A fixed date: the name of the zip is the hash of its bytes, and only new code may change it.
                    entry = zipfile.ZipInfo(prefix + path.relative_to(folder).as_posix(), (2020, 1, 1, 0, 0, 0))
                    entry.compress_type = zipfile.ZIP_DEFLATED
                    entry.external_attr = 0o644 << 16
                    archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()


def _with_numbers(part: Any, numbers: Mapping[str, int | str]) -> Any:  # noqa: ANN401 - any part of a template
    match part:
        case {"Ref": str(name)} if name in numbers:
            return numbers[name]
        case {"Variables": variables}:  # of an environment, which are text, even in an Fn::If
            return {
                **part,
                "Variables": _with_numbers(variables, {name: str(value) for name, value in numbers.items()}),
            }
        case dict():
            return {key: _with_numbers(value, numbers) for key, value in part.items()}
        case list():
            return [_with_numbers(value, numbers) for value in part]
    return part


def _name_methods(body: dict[str, Any]) -> None:
    """Put the methods themselves in place of an address's "any method"; what it names beside that stays."""
    for operations in body["paths"].values():
        if (operation := operations.pop("x-amazon-apigateway-any-method", None)) is not None:
            for method in METHODS:
                operations.setdefault(method, operation)


def _gateway_responses(api: str, body: dict[str, Any]) -> dict[str, Any]:
    """Move the gateway responses out of the API's `body`; return them as resources by their logical ids."""
    resources = {}
    for kind, response in body.pop("x-amazon-apigateway-gateway-responses", {}).items():
        properties = {
            "RestApiId": {"Ref": api},
            "ResponseType": kind,
            "ResponseParameters": response.get("responseParameters", {}),
            "ResponseTemplates": response.get("responseTemplates", {}),
        }
        if "statusCode" in response:
            properties["StatusCode"] = str(response["statusCode"])
        logical_id = f"{api}Response{kind.title().replace('_', '')}"
        resources[logical_id] = {"Type": "AWS::ApiGateway::GatewayResponse", "Properties": properties}
    return resources
