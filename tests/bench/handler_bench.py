"""The worker's handler on batches of ten, its AWS answered in the same process at once: what our own work costs.

Run by runner_bench.py in a process of its own, as an execution environment is: `handler_bench.py <vCPUs> <batches to
warm up>`. The first line on its standard input is a JSON list of ten circuits, each further one a number of batches to
run; it answers with how many tasks of all so far did not complete, the first time when it is warm.
"""

from __future__ import annotations

import base64
import io
import json
import os
import sys
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from tasks.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SMALL_QUEUE = "https://sqs.us-east-1.amazonaws.com/1/small"


class _Body(io.BytesIO):
    """An answer's body as botocore reads it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        """Yield all of it."""
        yield self.read()


@dataclass(frozen=True, slots=True)
class _Context:
    """What the handler uses of Lambda's context."""

    function_name: str = "worker"
    memory_limit_in_mb: int = 1769
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:1:function:worker"
    aws_request_id: str = "request"

    def get_remaining_time_in_millis(self) -> int:
        """Return the function's whole time."""
        return 300_000


class StubbedAws:
    """Answers the handler's calls at once: every claim succeeds and brings its circuit, every write is carried out."""

    def __init__(self, circuits: Sequence[str]) -> None:
        from tasks.rows import pack
        from tasks.task import Transition, new_task_id

        line = {"M": {name: {"S": text} for name, text in Transition("pending", "2026", "").as_dict().items()}}  # type: ignore[arg-type]
        self.task_ids = [new_task_id() for _ in circuits]
        self.rows = [
            json.dumps(
                {
                    "TableName": "tasks",
                    "Item": {
                        "task_id": {"S": task_id},
                        "owner": {"S": "owner"},
                        "status": {"S": "processing"},
                        "submitted_at": {"S": "2026-11-21T00:00:00.000Z"},
                        "correlation_id": {"S": task_id},
                        "circuit": {"B": base64.b64encode(pack(circuit)).decode()},
                        "options": {"S": '{"seed": 1}'},
                        "shots": {"N": "1024"},
                        "attempt": {"N": "1"},
                        "claim": {"S": "TOKEN"},
                        "lease_until": {"N": "1"},
                        "lane": {"S": "small"},
                        "status_history": {"L": [line, line]},
                    },
                }
            )
            for task_id, circuit in zip(self.task_ids, circuits, strict=True)
        ]
        self.ended = 0

    def event(self) -> dict[str, Any]:
        """Return a batch of messages, one for each task."""
        attributes = {"SentTimestamp": "1", "ApproximateFirstReceiveTimestamp": "1", "ApproximateReceiveCount": "1"}
        return {
            "Records": [
                {
                    "messageId": task_id,
                    "receiptHandle": task_id,
                    "body": json.dumps({"version": 1, "task_id": task_id}),
                    "attributes": attributes,
                    "messageAttributes": {"correlation_id": {"stringValue": task_id}},
                    "eventSourceARN": "arn:aws:sqs:us-east-1:1:small",
                }
                for task_id in self.task_ids
            ]
        }

    def answer(self, request: Any, **_: Any) -> Any:
        """Answer a signed request, in place of sending it."""
        from botocore.awsrequest import AWSResponse

        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        if operation == "ChangeMessageVisibilityBatch":
            printed = '{"Successful": []}'
        elif operation == "UpdateItem":
            self.ended += 1
            printed = "{}"
        elif operation != "BatchExecuteStatement":
            raise SystemExit(f"unexpected: {operation}")
        elif "RETURNING" in body:
            token = json.loads(body)["Statements"][0]["Parameters"][3]["S"]
            printed = '{"Responses": [' + ", ".join(self.rows).replace("TOKEN", token) + "]}"
        else:
            count = body.count('"Statement"')
            self.ended += count
            printed = '{"Responses": [' + ", ".join(['{"TableName": "tasks"}'] * count) + "]}"
        return AWSResponse(request.url, 200, {"content-type": "application/x-amz-json-1.0"}, _Body(printed.encode()))


def serve(cores: int, warm: int) -> None:
    """Be one execution environment of the worker with `cores` vCPUs."""
    circuits = json.loads(sys.stdin.readline())
    for setting in fields(Settings):
        os.environ[setting.name.upper()] = "45"
    os.environ |= {
        "TASKS_TABLE": "tasks",
        "TASK_QUEUE_URL": SMALL_QUEUE,
        "LARGE_TASK_QUEUE_URL": SMALL_QUEUE.replace("small", "large"),
        "POWERTOOLS_SERVICE_NAME": "worker",
        "POWERTOOLS_METRICS_NAMESPACE": "bench",
        "AWS_LAMBDA_FUNCTION_NAME": "worker",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(1_769 * cores),
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }
    parent = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # where the log goes
    import worker
    from tasks import aws

    stub = StubbedAws(circuits)
    for client in (aws.client("dynamodb"), aws.client("sqs")):
        client.meta.events.register("before-send", stub.answer)
    worker.children().wait_until_ready()
    event, done = stub.event(), 0

    def run(batches: int) -> None:
        nonlocal done
        for _ in range(batches):
            worker.handler(event, _Context())  # type: ignore[arg-type]  # all that it uses
        done += batches
        parent.write(f"{done * len(circuits) - stub.ended}\n")
        parent.flush()

    run(warm)
    for wanted in sys.stdin:
        run(int(wanted))
    worker.children().close()


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
