"""Identities in the database. The caller's transaction is the boundary."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine import sealing, workspace
from engine.channels.addresses import addresses, name_of
from engine.errors import ConfigurationError, InvalidInput, NotFound
from engine.identities import keys
from engine.identities.values import OWN, TOKEN, House, Identity, Senders
from engine.model import AuditLog
from engine.model import Identity as Row
from engine.receipts.verp import ReturnPath, return_path
from engine.rendering.errors import RenderError
from engine.rendering.headers import ascii_name, controls, split_address
from engine.sealing import Keys
from engine.workspace import Workspace

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}").fullmatch
HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*(?::\d{1,5})?").fullmatch
TOKENED = re.compile(rf"[a-z0-9._]{{1,22}}[+-]{TOKEN}").fullmatch
RELAYS = "relays of an identity"
ALL = text("""
select slug, name, address, reply_to, relays, dkim, dkim_next, return_path, tracking_domain, postal_address, unverified
from identities
order by slug""")
USED = text("""
select 'content ' || slug from contents where sender = :slug
union all
select 'campaign ' || slug from campaigns where definition ->> 'from' = :slug and state not in ('sent', 'cancelled')
union all
select 'queue' from messages
where sender = :slug and state = 'queued' and claimed_at is null and ended_at is null limit 5""")
VENDORS = "postmark://TOKEN@api.postmarkapp.com and its like (docs/operations.md, Email through a vendor)"
HINT = "`cairn identities list` shows those that there are."


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What somebody fills in; `relays` as CAIRN_SMTP_URL, `return_path` as CAIRN_BOUNCE_DOMAIN.

    None leaves a secret as it is, an empty text takes it out. A `selector` beside keys in use makes new ones that wait.
    """

    slug: str
    name: str
    address: str
    reply_to: str = ""
    relays: str | None = None
    selector: str | None = None
    return_path: str = ""
    tracking_domain: str = ""
    postal_address: str = ""
    unverified: bool = False


def load(session: Session, known: Workspace, house: House) -> Senders:
    """All identities as messages are made with them; sealed keys are opened once a process."""
    found = {OWN: house.identity(known)}
    found |= {row.slug: _identity(row, known, house) for row in session.execute(ALL)}
    return Senders(found.get(known.identity) or found[OWN], found)


def listed(session: Session, house: House) -> list[Identity]:
    """All, by slug, after the one that the workspace's settings name."""
    return list(load(session, workspace.load(session), house).by_slug.values())


def find(session: Session, slug: str, house: House) -> Identity:
    """One by its slug. Raises NotFound."""
    found = load(session, workspace.load(session), house).by_slug.get(slug)
    if found is None:
        raise NotFound("identity", slug, HINT)
    return found


def expect(session: Session, slug: str) -> None:
    """Raises NotFound unless there is such an identity; an empty name asks for none."""
    if slug not in ("", OWN) and session.get(Row, slug.replace("\0", "")) is None:
        raise NotFound("identity", slug, HINT)


def _identity(row: Any, known: Workspace, house: House) -> Identity:
    found = Identity(
        row.slug,
        row.name,
        row.address,
        house.site_of(row.tracking_domain),
        row.reply_to,
        row.postal_address or known.postal_address,
        tracking_domain=row.tracking_domain,
        unverified=row.unverified,
        bounces=return_path(row.return_path),
    )
    try:
        signing, following = (
            keys.read(bytes(sealed), house.sealing_keys, found.domain) if sealed else None
            for sealed in (row.dkim, row.dkim_next)
        )
        relays = _relays(bytes(row.relays), house.sealing_keys) if row.relays else ""
    except ConfigurationError as error:
        return replace(found, broken=str(error))
    return replace(found, dkim=signing, next=following, relays=relays)


@functools.lru_cache(maxsize=256)
def _relays(sealed: bytes, by: Keys) -> str:
    return keys.opened(sealed, by, RELAYS)[0]


def put(session: Session, form: Form, house: House, actor: str, now: dt.datetime) -> None:
    """Make an identity, or change it. Raises InvalidInput naming the field."""
    slug, values = _slug(form.slug), _checked(form, house)
    row = session.get(Row, slug, with_for_update=True)
    action = "identity changed" if row is not None else "identity made"
    if row is None:
        row = Row(slug=slug, created_at=now)
        session.add(row)
    moved = row.address is not None and _domain(row.address) != _domain(values["address"])
    if moved and row.dkim and form.selector is None:
        raise InvalidInput("is of another domain than the DKIM keys", "address", "Make new keys with it.")
    for name, value in values.items():
        setattr(row, name, value)
    if form.selector is not None:
        keys.put(row, form.selector, house.sealing_keys, moved=moved)
    session.add(AuditLog(actor=actor, action=action, object=slug, at=now))
    session.flush()


def _checked(form: Form, house: House) -> dict[str, Any]:
    """The columns that the form fills in."""
    values: dict[str, Any] = {
        "address": _address(form.address, "address"),
        "name": _line(form.name, "name"),
        "reply_to": _reply_to(form.reply_to),
        "return_path": _return_path(form.return_path),
        "tracking_domain": _host(form.tracking_domain, house.site),
        "postal_address": form.postal_address.replace("\0", "").strip(),
        "unverified": form.unverified,
    }
    if form.relays is not None:
        relays = _checked_relays(form.relays) if form.relays.strip() else ""
        values["relays"] = sealing.seal([relays], house.sealing_keys, RELAYS) if relays else None
    return values


def remove(session: Session, slug: str, actor: str, now: dt.datetime) -> None:
    """Forget an identity. Raises NotFound; InvalidInput while it is the default or something asks for it."""
    row = session.get(Row, slug.replace("\0", ""), with_for_update=True)
    if row is None:
        raise NotFound("identity", slug, HINT)
    if workspace.load(session).identity == slug:
        raise InvalidInput("is the default", slug, "Choose another one first: cairn identities default SLUG.")
    if used := session.execute(USED, {"slug": slug}).scalars().all():
        raise InvalidInput(f"is used by {', '.join(used)}", slug, "Let them name another identity first.")
    session.execute(text("delete from warm_ups where identity = :slug"), {"slug": slug})
    session.delete(row)
    session.add(AuditLog(actor=actor, action="identity removed", object=slug, at=now))
    session.flush()


def make_default(session: Session, slug: str) -> None:
    """The identity of messages that name none; Raises NotFound."""
    expect(session, slug)
    workspace.save(session, identity="" if slug == OWN else slug)


def return_paths(session: Session) -> list[ReturnPath]:
    """Where mail of identities comes back, beside the installation's own."""
    found = session.execute(select(Row.return_path).where(Row.return_path != "").distinct())
    return [path for setting in found.scalars() if (path := return_path(setting)) is not None]


def tracking_hosts(session: Session) -> Mapping[str, None]:
    """The tracking domains, as they stand in a Host header."""
    found = session.execute(select(Row.tracking_domain).where(Row.tracking_domain != ""))
    return dict.fromkeys(found.scalars())


def slugs(session: Session) -> Sequence[str]:
    """All names."""
    return [OWN, *session.execute(select(Row.slug).order_by(Row.slug)).scalars()]


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _slug(given: str) -> str:
    if not SLUG(given) or given == OWN:
        raise InvalidInput("cannot be an identity's name", "slug", "Use a-z, 0-9 and -, at most 63 signs.")
    return given


def _line(given: str, where: str) -> str:
    found = controls.sub(" ", given).strip()
    if len(found) > 150:
        raise InvalidInput("is longer than 150 characters", where)
    return found


def _address(given: str, where: str) -> str:
    try:
        local, domain = split_address(given)
    except RenderError as error:
        raise InvalidInput("is no email address", where, "Write news@example.com.") from error
    if not local.isascii() or set(local) & set(' "<>,;'):
        raise InvalidInput("has signs before the @ that not every server takes", where)
    return f"{local}@{domain}"


def _reply_to(given: str) -> str:
    """An address; TOKEN in it stands for the message's name, as in reply+TOKEN@example.com."""
    if not given.strip():
        return ""
    found = _address(given, "reply_to")
    local = found.rpartition("@")[0]
    misplaced = TOKEN in found.rpartition("@")[2] or (TOKEN in local and not TOKENED(local))
    if misplaced:
        raise InvalidInput("has its token at the wrong place", "reply_to", f"Write reply+{TOKEN}@example.com.")
    return found


def _return_path(given: str) -> str:
    """As CAIRN_BOUNCE_DOMAIN; domains are kept in ASCII."""
    try:
        found = return_path(given.strip())
    except ConfigurationError as error:
        hint = "Write bounces.shop.example, or bounces@shop.example for one mailbox."
        raise InvalidInput("is neither a domain nor a short address", "return_path", hint) from error
    return found.setting if found is not None else ""


def _host(given: str, site: str) -> str:
    """A domain for links; at that of the site nothing but links would be answered, so it is refused."""
    found = given.strip().lower()
    if not found.isascii():
        found = _in_ascii(found)
    if found and not HOST(found):
        raise InvalidInput("is no domain", "tracking_domain", "Write click.example.com, without https://.")
    if found and found.partition(":")[0] == urlsplit(site).hostname:
        raise InvalidInput("is where this site is reached", "tracking_domain", "Leave it empty, or take another name.")
    return found


def _in_ascii(domain: str) -> str:
    """A domain with other letters as DNS has it (IDNA2008); what is none stays as it is and is refused."""
    try:
        return ascii_name(domain)
    except RenderError:
        return domain


def _checked_relays(setting: str) -> str:
    """Mail servers and accounts with vendors. Says nothing of their secrets."""
    try:
        for each in addresses(setting):
            name_of(each)
    except (ConfigurationError, ValueError):
        hint = f"Write smtp://user:password@host:587, or {VENDORS}; several with blanks between."
        raise InvalidInput("is no address of a mail server or a vendor", "relays", hint) from None
    return " ".join(setting.split())
