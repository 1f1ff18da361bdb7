"""What a batch of a hundred tasks costs the api beside a hundred posts: AWS calls and CPU.

The handler is called in this process, against a local stack of its own whose workers are switched off: its CPU is this
process's, and its AWS calls pass our hooks. Run it from the root:
`.venv/bin/python tests/bench/batch_bench.py`.
"""

from __future__ import annotations

import io
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("tests/integration", "tests", "functions/api", "layers", "infra")]

from lambda_events import Context, http_event  # noqa: E402 - found by the lines above

from local_stack import Stack  # noqa: E402
from simulated_aws import BELL  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

TASKS = 100
RUNS = 5


def measured(call: Callable[[], None], calls: Counter[str]) -> tuple[float, float]:
    """Return the AWS calls and the milliseconds of CPU that `call` takes a task."""
    calls.clear()
    started = time.process_time()
    call()
    return calls.total() / TASKS, (time.process_time() - started) * 1000 / TASKS


def main() -> None:
    """Print both ways, and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder))
        stack.command("up")
        try:
            compare(stack)
        finally:
            stack.command("down")


def compare(stack: Stack) -> None:
    """Measure both ways in turn on a running stack."""
    functions = stack.client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    for function in functions.list_functions()["Functions"]:
        if "-ApiFunction-" in function["FunctionName"]:
            os.environ.update(function["Environment"]["Variables"])
    os.environ.update({name: value for name, value in stack.env.items() if name.startswith("AWS_")})
    from api import handler
    from tasks import aws
    from tasks.logs import logger

    logger.registered_handler.stream = io.StringIO()  # type: ignore[attr-defined]  # a stream handler
    calls: Counter[str] = Counter()
    for client in (aws.client("dynamodb"), aws.client("sqs")):
        client.meta.events.register("before-parameter-build", lambda model, **_: calls.update([model.name]))
    tasks: list[dict[str, Any]] = [{"qc": BELL, "shots": number + 1} for number in range(TASKS)]

    def send(path: str, body: dict[str, Any]) -> None:
        answer = handler(http_event("POST", path, body), Context())  # type: ignore[arg-type]
        assert answer["statusCode"] == 200, answer

    def post_each() -> None:
        for task in tasks:
            send("/tasks", task)

    def post_all() -> None:
        send("/tasks/batch", {"tasks": tasks})

    runs = [(measured(post_each, calls), measured(post_all, calls)) for _ in range(RUNS + 1)][1:]
    each, batch = ([statistics.median(run[way][figure] for run in runs) for figure in (0, 1)] for way in (0, 1))
    print(f"a task posted alone: {each[0]:.2f} AWS calls, {each[1]:.2f} ms of CPU")
    print(f"in a batch of {TASKS}: {batch[0]:.2f} AWS calls, {batch[1]:.2f} ms of CPU")
    print(f"ratio: {each[0] / batch[0]:.0f} in calls, {each[1] / batch[1]:.0f} in CPU")


if __name__ == "__main__":
    main()
