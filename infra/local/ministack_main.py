"""MiniStack behind a guard, and the two things that the local stack needs of it and that it (1.5.33) leaves out.

On AWS an update is in the table's stream however it was made. MiniStack leaves out those made by PartiQL statements,
with which workers claim and end tasks. And on AWS the API answers OPTIONS, by which a browser asks what it may send;
MiniStack answers in its place that any web page may send anything.
"""

from __future__ import annotations

import copy
import os
from typing import Any

from ministack import app
from ministack.services import dynamodb

from local.guard import API, guarded


def stream_statements() -> None:
    """Let updates by PartiQL statements be in the stream like all others."""
    update = dynamodb._partiql_update  # noqa: SLF001 - there is no public way

    def update_and_emit(table: dict[str, Any], parsed: Any, data: Any = None) -> Any:  # noqa: ANN401 - MiniStack's own
        key, sort_key, _, error = dynamodb._partiql_key_target(table, parsed)  # noqa: SLF001
        if error:
            return update(table, parsed, data)
        before = copy.deepcopy(table["items"].get(key, {}).get(sort_key))
        answer = update(table, parsed, data)
        if before is not None:
            after = copy.deepcopy(table["items"][key][sort_key])
            dynamodb._emit_stream_event(table["TableName"], "MODIFY", before, after)  # noqa: SLF001 - if it differs
        return answer

    dynamodb._partiql_update = update_and_emit  # noqa: SLF001


def leave_options_to_the_api() -> None:
    """Let the API answer OPTIONS at its addresses, or API Gateway refuse it."""
    answer = app._handle_options_request  # noqa: SLF001 - there is no public way

    def answer_elsewhere(method: str, path: str, *more: Any) -> Any:  # noqa: ANN401 - MiniStack's own
        return None if path.startswith(API) else answer(method, path, *more)

    app._handle_options_request = answer_elsewhere  # noqa: SLF001


if __name__ == "__main__":
    stream_statements()
    leave_options_to_the_api()
    app.app = guarded(app.app, os.environ["AWS_SESSION_TOKEN"])
    app.main()
