"""The check that follows a deployment, against a server that answers as API Gateway does to a key just made."""

from __future__ import annotations

import pytest

from release import smoke
from release.package import ReleaseError
from scripted_server import Reply, scripted

TASK_ID = "0b84f2f4-52a5-4c3c-9f3a-6a3f5f0a3b56"
HEALTHY = Reply(200, {"status": "healthy"})
REFUSED = Reply(
    403, {"status": "error", "message": "This address needs a valid API key.", "code": "invalid_api_key", "hint": "h"}
)
ACCEPTED = Reply(200, {"task_id": TASK_ID, "message": "m", "submitted_at": "t", "correlation_id": "c"})


def ended(counts: dict[str, int]) -> Reply:
    """Return the task as it has ended."""
    return Reply(200, {"task_id": TASK_ID, "status": "completed", "submitted_at": "t", "shots": 100, "result": counts})


@pytest.fixture(autouse=True)
def fixture_no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
    monkeypatch.setattr(smoke, "PAUSE_S", 0)


def test_a_key_that_was_just_made_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    """403 is no failure of the deployment while API Gateway does not know the key yet."""
    with scripted(HEALTHY, REFUSED, REFUSED, REFUSED, ACCEPTED, ended({"10": 100})) as server:
        smoke.smoke(server.url, "key")
    assert "is healthy and ran a circuit" in capsys.readouterr().out


def test_a_key_that_opens_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time that a new key may take, the refusal is the answer."""
    monkeypatch.setattr(smoke, "KEY_PATIENCE_S", -1)
    with scripted(HEALTHY, REFUSED) as server, pytest.raises(ReleaseError, match="needs a valid API key"):
        smoke.smoke(server.url, "key")


def test_wrong_counts_are_an_error() -> None:
    """A stack that counts anything else is not taken for a working one."""
    with scripted(HEALTHY, ACCEPTED, ended({"01": 100})) as server, pytest.raises(ReleaseError, match="should have"):
        smoke.smoke(server.url, "key")
