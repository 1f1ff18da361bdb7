"""What is built without Docker and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.translate import load
from release.package import functions, zipped_bytes

if TYPE_CHECKING:
    from pathlib import Path


def test_the_template_has_two_functions_of_each_kind() -> None:
    """The workers are images, the others zips."""
    assert functions(load(), "Zip") == ["ApiFunction", "SweeperFunction"]
    assert functions(load(), "Image") == ["WorkerFunction", "LargeWorkerFunction"]


def test_a_folder_weighs_what_its_zip_does(tmp_path: Path) -> None:
    """Compressible bytes count compressed."""
    (tmp_path / "zeros").write_bytes(bytes(1_000_000))
    assert 900 < zipped_bytes(tmp_path) < 1_300
