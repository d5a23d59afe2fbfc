"""What a campaign's author decides: a mapping, as a YAML file or the fields of a form, read into values and back."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from engine.campaigns.spans import HOUR, span, written
from engine.contacts.lists import SLUG
from engine.errors import InvalidInput
from engine.messages.cap import pattern as cap_pattern

KEYS = (
    *("campaign", "name", "channel", "audience", "except", "topic", "from", "content", "variants"),
    *("test", "winner", "holdout", "at", "zone", "passed", "throttle", "cap", "expires", "goal"),
)
WINS_BY = ("clicks", "opens", "conversions", "revenue")
BEST = "best"
BEST_FROM = re.compile(r"best(?: from |\Z)", re.IGNORECASE)
PASSED = ("next day", "now")
HOLDOUT, REST = "holdout", "rest"
RESERVED = (HOLDOUT, REST)
MOST_VARIANTS = 8
MOST_PER_HOUR = 10_000_000
WHOLE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Variant:
    """A content with its part of those who get a message, 0 to 1."""

    name: str
    content: str
    share: Decimal = WHOLE


@dataclass(frozen=True, slots=True)
class Winner:
    """`by` (of WINS_BY) is compared `after` the last message of the test was due."""

    by: str
    after: dt.timedelta


@dataclass(frozen=True, slots=True)
class Goal:
    """A rule about what people do after the campaign reached them, met within a span of it."""

    when: str
    within: dt.timedelta


@dataclass(frozen=True, slots=True)
class Definition:
    """A campaign. `sender` is the identity that it is from, written as `from`.

    Shares are 0 to 1; `test` is the part that tries the variants before the rest gets the winner.

    `at` is an instant, or with `local` the wall clock in each contact's zone, then without an offset.
    With `best` each contact gets it at its best hour within a day from then (`engine.habits.estimate`).
    `passed` says what of those for whom that time is over: the next day, or now. `throttle` is messages an hour.
    """

    slug: str
    name: str
    channel: str
    audience: str
    variants: tuple[Variant, ...]
    excluded: str = ""
    topic: str = ""
    sender: str = ""
    test: Decimal | None = None
    winner: Winner | None = None
    holdout: Decimal = Decimal(0)
    at: dt.datetime | None = None
    local: bool = False
    best: bool = False
    passed: str = "next day"
    throttle: int | None = None
    cap: str = ""
    expires: dt.timedelta | None = None
    goal: Goal | None = None

    @property
    def rule(self) -> str:
        """The audience without those who are left out, as one rule."""
        return f"({self.audience}\n) and not ({self.excluded}\n)" if self.excluded else self.audience


def parse(text: str) -> Definition:
    """Read a YAML file. Raises InvalidInput."""
    try:
        found = YAML(typ="base", pure=True).load(text)  # every value is a text
    except YAMLError as error:
        raise InvalidInput(f"is no YAML: {' '.join(str(error).split())[:300]}", "campaign") from error
    if not isinstance(found, Mapping):
        raise InvalidInput("must be keys with values", "campaign", "Begin with `campaign: NAME`.")
    return read(found)


def read(given: Mapping[str, Any]) -> Definition:
    """Check a mapping with the keys of `KEYS`. Raises InvalidInput that names the key."""
    for key in given:
        if key not in KEYS:
            raise InvalidInput("is no key of a campaign", str(key), f"Known are: {', '.join(KEYS)}.")
    slug = _text(given, "campaign")
    if not SLUG.fullmatch(slug):
        raise InvalidInput("cannot be a campaign's name", "campaign", "Use a-z, 0-9 and -, at most 64 signs.")
    variants = _variants(given)
    test, winner = _share(given, "test"), _winner(given)
    if (test is None) != (winner is None):
        raise InvalidInput("belong together", "test, winner", "Say the part that tests, and what wins after how long.")
    if winner is not None and len(variants) < 2:
        raise InvalidInput("needs at least two variants", "winner")
    best = BEST_FROM.match(_text_of_time(given)) is not None
    at, local = _instant(given), _one_of(given, "zone", ("workspace", "contact")) == "contact"
    if local and best:
        raise InvalidInput("says nothing where each contact has its best hour", "zone", "Leave it out.")
    if local and (at is None or at.tzinfo is not None):
        raise InvalidInput("must be a day and time without an offset, as it is each contact's own", "at")
    return Definition(
        slug=slug,
        name=_text(given, "name") or slug,
        channel=_one_of(given, "channel", ("email", "sms")),
        audience=_text(given, "audience"),
        variants=variants,
        excluded=_text(given, "except"),
        topic=_text(given, "topic"),
        sender=_text(given, "from"),
        test=test,
        winner=winner,
        holdout=_share(given, "holdout") or Decimal(0),
        at=at,
        local=local,
        best=best,
        passed=_one_of(given, "passed", PASSED),
        throttle=_throttle(given),
        cap=_cap(given),
        expires=_span(given, "expires"),
        goal=_goal(given),
    )


def as_mapping(found: Definition) -> dict[str, Any]:
    """The mapping that reads as this definition; what is at its default is left out."""
    single = found.variants[0].content if len(found.variants) == 1 else None
    variants = _written_variants(found.variants)
    values = {
        "campaign": found.slug,
        "name": found.name,
        "channel": found.channel,
        "audience": found.audience,
        "except": found.excluded,
        "topic": found.topic,
        "from": found.sender,
        "content": single,
        "variants": None if single is not None or not variants else variants,
        "test": percent(found.test) if found.test is not None else None,
        "winner": {"by": found.winner.by, "after": written(found.winner.after)} if found.winner else None,
        "holdout": percent(found.holdout) if found.holdout else None,
        "at": _when(found),
        "zone": "contact" if found.local else None,
        "passed": found.passed if found.local else None,
        "throttle": f"{found.throttle} per hour" if found.throttle else None,
        "cap": found.cap,
        "expires": written(found.expires) if found.expires else None,
        "goal": {"when": found.goal.when, "within": written(found.goal.within)} if found.goal else None,
    }
    return {key: value for key, value in values.items() if value}


def _written_variants(variants: tuple[Variant, ...]) -> list[dict[str, str]]:
    """Shares are left out where all are alike."""
    alike = len({one.share for one in variants}) == 1
    return [
        {"name": one.name, "content": one.content} | ({} if alike else {"share": percent(one.share)})
        for one in variants
    ]


def as_yaml(found: Definition) -> str:
    """The file that reads as this definition."""
    out = io.StringIO()
    yaml = YAML()
    yaml.width = 110
    yaml.dump(as_mapping(found), out)
    return out.getvalue()


def percent(share: Decimal) -> str:
    """0.125 -> `12.5%`."""
    return f"{(share * 100).normalize():f}%"


def _when(found: Definition) -> str | None:
    at = _moment(found.at) if found.at else ""
    return (f"{BEST} from {at}" if at else BEST) if found.best else at


def _moment(at: dt.datetime) -> str:
    """To the minute, unless it is more exact than that."""
    return at.isoformat(" ", "auto" if at.second or at.microsecond else "minutes")


def _text(given: Mapping[str, Any], key: str) -> str:
    value = given.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidInput("must be a text", key, "Put it between quotes.")
    return value.replace("\0", "").strip()


def _one_of(given: Mapping[str, Any], key: str, known: tuple[str, ...]) -> str:
    value = _text(given, key) or known[0]
    if value not in known:
        raise InvalidInput(f"“{value}” is not known", key, f"Say {' or '.join(known)}.")
    return value


def _share(given: Mapping[str, Any], key: str, where: str = "") -> Decimal | None:
    """`20%` or `0.2`; nothing and 0 % are none."""
    value = str(given.get(key) or "").strip()
    if not value:
        return None
    try:
        share = Decimal(value[:-1].strip()) / 100 if value.endswith("%") else Decimal(value)
    except InvalidOperation:
        share = Decimal(-1)
    if not share.is_finite() or not 0 <= share <= 1:
        raise InvalidInput(f"“{value}” is no part of a whole", where or key, "Say it as 20%.")
    return share or None


def _span(given: Mapping[str, Any], key: str, where: str = "") -> dt.timedelta | None:
    value = given.get(key)
    return span(str(value), where or key) if value else None


def _variants(given: Mapping[str, Any]) -> tuple[Variant, ...]:
    many = given.get("variants")
    if not many:
        content = _text(given, "content")
        return (Variant("a", content),) if content else ()
    if given.get("content"):
        raise InvalidInput("stand in place of each other", "content, variants")
    if not isinstance(many, list) or not all(isinstance(one, Mapping) for one in many) or len(many) > MOST_VARIANTS:
        raise InvalidInput(f"must be a list of at most {MOST_VARIANTS}, each with name, content and share", "variants")
    return _shared([_variant(one) for one in many])


def _variant(given: Mapping[str, Any]) -> Variant:
    name = _text(given, "name")
    if not SLUG.fullmatch(name) or name in RESERVED:
        raise InvalidInput(f"“{name}” cannot be a variant's name", "variants", "Use a-z, 0-9 and -.")
    return Variant(name, _text(given, "content"), _share(given, "share", "variants") or Decimal(0))


def _shared(variants: list[Variant]) -> tuple[Variant, ...]:
    """Without any share all are alike. Raises InvalidInput unless the shares make a whole."""
    if len({one.name for one in variants}) < len(variants):
        raise InvalidInput("need different names", "variants")
    total = sum(one.share for one in variants)
    if total == 0:
        return tuple(Variant(one.name, one.content, WHOLE / len(variants)) for one in variants)
    if abs(total - 1) > Decimal("0.001"):
        raise InvalidInput(f"shares make {percent(Decimal(total))}, not 100%", "variants")
    return tuple(variants)


def _winner(given: Mapping[str, Any]) -> Winner | None:
    value = given.get("winner")
    if not value:
        return None
    if not isinstance(value, Mapping):
        raise InvalidInput("needs `by` and `after`", "winner", "Such as {by: clicks, after: 4 hours}.")
    return Winner(_one_of(value, "by", WINS_BY), _span(value, "after", "winner.after") or 4 * HOUR)


def _goal(given: Mapping[str, Any]) -> Goal | None:
    value = given.get("goal")
    if not value:
        return None
    if not isinstance(value, Mapping) or not _text(value, "when"):
        raise InvalidInput("needs `when`, a rule", "goal", 'Such as {when: did "Order Completed", within: 7 days}.')
    return Goal(_text(value, "when"), _span(value, "within", "goal.within") or 7 * 24 * HOUR)


def _instant(given: Mapping[str, Any]) -> dt.datetime | None:
    value = given.get("at")
    if isinstance(value, dt.datetime):
        return value
    written = BEST_FROM.sub("", _text_of_time(given))
    if not written or written == "now":
        return None
    try:
        return dt.datetime.fromisoformat(written)
    except ValueError as error:
        hint = "Write 2026-12-01 09:00, best, or best from 2026-12-01 09:00."
        raise InvalidInput(f"“{value}” is no day with a time", "at", hint) from error


def _text_of_time(given: Mapping[str, Any]) -> str:
    return str(given.get("at") or "").strip()


def _throttle(given: Mapping[str, Any]) -> int | None:
    value = str(given.get("throttle") or "").removesuffix("per hour").replace(",", "").strip()
    if not value:
        return None
    if not value.isdecimal() or not 0 < int(value) <= MOST_PER_HOUR:
        raise InvalidInput(f"“{value}” is no number of messages", "throttle", "Write 5000 per hour.")
    return int(value)


def _cap(given: Mapping[str, Any]) -> str:
    value = " ".join(_text(given, "cap").split())
    if value and not cap_pattern.match(value):
        raise InvalidInput(f"“{value}” is no cap", "cap", "Write 3 per week.")
    return value
