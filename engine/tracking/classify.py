"""Who made a hit: a person, a mail provider's proxy, or a machine. Pure, versioned, and repeatable on stored hits.

Each class comes with the rule that decided. What a machine does in one breath is judged together: no window is longer
than the three seconds of quiet after which hits are judged, so judging all hits of a message again says the same.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engine.rendering.honeypot import POSITION as HONEYPOT
from engine.tracking import agents

VERSION = 2
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


class Verdict(NamedTuple):
    """A class: human, proxy_open, prefetch, scanner, unknown; and the rule that gave it, one of `RULES`."""

    kind: str
    rule: str


RULES = {
    rule: Verdict(kind, rule)
    for kind, rules in {
        "human": ("person",),
        "proxy_open": ("proxy",),
        "prefetch": ("prefetch",),
        "scanner": ("method", "hidden_link", "breath", "burst", "too_soon", "program", "proxy_click"),
        "unknown": ("nameless", "gone"),
    }.items()
    for rule in rules
}
"""Every rule with its verdict. `gone`: the message is not there any more, so there was nothing to judge by."""
BY_AGENT = {"proxy_open": RULES["proxy"], "scanner": RULES["program"], "unknown": RULES["nameless"]}


def classify(hits: Sequence[Seen], accepted_at: dt.datetime | None) -> list[Verdict]:
    """What is said of each hit of one message.

    `hits` are all of the message's that came together, in any order; `accepted_at` is when the receiving server took
    the message. A machine that gives itself away once marks the clicks that it made in the same breath.
    """
    clicks = sorted((hit for hit in hits if hit.kind == "click"), key=lambda hit: hit.at)
    bursts, breath = _bursts(clicks), _breaths(clicks)
    signs = sorted(hit.at for hit in hits if _by_request(hit) or agents.lookup(hit.user_agent) == "scanner")

    def by_company(hit: Seen) -> Verdict | None:
        """What the hits around a click say of it."""
        if hit.at in breath:
            return RULES["breath"]
        if hit.at in bursts:
            return RULES["burst"]
        soon = accepted_at is not None and hit.at - accepted_at < TOO_SOON
        alone = not _near(hit.at, signs) and agents.lookup(hit.user_agent) != "unknown"
        return RULES["too_soon"] if soon and not alone else None

    return [_click(hit, by_company) if hit.kind == "click" else _by_request(hit) or _by_agent(hit) for hit in hits]


def _click(hit: Seen, by_company: Callable[[Seen], Verdict | None]) -> Verdict:
    """Proxies fetch images and nothing else, so a link that one follows was followed by a machine."""
    by_agent = _by_agent(hit)
    found = _by_request(hit) or (by_agent if by_agent.kind == "scanner" else by_company(hit) or by_agent)
    return RULES["proxy_click"] if found.kind == "proxy_open" else found


def _by_request(hit: Seen) -> Verdict | None:
    """What the request itself admits, whoever sent it."""
    if hit.position == HONEYPOT:
        return RULES["hidden_link"]
    if hit.method != "GET":
        return RULES["method"]
    return RULES["prefetch"] if _prefetched(hit.headers) else None


def _by_agent(hit: Seen) -> Verdict:
    return BY_AGENT.get(agents.lookup(hit.user_agent) or "", RULES["person"])


def _prefetched(headers: Mapping[str, str] | None) -> bool:
    if not headers:
        return False
    given = " ".join(str(headers.get(name, "")) for name in PREFETCH_HEADERS).lower()
    return any(word in given for word in PREFETCH_WORDS)


def _breaths(clicks: Sequence[Seen]) -> set[dt.datetime]:
    """The instants of sorted clicks that lead up to the hidden link or follow it, each within the window of the next.

    The hidden link is the last one of a mail: who follows all links one after the other comes to it at the end.
    """
    found: set[dt.datetime] = set()
    run: list[dt.datetime] = []
    for click in clicks:
        if run and click.at - run[-1] > BURST_WINDOW:
            run = []
        run.append(click.at)
        if click.position == HONEYPOT or run[0] in found:
            found.update(run)
            run = [run[0], click.at]
    return found


def _bursts(clicks: Sequence[Seen]) -> set[dt.datetime]:
    """The instants of sorted clicks that lie in a window with too many different links for a hand."""
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
