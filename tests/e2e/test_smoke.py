"""What surrounds a deployment, against the local stack: the check that follows it, and the environment of sam local."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from release.package import ReleaseError
from release.sam_local import write_environment
from release.smoke import smoke
from tasks.settings import Settings

if TYPE_CHECKING:
    from local_stack import Stack


def test_a_working_stack_passes(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """It asks for the health and runs a circuit."""
    smoke(stack.env["API_URL"], stack.env["API_KEY"])
    assert capsys.readouterr().out.startswith(f"{stack.env['API_URL']} is healthy and ran a circuit in ")


def test_an_address_that_is_no_api_fails(stack: Stack) -> None:
    """The reason is said, not thrown."""
    with pytest.raises(ReleaseError, match="/nothing/health: HTTP Error 404"):
        smoke(f"{stack.env['API_URL']}/nothing", stack.env["API_KEY"])


def test_sam_local_is_told_all_that_a_function_is(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file has every setting, and where the local stack's AWS is."""
    monkeypatch.setenv("LOCAL_DIR", str(stack.folder))
    told = json.loads(write_environment().read_text())["Parameters"]
    assert {field.name.upper() for field in fields(Settings)} <= set(told)
    assert told["AWS_ENDPOINT_URL"] == stack.env["AWS_ENDPOINT_URL"]
