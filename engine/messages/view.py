"""An email in the browser: rendered once more from the version that was sent, for who cannot read it in the mailbox.

Links lead where the message's own lead, and its blocks are those that were sent. What was not kept is as it is today:
the contact's attributes and the workspace's address. Looking at it counts nothing: it holds no pixel and no trap for
robots.
"""

from __future__ import annotations

import datetime as dt
from email import message_from_bytes
from email.policy import default

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import workspace
from engine.channels.provider import RenderFailure
from engine.identities import store as identities
from engine.identities.values import House
from engine.messages import blocks
from engine.messages.claim import candidate
from engine.messages.compose import Composer, load_events, load_renderers
from engine.signing import Signer
from engine.tracking.links import MessageKey

READ = text("""
select m.id, m.origin_at, m.journey_id, m.step_id, m.channel, coalesce(m.recipient, c.email, ''), m.attempts,
    m.queued_at, m.contact_id, m.enrolment_id, m.version_id, m.visit, m.campaign_id, m.content_id, m.topic, m.token,
    m.cap, m.expires_at, c.attributes, c.email, c.phone, c.external_id, c.timezone, c.locale, m.transactional,
    coalesce(m.sender, (select sender from contents where id = m.content_id)), m.content_version_id, m.claimed_at,
    (select state from consent_states s where s.contact_id = c.id and s.channel = 'tracking' and s.topic = '')
from messages m join contacts c on c.id = m.contact_id and c.erased_at is null
where m.id = :id and m.origin_at = :origin_at and m.channel = 'email' and m.content_version_id is not null
    and m.claimed_at is not null""")


def page(session: Session, key: MessageKey, signer: Signer, site: str) -> str | None:
    """The HTML of a message that was sent; None if there is none, its contact was erased, or it renders no more."""
    row = session.execute(READ, {"id": key[0], "origin_at": key[1]}).first()
    if row is None:
        return None
    message = candidate(row)
    message.content_version_id, sent_at, message.tracking = row[26:]
    renderers = load_renderers(session, [message.content_version_id])
    load_events(session, [message], renderers)
    blocks.recall(session, message, renderers[message.content_version_id])
    known = workspace.load(session)
    message.identity = identities.load(session, known, House(site, signer.sealing_keys)).of(message.sender)
    composer = Composer(known, renderers, signer, site, sent_at or dt.datetime.now(dt.UTC))
    try:
        mail = message_from_bytes(composer.view(message), policy=default)
    except RenderFailure:
        return None
    body = mail.get_body(("html",))
    return str(body.get_content()) if body is not None else None
