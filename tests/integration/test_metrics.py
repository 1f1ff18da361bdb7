"""What the functions send to CloudWatch in their log lines, and that alarms and dashboard ask for nothing else."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from integration.test_log_lines import ROOT, everything
from simulated_aws import TEMPLATE, existing
from tasks.logs import Metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from children import Children
    from simulated_aws import Aws

WITHOUT_JOBS: tuple[str, ...] = ()
WITH_JOBS = ("LargeLaneInJobs",)
OURS = "${AWS::StackName}"
# What AWS documents, by namespace: metrics, and the dimensions they have.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
DOCUMENTED = {
    "AWS/SQS": (
        {
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesVisible",
            # of queues whose messages name a group: "fair queues", in standard queues
            "ApproximateAgeOfOldestMessageInQuietGroups",
            "ApproximateNumberOfMessagesVisibleInQuietGroups",
            "ApproximateNumberOfNoisyGroups",
        },
        [{"QueueName"}],
    ),
    "AWS/Lambda": (
        {"ConcurrentExecutions", "Duration", "Errors", "Invocations", "IteratorAge", "Throttles"},
        [{"FunctionName"}, {"FunctionName", "Resource"}],
    ),
    "AWS/ApiGateway": ({"4XXError", "5XXError", "Count"}, [{"ApiName", "Stage"}]),
}


def of_type(kind: str, *conditions: str) -> dict[str, Any]:
    """Return the properties of the resources of one type that there are where the named conditions hold."""
    found = existing(*conditions).items()
    return {name: resource["Properties"] for name, resource in found if resource["Type"] == kind}


def alarms(*conditions: str) -> dict[str, Any]:
    """Return the alarms' properties."""
    return of_type("AWS::CloudWatch::Alarm", *conditions)


def widgets(*conditions: str) -> list[dict[str, Any]]:
    """Return the dashboard's widgets."""
    (dashboard,) = of_type("AWS::CloudWatch::Dashboard", "HasDashboard", *conditions).values()
    body, variables = dashboard["DashboardBody"]["Fn::Sub"]
    for name, value in variables.items():
        body = body.replace(f"${{{name}}}", value["Fn::Sub"] if isinstance(value, dict) else value)
    found: list[dict[str, Any]] = json.loads(body)["widgets"]
    return found


def asked(*conditions: str) -> set[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """Return (namespace, metric, dimensions) of everything that alarms and dashboard ask for."""
    found = set()
    for alarm in alarms(*conditions).values():
        namespace = alarm["Namespace"] if isinstance(alarm["Namespace"], str) else OURS
        dimensions = [(dimension["Name"], json.dumps(dimension["Value"])) for dimension in alarm["Dimensions"]]
        found.add((namespace, alarm["MetricName"], tuple(dimensions)))
    for widget in widgets(*conditions):
        for metric in widget["properties"].get("metrics", []):
            if isinstance(metric[0], str):
                words = [word for word in metric if isinstance(word, str)]
                pairs = list(zip(words[2::2], (json.dumps(word) for word in words[3::2]), strict=True))
                found.add((words[0], words[1], tuple(pairs)))
    return found


def sent(lines: list[dict[str, Any]]) -> dict[str, set[tuple[tuple[str, str], ...]]]:
    """Return the metrics that CloudWatch takes out of log lines, with the sets of dimensions that each has."""
    found = defaultdict(set)
    for line in lines:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == "stack"
            for metric in directive["Metrics"]:
                values = line[metric["Name"]]
                assert all(isinstance(value, float) for value in values)
                assert 1 <= len(values) <= 100
                assert metric["Unit"] == ("Milliseconds" if metric["Name"].endswith("_ms") else "Count")
                for dimensions in directive["Dimensions"]:
                    found[metric["Name"]].add(tuple((name, json.dumps(line[name])) for name in dimensions))
    return found


@pytest.fixture(name="metrics")
def fixture_metrics(
    in_moto: Aws, child: Children, log_lines: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> dict[str, set[tuple[tuple[str, str], ...]]]:
    """Give the metrics of everything that can happen."""
    everything(in_moto, child, monkeypatch)
    return sent(log_lines())


def test_every_metric_is_sent(metrics: dict[str, set[Any]]) -> None:
    """The functions send what `Metric` lists, by service, and failures by code as well."""
    assert set(metrics) == set(Metric)
    services = {name: {dict(dimensions)["service"] for dimensions in found} for name, found in metrics.items()}
    by_service = {name: json.loads(*found) for name, found in services.items()}
    assert by_service == {
        **dict.fromkeys(Metric, "worker"),
        Metric.SUBMITTED: "api",
        Metric.ACCEPT_MS: "api",
        Metric.SWEPT: "sweeper",
        Metric.DEAD: "sweeper",
    }
    names = {name: sorted(sorted(dict(dimensions)) for dimensions in found) for name, found in metrics.items()}
    assert {name for name, found in names.items() if found != [["service"]]} == {Metric.FAILED}
    assert names[Metric.FAILED] == [["code", "service"], ["service"]]


def test_alarms_and_dashboard_ask_for_what_there_is(metrics: dict[str, set[Any]]) -> None:
    """A metric of ours is one that was sent with those dimensions; one of AWS's is documented with them."""
    for namespace, metric, dimensions in asked() | asked(*WITH_JOBS):
        if namespace == OURS:
            assert dimensions in metrics[metric], (metric, dimensions)
        else:
            documented, sets = DOCUMENTED[namespace]
            assert metric in documented
            assert {name for name, _ in dimensions} in sets


def test_failures_by_code_are_searched_for_as_they_are_sent(metrics: dict[str, set[Any]]) -> None:
    """The dashboard's search names the namespace, the dimensions and the metric."""
    expressions = [
        metric[0]["expression"]
        for widget in widgets()
        for metric in widget["properties"].get("metrics", [])
        if isinstance(metric[0], dict)
    ]
    assert expressions == ["SEARCH('{\"${AWS::StackName}\",service,code} MetricName=\"failed\"', 'Sum', 300)"]


@pytest.mark.parametrize(("conditions", "number"), [(WITHOUT_JOBS, 16), (WITH_JOBS, 17)])
def test_every_alarm_says_what_to_do_and_is_on_the_dashboard(conditions: tuple[str, ...], number: int) -> None:
    """Each has a command in its description, goes to the topic, and has a place on the dashboard."""
    (shown,) = [widget["properties"]["alarms"] for widget in widgets(*conditions) if widget["type"] == "alarm"]
    assert sorted(shown) == sorted(f"${{{name}.Arn}}" for name in alarms(*conditions))
    assert len(shown) == number
    for alarm in alarms("HasAlarmTopic", *conditions).values():
        assert re.search(r"`make \w+|Service Quotas|Scheduler", alarm["AlarmDescription"])
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopicArn"}]
    assert not [name for name, alarm in alarms(*conditions).items() if "AlarmActions" in alarm]


@pytest.mark.parametrize("conditions", [WITHOUT_JOBS, WITH_JOBS])
def test_saved_queries_are_asked_of_every_log_group(conditions: tuple[str, ...]) -> None:
    """The log groups of a query in the console are all that the template defines."""
    groups = set(of_type("AWS::Logs::LogGroup", *conditions))
    for query in of_type("AWS::Logs::QueryDefinition", *conditions).values():
        assert {group["Ref"] for group in query["LogGroupNames"]} == groups


def test_a_task_that_a_job_works_on_for_hours_is_no_delay() -> None:
    """With jobs the large lane's alarm counts what nobody works on for half an hour; else the oldest message's age."""
    names = ("MetricName", "Statistic", "Period", "EvaluationPeriods", "Threshold")
    lanes = [alarms(*conditions)["LargeQueueDelayAlarm"] for conditions in (WITHOUT_JOBS, WITH_JOBS)]
    assert [tuple(alarm[name] for name in names) for alarm in lanes] == [
        ("ApproximateAgeOfOldestMessage", "Maximum", 60, 3, 1800),
        ("ApproximateNumberOfMessagesVisible", "Minimum", 300, 6, 0),
    ]
    advice = [re.findall(r"raise (\w+)", alarm["AlarmDescription"]) for alarm in lanes]
    assert advice == [["LargeWorkerMaximumConcurrency"], ["LargeJobMaxVCpus"]]


def test_owners_who_send_little_are_watched_by_themselves() -> None:
    """The alarm is not about the age of all: a noisy owner's tasks may wait for long, and nobody need wake up."""
    alarm = alarms()["QuietOwnersDelayAlarm"]
    time_limit = TEMPLATE["Parameters"]["TimeLimitSeconds"]["Default"]
    assert (alarm["MetricName"], alarm["Threshold"]) == ("ApproximateAgeOfOldestMessageInQuietGroups", time_limit)
    assert alarm["Dimensions"] == alarms()["QueueDelayAlarm"]["Dimensions"]
    assert alarm["Threshold"] < alarms()["QueueDelayAlarm"]["Threshold"]


def test_a_sweeper_that_does_not_run_is_an_alarm() -> None:
    """No data is the very sign of it, unlike anywhere else."""
    breaching = {name for name, alarm in alarms(*WITH_JOBS).items() if alarm["TreatMissingData"] == "breaching"}
    assert breaching == {"SweeperMissingAlarm"}


def test_who_reads_the_stream_too_late_is_an_alarm() -> None:
    """After a day the stream has lost what its readers have not read: each has an alarm on its age, minutes after."""
    readers = {
        name
        for name, function in of_type("AWS::Serverless::Function", *WITH_JOBS).items()
        if any(event["Type"] == "DynamoDB" for event in function.get("Events", {}).values())
    }
    watched = {
        alarm["Dimensions"][0]["Value"]["Ref"]
        for alarm in alarms(*WITH_JOBS).values()
        if alarm.get("MetricName") == "IteratorAge" and alarm["Threshold"] <= 3_600_000
    }
    assert watched == readers
    assert len(readers) == 2


def test_widgets_do_not_overlap() -> None:
    """The dashboard's grid is 24 wide, and no cell is taken twice."""
    cells = [
        (x, y)
        for widget in widgets()
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23


def test_the_recorded_lines_are_such_lines(
    in_moto: Aws, child: Children, log_lines: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the saved queries are tried on has, event by event, the fields that the functions write."""
    everything(in_moto, child, monkeypatch)
    written = defaultdict(set)
    for line in log_lines():
        written[line["event"]] |= set(line) | {"xray_trace_id"}
    written["child_lost"] = written["task_returned"] | {"exit_status", "max_rss_bytes"}
    for path in (ROOT / "tests/unit/insights/recorded").glob("*.log"):
        for text in path.read_text().splitlines():
            if text.startswith("{"):
                recorded = json.loads(text)
                assert set(recorded) - written[recorded["event"]] == set(), recorded["event"]
