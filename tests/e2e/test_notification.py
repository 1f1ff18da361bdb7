"""The running stack puts events on its bus and queues callbacks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from local_stack import eventually
from simulated_aws import BELL

if TYPE_CHECKING:
    from local_stack import Stack


def listen(stack: Stack) -> str:
    """Send the bus's events to a queue of our own, as a user of the stack does; return the queue's URL."""
    sqs, events = stack.client("sqs"), stack.client("events")
    url: str = sqs.create_queue(QueueName="listening")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bus = stack.env["TASK_EVENT_BUS_NAME"]
    pattern = {"source": ["quantum-circuits-api"], "detail-type": ["Task State Change"]}
    events.put_rule(Name="listening", EventBusName=bus, EventPattern=json.dumps(pattern))
    events.put_targets(Rule="listening", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    return url


def statuses(stack: Stack, url: str, task_id: str) -> list[str]:
    """Take events until the task's last; return its statuses in the order of the changes."""
    sqs = stack.client("sqs")
    heard: dict[str, str] = {}

    def ended() -> bool:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            detail = json.loads(message["Body"])["detail"]
            if detail["task_id"] == task_id:
                heard[detail["event_id"]] = detail["status"]
        return "completed" in heard.values()

    eventually(ended)
    return [heard[event_id] for event_id in sorted(heard)]


def logged(stack: Stack, function: str, task_id: str) -> list[str]:
    """Return the events in a function's log that name the task."""
    found = stack.client("logs").filter_log_events(logGroupName=f"/quantum-circuits/{function}")["events"]
    lines = [json.loads(entry["message"]) for entry in found if entry["message"].startswith("{")]
    return [line["event"] for line in lines if line.get("task_id") == task_id]


def test_changes_are_events_and_ends_are_called_back(telling: Stack) -> None:
    """From the submission on, over the table's stream, to the bus and the callback function; after a restart too."""
    url = listen(telling)
    with telling.http() as http:
        # A name that no resolver knows (RFC 6761): the call is made out and fails, without traffic.
        body = {"qc": BELL, "callback_url": "https://callback.invalid/hook"}
        first = http.post("/tasks", json=body).json()["task_id"]
    assert statuses(telling, url, first) == ["pending", "processing", "completed"]
    eventually(lambda: "callback_failed" in logged(telling, "callback", first))
    assert logged(telling, "notifier", first) == ["callback_queued"]

    assert telling.command("down").stdout == "Stopped.\n"
    assert telling.command("up").returncode == 0
    with telling.http() as http:
        second = http.post("/tasks", json={"qc": BELL}).json()["task_id"]
    assert statuses(telling, url, second) == ["pending", "processing", "completed"]
