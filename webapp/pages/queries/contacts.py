"""Lists of contacts and one contact's facts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from engine.model import ConsentPause, ConsentState, Contact, Enrolment, Journey, Segment, SegmentMembership
from webapp.pages.paging import Page, cut
from webapp.pages.queries import AnyRow, AnySelect

PAGE_SIZE = 50
MOST_JOURNEYS = 100
NAME_ATTRIBUTES = ("name", "first_name", "last_name")
COLUMNS = (
    Contact.id,
    Contact.public_id,
    Contact.external_id,
    Contact.email,
    Contact.phone,
    Contact.attributes,
    Contact.created_at,
)


def search(session: Session, text: str, after: int | None) -> Page:
    """Contacts, newest first, whose email, external id or phone begins with `text`; if none does, whose name does.

    Names are the attributes `name`, `first_name` and `last_name`; they have no index, so they come second.
    """
    if not text:
        return _page(session, select(*COLUMNS), after)
    found = _page(session, select(*COLUMNS).where(_by_identity(text)), after)
    if found.rows or (after and session.execute(select(Contact.id).where(_by_identity(text)).limit(1)).first()):
        return found
    return _page(session, select(*COLUMNS).where(_by_name(text)), after)


def _page(session: Session, query: AnySelect, after: int | None) -> Page:
    query = query.where(Contact.erased_at.is_(None))
    if after is not None:
        query = query.where(Contact.id < after)
    return cut(session.execute(query.order_by(Contact.id.desc()).limit(PAGE_SIZE + 1)).all(), PAGE_SIZE)


def _by_identity(text: str) -> ColumnElement[bool]:
    prefix = escaped(text) + "%"
    return or_(
        func.lower(Contact.email).like(prefix.lower(), escape="\\"),
        Contact.external_id.like(prefix, escape="\\"),
        Contact.phone.like(prefix, escape="\\"),
    )


def _by_name(text: str) -> ColumnElement[bool]:
    prefix = escaped(text.lower()) + "%"
    return or_(
        *(func.lower(Contact.attributes[name].as_string()).like(prefix, escape="\\") for name in NAME_ATTRIBUTES)
    )


def escaped(text: str) -> str:
    """Text for LIKE without its wildcards."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def by_public_id(session: Session, public_id: str) -> AnyRow | None:
    """One contact with everything that its page shows at the side."""
    query = select(*COLUMNS, Contact.timezone, Contact.locale, Contact.updated_at)
    return session.execute(query.where(Contact.public_id == public_id, Contact.erased_at.is_(None))).one_or_none()


def consents(session: Session, contact_id: int) -> Sequence[AnyRow]:
    """The contact's last word on each channel and topic."""
    query = select(ConsentState.channel, ConsentState.topic, ConsentState.state, ConsentState.expires_at)
    return session.execute(
        query.where(ConsentState.contact_id == contact_id).order_by(ConsentState.channel, ConsentState.topic)
    ).all()


def pauses(session: Session, contact_id: int, now: dt.datetime) -> Sequence[AnyRow]:
    """The channels on which the contact takes a break, and until when."""
    held = select(ConsentPause.channel, ConsentPause.until).order_by(ConsentPause.channel)
    return session.execute(held.where(ConsentPause.contact_id == contact_id, ConsentPause.until > now)).all()


def segments(session: Session, contact_id: int) -> Sequence[AnyRow]:
    """The segments that the contact is in."""
    query = (
        select(Segment.slug, Segment.name, SegmentMembership.entered_at)
        .join(Segment, Segment.id == SegmentMembership.segment_id)
        .where(SegmentMembership.contact_id == contact_id, SegmentMembership.left_at.is_(None))
        .order_by(Segment.name)
    )
    return session.execute(query).all()


def journeys(session: Session, contact_id: int) -> Sequence[AnyRow]:
    """Published journeys with the status of the contact's latest entry, those that it entered first."""
    latest = (
        select(Enrolment.journey_id, func.max(Enrolment.id).label("id"))
        .where(Enrolment.contact_id == contact_id)
        .group_by(Enrolment.journey_id)
        .subquery()
    )
    query = (
        select(Journey.slug, Enrolment.status)
        .outerjoin(latest, latest.c.journey_id == Journey.id)
        .outerjoin(Enrolment, Enrolment.id == latest.c.id)
        .where(Journey.live_version_id.is_not(None))
        .order_by(latest.c.id.desc().nulls_last(), Journey.slug)
        .limit(MOST_JOURNEYS)
    )
    return session.execute(query).all()


def display_name(contact: AnyRow) -> str:
    """What to call a contact: its name, else an address, else an id."""
    attributes = contact.attributes
    name = attributes.get("name") or " ".join(
        str(attributes[part]) for part in NAME_ATTRIBUTES[1:] if attributes.get(part)
    )
    return str(name or contact.email or contact.external_id or contact.phone or f"Contact {contact.public_id[:6]}")
