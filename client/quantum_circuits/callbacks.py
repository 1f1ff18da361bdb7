"""Verifies the callbacks that the service sends when a task has ended; needs the extra `callbacks`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from quantum_circuits.errors import ConfigurationError, QuantumCircuitsError

if TYPE_CHECKING:
    from collections.abc import Mapping


class InvalidCallbackError(QuantumCircuitsError):
    """The request was not signed with the secret, or not within the last five minutes."""


def verify_callback(headers: Mapping[str, str], body: bytes, secret: str) -> Mapping[str, Any]:
    """Return what a callback says: `{"type", "timestamp", "data": {"task_id", "status", ...}}`.

    `body` is the request's, as it came; `secret` is what `Client.callback_secret` returns. Raises InvalidCallbackError,
    and ConfigurationError for a secret that is none.
    Source: Standard Webhooks, "Verifying signatures".
    """
    try:
        webhook = Webhook(secret or "x")  # versions differ in what an empty one raises
    except ValueError as error:
        raise ConfigurationError("The secret is not one that `Client.callback_secret` returns.") from error
    lower = {name.lower(): value for name, value in headers.items()}
    try:
        verified: Mapping[str, Any] = webhook.verify(body, lower)
    except (WebhookVerificationError, ValueError) as error:  # ValueError: headers or a body that are no such text
        raise InvalidCallbackError(f"The callback is not the service's: {error}.") from error
    return verified
