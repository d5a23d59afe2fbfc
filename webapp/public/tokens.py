"""From a request's path to the message that its token names."""

from __future__ import annotations

import datetime as dt

from engine import urls
from engine.rendering.honeypot import POSITION as HONEYPOT
from engine.signing import Reference, Signer
from engine.tracking.hits import KEPT_HEADERS, Hit
from webapp.native import Environ, clean, client_ip, user_agent

ENVIRON_HEADERS = tuple((name, "HTTP_" + name.upper().replace("-", "_")) for name in KEPT_HEADERS)
FIRST_ORIGIN_US = 0
LAST_ORIGIN_US = 4_102_444_800_000_000  # the year 2100; beyond it no partition will be made


def reference(signer: Signer, purpose: str, environ: Environ) -> Reference | None:
    """What the token in the path (`/o/TOKEN`) says, or None for everything that was not made here."""
    found = signer.read(purpose, environ["PATH_INFO"][3:])
    if found is None or found.position > HONEYPOT or not FIRST_ORIGIN_US <= found.origin_us < LAST_ORIGIN_US:
        return None
    return found


def hit(kind: str, found: Reference, environ: Environ, proxy_header: str | None) -> Hit:
    """The request as it came, at this process's real time."""
    headers = {name: clean(environ[key], 200) for name, key in ENVIRON_HEADERS if key in environ}
    return Hit(
        at=dt.datetime.now(dt.UTC),
        kind=kind,
        message_id=found.message_id,
        origin_at=urls.origin_at(found),
        position=found.position if kind == "click" else None,
        method=environ["REQUEST_METHOD"],
        ip=client_ip(environ, proxy_header),
        user_agent=user_agent(environ),
        headers=headers or None,
    )
