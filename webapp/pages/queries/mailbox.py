"""The local mailbox: what this installation sent to itself."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from engine.model import Campaign, Contact, IncomingText, Journey, LocalMessage, Message
from webapp.pages.paging import Page, cut
from webapp.pages.queries import AnyRow, AnySelect
from webapp.pages.queries.contacts import escaped

PAGE_SIZE = 50


def listing(session: Session, channel: str | None, text: str, after: int | None) -> Page:
    """Messages, newest first, texts with their bytes; of one channel, and to recipients that begin with `text`."""
    columns = (
        LocalMessage.id,
        LocalMessage.public_id,
        LocalMessage.channel,
        LocalMessage.sender,
        LocalMessage.recipient,
        LocalMessage.subject,
        LocalMessage.received_at,
        case((LocalMessage.channel == "sms", LocalMessage.raw)).label("text"),
    )
    query = select(*columns)
    if channel:
        query = query.where(LocalMessage.channel == channel)
    if text:
        query = query.where(func.lower(LocalMessage.recipient).like(escaped(text.lower()) + "%", escape="\\"))
    if after is not None:
        query = query.where(LocalMessage.id < after)
    return cut(session.execute(query.order_by(LocalMessage.id.desc()).limit(PAGE_SIZE + 1)).all(), PAGE_SIZE)


def by_public_id(session: Session, public_id: str) -> LocalMessage | None:
    """One message as it arrived."""
    return session.execute(select(LocalMessage).where(LocalMessage.public_id == public_id)).scalar_one_or_none()


def conversation(session: Session, number: str) -> Sequence[IncomingText]:
    """What was last texted back from a number, with Cairn's answers, oldest first."""
    query = select(IncomingText).where(IncomingText.sender == number).order_by(IncomingText.received_at.desc())
    return list(reversed(session.execute(query.limit(PAGE_SIZE)).scalars().all()))


def origin(session: Session, token: str, recipient: str) -> AnyRow | None:
    """The ledger's row of a message: its contact, journey, step and state.

    Tokens have no index, messages of a contact have: so the contacts with the recipient's address come first, and only
    if their address has changed since is the whole ledger searched.
    """
    who = select(Contact.id).where(or_(func.lower(Contact.email) == recipient.lower(), Contact.phone == recipient))
    query = _by_token(token)
    found = session.execute(query.where(Message.contact_id.in_(who))).first()
    return found or session.execute(query).first()


def _by_token(token: str) -> AnySelect:
    return (
        select(
            Message.id,
            Message.origin_at,
            Message.state,
            Message.step_id,
            Message.accepted_at,
            Message.first_open_at,
            Message.first_click_at,
            Message.cost,
            Journey.slug.label("journey"),
            Campaign.slug.label("campaign"),
            Campaign.name.label("campaign_name"),
            Contact.public_id.label("contact_public_id"),
            Contact.email,
            Contact.phone,
        )
        .join(Contact, Contact.id == Message.contact_id)
        .join(Journey, Journey.id == Message.journey_id, isouter=True)
        .join(Campaign, Campaign.id == Message.campaign_id, isouter=True)
        .where(Message.token == token)
        .limit(1)
    )
