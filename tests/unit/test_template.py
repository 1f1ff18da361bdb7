"""template.yaml: what it promises of itself, and that what the code needs to be true of it is."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import Any

import boto3
import botocore.session
import pytest
from ministack.services.lambda_svc import _apply_filter_criteria
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

import callback
import delivery
import dry_runs
import front_page
from incoming import REQUEST_HEADERS
from local.translate import LEFT_OUT, LOCAL_API_KEY, load, translate
from local.translate import TEMPLATE as TEMPLATE_FILE
from release.parameters import environment
from simulated_aws import TEMPLATE, resolved
from tasks.limits import JOB_VCPUS
from tasks.payloads import URL_SECONDS
from tasks.settings import Settings
from tasks.table import OPEN_TASKS_INDEX, OWNERS_INDEX

RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
PAGES = set(front_page.PAGES)  # for people, so not in the OpenAPI document


def of_type(kind: str, resources: dict[str, Any] = RESOURCES) -> dict[str, Any]:
    """Return the properties of the resources of one type, by logical id."""
    return {name: resource["Properties"] for name, resource in resources.items() if resource["Type"] == kind}


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


def test_dry_runs_have_environments_of_their_own_and_no_rights() -> None:
    """They are bounded, take none of the queue's environments, and reach nothing that a task is in."""
    function, worker = (RESOURCES[name]["Properties"] for name in ("DryRunFunction", "WorkerFunction"))
    bound = {"Ref": "DryRunReservedConcurrency"}
    assert resolved(function, "DryRunsAreReserved")["ReservedConcurrentExecutions"] == bound
    assert "ReservedConcurrentExecutions" not in resolved(function)
    assert function["MemorySize"] == worker["MemorySize"]  # what they read there is what a run has
    assert function["Timeout"] > dry_runs.ANSWER_SECONDS
    (policy,) = resolved(RESOURCES["DryRunRole"]["Properties"]["Policies"])
    actions = [action for statement in policy["PolicyDocument"]["Statement"] for action in statement["Action"]]
    assert {action.split(":")[0] for action in actions} == {"logs", "xray"}


def test_a_waiting_answer_fits_the_apis_time() -> None:
    """The longest wait leaves a slow table its time, within the function's and API Gateway's 29 s."""
    timeout = RESOURCES["ApiFunction"]["Properties"]["Timeout"]
    assert TEMPLATE["Parameters"]["MaxWaitSeconds"]["MaxValue"] + 8 <= timeout < 29


def test_a_callback_fits_its_functions_time_and_its_queues_plan() -> None:
    """A call's longest, twice over with the look-up, ends before the function; each delay is followed by an attempt."""
    timeout = RESOURCES["CallbackFunction"]["Properties"]["Timeout"]
    queue = of_type("AWS::SQS::Queue")["CallbackQueue"]
    assert timeout >= delivery.TOTAL_SECONDS + 10
    assert queue["VisibilityTimeout"] == 6 * timeout
    assert queue["RedrivePolicy"]["maxReceiveCount"] == len(callback.DELAYS) + 1
    assert max(callback.DELAYS) * (1 + callback.JITTER) <= callback.MAX_HIDDEN


@pytest.mark.parametrize(
    ("conditions", "passed"),
    [
        ((), {"submitted", "ended", "ended with a callback"}),
        (("EventsArePublished",), {"submitted", "claimed", "ended", "ended with a callback"}),
    ],
)
def test_nothing_is_read_that_nobody_wants_to_know(conditions: tuple[str, ...], passed: set[str]) -> None:
    """Without events, the notifier is only called for tasks that begin or end to be open; never for its own rows."""
    called_back = {"callback_url": {"S": "https://example.com/"}}
    records = {
        "submitted": {"eventName": "INSERT", "dynamodb": {"NewImage": {"status": {"S": "pending"}} | called_back}},
        "claimed": {"eventName": "MODIFY", "dynamodb": {"NewImage": {"status": {"S": "processing"}} | called_back}},
        "ended": {"eventName": "MODIFY", "dynamodb": {"NewImage": {"status": {"S": "completed"}}}},
        "ended with a callback": {
            "eventName": "MODIFY",
            "dynamodb": {"NewImage": {"status": {"S": "failed"}} | called_back},
        },
        "expired": {"eventName": "REMOVE", "dynamodb": {"OldImage": {"status": {"S": "failed"}} | called_back}},
        "added up": {"eventName": "MODIFY", "dynamodb": {"NewImage": {"open_tasks": {"N": "1"}}, "OldImage": {}}},
    }
    (event,) = resolved(RESOURCES, *conditions)["NotifierFunction"]["Properties"]["Events"].values()
    filters = event["Properties"]["FilterCriteria"]
    assert {
        name for name, record in records.items() if _apply_filter_criteria([record], {"FilterCriteria": filters})
    } == passed


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


def test_files_of_results_outlive_their_addresses_and_little_else() -> None:
    """The bucket keeps them for a day, whatever it keeps else; no task is kept for less."""
    rules = RESOURCES["PayloadBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert [(rule.get("Prefix"), rule["ExpirationInDays"]) for rule in rules] == [
        (None, {"Ref": "TaskRetentionDays"}),
        ("files/", 1),
    ]
    assert URL_SECONDS < 24 * 3600


def test_everything_is_encrypted_at_rest() -> None:
    """The table, the queues and the bucket are, with keys that AWS owns."""
    template = resolved(RESOURCES)
    for queue in of_type("AWS::SQS::Queue", template).values():
        assert queue["SqsManagedSseEnabled"] is True
        assert "KmsMasterKeyId" not in queue
    assert "SSESpecification" not in template["TasksTable"]["Properties"]  # which is DynamoDB's own key
    (rule,) = template["PayloadBucket"]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert "kms:" not in json.dumps(template)


def test_a_key_of_the_customers_encrypts_everything() -> None:
    """With a key given, the table, the bucket, every queue and every log group use it, and no other."""
    key = {"Ref": "KmsKeyArn"}
    template = resolved(RESOURCES, "HasKey")
    queues, logs = of_type("AWS::SQS::Queue", template), of_type("AWS::Logs::LogGroup", template)
    assert [name for name, queue in queues.items() if queue["KmsMasterKeyId"] != key] == []
    assert [name for name, queue in queues.items() if "SqsManagedSseEnabled" in queue] == []
    assert [name for name, group in logs.items() if group["KmsKeyId"] != key] == []
    assert template["CallbackSecret"]["Properties"]["KmsKeyId"] == key
    assert template["TasksTable"]["Properties"]["SSESpecification"] == {
        "SSEEnabled": True,
        "SSEType": "KMS",
        "KMSMasterKeyId": key,
    }
    (rule,) = template["PayloadBucket"]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {
        "BucketKeyEnabled": True,
        "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key},
    }


def test_the_roles_may_use_the_key_through_the_services_alone() -> None:
    """Every function's role may decrypt and make data keys with the customer's key, only by way of what it encrypts."""
    roles = of_type("AWS::IAM::Role", resolved(RESOURCES, "HasKey"))
    for name in ("LauncherRole", "JobExecutionRole", "DryRunRole"):  # which touch nothing that is encrypted
        assert "kms:" not in json.dumps(roles.pop(name))
    for role in roles.values():
        (statement,) = [
            statement
            for policy in role["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
            if "kms:Decrypt" in statement["Action"]
        ]
        assert [action.removeprefix("kms:") for action in statement["Action"]] == [
            "Decrypt",
            "DescribeKey",
            "Encrypt",
            "GenerateDataKey",
            "GenerateDataKeyWithoutPlaintext",
            "ReEncryptFrom",
            "ReEncryptTo",
        ]
        assert statement["Resource"] == {"Ref": "KmsKeyArn"}
        services = statement["Condition"]["StringEquals"]["kms:ViaService"]
        assert [service["Fn::Sub"].split(".")[0] for service in services] == ["dynamodb", "s3", "sqs", "secretsmanager"]


def test_a_queues_policy_is_on_that_queue_alone() -> None:
    """Each of the queues has one, and in it calls without TLS are refused for the queue itself."""
    policies = of_type("AWS::SQS::QueuePolicy").values()
    named = {}
    for policy in policies:
        (queue,), (statement,) = policy["Queues"], policy["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
        named[queue["Ref"]] = statement["Resource"]
    assert named == {name: {"Fn::GetAtt": [name, "Arn"]} for name in of_type("AWS::SQS::Queue")}


def test_rules_look_at_no_list() -> None:
    """A parameter of type CommaDelimitedList is no text, and rules have no function that joins one."""
    lists = {name for name, each in TEMPLATE["Parameters"].items() if each["Type"] == "CommaDelimitedList"}
    assert not [name for name in lists if f'"Ref": "{name}"' in json.dumps(TEMPLATE["Rules"])]


def test_no_role_may_do_more_than_named_actions_on_named_resources() -> None:
    """No statement has a wildcard action; only what AWS has no narrower resource for has a wildcard one."""
    without_resource = {
        "batch:ListJobs",
        "dynamodb:ListStreams",
        "ecr:GetAuthorizationToken",
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
    }
    for role in of_type("AWS::IAM::Role", resolved(RESOURCES, *TEMPLATE["Conditions"])).values():
        for policy in role["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                assert not [action for action in actions if "*" in action]
                if statement["Resource"] == "*":
                    assert set(actions) <= without_resource


def on_aws(layer: str = "s3://bucket/layer", **parameters: str) -> dict[str, Any]:
    """Return the resources as CloudFormation has them after SAM's translation, code in the places that SAM puts it."""
    template = load()
    for resource in template["Resources"].values():
        match resource["Type"]:
            case "AWS::Serverless::Function" if resource["Properties"].get("PackageType") == "Image":
                resource["Properties"]["ImageUri"] = "123456789012.dkr.ecr.us-east-1.amazonaws.com/worker:tag"
            case "AWS::Serverless::Function":
                resource["Properties"]["CodeUri"] = "s3://bucket/key"
            case "AWS::Serverless::LayerVersion":
                resource["Properties"]["ContentUri"] = layer
    translator = Translator({}, Parser(), boto_session=boto3.session.Session(region_name="us-east-1"))
    translated: dict[str, Any] = translator.translate(template, parameter_values=parameters)["Resources"]
    return translated


@pytest.mark.parametrize("function", ["ApiFunction", "WorkerFunction", "LargeWorkerFunction"])
def test_a_gradual_deployment_is_a_canary_that_an_alarm_stops(function: str) -> None:
    """Asked for, an alias moves by CodeDeploy, a tenth first, back on an alarm of that function; else at once."""
    resources = on_aws(GradualDeployment="true")
    group = resources[f"{function}DeploymentGroup"]["Properties"]
    assert group["DeploymentConfigName"]["Fn::Sub"][1] == {"ConfigName": "Canary10Percent5Minutes"}
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    (alarm,) = group["AlarmConfiguration"]["Alarms"]
    watched = resources[alarm["Name"]["Ref"]]["Properties"]
    lambda_errors = ("AWS/Lambda", "Errors", [{"Ref": function}, {"Fn::Sub": f"${{{function}}}:live"}])
    api_faults = ("AWS/ApiGateway", "5XXError", [{"Ref": "AWS::StackName"}, {"Ref": "StageName"}])
    dimensions = [dimension["Value"] for dimension in watched["Dimensions"]]
    assert (watched["Namespace"], watched["MetricName"], dimensions) in (lambda_errors, api_faults)
    policy = resources[f"{function}Aliaslive"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
    assert policy["DeploymentGroupName"] == {"Ref": f"{function}DeploymentGroup"}
    assert not [name for name, resource in on_aws().items() if "CodeDeploy" in resource["Type"]]


def test_whatever_calls_a_function_that_has_an_alias_calls_the_alias() -> None:
    """The queues' messages go to the workers' alias and the API's requests to the api's, never past the canary."""
    resources = on_aws()
    mappings = of_type("AWS::Lambda::EventSourceMapping", resources)
    assert {name: mapping["FunctionName"] for name, mapping in mappings.items()} == {
        "WorkerFunctionTasks": {"Ref": "WorkerFunctionAliaslive"},
        "LargeWorkerFunctionTasks": {"Ref": "LargeWorkerFunctionAliaslive"},
        "NotifierFunctionChanges": {"Ref": "NotifierFunction"},
        "CallbackFunctionCalls": {"Ref": "CallbackFunction"},
        "UsageFunctionEnds": {"Ref": "UsageFunction"},
    }
    paths = resources["Api"]["Properties"]["Body"]["paths"].values()
    integrations = [operation.get("x-amazon-apigateway-integration") for path in paths for operation in path.values()]
    assert {called["uri"]["Fn::Sub"].split("/functions/")[1] for called in integrations if called} == {
        "${ApiFunctionAliaslive}/invocations"
    }


def versions(**changes: str) -> dict[str, Any]:
    """Return the functions' versions that SAM makes for changed parameters or a changed layer."""
    return {
        name: resource for name, resource in on_aws(**changes).items() if resource["Type"] == "AWS::Lambda::Version"
    }


def test_a_changed_layer_publishes_a_new_version_of_the_api() -> None:
    """What the api imports from the layer is what was deployed with it, though its own code is the same."""
    changed = set(versions(layer="s3://bucket/other")) - set(versions())
    assert [name[: len("ApiFunctionVersion")] for name in changed] == ["ApiFunctionVersion"]


def test_a_new_revision_publishes_new_versions() -> None:
    """A changed parameter reaches the aliases though the template's text is the same, and old versions go."""
    first, second = versions(Revision="0123456789"), versions(Revision="fedcba9876")
    assert len(first) == len(second) == 3
    assert set(first) & set(second) == set()
    assert {version["DeletionPolicy"] for version in first.values()} == {"Delete"}
    local = [set(translate("bucket", {"LogLevel": level}).template["Resources"]) for level in ("INFO", "DEBUG")]
    changed = [name for name in local[0] - local[1] if "FunctionVersion" in name]
    assert len(changed) == 3


def test_what_costs_while_idle_is_asked_for() -> None:
    """By default there is no snapshot and no dashboard; prod has both."""
    assert {name for name, each in RESOURCES.items() if each.get("Condition") == "HasDashboard"} == {"Dashboard"}
    asked = [environment(name).parameters for name in ("dev", "prod")]
    assert [each["SnapStart"] for each in asked] == ["None", "PublishedVersions"]
    assert [each["ShowDashboard"] for each in asked] == ["no", "yes"]


JOBS = {
    "LauncherFaultsAlarm",
    "LauncherFunction",
    "LauncherRole",
    "LauncherLogGroup",
    "JobDefinition",
    "JobRole",
    "JobExecutionRole",
    "JobQueue",
    "JobEnvironment",
    "JobSecurityGroup",
}


def test_the_large_lane_is_in_lambda_or_in_jobs() -> None:
    """What jobs need exists where they are asked for alone, and then no function takes the lane's messages."""
    assert {name for name, resource in RESOURCES.items() if resource.get("Condition") == "LargeLaneInJobs"} == JOBS
    assert TEMPLATE["Parameters"]["LargeJobMemoryMB"]["Default"] == 0
    event = RESOURCES["LargeWorkerFunction"]["Properties"]["Events"]["Tasks"]["Properties"]
    assert [resolved(event, *conditions)["Enabled"] for conditions in ((), ("LargeLaneInJobs",))] == [True, False]


def test_a_job_is_as_large_as_fargate_has_it_and_the_api_says_so() -> None:
    """Memory and vCPUs go together as Fargate offers them; the api's limits are the jobs'."""
    fargate = {4: range(8, 31), 8: range(16, 61, 4), 16: range(32, 121, 8), 32: (60, 120, 244)}  # GB
    conditions = {30_720: (), 61_440: ("JobsOf8",), 122_880: ("JobsOf16",), 249_856: ("JobsOf32",)}
    assert [0, *conditions] == TEMPLATE["Parameters"]["LargeJobMemoryMB"]["AllowedValues"]
    for memory, holding in conditions.items():
        job = resolved(RESOURCES["JobDefinition"]["Properties"]["ContainerProperties"], *holding)
        vcpus, _ = (part["Value"] for part in job["ResourceRequirements"])
        assert memory // 1024 in fargate[int(vcpus)]
        launcher = resolved(RESOURCES["LauncherFunction"]["Properties"]["Environment"]["Variables"], *holding)
        assert launcher["JOB_VCPUS"] == vcpus == str(JOB_VCPUS[memory])
    sent = resolved(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"], "LargeLaneInJobs")
    assert sent["LARGE_WORKER_MEMORY_MB"] == {"Ref": "LargeJobMemoryMB"}
    assert sent["LARGE_TIME_LIMIT_SECONDS"] == {"Ref": "LargeJobTimeLimitSeconds"}
    assert TEMPLATE["Parameters"]["LargeJobMaxVCpus"]["MinValue"] == max(fargate)
    # A message is hidden for twelve hours at most, counted from when it was received.
    assert TEMPLATE["Parameters"]["LargeJobTimeLimitSeconds"]["MaxValue"] < 12 * 3600 - 60


def test_a_job_of_each_size_is_one_that_batch_lists() -> None:
    """The pairs of memory and vCPUs are those of AWS's own model of Batch, in the installed botocore."""
    members = botocore.session.get_session().get_service_model("batch").shape_for("ResourceRequirement").members
    listed = re.sub(r"<[^>]+>", " ", members["value"].documentation)
    pairs = dict(re.findall(r"value = ([\d, or]+?)\s+VCPU\s+=\s+([\d., or]+)", listed))
    vcpus = {int(memory): sizes for row, sizes in pairs.items() for memory in re.findall(r"\d+", row)}
    for memory, size in JOB_VCPUS.items():
        assert str(size) in re.findall(r"[\d.]+", vcpus[memory])


def test_tls_is_one_of_api_gateways_newer_policies() -> None:
    """Of 1.2 with forward secrecy and post-quantum key exchange, or 1.3 alone; both need an access mode."""
    model = botocore.session.get_session().get_service_model("apigateway")
    policies = []
    for conditions in ((), ("Tls13Alone",)):
        api = resolved(RESOURCES["Api"]["Properties"], *conditions)
        assert api["SecurityPolicy"] in model.shape_for("SecurityPolicy").enum
        assert api["EndpointAccessMode"] in model.shape_for("EndpointAccessMode").enum
        policies.append(api["SecurityPolicy"])
    assert policies == ["SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09", "SecurityPolicy_TLS13_1_3_2025_09"]
    translated = on_aws()["Api"]["Properties"]
    assert {"SecurityPolicy", "EndpointAccessMode"} <= set(translated)


def test_the_table_is_warmed_up_where_that_is_asked_for_alone() -> None:
    """It and both indexes, which take as many writes; by default it is not set, which costs nothing."""
    for conditions, expected in (((), None), (("IsWarm",), {"WriteUnitsPerSecond": {"Ref": "WarmWriteUnits"}})):
        table = resolved(RESOURCES["TasksTable"]["Properties"], *conditions)
        assert [each.get("WarmThroughput") for each in (table, *table["GlobalSecondaryIndexes"])] == [expected] * 3
    assert TEMPLATE["Parameters"]["WarmWriteUnits"]["Default"] == 0


def calculated(part: Any, image: str) -> Any:
    """Return what CloudFormation makes of a value that comes from LargeJobImage."""
    match part:
        case {"Fn::Select": [index, parts]}:
            return calculated(parts, image)[index]
        case {"Fn::Split": [delimiter, text]}:
            return calculated(text, image).split(delimiter)
        case {"Fn::Join": [delimiter, parts]}:
            return delimiter.join(calculated(parts, image))
        case {"Fn::Sub": [text, variables]}:
            for name, value in variables.items():
                text = text.replace(f"${{{name}}}", calculated(value, image))
            return text
        case {"Fn::Sub": text}:
            return text.replace("${LargeJobImage}", image)
    return part


@pytest.mark.parametrize("suffix", ["", ".cn"])
@pytest.mark.parametrize("repository", ["worker", "stack1a2b/largeworkerfunction3c4drepo"])
@pytest.mark.parametrize("version", ["", ":tag", "@sha256:0123", ":tag@sha256:0123"])
def test_a_job_may_pull_its_image_and_no_other(suffix: str, repository: str, version: str) -> None:
    """Fargate's role names the repository that the image is in, however that is written; no image is no error."""
    (policy,) = RESOURCES["JobExecutionRole"]["Properties"]["Policies"]
    (resource,) = [
        statement["Resource"]
        for statement in policy["PolicyDocument"]["Statement"]
        if "ecr:BatchGetImage" in statement["Action"]
    ]
    image = f"123456789012.dkr.ecr.us-east-1.amazonaws.com{suffix}/{repository}{version}"
    assert re.fullmatch(TEMPLATE["Parameters"]["LargeJobImage"]["AllowedPattern"], image)
    assert calculated(resource, image).split(":")[-1] == f"repository/{repository}"
    assert calculated(resource, "").split(":")[-1] == "repository"  # which CloudFormation may look at without jobs


def test_the_tables_indexes_are_the_stores() -> None:
    """The indexes that the store queries are defined, keys only."""
    indexes = of_type("AWS::DynamoDB::Table")["TasksTable"]["GlobalSecondaryIndexes"]
    assert {index["IndexName"] for index in indexes} == {OPEN_TASKS_INDEX, OWNERS_INDEX}
    assert all(index["Projection"] == {"ProjectionType": "KEYS_ONLY"} for index in indexes)


EVENTS = [event["Properties"] for event in RESOURCES["ApiFunction"]["Properties"]["Events"].values()]


def without_key(method: str) -> set[str]:
    """Return the addresses that API Gateway passes on with `method` from anyone."""
    return {
        event["Path"]
        for event in EVENTS
        if event["Method"] == method and event.get("Auth") == {"ApiKeyRequired": False}
    }


def test_every_route_of_the_app_is_an_event_of_the_function() -> None:
    """API Gateway passes on exactly the addresses that the application has, with every method."""
    from api import create_app

    app = create_app()
    passed_on = {event["Path"] for event in EVENTS if event["Method"] == "any"}
    assert passed_on == {*app.openapi()["paths"], app.openapi_url, *PAGES}


def test_a_key_is_asked_for_where_the_document_says_so() -> None:
    """API Gateway lets a request without a key pass exactly where the OpenAPI document names no security."""
    from api import create_app

    assert RESOURCES["Api"]["Properties"]["Auth"] == {"ApiKeyRequired": True}
    app = create_app()
    paths = app.openapi()["paths"]
    secured = {path: {"security" in operation for operation in paths[path].values()} for path in paths}
    assert all(len(answers) == 1 for answers in secured.values())  # as one event has all methods of an address
    open_paths = {path for path, answers in secured.items() if answers == {False}}
    assert without_key("any") == open_paths | {app.openapi_url, *PAGES}
    assert not [path for path in without_key("any") if path and "task" in path]


def test_a_browser_may_ask_everywhere_whether_it_may_send_its_key() -> None:
    """A preflight has no key: OPTIONS passes without one wherever other methods need it."""
    all_paths = {event["Path"] for event in EVENTS}
    assert without_key("options") == all_paths - without_key("any")


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
    headers = response["ResponseParameters"]["Headers"]
    assert ("Retry-After" in headers) == (kind in {"THROTTLED", "QUOTA_EXCEEDED", "DEFAULT_5XX"})
    allowed = {"Fn::Sub": "'${AllowedOrigin}'"}
    assert resolved(headers, "OriginIsAllowed")["Access-Control-Allow-Origin"] == allowed
    assert "Access-Control-Allow-Origin" not in resolved(headers)


def test_pages_of_an_allowed_origin_may_read_what_the_api_redirects_to() -> None:
    """By GET alone, with the headers that a page may send the API with one; without an allowed origin nobody may.

    Chromium sends `Origin: null` and a preflight for the same headers to the address in `Location`.
    """
    bucket = RESOURCES["PayloadBucket"]["Properties"]
    assert "CorsConfiguration" not in resolved(bucket)
    (rule,) = resolved(bucket, "OriginIsAllowed")["CorsConfiguration"]["CorsRules"]
    assert (rule["AllowedMethods"], rule["AllowedOrigins"]) == (["GET"], ["*"])
    assert [*rule["AllowedHeaders"]] == [
        each for each in REQUEST_HEADERS if each not in ("Content-Type", "Idempotency-Key")
    ]
    assert "ExposedHeaders" not in rule


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
    from refusals import refusal_of
    from request_errors import KeyMissingError

    refusal = refusal_of(KeyMissingError())
    response = GATEWAY_RESPONSES["INVALID_API_KEY"]
    body = json.loads(response["ResponseTemplates"]["application/json"])
    assert str(refusal.http_status.real) == response["StatusCode"]
    assert (refusal.code, refusal.message, refusal.fields["hint"]) == (body["code"], body["message"], body["hint"])


def test_the_local_stack_is_the_template() -> None:
    """The translation keeps every resource that the stand-in knows under its name."""
    local = translate("bucket", {})
    kept = {
        name.removesuffix(name[-10:]) if name.startswith("SharedLayer") else name
        for name in local.template["Resources"]
    }
    assert {name for name, resource in RESOURCES.items() if resource["Type"] not in LEFT_OUT} <= kept
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
