"""DKIM keys of identities. Keys of a sender in use are changed in two steps: made and published, then switched to.

In between mail is signed with the old ones, so that no receiver meets a signature whose key it cannot find.
"""

from __future__ import annotations

import datetime as dt
import functools

from sqlalchemy.orm import Session

from engine import sealing
from engine.channels import dkim
from engine.channels.dkim import Dkim
from engine.errors import ConfigurationError, InvalidInput, NotFound
from engine.model import AuditLog, Identity
from engine.sealing import Keys

KEYS = "keys of an identity"
HINT = "`cairn identities list` shows those that there are."


def new(selector: str, by: Keys) -> bytes:
    """An RSA key, which everybody reads, and an Ed25519 key beside it (RFC 8463), sealed. Raises InvalidInput."""
    name = selector.strip().lower()
    if not dkim.domain_name(name) or len(name) > 50:
        raise InvalidInput("cannot be a selector", "selector", "Use letters, digits and -.")
    words = [name, dkim.new(ed25519=False).decode(), f"{name}-ed", dkim.new(ed25519=True).decode()]
    return sealing.seal(words, by, KEYS)


@functools.lru_cache(maxsize=256)
def read(sealed: bytes, by: Keys, domain: str) -> Dkim:
    """The signer of sealed keys. Raises ConfigurationError where the installation's keys are others now."""
    words = opened(sealed, by, KEYS)
    pairs = zip(words[::2], words[1::2], strict=True)
    return Dkim(domain, [dkim.parse(selector, pem.encode(), f"selector {selector}") for selector, pem in pairs])


def opened(sealed: bytes, by: Keys, purpose: str) -> list[str]:
    """What `sealing.seal` was given. Raises ConfigurationError."""
    found = sealing.unseal(sealed, by, purpose)
    if found is None:
        what = "The secrets of an identity do not open with this installation's keys."
        raise ConfigurationError(f"{what} Set CAIRN_SECRET_KEY and CAIRN_SEALING_KEYS as they were.")
    return found


def put(row: Identity, selector: str, by: Keys, *, moved: bool) -> None:
    """New keys under this selector; none for an empty one. Beside keys of the same domain they wait to be switched to.

    Keys that no longer open are replaced. Raises InvalidInput for the selector in use: receivers would look up the old
    key under it.
    """
    used = sealing.unseal(bytes(row.dkim), by, KEYS) if row.dkim is not None else None
    made = new(selector, by) if selector.strip() else None
    if made is None or used is None or moved:
        row.dkim, row.dkim_next = made, None
        return
    if used[0] == opened(made, by, KEYS)[0]:
        raise InvalidInput("names the keys in use", "selector", "Take another name, such as one with the year.")
    row.dkim_next = made


def stage(session: Session, slug: str, selector: str, by: Keys, actor: str, now: dt.datetime) -> None:
    """Make new keys; an identity without any signs with them at once. Raises NotFound, InvalidInput."""
    row = _locked(session, slug)
    if not selector.strip():
        raise InvalidInput("is empty", "selector", "Name the new keys, such as by the year.")
    put(row, selector, by, moved=False)
    _note(session, slug, "new signing keys made", actor, now)


def switch(session: Session, slug: str, actor: str, now: dt.datetime) -> None:
    """Sign with the new keys from now on, and forget the old ones. Raises NotFound."""
    row = _waiting(session, slug)
    row.dkim, row.dkim_next = row.dkim_next, None
    _note(session, slug, "signing keys changed", actor, now)


def drop(session: Session, slug: str, actor: str, now: dt.datetime) -> None:
    """Forget the new keys. Raises NotFound."""
    _waiting(session, slug).dkim_next = None
    _note(session, slug, "new signing keys dropped", actor, now)


def _locked(session: Session, slug: str) -> Identity:
    row = session.get(Identity, slug.replace("\0", ""), with_for_update=True)
    if row is None:
        raise NotFound("identity", slug, HINT)
    return row


def _waiting(session: Session, slug: str) -> Identity:
    row = _locked(session, slug)
    if row.dkim_next is None:
        raise NotFound("new key of", slug, "Make it first: cairn identities rotate SLUG SELECTOR.")
    return row


def _note(session: Session, slug: str, what: str, actor: str, now: dt.datetime) -> None:
    session.add(AuditLog(actor=actor, action=what, object=slug, at=now))
    session.flush()
