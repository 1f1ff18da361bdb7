"""What is built without Docker and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.translate import load
from release.package import functions, revision, zipped_bytes

if TYPE_CHECKING:
    from pathlib import Path


def test_the_template_has_functions_of_both_kinds() -> None:
    """The workers are images, the others zips."""
    zips = [
        "ApiFunction",
        "NotifierFunction",
        "UsageFunction",
        "CallbackFunction",
        "SweeperFunction",
        "LauncherFunction",
    ]
    assert functions(load(), "Zip") == zips
    assert functions(load(), "Image") == ["WorkerFunction", "DryRunFunction", "LargeWorkerFunction"]


def test_a_folder_weighs_what_its_zip_does(tmp_path: Path) -> None:
    """Compressible bytes count compressed."""
    (tmp_path / "zeros").write_bytes(bytes(1_000_000))
    assert 900 < zipped_bytes(tmp_path) < 1_300


def test_a_revision_is_of_code_and_parameters(tmp_path: Path) -> None:
    """It changes with a file's content, a file's name and a parameter, and with nothing else."""
    code = tmp_path / "function" / "code.py"
    code.parent.mkdir()
    code.write_text("a = 1")
    first = revision(tmp_path, ["LogLevel=INFO"])
    assert revision(tmp_path, ["LogLevel=INFO"]) == first
    others = {revision(tmp_path, ["LogLevel=DEBUG"])}
    code.write_text("a = 2")
    others.add(revision(tmp_path, ["LogLevel=INFO"]))
    code.write_text("a = 1")
    code.rename(code.with_name("other.py"))
    others.add(revision(tmp_path, ["LogLevel=INFO"]))
    assert len(others | {first}) == 4
    assert all(set(found) <= set("0123456789abcdef") for found in others)
