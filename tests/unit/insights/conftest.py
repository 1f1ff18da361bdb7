"""An engine that the queries over the fixed lines share: to start one takes longer than most queries."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from insights import evaluation
from unit.insights.fixed_lines import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import duckdb

    from insights import Event


@pytest.fixture(autouse=True, scope="package")
def _one_engine_for_the_fixed_lines() -> Iterator[None]:
    """Undo after each query what it changed in the engine; queries over other lines open their own, as all do."""
    opened = evaluation.open_engine
    with opened(EVENTS) as engine, pytest.MonkeyPatch.context() as patch:

        @contextmanager
        def kept() -> Iterator[duckdb.DuckDBPyConnection]:
            engine.begin()
            try:
                yield engine
            finally:
                engine.rollback()

        def open_or_keep(events: Iterable[Event]) -> object:
            lines = list(events)
            return kept() if lines == EVENTS else opened(lines)

        patch.setattr(evaluation, "open_engine", open_or_keep)
        yield
