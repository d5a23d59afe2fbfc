"""Return on investment by journey and step: one query a table, over rollups."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import workspace
from engine.reports import rollup
from engine.reports.lift import Arm, Lift, lift
from engine.reports.spreadsheet import safe_cell


@dataclass(frozen=True, slots=True)
class Figures:
    """What messages did. Opens and clicks count messages once (`human_*`) and hits (`raw_*`). Money in the currency.

    Of `untracked` messages nobody can know: they carry neither pixel nor tracked links.
    """

    sent: int = 0
    undelivered: int = 0
    raw_opens: int = 0
    human_opens: int = 0
    raw_clicks: int = 0
    human_clicks: int = 0
    unsubscribes: int = 0
    delivered: int = 0
    bounced: int = 0
    complained: int = 0
    untracked: int = 0
    conversions: Decimal = Decimal(0)
    revenue: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)

    @property
    def tracked(self) -> int:
        """Messages whose opens and clicks can be known."""
        return max(self.sent - self.untracked, 0)

    @property
    def roi(self) -> Decimal | None:
        """(revenue - cost) / cost; None without cost."""
        return (self.revenue - self.cost) / self.cost if self.cost else None

    def __add__(self, other: Figures) -> Figures:
        """Sum, figure by figure."""
        return Figures(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Figures)))


@dataclass(frozen=True, slots=True)
class StepRoi:
    """A step that sends."""

    step_id: str
    channel: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class ArmRoi:
    """An arm of a split (split_id '' is the whole journey) against the holdout; each contact counts once."""

    split_id: str
    arm: str
    treated: Arm
    lift: Lift | None


@dataclass(frozen=True, slots=True)
class JourneyRoi:
    """A journey. `entries` and `goals` count every entry of the treated; `holdout` is None when nobody is held out."""

    slug: str
    state: str
    figures: Figures
    steps: list[StepRoi]
    entries: int
    goals: int
    held_out_entries: int
    held_out_goals: int
    whole: ArmRoi
    holdout: Arm | None
    arms: list[ArmRoi]


@dataclass(frozen=True, slots=True)
class RoiReport:
    """All journeys that have been published, between two UTC days, both included."""

    currency: str
    since: dt.date | None
    until: dt.date | None
    journeys: list[JourneyRoi]
    total: Figures
    fixed_cost: Decimal = field(default=Decimal(0))


JOURNEYS = text("select id, slug, state from journeys where live_version_id is not null order by slug")
MESSAGES = text("""
select journey_id, step_id, channel, sum(sent)::int8, sum(undelivered)::int8, sum(raw_opens)::int8,
       sum(human_opens)::int8, sum(raw_clicks)::int8, sum(human_clicks)::int8, sum(unsubscribes)::int8,
       sum(delivered)::int8, sum(bounced)::int8, sum(complained)::int8, sum(untracked)::int8,
       sum(conversions), sum(revenue), sum(cost)
from message_rollups where day between coalesce(cast(:since as date), '-infinity')
    and coalesce(cast(:until as date), 'infinity')
group by journey_id, step_id, channel order by journey_id, step_id
""")
ARMS = text("""
select journey_id, split_id, arm, sum(entries), sum(goals), sum(contacts), sum(conversions), sum(value),
       sum(value_squared)
from entry_rollups where day between coalesce(cast(:since as date), '-infinity')
    and coalesce(cast(:until as date), 'infinity')
group by journey_id, split_id, arm order by journey_id, split_id, arm
""")
FIXED = text("""
select journey_id, sum(amount) from costs
where kind = 'fixed' and valid_from >= coalesce(cast(:since as date), '-infinity')
    and valid_from < coalesce(cast(:until as date) + 1, 'infinity')
group by journey_id
""")


def report(session: Session, since: dt.date | None = None, until: dt.date | None = None) -> RoiReport:
    """The report of the workspace. Message figures go by the day of acceptance, entries by the day of entry."""
    span = {"since": since, "until": until}
    steps: dict[int, list[StepRoi]] = defaultdict(list)
    for journey_id, step_id, channel, *values in session.execute(MESSAGES, span).all():
        steps[journey_id].append(StepRoi(step_id, channel, _figures(values)))
    arms: dict[int, list[Any]] = defaultdict(list)
    for row in session.execute(ARMS, span).all():
        arms[row[0]].append(row)
    fixed: dict[int | None, Decimal] = {row[0]: row[1] for row in session.execute(FIXED, span)}
    journeys = [
        _journey(slug, state, steps[id_], arms[id_], fixed.get(id_, Decimal(0)))
        for id_, slug, state in session.execute(JOURNEYS).all()
    ]
    common = fixed.get(None, Decimal(0))
    total = sum((journey.figures for journey in journeys), Figures(cost=common))
    return RoiReport(workspace.load(session).currency, since, until, journeys, total, common)


def _figures(values: Iterable[Any]) -> Figures:
    return Figures(**dict(zip(rollup.METRICS, values, strict=True)))


def _journey(slug: str, state: str, steps: list[StepRoi], rows: list[Any], fixed: Decimal) -> JourneyRoi:
    found = {(row[1], row[2]): row for row in rows}
    holdout = _arm(found[key]) if (key := ("", "holdout")) in found else None
    whole = ArmRoi("", "", _arm(found.get(("", ""))), None)
    compared = [
        ArmRoi(split, name, arm, lift(arm, holdout) if holdout else None)
        for (split, name), row in found.items()
        if (arm := _arm(row)) and name != "holdout"
    ]
    return JourneyRoi(
        slug,
        state,
        sum((step.figures for step in steps), Figures(cost=fixed)),
        steps,
        *_entries(found.get(("", ""))),
        *_entries(found.get(("", "holdout"))),
        next((arm for arm in compared if arm.split_id == ""), whole),
        holdout,
        [arm for arm in compared if arm.split_id],
    )


def _arm(row: Any) -> Arm:
    return Arm(int(row[5]), int(row[6]), float(row[7]), float(row[8])) if row else Arm(0, 0)


def _entries(row: Any) -> tuple[int, int]:
    return (int(row[3]), int(row[4])) if row else (0, 0)


def as_json(found: RoiReport) -> dict[str, Any]:
    """The report as plain values: money as numbers, unbounded intervals as null."""
    return {
        "currency": found.currency,
        "since": found.since.isoformat() if found.since else None,
        "until": found.until.isoformat() if found.until else None,
        "journeys": [_journey_json(journey) for journey in found.journeys],
        "total": _figures_json(found.total),
    }


def _journey_json(journey: JourneyRoi) -> dict[str, Any]:
    return {
        "journey": journey.slug,
        "state": journey.state,
        **_figures_json(journey.figures),
        "entries": journey.entries,
        "goals": journey.goals,
        "goal_rate": journey.goals / journey.entries if journey.entries else None,
        "holdout": None
        if journey.holdout is None
        else {
            "entries": journey.held_out_entries,
            "goals": journey.held_out_goals,
            "contacts": journey.holdout.contacts,
            "conversions": journey.holdout.conversions,
            "rate": journey.holdout.rate,
        },
        "treated": {
            "contacts": journey.whole.treated.contacts,
            "conversions": journey.whole.treated.conversions,
            "rate": journey.whole.treated.rate,
        },
        "lift": _lift_json(journey.whole.lift),
        "arms": [
            {"split": arm.split_id, "arm": arm.arm, **asdict(arm.treated), "rate": arm.treated.rate}
            | {"lift": _lift_json(arm.lift)}
            for arm in journey.arms
        ],
        "steps": [
            {"step": step.step_id, "channel": step.channel, **_figures_json(step.figures)} for step in journey.steps
        ],
    }


def _figures_json(figures: Figures) -> dict[str, Any]:
    values = {name: float(v) if isinstance(v, Decimal) else v for name, v in asdict(figures).items()}
    roi = figures.roi
    return {**values, "roi": float(roi) if roi is not None else None}


def _lift_json(found: Lift | None) -> dict[str, Any] | None:
    if found is None:
        return None
    plain: dict[str, Any] = asdict(found)
    for name, part in plain.items():
        if isinstance(part, Mapping):
            plain[name] = {k: v if abs(v) != float("inf") else None for k, v in part.items()}
    return plain


CSV_COLUMNS = (
    *("journey", "step", "channel", "sent", "human_opens", "raw_opens", "human_clicks", "raw_clicks", "unsubscribes"),
    *("untracked", "conversions", "revenue", "cost", "roi", "currency"),
)


def as_csv(found: RoiReport) -> str:
    """A line a journey (empty step) and a line a step of it; RFC 4180."""
    out = io.StringIO()
    writer = csv.DictWriter(out, CSV_COLUMNS, extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    for journey in found.journeys:
        lines = [("", "", journey.figures)] + [(step.step_id, step.channel, step.figures) for step in journey.steps]
        for step_id, channel, figures in lines:
            named = {"journey": journey.slug, "step": step_id, "channel": channel, "currency": found.currency}
            values = {name: safe_cell(value) for name, value in named.items()} | _figures_json(figures)
            writer.writerow(values)
    return out.getvalue()
