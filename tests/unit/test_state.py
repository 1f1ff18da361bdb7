"""What is kept of one start of the local stack for the next."""

from __future__ import annotations

import shutil
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from local import state
from local.ministack import LocalStackError

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, name: str, now: Any) -> None:
    """Save one service's state, or run out of room."""
    if now == "too large":
        raise OSError(28, "No space left on device")
    (folder / f"{name}.json").write_text(f'"{now}"')


def kept(folder: Path) -> dict[str, str]:
    """Return the files of a folder."""
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_save_that_runs_out_of_room_changes_nothing(tmp_path: Path) -> None:
    """Every service's state is of the same moment: the new one, or the one before."""
    state.save_whole(tmp_path, {"s3": lambda: 1, "sqs": lambda: 1, "sns": lambda: None}, write)
    with pytest.raises(OSError, match="No space left"):
        state.save_whole(tmp_path, {"s3": lambda: 2, "sqs": lambda: "too large"}, write)
    assert kept(tmp_path) == {"s3.json": '"1"', "sqs.json": '"1"'}
    state.save_whole(tmp_path, {"s3": lambda: 3, "sqs": lambda: 3}, write)
    assert kept(tmp_path) == {"s3.json": '"3"', "sqs.json": '"3"'}


def test_a_half_written_state_is_named_with_what_to_do(tmp_path: Path) -> None:
    """It is not passed over as if there were none, nor is it a traceback."""
    (tmp_path / "dynamodb.json").write_text('{"payload": ')
    with pytest.raises(LocalStackError, match=r"dynamodb.json is damaged; remove the folder .* to start without"):
        state.check(tmp_path)


def test_a_full_disk_is_named_with_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is started on it."""
    assert state.shortage(tmp_path) == ""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10 * 2**20))
    with pytest.raises(LocalStackError, match="has 10 MB left and needs 64 to keep tasks"):
        state.check(tmp_path)
