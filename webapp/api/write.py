"""Writes the calls of many requests, inside the shared commit."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from engine.events.ingest import Outcome, apply
from webapp.api.calls import Sent
from webapp.groupcommit import Moment


def write_calls(session: Session, requests: Sequence[Sequence[Sent]], moment: Moment) -> list[list[Outcome]]:
    """Apply the calls of all requests together, in their order; the outcomes of each request's calls."""
    calls = [sent.dated(moment.now, virtual=moment.virtual) for request in requests for sent in request]
    outcomes = iter(apply(session, calls, moment.now))
    return [[next(outcomes) for _ in request] for request in requests]
