"""What the pages for contacts share: their language, their guard, and how they show an address."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jinja2
from sqlalchemy.orm import Session
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from engine import translation, workspace
from engine.translation.matching import direction
from webapp.groupcommit import Busy, Unavailable
from webapp.native import HTML, TEXT, Answer, Environ, Headers, refusal

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
GUARD: Headers = (
    ("X-Robots-Tag", "noindex"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Vary", "Accept-Language"),
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self'; font-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'",
    ),
)


def language(environ: Environ, own: Iterable[str | None]) -> str:
    """What `?lang=` asks for, else the contact's own language, else the browser's (RFC 9110 section 12.5.4)."""
    asked = parse_qs(environ.get("QUERY_STRING", "")[:200]).get("lang", [None])[0]
    accepted = parse_accept_header(environ.get("HTTP_ACCEPT_LANGUAGE", "")[:500], LanguageAccept)  # in order of quality
    return translation.choose([asked, *own, *(tag for tag, quality in accepted if quality > 0)])


def wanted_language(environ: Environ) -> str:
    """The query that keeps a choice of language on the next page, or nothing."""
    asked = parse_qs(environ.get("QUERY_STRING", "")[:200]).get("lang", [""])[0]
    return f"?lang={asked}" if asked in translation.NAMES else ""


def render(
    template: str, spoken: str, *, referrer: str = "no-referrer", guard: Headers = GUARD, **values: Any
) -> Answer:
    """A page of `templates/public` in a language; its address tells nobody anything, unless `referrer` says so."""
    known = {
        "t": translation.translator(spoken),
        "language": spoken,
        "languages": translation.NAMES,
        "direction": direction,
        "referrer": referrer,
    }
    return Answer(
        200,
        (*HTML, ("Referrer-Policy", referrer), *guard),
        _templates().get_template(f"public/{template}.html").render(known | values).encode(),
    )


def sender(session: Session) -> str:
    """How the workspace calls itself towards contacts."""
    loaded = workspace.load(session)
    return loaded.sender_name or loaded.name


def later(error: Busy | Unavailable) -> Answer:
    """The store is away or has too much to do."""
    status, headers = refusal(error)
    return Answer(status, TEXT + headers, b"We cannot store this right now. Please try again in a moment.\n")


def masked(recipient: str | None) -> str:
    """Enough to recognise one's own address; whoever was forwarded the mail learns little."""
    if not recipient:
        return ""
    local, at, domain = recipient.rpartition("@")
    return f"{local[:1]}…{at}{domain}" if at else f"…{recipient[-3:]}"


@functools.cache
def _templates() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(TEMPLATES)
    return jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def fill(template: str, **values: Any) -> str:
    """A template of ours as text."""
    return _templates().get_template(template).render(values)
