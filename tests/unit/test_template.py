"""template.yaml: what it promises of itself, and that what the code needs to be true of it is."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest

from local.translate import LOCAL_API_KEY, translate
from local.translate import TEMPLATE as TEMPLATE_FILE
from simulated_aws import TEMPLATE
from tasks.settings import Settings
from tasks.store import OPEN_TASKS_INDEX

RESOURCES: dict[str, Any] = TEMPLATE["Resources"]


def of_type(kind: str) -> dict[str, Any]:
    """Return the properties of the resources of one type, by logical id."""
    return {name: resource["Properties"] for name, resource in RESOURCES.items() if resource["Type"] == kind}


def test_every_parameter_has_a_description_and_a_default() -> None:
    """A stack deploys without an answer to any question."""
    incomplete = [
        name for name, parameter in TEMPLATE["Parameters"].items() if not {"Description", "Default"} <= set(parameter)
    ]
    assert incomplete == []


def test_the_functions_are_told_every_setting() -> None:
    """Each field of Settings is a variable of every function."""
    variables = set(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"])
    assert {field.name.upper() for field in fields(Settings)} == {
        name for name in variables if not name.startswith("POWERTOOLS")
    }


def test_the_queue_hides_messages_for_six_times_the_workers_time() -> None:
    """AWS asks for that, so that a throttled worker does not use up a message's receive count."""
    assert (
        of_type("AWS::SQS::Queue")["TaskQueue"]["VisibilityTimeout"]
        == 6 * RESOURCES["WorkerFunction"]["Properties"]["Timeout"]
    )


def test_a_task_fits_the_workers_time() -> None:
    """The largest time limit leaves the worker time to store the outcome."""
    assert (
        TEMPLATE["Parameters"]["TimeLimitSeconds"]["MaxValue"] + 30
        <= RESOURCES["WorkerFunction"]["Properties"]["Timeout"]
    )


def test_dead_messages_are_kept_for_fourteen_days() -> None:
    """The longest that SQS keeps a message."""
    assert of_type("AWS::SQS::Queue")["DeadLetterQueue"]["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_dead_messages_are_alarmed() -> None:
    """One message in the dead-letter queue is enough, and the alarm says what to do."""
    alarm = of_type("AWS::CloudWatch::Alarm")["DeadLettersAlarm"]
    assert (alarm["MetricName"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "ApproximateNumberOfMessagesVisible",
        "GreaterThanThreshold",
        0,
    )
    assert "make redrive" in alarm["AlarmDescription"]


def test_everything_is_encrypted_at_rest() -> None:
    """The table, the queues and the bucket are."""
    assert all(queue["SqsManagedSseEnabled"] for queue in of_type("AWS::SQS::Queue").values())
    assert of_type("AWS::DynamoDB::Table")["TasksTable"]["SSESpecification"] == {"SSEEnabled": True}
    assert "BucketEncryption" in of_type("AWS::S3::Bucket")["PayloadBucket"]


def test_no_role_may_do_more_than_named_actions_on_named_resources() -> None:
    """No statement has a wildcard action, and only X-Ray, which has no narrower one, a wildcard resource."""
    for role in of_type("AWS::IAM::Role").values():
        for policy in role["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                assert not [action for action in actions if "*" in action]
                if statement["Resource"] == "*":
                    assert all(action.startswith("xray:") for action in actions)


def test_the_sweepers_index_is_the_stores() -> None:
    """The index that the store queries is defined, sparse keys only."""
    (index,) = of_type("AWS::DynamoDB::Table")["TasksTable"]["GlobalSecondaryIndexes"]
    assert (index["IndexName"], index["Projection"]) == (OPEN_TASKS_INDEX, {"ProjectionType": "KEYS_ONLY"})


def test_every_route_of_the_app_is_an_event_of_the_function() -> None:
    """API Gateway passes on exactly what the application answers."""
    from routes import create_app

    events = RESOURCES["ApiFunction"]["Properties"]["Events"].values()
    passed_on = {(event["Properties"]["Method"].upper(), event["Properties"]["Path"]) for event in events}
    app = create_app()
    answered = {(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods} | {
        ("GET", path) for path in (app.docs_url, app.redoc_url, app.openapi_url)
    }
    assert passed_on == answered


def test_a_key_is_asked_for_where_the_document_says_so() -> None:
    """API Gateway lets a request without a key pass exactly where the OpenAPI document names no security."""
    from routes import create_app

    api = RESOURCES["Api"]["Properties"]
    assert api["Auth"] == {"ApiKeyRequired": True}
    events = RESOURCES["ApiFunction"]["Properties"]["Events"].values()
    without_key = {
        (event["Properties"]["Method"], event["Properties"]["Path"])
        for event in events
        if event["Properties"].get("Auth") == {"ApiKeyRequired": False}
    }
    app = create_app()
    open_routes = {
        (method, path)
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
        if "security" not in operation
    } | {("get", path) for path in (app.docs_url, app.redoc_url, app.openapi_url)}
    assert without_key == open_routes
    assert not [path for _, path in open_routes if path and "task" in path]


def test_no_key_of_the_template_has_a_value_that_could_be_known() -> None:
    """API Gateway draws the value; only the local stack gives its own."""
    keys = of_type("AWS::ApiGateway::ApiKey")
    assert [key for key in keys.values() if "Value" in key] == []
    assert LOCAL_API_KEY not in TEMPLATE_FILE.read_text()
    local = translate("bucket", {}).template["Resources"]
    assert {name: local[name]["Properties"]["Value"] for name in keys} == {"FirstApiKey": LOCAL_API_KEY}


GATEWAY_RESPONSES: dict[str, Any] = RESOURCES["Api"]["Properties"]["GatewayResponses"]


@pytest.mark.parametrize("kind", GATEWAY_RESPONSES)
def test_what_api_gateway_refuses_has_the_contracts_body(kind: str) -> None:
    """Every answer of its own has the same fields as ours; those to come back later say when."""
    response = GATEWAY_RESPONSES[kind]
    (template,) = response["ResponseTemplates"].values()
    body = json.loads(template.replace("$context.error.messageString", '"a message"'))
    assert set(body) == {"status", "message", "code", "hint", "correlation_id"}
    assert body["status"] == "error"
    retried = "Retry-After" in response.get("ResponseParameters", {}).get("Headers", {})
    assert retried == (kind in {"THROTTLED", "QUOTA_EXCEEDED", "DEFAULT_5XX"})


def test_every_kind_of_refusal_has_a_body() -> None:
    """Those of keys and limits have their own words, and the defaults catch the rest."""
    assert {
        "INVALID_API_KEY",
        "ACCESS_DENIED",
        "MISSING_AUTHENTICATION_TOKEN",
        "THROTTLED",
        "QUOTA_EXCEEDED",
        "DEFAULT_4XX",
        "DEFAULT_5XX",
    } <= set(GATEWAY_RESPONSES)


def test_a_request_without_a_key_is_refused_alike_by_both() -> None:
    """Our own refusal, should one get through, is API Gateway's word for word."""
    from refusals import KeyMissingError, refusal_of

    refusal = refusal_of(KeyMissingError())
    response = GATEWAY_RESPONSES["INVALID_API_KEY"]
    body = json.loads(response["ResponseTemplates"]["application/json"])
    assert str(refusal.http_status.real) == response["StatusCode"]
    assert (refusal.code, refusal.message, refusal.fields["hint"]) == (body["code"], body["message"], body["hint"])


def test_the_local_stack_is_the_template() -> None:
    """The translation keeps every resource of the template under its name."""
    local = translate("bucket", {})
    kept = {
        name.removesuffix(name[-10:]) if name.startswith("SharedLayer") else name
        for name in local.template["Resources"]
    }
    assert set(RESOURCES) <= kept
    assert "Transform" not in local.template


def test_the_local_worker_is_the_images_sources() -> None:
    """The zip that stands for the worker's image is named by its content, and the image's command is its handler."""
    local = translate("bucket", {"WorkerMaximumConcurrency": "3"})
    worker = local.template["Resources"]["WorkerFunction"]["Properties"]
    assert worker["Handler"] == "worker.handler"
    assert worker["Code"]["S3Key"] in local.zips
    mapping = local.template["Resources"]["WorkerFunctionTasks"]["Properties"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 3}
    assert json.dumps(local.template)
