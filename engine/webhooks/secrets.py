"""Secrets of endpoints: made here, kept sealed, never logged. Form and signature follow Standard Webhooks 1.0."""

from __future__ import annotations

import base64
import hmac
import secrets as random
from collections.abc import Sequence

from engine import sealing
from engine.errors import ConfigurationError

PURPOSE = "webhook secrets"
PREFIX = "whsec_"
SIZE = 32


def new_secret() -> str:
    """`whsec_` and 256 random bits in base64, as receivers' libraries take it."""
    return PREFIX + base64.b64encode(random.token_bytes(SIZE)).decode()


def seal(values: Sequence[str], key: bytes) -> bytes:
    """Secrets, encrypted and authenticated under the installation's key."""
    return sealing.seal(values, key, PURPOSE)


def unseal(sealed: bytes, key: bytes) -> list[str]:
    """What `seal` was given. Raises ConfigurationError if the installation's key is another one now."""
    found = sealing.unseal(sealed, key, PURPOSE)
    if found is None:
        raise ConfigurationError(
            "The secret of a webhook does not open with this installation's key. Set CAIRN_SECRET_KEY as it was, or "
            "make the endpoint anew: cairn webhooks remove SLUG, then add."
        )
    return found


def signature(values: Sequence[str], token: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`: one signature a secret, so that a receiver may change over in its own time."""
    signed = b"%s.%d.%s" % (token.encode(), timestamp, body)
    keys = (base64.b64decode(value.removeprefix(PREFIX)) for value in values)
    return " ".join("v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys)
