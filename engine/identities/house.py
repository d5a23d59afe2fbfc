"""What this installation sends with, by its settings."""

from __future__ import annotations

from engine.channels.dkim import configured
from engine.identities.values import House
from engine.settings import settings
from engine.signing import signer


def house() -> House:
    """Raises ConfigurationError when the DKIM settings are wrong."""
    own = settings()
    return House(own.site_url, signer().sealing_keys, configured(own.dkim_domain, own.dkim_keys))
