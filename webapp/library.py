"""The stock journeys: what each is for, what it needs, and how it comes into a workspace.

A file of `journeys/library/` says in the comments below its title what it is for; `read_stock` reads them. Its contents
lie in `templates/messages/`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine import segments
from engine.content import store
from engine.content.source import Source
from engine.content.source import parse as parse_content
from engine.errors import InvalidInput, NotFound
from engine.expr import Schema
from engine.model import Content, Journey, List, Segment
from journeys.language import steps as language
from journeys.language.parse import parse
from journeys.language.problems import did_you_mean
from journeys.language.program import walk

ROOT = Path(__file__).resolve().parents[1]
JOURNEYS, MESSAGES = ROOT / "journeys" / "library", ROOT / "templates" / "messages"
ORDER = (
    "welcome", "onboarding", "trial-to-paid", "abandoned-cart", "browse-abandonment", "review-request",
    "replenishment", "win-back", "birthday", "vip", "nps", "re-permission",
)  # fmt: skip
"""As people meet them in the life of a contact."""
PROPERTY = re.compile(r"([\w.]+)(?: \((\w+)\))?")
SITE, ACCENT = "https://example.com", "#0f766e"
GIVEN_SITE = re.compile(r"https?://[A-Za-z0-9.-]+(:\d+)?(/[A-Za-z0-9._~-]+)*")
GIVEN_ACCENT = re.compile(r"#[0-9a-f]{6}")
LEAST_CONTRAST = 4.5
LOCK = text("select pg_advisory_xact_lock(hashtext(current_schema() || ' library'))")


@dataclass(frozen=True, slots=True)
class Message:
    """A content of a stock journey. `file` is its name in `templates/messages/`."""

    slug: str
    channel: str
    file: str
    text: str

    @property
    def source(self) -> Source:
        """The file, read."""
        return parse_content(self.text, self.channel)


@dataclass(frozen=True, slots=True)
class Stock:
    """A stock journey. `events` and `attributes` are names with their types, `segments` slugs with their rules,
    `lists` slugs, `webhooks` slugs with what they are called for, `change` what to look at before publishing.
    """

    journey: language.Journey
    summary: str
    audience: str = ""
    change: str = ""
    events: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)
    lists: tuple[str, ...] = ()
    webhooks: Mapping[str, str] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        """Its name."""
        return self.journey.slug

    @property
    def text(self) -> str:
        """The file."""
        return self.journey.source

    @property
    def messages(self) -> tuple[Message, ...]:
        """Its contents in the order of its steps."""
        sends = [step for step in walk(self.journey.steps) if isinstance(step, language.Email | language.Sms)]
        return tuple(_message(slug, kind) for slug, kind in dict.fromkeys((one.content, one.kind) for one in sends))

    @property
    def starts(self) -> tuple[str, ...]:
        """The stock journeys that it starts."""
        return tuple(step.journey for step in walk(self.journey.steps) if isinstance(step, language.StartJourney))

    @property
    def schema(self) -> Schema:
        """What a workspace knows that has everything that the journey needs."""
        contents = frozenset(message.slug for message in self.messages)
        return Schema(
            self.attributes, self.events, frozenset(self.segments), frozenset(self.lists),
            dict.fromkeys(_topics(self.journey), "subscribed"), contents, frozenset(ORDER),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Brand:
    """What takes the place of the examples in the contents: the address of the site, and the colour of buttons."""

    site: str = SITE
    accent: str = ACCENT


@dataclass(frozen=True, slots=True)
class Added:
    """What `add` made, and what it found and left as it was, each as `kind name`."""

    made: tuple[str, ...]
    kept: tuple[str, ...]


def stock() -> tuple[Stock, ...]:
    """All stock journeys."""
    return tuple(map(find, ORDER))


@lru_cache(maxsize=len(ORDER))
def find(slug: str) -> Stock:
    """One stock journey. Raises NotFound."""
    if slug not in ORDER:
        near = did_you_mean(slug, ORDER)
        raise NotFound("stock journey", slug, near or "`cairn journeys library` lists those that there are.")
    return read_stock((JOURNEYS / f"{slug}.yaml").read_text("utf-8"))


def read_stock(text: str) -> Stock:
    """A journey file with the comments of its head. Raises LanguageError."""
    said: dict[str, list[str]] = {}
    for line in _head(text):
        label, colon, rest = line.partition(":")
        known = label.split(" ")[0] in ("For", "Event", "Attributes", "Segment", "List", "Webhook", "Change")
        name, value = (label, rest) if colon and known else ("", line)
        said.setdefault(name, []).append(value.strip())
    whole = {name: " ".join(lines) for name, lines in said.items()}
    events = {name: _typed(value) for name, value in _named(whole, "Event").items()}
    return Stock(
        parse(text), whole.get("", ""), whole.get("For", ""), whole.get("Change", ""), events,
        _typed(whole.get("Attributes", "")), _named(whole, "Segment"), tuple(_named(whole, "List")),
        _named(whole, "Webhook"),
    )  # fmt: skip


def _topics(journey: language.Journey) -> set[str]:
    """Publishing makes those that are not there."""
    sends = [step.send for step in walk(journey.steps) if isinstance(step, language.Email | language.Sms)]
    return {send.topic for send in (journey.send, *sends) if send.topic}


def _head(text: str) -> list[str]:
    """The lines of the comment above `enter`, without their signs; a line set further in goes on with the one above."""
    lines: list[str] = []
    for line in text.partition("\nenter:")[0].split("\n"):
        if line.startswith("#   ") and lines:
            lines[-1] += " " + line[1:].strip()
        elif line.startswith("#"):
            lines.append(line[1:].strip())
    return lines


def _named(said: Mapping[str, str], kind: str) -> dict[str, str]:
    """`Event Signed Up: …` and its like, by what stands after the kind."""
    return {name.removeprefix(kind + " "): value for name, value in said.items() if name.startswith(kind + " ")}


def _typed(text: str) -> dict[str, str]:
    """`total (number), coupon` as names with types; text is not written."""
    return {match[1]: match[2] or "text" for match in map(PROPERTY.fullmatch, text.split(", ")) if match}


@lru_cache(maxsize=100)
def _message(slug: str, channel: str) -> Message:
    file = slug + (".mjml" if channel == "email" else ".txt")
    return Message(slug, channel, file, (MESSAGES / file).read_text("utf-8"))


def brand(site: str = "", accent: str = "") -> Brand:
    """A checked brand; what is empty stays as it is in the files. Raises InvalidInput."""
    site, accent = site.strip().rstrip("/") or SITE, accent.strip().lower() or ACCENT
    if not GIVEN_SITE.fullmatch(site):
        raise InvalidInput(f"“{site[:80]}” is no address of a site", "site", "Write it like https://shop.example.")
    if not GIVEN_ACCENT.fullmatch(accent):
        raise InvalidInput(f"“{accent[:80]}” is no colour", "accent", "Write it with six digits, like #0f766e.")
    if (contrast := 1.05 / (luminance(accent) + 0.05)) < LEAST_CONTRAST:
        message = f"white text on {accent} has a contrast of {contrast:.1f} to 1, and readable begins at 4.5"
        raise InvalidInput(message, "accent", "Choose a darker colour.")
    return Brand(site, accent)


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb` (WCAG 2.2)."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def branded(text: str, own: Brand) -> str:
    """A content with the brand in the place of the examples."""
    return text.replace(SITE, own.site).replace(ACCENT, own.accent)


def add(session: Session, wanted: Stock, own: Brand, now: dt.datetime) -> Added:
    """Bring a stock journey into the workspace as a draft, with the contents, segments and lists that it needs, and the
    stock journeys that it starts.

    What is there already under one of these names is left as it is. Of two who add at once the later waits, and finds
    what the first has made.
    """
    session.execute(LOCK)
    kept: list[str] = []
    made: list[str] = []
    for one in (*map(find, wanted.starts), wanted):
        _add_one(session, one, own, now, made, kept)
    return Added(tuple(made), tuple(kept))


def _add_one(session: Session, wanted: Stock, own: Brand, now: dt.datetime, made: list[str], kept: list[str]) -> None:
    there = set(session.execute(select(Content.slug)).scalars())
    for message in wanted.messages:
        (kept if message.slug in there else made).append(f"{message.channel} {message.slug}")
        if message.slug not in there:
            store.save(session, branded(message.text, own), message.slug, message.channel, now, ours=True)
    _add_audiences(session, wanted, made, kept)
    if session.execute(select(Journey.id).where(Journey.slug == wanted.slug)).first():
        kept.append(f"journey {wanted.slug}")
    else:
        session.add(Journey(slug=wanted.slug, draft=wanted.text))
        made.append(f"draft {wanted.slug}")
    session.flush()


def _add_audiences(session: Session, wanted: Stock, made: list[str], kept: list[str]) -> None:
    there = set(session.execute(select(List.slug)).scalars())
    for slug in wanted.lists:
        (kept if slug in there else made).append(f"list {slug}")
        if slug not in there:
            session.add(List(slug=slug, name=slug.replace("-", " ").capitalize()))
    session.flush()
    there = set(session.execute(select(Segment.slug)).scalars())
    for slug, rule in wanted.segments.items():
        (kept if slug in there else made).append(f"segment {slug}")
        if slug not in there:
            segments.save(session, slug, rule, slug.replace("-", " ").capitalize())
