"""Names of resources: none that a second stack of the account and region would take too, none that is too long."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from local.translate import REGION, load
from preflight.finding import Finding, in_template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-name.html"
# Names that CloudFormation's schemas do not count as what identifies the resource.
ALSO_NAMES = {"AWS::Lambda::LayerVersion": ["LayerName"]}
STACK = "s" * 128  # the longest name that a stack can have


def check(resources: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the names in a stack's resources that are literal or, with the longest stack name, too long."""
    for name, resource in resources.items():
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, resource["Type"]).schema
        properties = resource.get("Properties", {})
        given = [key for key in _identifying(schema) if key in properties]
        for keys in ([given] if given else []) + [[key] for key in ALSO_NAMES.get(resource["Type"], [])]:
            if all(isinstance(properties.get(key), str) for key in keys):
                sentence = f"{properties[keys[0]]!r} is the same in every stack: a second one in the region collides."
                yield _at(name, keys[0], sentence)
        for key, value in properties.items():
            longest = schema["properties"].get(key, {}).get("maxLength")
            text = _text(value)
            if longest and text is not None and len(text) > longest:
                yield _at(name, key, f"{len(text)} characters with the longest stack name; {longest} are allowed.")


def _identifying(schema: Mapping[str, Any]) -> list[str]:
    fixed = set(schema.get("readOnlyProperties", []))
    return [path.removeprefix("/properties/") for path in schema.get("primaryIdentifier", []) if path not in fixed]


def _text(value: Any) -> str | None:  # noqa: ANN401
    match value:
        case str():
            return value
        case {"Ref": "AWS::StackName"}:
            return STACK
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{[^}]*\}", "x", text.replace("${AWS::StackName}", STACK))
    return None


def _at(name: str, key: str, sentence: str) -> Finding:
    """Return a finding at the resource in template.yaml, or at the one that SAM made it of."""
    written = load()["Resources"]
    if name in written:
        return in_template("Resources", name, "Properties", key, sentence=sentence, page=PAGE, shown=f"{name}.{key}")
    origin = max((each for each in written if name.startswith(each)), key=len, default="")
    events = written.get(origin, {}).get("Properties", {}).get("Events", {})
    event = next((each for each in events if name == f"{origin}{each}"), "")
    path = ("Events", event) if event else ()
    return in_template("Resources", origin, "Properties", *path, sentence=sentence, page=PAGE, shown=f"{name}.{key}")
