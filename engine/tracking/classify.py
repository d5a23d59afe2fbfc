"""Who made a hit: a person, a mail provider's proxy, or a machine. Pure, versioned, and repeatable on stored hits."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.rendering.honeypot import POSITION as HONEYPOT
from engine.tracking import agents

VERSION = 1
"""Raise it with every change of a rule or an agent; each hit stores the version that judged it."""

BURST_LINKS = 3
BURST_WINDOW = dt.timedelta(seconds=2)
TOO_SOON = dt.timedelta(seconds=10)
PREFETCH_HEADERS = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
PREFETCH_WORDS = ("prefetch", "prerender", "preview")


@dataclass(frozen=True, slots=True)
class Seen:
    """What the classifier looks at. kind: open, click; `position` is the link's."""

    at: dt.datetime
    kind: str
    position: int | None = None
    method: str = "GET"
    user_agent: str | None = None
    headers: Mapping[str, str] | None = None


def classify(hits: Sequence[Seen], accepted_at: dt.datetime | None) -> list[str]:
    """The class of each hit of one message: human, proxy_open, prefetch, scanner, unknown.

    `hits` are all of the message's that came together, in any order; `accepted_at` is when the receiving server took
    the message. A machine that gives itself away once marks the clicks that it made in the same breath.
    """
    bursts = _bursts(hits)
    trapped = sorted(hit.at for hit in hits if hit.position == HONEYPOT)
    probes = sorted(hit.at for hit in hits if _by_request(hit) is not None)

    def made_by_machine(hit: Seen) -> bool:
        if hit.at in bursts or _near(hit.at, trapped):
            return True
        soon = accepted_at is not None and hit.at - accepted_at < TOO_SOON
        return soon and (_near(hit.at, probes) or agents.lookup(hit.user_agent) == "unknown")

    return [_click(hit, made_by_machine) if hit.kind == "click" else _by_request(hit) or _by_agent(hit) for hit in hits]


def _click(hit: Seen, made_by_machine: Callable[[Seen], bool]) -> str:
    """Proxies fetch images and nothing else, so a link that one follows was followed by a machine."""
    by_request = _by_request(hit)
    if by_request is not None:
        return by_request
    if made_by_machine(hit):
        return "scanner"
    by_agent = _by_agent(hit)
    return "scanner" if by_agent == "proxy_open" else by_agent


def _by_request(hit: Seen) -> str | None:
    """What the request itself admits, whoever sent it."""
    if hit.method != "GET" or hit.position == HONEYPOT:
        return "scanner"
    return "prefetch" if _prefetched(hit.headers) else None


def _by_agent(hit: Seen) -> str:
    return agents.lookup(hit.user_agent) or "human"


def _prefetched(headers: Mapping[str, str] | None) -> bool:
    if not headers:
        return False
    given = " ".join(str(headers.get(name, "")) for name in PREFETCH_HEADERS).lower()
    return any(word in given for word in PREFETCH_WORDS)


def _bursts(hits: Sequence[Seen]) -> set[dt.datetime]:
    """The instants of clicks that lie in a window with too many different links for a hand."""
    clicks = sorted((hit for hit in hits if hit.kind == "click"), key=lambda hit: hit.at)
    found: set[dt.datetime] = set()
    positions: Counter[int | None] = Counter()
    start = marked = 0
    for end, click in enumerate(clicks):
        positions[click.position] += 1
        while click.at - clicks[start].at > BURST_WINDOW:
            positions[clicks[start].position] -= 1
            start += 1
        if len(+positions) >= BURST_LINKS:
            found.update(hit.at for hit in clicks[max(start, marked) : end + 1])
            marked = end + 1
    return found


def _near(moment: dt.datetime, others: Sequence[dt.datetime]) -> bool:
    """Whether one of `others`, sorted, lies within the burst window of `moment`."""
    place = bisect_left(others, moment - BURST_WINDOW)
    return place < len(others) and others[place] <= moment + BURST_WINDOW
