"""In front of Flask: the few addresses that take nearly all requests are answered natively."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from engine.channels.sms.gateway import Gateway
from engine.db import Database
from engine.identities.values import House
from engine.signing import Signer
from webapp.api import consent, enter, explaining, ingest, leave, listing, messages, receipts
from webapp.api.failures import Failures
from webapp.api.frame import between
from webapp.api.keys import Keys
from webapp.api.pace import Pace
from webapp.api.write import write_calls
from webapp.groupcommit import GroupCommit, Handler, Limits
from webapp.health import Health
from webapp.native import TEXT, Answer, Application, Environ, as_json
from webapp.public import click, confirming, mail_receipts, pixel, preferences, texts
from webapp.public.confirming import Confirming
from webapp.public.hits import ClickWriter, write_opens
from webapp.public.hosts import TrackingHosts
from webapp.public.mail_receipts import MailReceipts
from webapp.public.preferences import PreferenceCentre
from webapp.public.signing_up import SigningUp
from webapp.public.texts import Texts
from webapp.public.unsubscribe import Unsubscribing, write_wishes
from webapp.public.view import Viewing

log = structlog.get_logger(__name__)

BETWEEN_RINGS = 0.02
WAKING = {"ingest", "unsubscribe", "preferences", "confirm"}
"""Kinds of work after which journeys have something to look at."""


NOT_HERE = Answer(404, TEXT, b"There is nothing here.\n")


class Doorbell:
    """Rings from a thread of its own, so that neither a request nor a commit waits for Redis. Rings fall together.

    The first after a rest is immediate; under load there are fifty a second, however many commits there are.
    """

    def __init__(self, ring: Callable[[], object]) -> None:
        self._ring = ring
        self._wanted = threading.Event()
        threading.Thread(target=self._run, name="doorbell", daemon=True).start()

    def __call__(self, kinds: set[str]) -> None:
        """Ring soon, if what was committed concerns journeys."""
        if kinds & WAKING:
            self._wanted.set()

    def _run(self) -> None:
        """A bell that cannot be rung loses nothing: the next sweep finds the work."""
        while True:
            self._wanted.wait()
            self._wanted.clear()
            try:
                self._ring()
            except Exception:
                log.exception("doorbell failed")
            time.sleep(BETWEEN_RINGS)


@dataclass(frozen=True, slots=True)
class HotPath:
    """What the native addresses work with, one of each in a process."""

    database: Database
    signer: Signer
    keys: Keys
    writer: GroupCommit
    unsubscribing: Unsubscribing
    preferences: PreferenceCentre
    confirming: Confirming
    signing_up: SigningUp
    viewing: Viewing
    ring: Callable[[], object]
    texts: Texts
    mail_receipts: MailReceipts
    hosts: TrackingHosts
    health: Health
    failures: Failures
    client_ip_header: str | None = None
    pace: Pace = field(default_factory=Pace)

    def answer(self, environ: Environ) -> Answer | None:
        """The answer, or None for what Flask serves."""
        path: str = environ["PATH_INFO"]
        prefix = path[:3]
        if prefix == "/o/":
            return pixel.answer(environ, self.signer, self.writer, self.client_ip_header)
        if prefix == "/c/":
            return click.answer(environ, self.signer, self.writer, self.client_ip_header)
        if prefix == "/s/":
            return click.answer_brief(environ, self.signer, self.writer, self.database, self.client_ip_header)
        if prefix == "/u/":
            return self.unsubscribing.answer(environ)
        if prefix == "/p/":
            return self.preferences.answer(environ)
        if prefix == "/f/":
            return self.signing_up.answer(environ)
        if prefix == "/w/":
            return self.viewing.answer(environ)
        if prefix == "/y/":
            return self.confirming.answer(environ)
        if prefix == "/ho" and path.startswith(texts.PREFIX):
            return self.texts.answer(environ)
        if prefix == "/ho" and path.startswith(mail_receipts.PREFIX):
            return self.mail_receipts.answer(environ)
        return self._call(path, environ) if prefix == "/v1" else self.health.answer(path)

    def _call(self, path: str, environ: Environ) -> Answer | None:
        """That of a call of a program; events come first, as nearly all are."""
        if name := ingest.PATHS.get(path):
            return ingest.answer(environ, name, self.keys, self.writer)
        if path == consent.PATH:
            return consent.answer(environ, self.keys, self.database, self.ring)
        if slug := between(path, enter.PREFIX, enter.SUFFIX):
            return enter.answer(environ, slug, self.keys, self.database)
        if slug := between(path, enter.PREFIX, leave.SUFFIX):
            return leave.answer(environ, slug, self.keys, self.database)
        for ending, change in listing.CHANGES.items() if path.startswith(listing.PREFIX) else ():
            if slug := between(path, listing.PREFIX, ending):
                return listing.answer(environ, slug, change, self.keys, self.database, self.ring)
        if contact := explaining.contact_of(path):
            return explaining.answer(environ, contact, self.keys, self.database, self.signer)
        if messages.is_ours(path):
            return messages.answer(environ, self.keys, self.database, self.ring, self.pace)
        if path == receipts.PATH:
            return receipts.answer(environ, self.keys, self.database)
        return None


def hot_path(
    database: Database,
    signer: Signer,
    *,
    ring: Callable[[], object] = lambda: None,
    client_ip_header: str | None = None,
    limits: Limits | None = None,
    site: str = "",
    gateway: Gateway | None = None,
    smtp_url: str | None = None,
) -> HotPath:
    """Start the writer and build the native addresses on it. `ring` may block and fail, nobody waits for it.

    Calls are written first: finding contacts takes the locks that everything else may wait for. `gateway` delivers
    receipts and texts at addresses below `site`, `smtp_url` says who tells what became of email.
    """
    bell = Doorbell(ring)
    writer = GroupCommit(database, _writers(signer), committed=bell, limits=limits)
    waking = partial(bell, {"ingest"})
    house, known = House(site, signer.sealing_keys), Keys(database)
    page = signer, database, writer, client_ip_header
    return HotPath(
        database,
        signer,
        known,
        writer,
        Unsubscribing(*page),
        PreferenceCentre(*page),
        Confirming(*page),
        SigningUp(database, waking, site, client_ip_header),
        Viewing(signer, database, site),
        waking,
        Texts(database, signer, site, gateway, waking),
        MailReceipts(database, signer, house, smtp_url),
        TrackingHosts(database),
        Health(database, writer.alive, house, smtp_url),
        Failures(database, known),
        client_ip_header,
    )


def _writers(signer: Signer) -> dict[str, Handler]:
    """What is written in shared commits, by kind, in the order in which it is."""
    return {
        "ingest": write_calls,
        "unsubscribe": write_wishes,
        "preferences": preferences.writer_of(signer),
        "confirm": confirming.writer_of(signer),
        "click": ClickWriter(),
        "open": write_opens,
    }


def dispatcher(hot: HotPath, flask: Application) -> Application:
    """The WSGI application: native addresses first, the rest to Flask."""

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            answer = NOT_HERE if hot.hosts.refuses(environ) else hot.answer(environ)
            if answer is not None and answer.status >= 400:
                hot.failures.note(environ, answer)
        except Exception:
            answer = _fault(environ)
        return flask(environ, start_response) if answer is None else answer.send(start_response)

    return application


def _fault(environ: Environ) -> Answer:
    """A fault of ours: the log has the trace under the reference. The path holds a token and is not logged."""
    reference = uuid.uuid4().hex[:12]
    log.exception("unexpected error", reference=reference, path=environ["PATH_INFO"][:3])
    return as_json(500, {"success": False, "message": "Something went wrong on our side.", "reference": reference})
