"""Quotas and limits that no schema has: how long, how large, how many."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import callback
from local.translate import TEMPLATE, load
from preflight.finding import Finding, in_code, in_template
from preflight.stacks import ACCOUNT
from presentation import shown
from release import package
from release.package import ReleaseError
from tasks import rows
from tasks.payloads import Payloads
from tasks.task import Status, Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SQS_HIDDEN = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html"
SQS_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"
LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
CLOUDFORMATION = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"
API_GATEWAY = (
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html"
)
TWELVE_HOURS = 12 * 3600
RESPONSE_BYTES = 6_291_556
ENVIRONMENT_BYTES = 4096
API_GATEWAY_SECONDS = 29
ROUTES = 300
LATER = datetime(2100, 1, 1, tzinfo=UTC)
LONGEST = {"AlarmDescription": 1024, "Description": 256}


def check(resources: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the limits that a stack's resources are over, with the functions that use them."""
    yield from _hidden(resources)
    yield from _functions(resources)
    yield from _template(resources)


def _hidden(resources: Mapping[str, Any]) -> Iterator[Finding]:
    held = resources["CallbackQueue"]["Properties"]["VisibilityTimeout"]
    longest = max(callback._delay(attempt, 10**9) for attempt in range(1, len(callback.DELAYS) + 1))  # noqa: SLF001
    if longest + held > TWELVE_HOURS:
        sentence = f"{longest} s after up to {held} s: SQS refuses more than 12 hours from the receipt."
        path, text = "functions/notifier/callback.py", "MAX_HIDDEN ="
        yield in_code(path, text, shown="MAX_HIDDEN", sentence=sentence, page=SQS_HIDDEN)
    functions = package.functions(load(), "Zip") + package.functions(load(), "Image")
    for name, mapping in resources.items():
        if mapping["Type"] == "AWS::Lambda::EventSourceMapping":
            queue = _named(mapping["Properties"].get("EventSourceArn"))
            if resources.get(queue, {}).get("Type") != "AWS::SQS::Queue":
                continue
            function = next(each for each in functions if name.startswith(each))
            timeout = resources[function]["Properties"]["Timeout"]
            visible = resources[queue]["Properties"]["VisibilityTimeout"]
            if visible < 6 * timeout:
                sentence = f"{visible} s; AWS asks for six times the function's {timeout} s."
                where = ("Resources", queue, "Properties", "VisibilityTimeout")
                yield in_template(*where, sentence=sentence, page=SQS_LAMBDA, shown=f"{queue}.VisibilityTimeout")


def _named(arn: Any) -> str:  # noqa: ANN401
    match arn:
        case {"Fn::GetAtt": [str(name), _]}:
            return name
    return ""


class _Bucket(Payloads):
    """Objects in memory, the address of any of which is the same."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}

    def put(self, key: str, packed: bytes, content_type: str) -> None:  # noqa: ARG002 - the bucket's signature
        self._objects[key] = packed

    def get(self, key: str) -> bytes:
        return self._objects[key]

    def url(self, key: str) -> str:  # noqa: ARG002
        return "https://bucket/"


def answers() -> Iterator[Finding]:
    """Yield the largest answer that Lambda would not send; each result is of 6 bytes sent to 4 stored."""
    made = rows.Rows(_Bucket())
    line = "2026-01-01T00:00:00.000Z"
    largest = 0
    for stored in (3_000_000, 4_000_000, rows.RESPONSE_BYTES * 2 // 3, 4_790_000, rows.RESPONSE_BYTES, 6_200_000):
        outcome = {"result": {"0": 1}, "memory": ["0"] * (stored // 4)}
        task = Task("0" * 36, "owner", Status.COMPLETED, line, "correlation", "", 1)
        row = made.new(task, due_at=LATER, expires_at=LATER) | made.outcome(task, outcome)
        read = made.with_outcome(made.task(row))
        sent = len(json.dumps({"statusCode": 200, "body": json.dumps(shown(read), separators=(",", ":"))}))
        largest = max(largest, sent)
    if largest < RESPONSE_BYTES // 2:
        raise ReleaseError("no result was sent in an answer, so nothing was measured: see preflight/limits.py.")
    if largest > RESPONSE_BYTES:
        sentence = f"an answer of {largest:,} bytes, escaped, would be sent; Lambda sends {RESPONSE_BYTES:,} at most."
        path, text = "layers/tasks/rows.py", "RESPONSE_BYTES ="
        yield in_code(path, text, shown="RESPONSE_BYTES", sentence=sentence, page=LAMBDA)


def _functions(resources: Mapping[str, Any]) -> Iterator[Finding]:
    for name, resource in resources.items():
        if resource["Type"] != "AWS::Lambda::Function":
            continue
        variables = resource["Properties"]["Environment"]["Variables"]
        size = sum(len(key) + len(_longest(value)) for key, value in variables.items())
        if size > ENVIRONMENT_BYTES:
            sentence = f"variables of {size} bytes with the longest names; {ENVIRONMENT_BYTES} are allowed."
            yield in_template("Resources", name, "Properties", "Environment", sentence=sentence, page=LAMBDA)
    timeout = resources["ApiFunction"]["Properties"]["Timeout"]
    if timeout >= API_GATEWAY_SECONDS:
        sentence = f"{timeout} s; API Gateway waits {API_GATEWAY_SECONDS}."
        yield in_template("Resources", "ApiFunction", "Properties", "Timeout", sentence=sentence, page=API_GATEWAY)
    routes = sum(map(len, resources["Api"]["Properties"]["Body"]["paths"].values()))
    if routes > ROUTES:
        sentence = f"{routes} routes; {ROUTES} resources are allowed."
        yield in_template("Resources", "ApiFunction", "Properties", "Events", sentence=sentence, page=API_GATEWAY)


def _longest(value: Any) -> str:  # noqa: ANN401 - of a variable
    """Return a value as long as any that CloudFormation may put there."""
    return value if isinstance(value, str) else f"https://sqs.ap-northeast-1.amazonaws.com/{ACCOUNT}/{'x' * 80}"


def _template(resources: Mapping[str, Any]) -> Iterator[Finding]:
    quotas = (
        ("Resources", len(resources), 500),
        ("Parameters", len(load()["Parameters"]), 200),
        ("Outputs", len(load()["Outputs"]), 200),
        ("Description", TEMPLATE.stat().st_size, 1_000_000),
    )
    for key, number, most in quotas:
        if number > most:
            yield in_template(key, sentence=f"{number}; {most} are allowed.", page=CLOUDFORMATION)
    for name, resource in resources.items():
        for key, most in LONGEST.items():
            text = resource.get("Properties", {}).get(key)
            if isinstance(text, str) and len(re.sub(r"\s+", " ", text)) > most:
                where = ("Resources", name, "Properties", key)
                yield in_template(*where, sentence=f"{len(text)} characters; {most} are allowed.", page=CLOUDFORMATION)
