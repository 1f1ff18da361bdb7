"""The dashboard and the alarms as they are deployed: their names filled in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from simulated_aws import TEMPLATE

if TYPE_CHECKING:
    from local_stack import Stack


def test_dashboard_and_alarms_name_what_is_deployed(stack: Stack) -> None:
    """Every alarm is there and on the dashboard, and functions and queues are named as they are."""
    cloudwatch = stack.client("cloudwatch")
    body = json.loads(cloudwatch.get_dashboard(DashboardName="quantum-circuits")["DashboardBody"])
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]
    resources = [
        resource for resource in TEMPLATE["Resources"].values() if "Condition" not in resource
    ]  # none holds here
    defined = [resource for resource in resources if resource["Type"] == "AWS::CloudWatch::Alarm"]
    assert len(alarms) == len(defined)
    assert sorted(body["widgets"][0]["properties"]["alarms"]) == sorted(alarm["AlarmArn"] for alarm in alarms)
    functions = {function["FunctionName"] for function in stack.client("lambda").list_functions()["Functions"]}
    queues = {url.rsplit("/", 1)[1] for url in stack.client("sqs").list_queues()["QueueUrls"]}
    named = {(pair["Name"], pair["Value"]) for alarm in alarms for pair in alarm["Dimensions"]}
    for widget in body["widgets"]:
        for metric in widget["properties"].get("metrics", []):
            words = [word for word in metric if isinstance(word, str)]
            named |= set(zip(words[2::2], words[3::2], strict=True))
    assert {value for name, value in named if name == "FunctionName"} <= functions
    assert {value for name, value in named if name == "QueueName"} <= queues
    assert {value for name, value in named if name == "ApiName"} == {"quantum-circuits"}
