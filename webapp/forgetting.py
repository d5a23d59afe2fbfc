"""Erasing people from the edges: a batch a transaction, then the files beside the database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from engine import clock
from engine.db import Database
from engine.imports.scrubbing import scrub
from engine.model import Import
from engine.signing import Signer
from journeys import erasing
from journeys.runtime import catalogue, turn


def forget(database: Database, names: Sequence[str], signer: Signer, actor: str) -> int:
    """Erase everybody who is named, and what error files say of them. Returns how many contacts were erased."""
    erased, addresses = 0, list(names)
    for start in range(0, len(names), erasing.BATCH):
        with database.transaction() as session:
            ids = erasing.named(session, names[start : start + erasing.BATCH])
        for first in range(0, len(ids), erasing.BATCH):
            done = _erase(database, ids[first : first + erasing.BATCH], signer, actor)
            erased += len(done.ids)
            addresses += done.addresses
    with database.transaction() as session:
        files = [file for file in session.scalars(select(Import.error_file)) if file]
    scrub(files, [address for address in addresses if len(address) > 3])
    return erased


def _erase(database: Database, ids: list[int], signer: Signer, actor: str) -> erasing.Erased:
    """While no event is being matched, so that nobody enters a journey behind our back."""
    with database.transaction() as session:
        turn.take(session)
        return erasing.erase(session, catalogue.load(session), ids, clock.now(session), signer, actor)
