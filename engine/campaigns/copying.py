"""Drafts made from campaigns: a duplicate, and another try at those who did not open the first."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.campaigns import store
from engine.campaigns.definition import Definition, Variant
from engine.campaigns.text import spliced
from engine.errors import InvalidInput
from engine.model import Campaign

LONGEST = 64


def duplicate(session: Session, slug: str, name: str, now: dt.datetime, actor: str) -> Campaign:
    """A draft that says the same under another name, with the file's comments; an instant that is over is left out.

    Without a `name` it is “…, copy”. Raises NotFound.
    """
    campaign = store.find(session, slug)
    found = store.definition_of(campaign)
    at = found.at if found.at and (found.at.replace(tzinfo=found.at.tzinfo or dt.UTC) > now) else None
    made = replace(
        found, slug=free(session, slug), name=name or f"{found.name}, copy", at=at, local=found.local and bool(at)
    )
    source = spliced(campaign.source, made) if campaign.source else None
    return store.save(session, made, now, actor, source)


def again(session: Session, slug: str, now: dt.datetime, actor: str) -> Campaign:
    """A draft to those who got the campaign and neither opened nor clicked it, as far as people and proxies go.

    It has the winner's content, or the control's. Who opens until it starts is left out. Raises NotFound, and
    InvalidInput for one that has sent nothing by email.
    """
    campaign = store.find(session, slug)
    found = store.definition_of(campaign)
    if campaign.origin_at is None or found.channel != "email":
        raise InvalidInput("has sent no email", slug, "Send it first; then there are people who did not open it.")
    contents = sorted({one.content for one in found.variants})
    best = next((one for one in found.variants if one.name == campaign.winner), found.variants[0])
    made = Definition(
        slug=free(session, slug),
        name=f"{found.name}, again",
        channel="email",
        audience=" or ".join(f'received "{one}"' for one in contents),
        excluded=" or ".join(f'opened "{one}" or clicked "{one}"' for one in contents),
        variants=(Variant("a", best.content, Decimal(1)),),
        topic=found.topic,
        sender=found.sender,
        throttle=found.throttle,
        goal=found.goal,
    )
    return store.save(session, made, now, actor)


def free(session: Session, slug: str) -> str:
    """`spring-sale-2`, or the first such name that no campaign has."""
    base = slug[: LONGEST - 5]
    taken = set(session.execute(select(Campaign.slug).where(Campaign.slug.startswith(base, autoescape=True))).scalars())
    return next(name for number in range(2, 10_000) if (name := f"{base}-{number}") not in taken)
