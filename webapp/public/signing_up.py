"""`/f/SLUG`: a sign-up form. GET shows it; POST takes it, from here or from the sites that may embed it.

`/f/-/form.js` is the script of embedded forms: pages with a strict Content-Security-Policy allow it by its address.
"""

from __future__ import annotations

import functools
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
from engine.receipts import signups
from engine.tracking import forms
from engine.tracking.form_fields import Refused
from engine.tracking.forms import Submission
from engine.tracking.signups import Limited
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
from webapp.public import page, showing

Sent = dict[str, list[str]]
SCRIPT_HEADERS: Headers = (
    ("Content-Type", "text/javascript; charset=utf-8"), ("Cache-Control", "public, max-age=3600"),
    ("X-Content-Type-Options", "nosniff"), ("Cross-Origin-Resource-Policy", "cross-origin"),
)  # fmt: skip
BODY_BYTES = 32 * 1024
MOST_FIELDS = 100
HONEYPOT = "website"
"""A field that people do not see. What fills it in is a program, and is told that all went well."""
SCRIPT = "/f/-/form.js"
TRIES, WITHIN = 20, 600.0
MAILBOX_TRIES = 10
"""How often a mailbox may be typed in WITHIN seconds, by anybody and in any of its spellings."""
HASTE = 1.0
"""Seconds between showing our page and its answer below which no person has read it."""
MOST_ADDRESSES = 10_000


def mailbox(address: str) -> str:
    """What an address has in common with its other spellings: no tag (`ann+1@`), no dots, no capitals.

    Dots count for nothing at Gmail alone; elsewhere two people may then share the tries, not the mail.
    """
    local, _, domain = address.strip().lower().rpartition("@")
    return f"{local.partition('+')[0].replace('.', '')}@{domain}"[:320]


@dataclass(slots=True)
class Tries:
    """How often one may send forms: `most` times in WITHIN seconds, counted in this process. One is a household, unless
    `name` says otherwise."""

    most: int = TRIES
    name: Callable[[str], str] = household
    clock: Callable[[], float] = time.monotonic
    _seen: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def allowed(self, address: str) -> bool:
        """Count a try; false if there were too many."""
        known = self.name(address)
        with self._lock:
            now, tries = self.clock(), self._seen.setdefault(known, deque())
            self._seen.move_to_end(known)
            while len(self._seen) > MOST_ADDRESSES:
                self._seen.popitem(last=False)
            while tries and tries[0] <= now - WITHIN:
                tries.popleft()
            if len(tries) >= self.most:
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
    mailboxes: Tries = field(default_factory=lambda: Tries(MAILBOX_TRIES, mailbox))

    def answer(self, environ: Environ) -> Answer:
        """The form; 404 for one that there is not."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD", "POST"):
            return not_allowed("GET", "HEAD", "POST")
        if environ["PATH_INFO"] == SCRIPT:
            return Answer(200, SCRIPT_HEADERS, _script())
        try:
            return self._post(environ) if environ["REQUEST_METHOD"] == "POST" else self._show(environ)
        except NotFound:
            return NOT_FOUND
        except (Busy, Unavailable) as error:
            return page.later(error)
        except SQLAlchemyError:
            return page.later(Unavailable("The database is away."))

    def _show(self, environ: Environ, refusal: Refused | None = None, sent: Sent | None = None) -> Answer:
        with self.database.transaction() as session:
            form = forms.find(session, environ["PATH_INFO"][3:])
            shown = showing.asked(session, form, page.language(environ, ()), refusal, sent or _query(environ))
        return Answer(422, shown.headers, shown.body) if refusal else shown

    def _post(self, environ: Environ) -> Answer:
        sent = _read(receive(environ, BODY_BYTES).decode("utf-8", "replace"))
        with self.database.transaction() as session:
            form = forms.find(session, environ["PATH_INFO"][3:])
            double = forms.is_double(session, form)
        origin = environ.get("HTTP_ORIGIN", "")
        if origin and origin not in (_own(environ), self.site) and origin not in form.origins:
            return Answer(403, TEXT, b"This form may not be used from that site.\n")
        cors: Headers = (("Access-Control-Allow-Origin", origin), ("Vary", "Origin")) if origin else ()
        wants_json = "application/json" in environ.get("HTTP_ACCEPT", "")
        t = translator(page.language(environ, ()))
        if not self._may_try(environ, sent):
            return _late(t("Too many tries. Please come back later."), wants_json, cors)
        try:
            if not first(sent, HONEYPOT):
                self._submit(environ, form, sent)
        except Refused as error:
            if wants_json:
                return _json(422, {"success": False, "field": error.where, "message": t(error.message)}, cors)
            return self._show(environ, error, sent)
        if wants_json:
            said = {"message": form.thanks, "next": showing.next_step(form, double, t), "redirect": form.redirect}
            return _json(200, {"success": True, "confirm": double, **said}, cors)
        return self._thank(environ, form, double)

    def _may_try(self, environ: Environ, sent: Sent) -> bool:
        """Neither too many of a household nor of a mailbox, which somebody may want to have flooded."""
        typed = first(sent, "email")[:320]
        within = self.tries.allowed(client_ip(environ, self.proxy_header) or "")
        return within and (not typed or self.mailboxes.allowed(typed))

    def _submit(self, environ: Environ, form: Form, sent: Sent) -> None:
        if _is_hasty(first(sent, "opened")):
            raise Refused("That was very quick. Please press the button once more.", "")
        answers = {name: values[0] for name, values in sent.items()}
        submission = Submission(
            {name: first(sent, name)[:320] for name in ("email", "phone")}, answers, bool(first(sent, "agree")),
            first(sent, "wording")[:100], sent.get("topics", ()), client_ip(environ, self.proxy_header),
            user_agent(environ), (page.language(environ, ()),),
        )  # fmt: skip
        try:
            persist(self.database, lambda session: forms.submit(session, form, submission, clock.now(session)))
        except Limited as error:
            refused = error
            persist(self.database, lambda session: signups.note(session, refused, clock.now(session)))
            self.ring()
            raise Refused(error.message, error.where) from error
        self.ring()

    def _thank(self, environ: Environ, form: Form, double: bool) -> Answer:
        if form.redirect:
            return Answer(303, (*TEXT, ("Location", form.redirect)), b"")
        with self.database.transaction() as session:
            return showing.thanked(session, form, page.language(environ, ()), double)


def first(sent: Sent, name: str) -> str:
    """The first value of a name, '' without one."""
    return sent.get(name, [""])[0]


def _read(query: str) -> Sent:
    try:
        return parse_qs(query, max_num_fields=MOST_FIELDS)
    except ValueError:
        return {}


def _query(environ: Environ) -> Sent:
    """What the address of our page says of hidden fields; what people fill in begins empty, whatever a link says."""
    return _read(environ.get("QUERY_STRING", "")[:4000])


def _is_hasty(opened: str) -> bool:
    """Whether our page was answered before anybody could have read it; a page that tells no time says nothing."""
    return opened.isascii() and opened.isdigit() and 0 <= time.time() - int(opened[:15]) / 1000 < HASTE


def _own(environ: Environ) -> str:
    return f"{environ.get('wsgi.url_scheme', 'http')}://{environ.get('HTTP_HOST', '')}"


def _late(said: str, wants_json: bool, cors: Headers) -> Answer:
    later: Headers = (("Retry-After", str(int(WITHIN))), *cors)
    if wants_json:
        return _json(429, {"success": False, "message": said}, later)
    return Answer(429, (*TEXT, *later), said.encode() + b"\n")


def _json(status: int, value: dict[str, object], headers: Headers) -> Answer:
    return Answer(status, JSON + headers, json.dumps(value).encode())


@functools.cache
def _script() -> bytes:
    return (page.TEMPLATES / "system" / "form.js").read_bytes()
