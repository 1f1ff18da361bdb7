"""The api function: API Gateway's events in, a task row and a message out. Starts here, goes on in routes.py."""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING, Any

from mangum import Mangum

import reader
from routes import create_app
from submitted import BELL
from tasks.aws import task_queues, task_store
from tasks.logs import logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# No lifespan: nothing starts or stops with a request. The correlation id is put on the lines by routes.py.
_adapter = Mangum(create_app(), lifespan="off")


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP request."""
    return _adapter(event, context)  # type: ignore[arg-type]  # two descriptions of the same object


def warm_up() -> None:
    """Make what the first request would wait for; it opens no connection, which a snapshot could not keep."""
    task_store()
    task_queues()
    reader.check(BELL)


with contextlib.suppress(ImportError):  # SnapStart's hooks are part of Lambda's own runtime
    from snapshot_restore_py import register_after_restore, register_before_snapshot

    register_before_snapshot(warm_up)
    # Environments restored from one snapshot must not wait the same random times between retries. Ids and seeds come
    # from the kernel, which is not part of the snapshot.
    register_after_restore(random.seed)
