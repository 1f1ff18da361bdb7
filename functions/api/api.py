"""The api function: API Gateway's events in, a task row and a message out. Starts here, goes on in routes.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mangum import Mangum

from routes import create_app
from tasks.logs import logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# No lifespan: nothing starts or stops with a request. The correlation id is put on the lines by routes.py.
_adapter = Mangum(create_app(), lifespan="off")


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP request."""
    return _adapter(event, context)  # type: ignore[arg-type]  # two descriptions of the same object
