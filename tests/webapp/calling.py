"""The hot path in this process: real database and writer, WSGI without a socket."""

from __future__ import annotations

import json
import quopri
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text
from werkzeug.test import Client, TestResponse

from engine import users
from engine.channels.sms.gateway import Gateway
from engine.db import Database
from engine.messages.sending import Sender
from engine.signing import Signer
from tests.engine.channels.servers import scripted
from webapp.dispatch import HotPath, dispatcher, hot_path
from webapp.groupcommit import Limits
from webapp.native import Application

SIGNER = Signer(b"tests")


@dataclass
class Site:
    """`rings` counts the doorbell; `key` may ingest."""

    database: Database
    hot: HotPath
    client: Client
    key: str
    rings: list[int] = field(default_factory=list)

    def post(self, path: str, body: Any, **more: Any) -> TestResponse:
        """POST JSON with the key as Basic user, as the Segment libraries do."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(path, data=data, **{"auth": (self.key, ""), **more})

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self.database.transaction() as session:
            return [tuple(row) for row in session.execute(text(query))]


def mails(site: Site, home: Path) -> list[str]:
    """What is sent now, decoded."""
    with scripted() as server:
        sender = Sender(home, server.url, site="https://cairn.example", signer=SIGNER)
        sender.send(site.database)
        sender.close()
    return [quopri.decodestring(mail).decode() for mail in server.messages]


@contextmanager
def serving(
    database: Database,
    *,
    limits: Limits | None = None,
    client_ip_header: str | None = None,
    site: str = "",
    gateway: Gateway | None = None,
    smtp_url: str | None = None,
) -> Iterator[Site]:
    """A site on `database`."""
    with database.transaction() as session:
        key = users.create_api_key(session, "tests")
    rings: list[int] = []
    hot = hot_path(
        database,
        SIGNER,
        ring=lambda: rings.append(1),
        limits=limits,
        client_ip_header=client_ip_header,
        site=site,
        gateway=gateway,
        smtp_url=smtp_url,
    )
    try:
        yield Site(database, hot, Client(_from_loopback(dispatcher(hot, flask))), key, rings)
    finally:
        hot.writer.close()


def _from_loopback(application: Application) -> Application:
    """The client says where it is, as a server would."""
    return lambda environ, start_response: application({"REMOTE_ADDR": "127.0.0.1", **environ}, start_response)


def flask(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Stands behind the dispatcher and says that it was reached."""
    start_response("200 OK", [("X-Reached", "flask")])
    return [b""]
