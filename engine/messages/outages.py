"""What keeps messages from leaving as they should: said where an operator looks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy.orm import Session

from engine.channels import relays
from engine.channels.addresses import addresses, name_of
from engine.identities.values import Identity
from engine.messages import status
from engine.messages.ways import status_of


class Outage(NamedTuple):
    """`what` is email, sms, or the name of the identities whose mail is meant, `since` when and `why` it is so.

    Their messages wait, unless they go `by` another relay.
    """

    what: str
    why: str
    since: dt.datetime
    by: str = ""

    def __str__(self) -> str:
        way = f"goes by {self.by}" if self.by else "is not leaving"
        return f"{way} since {self.since:%Y-%m-%d %H:%M} UTC: {self.why}"


def listed(session: Session, setting: str | None, identities: Iterable[Identity]) -> list[Outage]:
    """All that is known now, what waits first. `setting` is CAIRN_SMTP_URL."""
    found = [*_of_house(session, setting), *_of_identities(session, identities)]
    return sorted(found, key=lambda one: bool(one.by))


def _of_house(session: Session, setting: str | None) -> Iterator[Outage]:
    yield from _away(session, "email", "email", relays.current(session, setting))
    yield from _away(session, "sms", "sms", None)


def _of_identities(session: Session, identities: Iterable[Identity]) -> Iterator[Outage]:
    """Identities with the same relays are told together."""
    by_way: dict[str, list[str]] = {}
    for each in identities:
        if each.relays:
            by_way.setdefault(each.relays, []).append(each.slug)
    for way, slugs in by_way.items():
        in_use = relays.current(session, way, relays.status_name(way))
        yield from _away(session, ", ".join(slugs), status_of(way), in_use)


def _away(session: Session, what: str, name: str, in_use: relays.InUse | None) -> Iterator[Outage]:
    """A sender writes that nothing works before it notes which relay does, so the first of these holds."""
    known = status.read(session, name)
    if known is not None and not known.ok:
        yield Outage(what, known.error, known.since)
    elif in_use is not None and in_use.why:
        yield Outage(what, in_use.why, in_use.since, in_use.relay)


def summed_up(found: Iterable[Outage]) -> dict[str, str]:
    """`email` and `sms`: ok, waiting (for some at least), or that another relay is used; names nobody."""
    states = dict.fromkeys(("email", "sms"), "ok")
    for one in reversed(list(found)):
        states["sms" if one.what == "sms" else "email"] = "by another relay" if one.by else "waiting"
    return states


def names(setting: str | None, identities: Iterable[Identity]) -> list[str]:
    """The relays of the installation and of identities, as people see them."""
    settings = [setting, *(each.relays for each in identities)]
    return sorted({name_of(each) for one in settings if one for each in addresses(one)})
