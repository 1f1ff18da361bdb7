"""Statements of roles: actions that there are, on resources that they apply to, as AWS's reference has them."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Any

from policy_sentry.querying.actions import get_action_data

from preflight.finding import Finding, in_template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGE = "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"
# What policy_sentry's copy of the reference leaves out: of actions that API Gateway's two APIs both have, it has one's.
MISSING = {"apigateway:PATCH": "arn:${Partition}:apigateway:${Region}::/apikeys/${ApiKeyId}"}
_PARTS = re.compile(r"(\$\{[^}]*\})")
# How CloudFormation names resources in policies: the ARN that Ref or Arn of each type gives.
ARNS = {
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:x:x:table/x",
    "AWS::S3::Bucket": "arn:aws:s3:::x",
    "AWS::SQS::Queue": "arn:aws:sqs:x:x:x",
    "AWS::SecretsManager::Secret": "arn:aws:secretsmanager:x:x:secret:x",
    "AWS::Logs::LogGroup": "arn:aws:logs:x:x:log-group:x:*",
    "AWS::Events::EventBus": "arn:aws:events:x:x:event-bus/x",
    "AWS::Lambda::Alias": "arn:aws:lambda:x:x:function:x:x",
    "AWS::Lambda::Function": "arn:aws:lambda:x:x:function:x",
    "AWS::Batch::JobQueue": "arn:aws:batch:x:x:job-queue/x",
    "AWS::Batch::JobDefinition": "arn:aws:batch:x:x:job-definition/x",
}


def check(resources: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the actions of a stack's roles that are none, or do not apply to the resources beside them."""
    for name, resource in resources.items():
        for policy in resource["Properties"].get("Policies", []) if resource["Type"] == "AWS::IAM::Role" else ():
            for statement in policy["PolicyDocument"]["Statement"]:
                named = [arn_of(each, resources) for each in listed(statement["Resource"])]
                for action in listed(statement["Action"]):
                    if sentence := objection(action, named):
                        where = ("Resources", name, "Properties", "Policies")
                        yield in_template(*where, sentence=sentence, page=page_of(action), shown=f"{name}, {action}")


def objection(action: str, named: list[str]) -> str:
    """Return what is wrong with an action on these resources, empty when nothing is."""
    formats = formats_of(action)
    if not formats:
        return "there is no such action."
    strangers = [arn for arn in named if not any(may_match(arn, each) for each in formats)]
    return f"it does not apply to {', '.join(strangers)}, but to {', '.join(sorted(formats))}." if strangers else ""


@cache
def formats_of(action: str) -> frozenset[str]:
    """Return the forms of the resources that an action applies to, `*` where it takes none; empty for no action."""
    forms = {row["resource_arn_format"] for row in _rows(action)}
    forms |= {MISSING[action]} if action in MISSING else set()
    # Where an action has forms, the table's `*` beside them is for what it does in console and tools.
    return frozenset(forms - {"*"} or forms)


def page_of(action: str) -> str:
    """Return AWS's page of an action."""
    return next((row["api_documentation_link"] for row in _rows(action) if row["api_documentation_link"]), PAGE)


def _rows(action: str) -> list[dict[str, Any]]:
    service, _, operation = action.partition(":")
    data = get_action_data(service, operation)
    return data[service] if data else []


def may_match(arn: str, form: str) -> bool:
    """Return whether `arn`, as a policy has it, may name a resource of this form."""
    if "*" in {arn, form}:
        return arn == form
    pattern = re.compile("".join("[^/:]*" if part.startswith("$") else re.escape(part) for part in _PARTS.split(form)))
    sample = re.sub(_PARTS, "x", form.replace("${Partition}", "aws"))
    # A log group's Arn ends in :*, which names the group as well as its streams; functions are named with an alias too
    # (Lambda developer guide, "Resources and conditions").
    named = {arn, arn.removesuffix(":*"), arn.rpartition(":")[0] if ":function:" in arn else arn}
    return any(pattern.fullmatch(each) or fnmatchcase(sample, each) for each in named)


def listed(value: Any) -> list[Any]:  # noqa: ANN401 - one, or a list of them
    """Return a policy's value as a list."""
    return value if isinstance(value, list) else [value]


def arn_of(resource: Any, resources: Mapping[str, Any]) -> str:  # noqa: ANN401 - as a policy names it
    """Return the ARN that CloudFormation puts there, each variable part of it x."""
    match resource:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), "Arn"]} if name in resources:
            return ARNS[resources[name]["Type"]]
        case {"Fn::Sub": [str(text), _]} | {"Fn::Sub": str(text)}:
            named = {name: ARNS.get(resources[name]["Type"], "x") for name in resources}
            text = re.sub(r"\$\{(\w+)\.Arn\}", lambda match: named[match[1]], text)
            text = text.replace("${AWS::Partition}", "aws").replace("${Path}", "/x")
            return re.sub(r"\$\{[^}]*\}", "x", text)
        case str() if resource.startswith("arn:aws:kms"):
            return "arn:aws:kms:x:x:key/x"
    return str(resource)
