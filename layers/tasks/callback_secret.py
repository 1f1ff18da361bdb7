"""The secret that an owner's callbacks are signed with, derived from the stack's one: nothing to store for an owner."""

from __future__ import annotations

import base64
import hashlib
import hmac

PREFIX = "whsec_"  # of a secret as Standard Webhooks shows it


def callback_secret(stack_secret: str, owner: str) -> bytes:
    """Return the 32 bytes that sign the callbacks of `owner`; those of one say nothing about another's."""
    return hmac.digest(stack_secret.encode(), f"callback\0{owner}".encode(), hashlib.sha256)


def secret_text(secret: bytes) -> str:
    """Return the secret as its owner gets it and as Standard Webhooks' libraries take it: `whsec_<base64>`."""
    return PREFIX + base64.b64encode(secret).decode()


def signature(secret: bytes, webhook_id: str, timestamp: int, body: bytes) -> str:
    """Return the header `webhook-signature` (Standard Webhooks 1.0.0, signature scheme, symmetric)."""
    signed = b".".join((webhook_id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
