"""The check that follows a deployment, against the local stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from release.package import ReleaseError
from release.smoke import smoke

if TYPE_CHECKING:
    from local_stack import Stack


def test_a_working_stack_passes(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """It asks for the health and runs a circuit."""
    smoke(stack.env["API_URL"])
    assert capsys.readouterr().out.startswith(f"{stack.env['API_URL']} is healthy and ran a circuit in ")


def test_an_address_that_is_no_api_fails(stack: Stack) -> None:
    """The reason is said, not thrown."""
    with pytest.raises(ReleaseError, match="/nothing/health: HTTP Error 404"):
        smoke(f"{stack.env['API_URL']}/nothing")
