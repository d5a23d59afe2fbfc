"""`/f/SLUG`: a sign-up form. GET shows it; POST takes it, from here or from the sites that may embed it."""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from sqlalchemy.exc import SQLAlchemyError

from engine import clock
from engine.db import Database
from engine.errors import NotFound
from engine.model import Form
from engine.tracking import forms
from engine.tracking.forms import Refused, Submission
from engine.translation import translator
from webapp.groupcommit import Busy, Unavailable
from webapp.native import (
    JSON,
    NOT_FOUND,
    TEXT,
    Answer,
    Environ,
    Headers,
    client_ip,
    household,
    not_allowed,
    receive,
    user_agent,
)
from webapp.persisting import persist
from webapp.public import page

BODY_BYTES = 32 * 1024
MOST_FIELDS = 100
HONEYPOT = "website"
"""A field that people do not see. What fills it in is a program, and is told that all went well."""
TRIES, WITHIN = 20, 600.0
MOST_ADDRESSES = 10_000


@dataclass(slots=True)
class Tries:
    """How often a household may send forms: TRIES in WITHIN seconds, counted in this process."""

    clock: Callable[[], float] = time.monotonic
    _seen: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def allowed(self, address: str) -> bool:
        """Count a try; false if there were too many."""
        known = household(address)
        with self._lock:
            now, tries = self.clock(), self._seen.setdefault(known, deque())
            self._seen.move_to_end(known)
            while len(self._seen) > MOST_ADDRESSES:
                self._seen.popitem(last=False)
            while tries and tries[0] <= now - WITHIN:
                tries.popleft()
            if len(tries) >= TRIES:
                return False
            tries.append(now)
            return True


@dataclass(frozen=True, slots=True)
class SigningUp:
    """What the address works with. `site` is our own base address, whose pages may always send."""

    database: Database
    ring: Callable[[], object]
    site: str = ""
    proxy_header: str | None = None
    tries: Tries = field(default_factory=Tries)

    def answer(self, environ: Environ) -> Answer:
        """The form; 404 for one that there is not."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD", "POST"):
            return not_allowed("GET", "HEAD", "POST")
        try:
            return self._post(environ) if environ["REQUEST_METHOD"] == "POST" else self._show(environ)
        except NotFound:
            return NOT_FOUND
        except (Busy, Unavailable) as error:
            return page.later(error)
        except SQLAlchemyError:
            return page.later(Unavailable("The database is away."))

    def _show(self, environ: Environ, refusal: Refused | None = None, sent: dict[str, str] | None = None) -> Answer:
        with self.database.transaction() as session:
            form = forms.find(session, environ["PATH_INFO"][3:])
            seen, sender = forms.wording_of(session, form), page.sender(session)
        shown = page.render(
            "form",
            page.language(environ, ()),
            referrer="same-origin",  # without it browsers hide the origin of what the page sends
            form=form,
            fields=forms.fields_of(form),
            wording=seen,
            sender=sender,
            sent=sent or {},
            refusal=refusal,
            done="",
        )
        return Answer(422, shown.headers, shown.body) if refusal else shown

    def _post(self, environ: Environ) -> Answer:
        body = receive(environ, BODY_BYTES).decode("utf-8", "replace")
        try:
            sent = {name: values[0] for name, values in parse_qs(body, max_num_fields=MOST_FIELDS).items()}
        except ValueError:
            sent = {}
        with self.database.transaction() as session:
            form = forms.find(session, environ["PATH_INFO"][3:])
        origin = environ.get("HTTP_ORIGIN", "")
        if origin and origin not in (_own(environ), self.site) and origin not in form.origins:
            return Answer(403, TEXT, b"This form may not be used from that site.\n")
        cors: Headers = (("Access-Control-Allow-Origin", origin), ("Vary", "Origin")) if origin else ()
        wants_json = "application/json" in environ.get("HTTP_ACCEPT", "")
        if not self.tries.allowed(client_ip(environ, self.proxy_header) or ""):
            return Answer(429, (*TEXT, ("Retry-After", "600"), *cors), b"Too many tries. Please come back later.\n")
        try:
            asked = form.double_opt_in if sent.get(HONEYPOT) else self._submit(environ, form, sent)
        except Refused as error:
            if wants_json:
                said = translator(page.language(environ, ()))(error.message)
                return _json(422, {"success": False, "field": error.where, "message": said}, cors)
            return self._show(environ, error, sent)
        if wants_json:
            return _json(200, {"success": True, "confirm": asked, "message": form.thanks}, cors)
        return self._thank(environ, form, asked)

    def _submit(self, environ: Environ, form: Form, sent: dict[str, str]) -> bool:
        address = sent.get("phone" if form.channel == "sms" else "email", "")[:320]
        submission = Submission(
            address, sent, bool(sent.get("agree")), sent.get("wording", "")[:100],
            client_ip(environ, self.proxy_header), user_agent(environ), (page.language(environ, ()),),
        )  # fmt: skip
        asked = persist(self.database, lambda session: forms.submit(session, form, submission, clock.now(session)))
        self.ring()
        return asked

    def _thank(self, environ: Environ, form: Form, asked: bool) -> Answer:
        with self.database.transaction() as session:
            sender = page.sender(session)
        done = "confirm" if asked else "done"
        return page.render("form", page.language(environ, ()), form=form, sender=sender, done=done)


def _own(environ: Environ) -> str:
    return f"{environ.get('wsgi.url_scheme', 'http')}://{environ.get('HTTP_HOST', '')}"


def _json(status: int, value: dict[str, object], headers: Headers) -> Answer:
    return Answer(status, JSON + headers, json.dumps(value).encode())
