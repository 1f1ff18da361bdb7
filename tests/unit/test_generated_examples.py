"""What generated tests are given: the same at every run, wherever the project lies and whatever else is imported."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def drawn() -> list[tuple[int, str]]:
    """Return the examples of a test."""
    examples = []

    @settings(max_examples=300)
    @given(st.integers(), st.text())
    def generated(number: int, text: str) -> None:
        examples.append((number, text))

    generated()
    return examples


def test_examples_do_not_depend_on_what_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The constants of a module of ours that another test has imported are not among them."""
    before = drawn()
    path = tmp_path / "another.py"
    path.write_text("NUMBER = 123_456_789_123\nTEXT = 'another'\n")
    spec = importlib.util.spec_from_file_location("another", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "another", module)
    assert drawn() == before


def test_no_time_fails_a_generated_test() -> None:
    """An example may take as long as a busy machine needs."""
    assert settings().deadline is None
