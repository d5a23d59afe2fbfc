"""The WSGI application that granian serves: settings, database, hot path and Flask, built once a process."""

from __future__ import annotations

from functools import partial
from multiprocessing.util import Finalize

from engine import log, memory
from engine.channels.sms.gateway import parse
from engine.db import Database
from engine.errors import ConfigurationError
from engine.settings import settings
from engine.signing import signer
from webapp.app import create_app
from webapp.dispatch import dispatcher, hot_path
from webapp.native import Application
from workers.enqueue import connect, ring

POOL = 16


def build() -> Application:
    """The application of this process; what is pending is written when granian's worker ends."""
    chosen = settings()
    log.configure(chosen, "web")
    if not chosen.database_url:
        raise ConfigurationError(
            "DATABASE_URL is not set. `cairn up` starts a whole site, `cairn web` this part of it."
        )
    database = Database(chosen.database_url, workspace=chosen.workspace_schema, pool_size=POOL)
    bell = partial(ring, connect(chosen.redis_url), "match") if chosen.redis_url else lambda: None
    gateway = parse(chosen.sms_url) if chosen.sms_url else None
    header, site, mail = chosen.client_ip_header, chosen.site_url, chosen.smtp_url
    hot = hot_path(database, signer(), ring=bell, client_ip_header=header, site=site, gateway=gateway, smtp_url=mail)
    Finalize(None, hot.writer.close, exitpriority=10)
    flask = create_app(database, chosen.redis_url, chosen)
    memory.expect_batches()
    return dispatcher(hot, flask)


application = build()
