"""A message that is being sent, with what is needed to account for it and to render it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.identities.values import Identity


@dataclass(slots=True)
class Handed:
    """A message in state `sending`; `attempt` counts from 1 and includes this one."""

    id: int
    origin_at: dt.datetime
    journey_id: int | None
    step_id: str | None
    channel: str
    recipient: str
    attempt: int
    queued_at: dt.datetime


@dataclass(slots=True)
class Candidate(Handed):
    """A locked queued message with what its row says; the rest is filled in by reads after the locks.

    Becomes a `Handed` if the gate lets it.
    """

    contact_id: int
    enrolment_id: int | None
    version_id: int | None
    visit: int | None
    campaign_id: int | None
    content_id: int
    topic: str | None
    token: str
    cap: str | None
    expires_at: dt.datetime | None
    contact: dict[str, Any] = field(default_factory=dict)
    content_version_id: int | None = None
    content_slug: str = ""
    journey_slug: str | None = None
    campaign_slug: str | None = None
    event: Mapping[str, Any] = field(default_factory=dict)
    transactional: bool = False
    tracking: str | None = None  # what the contact said on it
    blocks: dict[str, Any] | None = None  # of a content with rules: the variables of those that hold
    sender: str | None = None  # the identity that its step, campaign or call names, else its content
    identity: Identity | None = None  # who it is from; the workspace's own sender without one
    warming: tuple[tuple[str, str], ...] = ()  # the warm-ups that it counts in: identity or relay, domain
