"""Opens and clicks as they came, and as people's: what each rule took for a machine's, and raw and human figures."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

SPAN = "day between coalesce(cast(:since as date), '-infinity') and coalesce(cast(:until as date), 'infinity')"
BY_RULE = text(f"""
select rule, classification, coalesce(sum(hits) filter (where kind = 'open'), 0)::int8 as opens,
    coalesce(sum(hits) filter (where kind = 'click'), 0)::int8 as clicks
from hit_rollups where {SPAN} group by 1, 2 having sum(hits) > 0
order by array_position(array['human', 'proxy_open', 'unknown', 'prefetch', 'scanner'], classification),
    sum(hits) desc, rule
""")
STALE = text("select coalesce(sum(hits), 0)::int8 from hit_rollups where version <> :version")
# The ledger has campaigns under journey 0 with the step ID:VARIANT; what is neither was sent by a call.
BY_SOURCE = text(f"""
select case when j.id is not null then 'journey' when c.id is not null then 'campaign' else 'message' end as kind,
    coalesce(j.slug, c.slug, '') as slug, sum(r.sent)::int8 as sent, sum(r.untracked)::int8 as untracked,
    sum(r.raw_opens)::int8 as raw_opens, sum(r.human_opens)::int8 as opened,
    sum(r.raw_clicks)::int8 as raw_clicks, sum(r.human_clicks)::int8 as clicked
from message_rollups r left join journeys j on j.id = r.journey_id
left join campaigns c on r.journey_id = 0 and cast(c.id as text) = split_part(r.step_id, ':', 1)
where r.channel = 'email' and {SPAN} group by 1, 2
having sum(r.sent) > 0 or sum(r.raw_opens) > 0 or sum(r.raw_clicks) > 0 order by 3 desc, 2
""")
WORDS = {
    "person": ("A person", "a browser or mail program, and nothing that speaks against it"),
    "proxy": ("Image proxy of Gmail or Yahoo", "fetches when the mail is opened, so it counts as an open"),
    "nameless": ("No name", "Apple's mail privacy and the like, which load images whether or not anybody looks"),
    "gone": ("Message no longer stored", "there was nothing to judge by"),
    "prefetch": ("Prefetch", "a program that loads pages before anybody asked for them, and says so"),
    "method": ("Probe", "a request that no browser makes when somebody clicks"),
    "hidden_link": ("Hidden link", "followed the link that nobody sees"),
    "breath": ("Same breath as the hidden link", "a click before or after it, each within two seconds of the next"),
    "burst": ("Burst", "three different links or more within two seconds"),
    "too_soon": ("Too soon", "a click within ten seconds of delivery, together with another sign"),
    "program": ("Known program", "a scanner, crawler, link preview or script that gives its name"),
    "proxy_click": ("Image proxy that clicked", "image proxies follow no links"),
    "": ("Judged by an older version", "before rules were kept with each hit"),
}
"""By rule its name, and what it saw."""


class Judged(NamedTuple):
    """Hits that a rule judged."""

    rule: str
    classification: str
    opens: int
    clicks: int

    @property
    def name(self) -> str:
        """The rule in words."""
        return WORDS.get(self.rule, (self.rule, ""))[0]

    @property
    def saw(self) -> str:
        """What made it say so."""
        return WORDS.get(self.rule, ("", ""))[1]

    @property
    def counts(self) -> bool:
        """Whether opens of this class count as people's."""
        return self.classification in ("human", "proxy_open")


class Source(NamedTuple):
    """Emails of a journey, a campaign, or of calls (`message`); `raw_*` are hits, the others messages."""

    kind: str
    slug: str
    sent: int
    untracked: int
    raw_opens: int
    opened: int
    raw_clicks: int
    clicked: int

    @property
    def tracked(self) -> int:
        """Those whose opens and clicks can be known."""
        return max(self.sent - self.untracked, 0)


@dataclass(frozen=True, slots=True)
class HitReport:
    """`stale` are all hits that other rules than those of today judged, whatever the period."""

    rules: list[Judged]
    sources: list[Source]
    stale: int

    @property
    def total(self) -> Source:
        """All sources together."""
        sums = [sum(numbers) for numbers in zip(*(one[2:] for one in self.sources), strict=True)] or [0] * 6
        return Source("", "", *sums)

    @property
    def opens(self) -> int:
        """Opens as they came."""
        return sum(one.opens for one in self.rules)

    @property
    def clicks(self) -> int:
        """Clicks as they came."""
        return sum(one.clicks for one in self.rules)

    @property
    def machine_clicks(self) -> int:
        """Clicks that are not known to be a person's."""
        return sum(one.clicks for one in self.rules if one.classification != "human")

    @property
    def other_opens(self) -> int:
        """Opens that are not known to be a person's."""
        return sum(one.opens for one in self.rules if not one.counts)


def report(session: Session, version: int, since: dt.date | None = None, until: dt.date | None = None) -> HitReport:
    """Hits by the UTC day on which they came, messages by that on which they left; both days included.

    `version` is that of the rules of today.
    """
    span: dict[str, Any] = {"since": since, "until": until}
    rules = [Judged(*row) for row in session.execute(BY_RULE, span)]
    sources = [Source(*row) for row in session.execute(BY_SOURCE, span)]
    return HitReport(rules, sources, int(session.execute(STALE, {"version": version}).scalar_one()))
