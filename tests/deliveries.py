"""Stands between the queues and a worker's container: receives messages, hands them over, deletes what is done."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local_stack import Stack, eventually

if TYPE_CHECKING:
    from image.container import Worker

SMALL = "TASK_QUEUE_URL"
LARGE = "LARGE_TASK_QUEUE_URL"


@dataclass(frozen=True)
class Deliveries:
    """The API and the queues of a running stack in which nobody else takes messages."""

    stack: Stack

    def submit(self, qc: str, **options: Any) -> str:
        """Submit a task through the API; return its id."""
        with self.stack.http() as http:
            answer = http.post("/tasks", json={"qc": qc, **options})
        assert answer.status_code == 200, answer.text
        task_id: str = answer.json()["task_id"]
        return task_id

    def task(self, task_id: str) -> dict[str, Any]:
        """Read a task through the API."""
        with self.stack.http() as http:
            task: dict[str, Any] = http.get(f"/tasks/{task_id}").json()
        return task

    def send(self, body: str) -> str:
        """Send a message to the small lane's queue, past the API; return its id."""
        sent = self.stack.client("sqs").send_message(QueueUrl=self.stack.env[SMALL], MessageBody=body)
        return str(sent["MessageId"])

    def send_on(self, task_id: str) -> None:
        """Send a task's message to the large lane's queue."""
        body = json.dumps({"version": 1, "task_id": task_id})
        self.stack.client("sqs").send_message(QueueUrl=self.stack.env[LARGE], MessageBody=body)

    def receive(self, number: int, queue: str = SMALL) -> dict[str, Any]:
        """Receive that many messages and return them as the event that Lambda makes of them."""
        url, sqs = self.stack.env[queue], self.stack.client("sqs")
        records: list[dict[str, Any]] = []

        def received() -> bool:
            answer = sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=min(10, number - len(records)),
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            records.extend(_record(message, url) for message in answer.get("Messages", []))
            return len(records) == number

        eventually(received)
        return {"Records": records}

    def deliver(self, worker: Worker, number: int, queue: str = SMALL) -> list[str]:
        """Hand the next messages to the worker, delete those it is done with, return the ids of the others."""
        event = self.receive(number, queue)
        answer = worker.invoke(event)
        assert set(answer) == {"batchItemFailures"}
        failures = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
        for record in event["Records"]:
            if record["messageId"] not in failures:
                self.stack.client("sqs").delete_message(
                    QueueUrl=self.stack.env[queue], ReceiptHandle=record["receiptHandle"]
                )
        return failures

    def purge(self, queue: str = SMALL) -> None:
        """Drop the messages that the worker gave back to a queue."""
        self.stack.client("sqs").purge_queue(QueueUrl=self.stack.env[queue])

    def waiting(self, queue: str) -> int:
        """Return how many messages a queue has, those in flight included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self.stack.env[queue]
        given = self.stack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(given[name]) for name in names)

    def variables(self) -> dict[str, str]:
        """Return the environment that template.yaml gives the worker, and where its AWS is."""
        listed = self.stack.client("lambda").list_functions()["Functions"]
        (given,) = [
            function["Environment"]["Variables"]
            for function in listed
            if "-WorkerFunction-" in function["FunctionName"]
        ]
        return {**given, **{name: value for name, value in self.stack.env.items() if name.startswith("AWS_")}}


def _record(message: dict[str, Any], queue_url: str) -> dict[str, Any]:
    attributes = {
        name: {"stringValue": value.get("StringValue"), "dataType": value["DataType"]}
        for name, value in message.get("MessageAttributes", {}).items()
    }
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": attributes,
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:{queue_url.rsplit('/', 1)[1]}",
        "awsRegion": "us-east-1",
    }
