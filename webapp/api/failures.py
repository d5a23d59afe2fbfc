"""Calls of `/v1` that failed, for whoever wonders why a program's data does not arrive.

A row holds neither bodies nor what messages put into quotes, so nothing of a person. Calls without a key in force are
anybody's and not kept; nor is more than a few a second, so that a program that fails all the time costs little.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine import clock
from engine.db import Database
from webapp.api import keys
from webapp.api.keys import Keys
from webapp.groupcommit import Unavailable
from webapp.native import Answer, Environ, clean

KEPT = 1000
A_SECOND = 5
NAMED = re.compile(r"^/v1/(contacts|messages)/[^/]+")
QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"")
WRITE = text("""
insert into api_failures (at, key_prefix, method, path, status, message)
values (:at, :key_prefix, :method, :path, :status, :message)""")
FORGET = text(
    "delete from api_failures where id <= (select id from api_failures order by id desc offset :kept limit 1)"
)
READ = text("""
select f.at, f.key_prefix, f.method, f.path, f.status, f.message,
    (select name from api_keys k where k.prefix = f.key_prefix order by k.id desc limit 1) as name
from api_failures f order by f.id desc limit :limit""")


@dataclass(slots=True)
class Failures:
    """Writes down failed calls, `A_SECOND` at most."""

    database: Database
    known: Keys
    clock: Callable[[], float] = time.monotonic
    _second: int = 0
    _written: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, environ: Environ, answer: Answer) -> None:
        """Keep what went wrong, if the caller is one of ours. Never raises."""
        key = keys.of_header(environ) or ""
        if not 400 <= answer.status < 500 or not environ["PATH_INFO"].startswith("/v1/"):
            return
        with suppress(SQLAlchemyError, Unavailable):
            if self.known.scopes(key) is not None and self._may_write():
                with self.database.transaction() as session:
                    session.execute(WRITE, {"at": clock.now(session), "key_prefix": key[:8], **_said(environ, answer)})
                    session.execute(FORGET, {"kept": KEPT})

    def _may_write(self) -> bool:
        second = int(self.clock())
        with self._lock:
            self._written = self._written + 1 if second == self._second else 1
            self._second = second
            return self._written <= A_SECOND


def _said(environ: Environ, answer: Answer) -> dict[str, Any]:
    try:
        message = str(json.loads(answer.body)["message"])
    except (ValueError, KeyError, TypeError):
        message = answer.body.decode("utf-8", "replace")
    return {
        "method": clean(environ["REQUEST_METHOD"], 10),
        "path": clean(NAMED.sub(r"/v1/\1/…", environ["PATH_INFO"]), 200),
        "status": answer.status,
        "message": clean(QUOTED.sub("“…”", message), 300),
    }


def latest(session: Session, limit: int) -> Sequence[Any]:
    """The newest failures first: `at`, `key_prefix`, `name` of the key, `method`, `path`, `status` and `message`."""
    return session.execute(READ, {"limit": limit}).all()
