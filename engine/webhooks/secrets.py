"""Secrets of endpoints: made here, kept sealed, never logged. Form and signature follow Standard Webhooks 1.0."""

from __future__ import annotations

import base64
import hmac
import secrets as random
from collections.abc import Sequence

from engine import sealing
from engine.errors import ConfigurationError
from engine.sealing import Keys

PURPOSE = "webhook secrets"
PREFIX = "whsec_"
SIZE = 32


def new_secret() -> str:
    """`whsec_` and 256 random bits in base64, as receivers' libraries take it."""
    return PREFIX + base64.b64encode(random.token_bytes(SIZE)).decode()


def seal(values: Sequence[str], keys: Keys) -> bytes:
    """Secrets, encrypted and authenticated under the installation's keys."""
    return sealing.seal(values, keys, PURPOSE)


def unseal(sealed: bytes, keys: Keys) -> list[str]:
    """What `seal` was given. Raises ConfigurationError if the installation's keys are others now."""
    found = sealing.unseal(sealed, keys, PURPOSE)
    if found is None:
        raise ConfigurationError(
            "The secret of a webhook does not open with this installation's keys. Set CAIRN_SECRET_KEY and "
            "CAIRN_SEALING_KEYS as they were, or make the endpoint anew: cairn webhooks remove SLUG, then add."
        )
    return found


def signature(values: Sequence[str], token: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`: one signature a secret, so that a receiver may change over in its own time."""
    signed = b"%s.%d.%s" % (token.encode(), timestamp, body)
    keys = (base64.b64decode(value.removeprefix(PREFIX)) for value in values)
    return " ".join("v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys)
