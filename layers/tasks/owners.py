"""Whose a request is: the owner of its API key, who stays the same when the key is rotated.

API Gateway cannot give a key another value, so rotating makes a new key, with an id of its own. Keys that `make keys`
makes therefore name their owner in their value, which API Gateway checks whole. The owner of any other key is its id.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string

_VALUE = re.compile(r"qck-([0-9a-z]{8,32})-[0-9A-Za-z]{40}")
_CHARACTERS = string.ascii_letters + string.digits


def owner_of(value: str, key_id: str | None) -> str:
    """Return the owner of a key that was checked, by its value and its id; a hash of the value where it has no id.

    The local stand-in checks keys as well, and leaves their ids out.
    """
    if value.startswith("qck-") and (named := _VALUE.fullmatch(value)):
        return named[1]
    return key_id or hashlib.sha256(value.encode()).hexdigest()[:32]


def new_owner() -> str:
    """Return a new owner, which no key has yet."""
    return secrets.token_hex(8)


def new_value(owner: str) -> str:
    """Return the value of a new key of an owner, with 238 random bits."""
    return f"qck-{owner}-{''.join(secrets.choice(_CHARACTERS) for _ in range(40))}"
