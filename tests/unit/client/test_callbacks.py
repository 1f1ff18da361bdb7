"""Callbacks as the service signs them, checked by the client."""

from __future__ import annotations

import json
import time

import pytest

from quantum_circuits import ConfigurationError
from quantum_circuits.callbacks import InvalidCallbackError, verify_callback
from tasks.callback_secret import callback_secret, secret_text, signature

BODY = json.dumps({"type": "task.completed", "data": {"task_id": "t"}}).encode()
SECRET = callback_secret("the stack's", "an owner")


def signed(secret: bytes = SECRET, sent_at: int | None = None) -> dict[str, str]:
    """Return a callback's headers as the service makes them, in the letters that some web servers make of them."""
    at = int(time.time()) if sent_at is None else sent_at
    return {"Webhook-Id": "t", "Webhook-Timestamp": str(at), "Webhook-Signature": signature(secret, "t", at, BODY)}


def test_what_the_service_signs_is_verified() -> None:
    """A callback's body comes back as it was sent."""
    assert verify_callback(signed(), BODY, secret_text(SECRET)) == json.loads(BODY)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (signed(), BODY.replace(b"completed", b"failed")),
        (signed(callback_secret("the stack's", "another")), BODY),
        (signed(sent_at=1_700_000_000), BODY),
        ({}, BODY),
        ({**signed(), "Webhook-Timestamp": "soon"}, BODY),
        ({**signed(), "Webhook-Signature": "v1"}, BODY),
        ({**signed(), "Webhook-Signature": "v1,\u00e9"}, BODY),
        (signed(), b"\xff"),
    ],
    ids=["other body", "other owner", "old", "no headers", "no time", "no signature", "not base64", "not UTF-8"],
)
def test_what_is_not_the_services_is_refused(headers: dict[str, str], body: bytes) -> None:
    """Whatever strangers send is InvalidCallbackError and nothing else."""
    with pytest.raises(InvalidCallbackError):
        verify_callback(headers, body, secret_text(SECRET))


def test_a_secret_that_is_none_is_named() -> None:
    """A secret that was copied wrongly is a fault of the configuration, not of the callback."""
    for wrong in ("", "whsec_x"):
        with pytest.raises(ConfigurationError, match="callback_secret"):
            verify_callback(signed(), BODY, wrong)
