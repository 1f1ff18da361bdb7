"""MiniStack, and the one thing that the local stack needs of it and that it (1.5.33) leaves out.

On AWS an update is in the table's stream however it was made. MiniStack leaves out those made by PartiQL statements,
with which workers claim and end tasks.
"""

from __future__ import annotations

import copy
from typing import Any

from ministack.services import dynamodb


def stream_statements() -> None:
    """Let updates by PartiQL statements be in the stream like all others."""
    update = dynamodb._partiql_update  # noqa: SLF001 - there is no public way

    def update_and_tell(table: dict[str, Any], parsed: Any, data: Any = None) -> Any:  # noqa: ANN401 - MiniStack's own
        key, sort_key, _, error = dynamodb._partiql_key_target(table, parsed)  # noqa: SLF001
        if error:
            return update(table, parsed, data)
        before = copy.deepcopy(table["items"].get(key, {}).get(sort_key))
        answer = update(table, parsed, data)
        if before is not None:
            after = copy.deepcopy(table["items"][key][sort_key])
            dynamodb._emit_stream_event(table["TableName"], "MODIFY", before, after)  # noqa: SLF001 - if it differs
        return answer

    dynamodb._partiql_update = update_and_tell  # noqa: SLF001


if __name__ == "__main__":
    from ministack.app import main

    stream_statements()
    main()
