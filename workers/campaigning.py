"""Campaigns: frozen, queued, watched over, counted; a piece a transaction, in turn with those of other campaigns."""

from __future__ import annotations

import time

import structlog

from engine import clock
from engine.campaigns import progress
from engine.db import Database, is_outage
from engine.reports import rollup

logger = structlog.get_logger()
SECONDS = 10.0


def campaigns(database: Database, seconds: float = SECONDS) -> int:
    """Do what is due. A campaign that fails is paused with its error, and hinders no other. Returns the pieces done."""
    with database.transaction() as session:
        ids = progress.due(session, clock.now(session))
    pieces, until = 0, time.monotonic() + seconds
    while ids and time.monotonic() < until:
        pieces += len(ids)
        ids = [id_ for id_ in ids if _look(database, id_)]
    return pieces


def _look(database: Database, campaign_id: int) -> bool:
    """One piece; whether there is more."""
    try:
        with database.transaction() as session, rollup.together(session):
            return progress.look(session, campaign_id, clock.now(session))
    except Exception as error:
        if is_outage(error):
            raise
        logger.exception("campaign_failed", campaign=campaign_id)
        with database.transaction() as session:
            progress.set_aside(session, campaign_id, clock.now(session), f"{type(error).__name__}: {error}")
        return False
