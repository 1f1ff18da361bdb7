"""LocalStack in place of AWS: what of it can be known without Docker."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from release import localstack
from release.package import ReleaseError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_compose_file_is_pinned_closed_and_holds_no_token() -> None:
    """One exact version, reached from this machine alone at the address that is deployed to, the token asked for."""
    (service,) = yaml.safe_load(localstack.COMPOSE.read_text())["services"].values()
    assert re.fullmatch(r"localstack/localstack-pro:\d+\.\d+\.\d+", service["image"])
    assert service["ports"] == [f"{localstack.ENDPOINT.removeprefix('http://')}:4566"]
    assert service["environment"] == {localstack.TOKEN: f"${{{localstack.TOKEN}:?is needed}}"}


def test_without_a_token_or_docker_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Before anything is started."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(localstack.TOKEN, raising=False)
    with pytest.raises(ReleaseError, match="LOCALSTACK_AUTH_TOKEN is not set"):
        localstack.up()
    monkeypatch.setenv(localstack.TOKEN, "token")
    with pytest.raises(ReleaseError, match="docker not found"):
        localstack.up()
