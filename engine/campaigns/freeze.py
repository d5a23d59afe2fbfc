"""The freeze: who is in the audience, in which arm, and from when on. One statement, whatever the audience's size.

The draws are by hash of campaign and contact, each with a salt of its own, so that hold-back, test and variant are
independent. What was drawn is stored, so that it holds whatever becomes of the hash.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, SmallInteger, Text, case, cast, func, insert, literal, select, text
from sqlalchemy.orm import Session

from engine import partitions
from engine.campaigns import audience, best, schedule
from engine.campaigns.definition import HOLDOUT, REST, Definition
from engine.model import Campaign, CampaignContact, Contact
from engine.segments import planning
from engine.segments.planning import planned
from engine.workspace import Workspace

RANGE = 2**31
HOLDOUT_SALT, TEST_SALT, VARIANT_SALT, SALTS = 0, 1, 2, 4
ZONES = text("select distinct timezone from contacts where timezone is not null")
SIZES = text("select wave, arm, count(*) from campaign_contacts where campaign_id = :id group by 1, 2")
ARM = text("""
insert into campaign_arms (campaign_id, arm, content_id, contacts)
values (:id, :arm, (select id from contents where slug = :content), :contacts)
""")
WAVE = text("""
insert into campaign_waves (campaign_id, wave, test, at, zone, contacts)
values (:id, :wave, :test, :at, :zone, :contacts)
""")
# Statistics, so that the first batches are not planned as if the campaign were empty.
ANALYZE = text("analyze campaign_contacts")
FEW = 10_000


def freeze(
    session: Session, campaign: Campaign, definition: Definition, workspace: Workspace, now: dt.datetime
) -> None:
    """Store the audience as of `now`. The caller has locked the campaign, and commits; a second freeze does nothing."""
    if campaign.origin_at is not None:
        return
    campaign.origin_at = now
    partitions.ensure(session, "messages", [now])
    zones: Sequence[str] = list(session.scalars(ZONES)) if definition.local or definition.best else []
    hours = best.calendar(session, definition, zones, workspace, now) if definition.best else None
    waves = hours.places if hours else waves_of(definition, zones, workspace.zone, now)
    ids = audience.contacts(session, definition, now).subquery()
    contact = Contact.__table__
    chosen = select(
        literal(campaign.id, BigInteger), _wave(campaign.id, definition, waves, ids.c.id, contact.c.timezone),
        ids.c.id, _arm(campaign.id, definition, ids.c.id),
    )  # fmt: skip
    if definition.local or definition.best:
        chosen = chosen.join_from(ids, contact, contact.c.id == ids.c.id)
    columns = ["campaign_id", "wave", "contact_id", "arm"]
    with planned(session, planning.ALL):
        statement = insert(CampaignContact).from_select(columns, chosen.order_by(text("2, 3")))
        done = session.execute(statement.execution_options(preserve_rowcount=True))
    campaign.audience_count = done.rowcount  # type: ignore[attr-defined]
    if campaign.audience_count >= FEW:
        session.execute(ANALYZE)
    if hours is not None:
        best.spread(session, campaign.id, hours)
    kinds = hours.kinds if hours else _kinds(waves)
    _count(session, campaign.id, definition, kinds)
    if definition.winner is not None:
        campaign.winner_at = max(at for test, at, _ in kinds.values() if test) + definition.winner.after


Waves = Mapping[tuple[bool, str | None], tuple[int, dt.datetime]]
"""By (whether of the test, zone): number and instant. Zone None is everybody else's."""


Kinds = Mapping[int, tuple[bool, dt.datetime, str | None]]
"""By number: whether it is of the test, instant, zone."""


def waves_of(definition: Definition, zones: Sequence[str], zone: ZoneInfo, now: dt.datetime) -> Waves:
    """The test's waves go first; those that wait for a winner get the next such hour after it is known."""
    first = schedule.instants(definition, zones, zone, now, now)
    if definition.winner is None:
        return _numbered({(True, name): at for name, at in first.items()})
    known = max(first.values()) + definition.winner.after
    rest = schedule.instants(definition, zones, zone, now, known)
    return _numbered({(True, n): at for n, at in first.items()} | {(False, n): at for n, at in rest.items()})


def _kinds(waves: Waves) -> Kinds:
    return {number: (test, at, zone) for (test, zone), (number, at) in reversed(list(waves.items()))}


def _numbered(instants: Mapping[tuple[bool, str | None], dt.datetime]) -> Waves:
    """In the order in which they begin; zones whose clocks agree share a wave."""
    numbers: dict[tuple[bool, dt.datetime], int] = {}
    ordered = sorted(instants, key=lambda key: (not key[0], instants[key]))
    for key in ordered:
        numbers.setdefault((key[0], instants[key]), len(numbers))
    return {key: (numbers[key[0], instants[key]], instants[key]) for key in ordered}


def _draw(campaign_id: int, salt: int, contact_id: ColumnElement[int]) -> ColumnElement[int]:
    """A uniform number below RANGE."""
    return func.hashint8extended(contact_id, cast(literal(campaign_id * SALTS + salt), BigInteger)).op("&")(RANGE - 1)


def _below(share: Decimal) -> int:
    return int(share * RANGE)


def _wave(
    campaign_id: int, definition: Definition, waves: Waves, contact_id: ColumnElement[int], zone: ColumnElement[Any]
) -> ColumnElement[int]:
    def of(test: bool) -> ColumnElement[int]:
        other = waves[test, None][0]
        named = {name: number for (tests, name), (number, _) in waves.items() if tests == test and name is not None}
        return case(named, value=zone, else_=other) if named else literal(other)

    if definition.test is None:
        return cast(of(True), SmallInteger)
    tests = _draw(campaign_id, TEST_SALT, contact_id) < _below(definition.test)
    return cast(case((tests, of(True)), else_=of(False)), SmallInteger)


def _arm(campaign_id: int, definition: Definition, contact_id: ColumnElement[int]) -> ColumnElement[str]:
    branches: list[tuple[ColumnElement[bool], ColumnElement[str]]] = []
    if definition.holdout:
        held = _draw(campaign_id, HOLDOUT_SALT, contact_id) < _below(definition.holdout)
        branches.append((held, literal(HOLDOUT, Text)))
    if definition.test is not None:
        waits = _draw(campaign_id, TEST_SALT, contact_id) >= _below(definition.test)
        branches.append((waits, literal(REST, Text)))
    drawn = _draw(campaign_id, VARIANT_SALT, contact_id)
    ends = accumulate(variant.share for variant in definition.variants)
    for variant, end in list(zip(definition.variants, ends, strict=True))[:-1]:
        branches.append((drawn < _below(end), literal(variant.name, Text)))
    last = literal(definition.variants[-1].name, Text)
    return case(*branches, else_=last) if branches else last


def _count(session: Session, campaign_id: int, definition: Definition, kinds: Kinds) -> None:
    """Arms and waves with their sizes. Of many hours those that are nobody's are no waves."""
    of_arm, of_wave = Counter[str](), Counter[int]()
    for wave, arm, contacts in session.execute(SIZES, {"id": campaign_id}).all():
        of_arm[arm] += contacts
        of_wave[wave] += contacts
    arms: dict[str, str | None] = {one.name: one.content for one in definition.variants}
    arms |= {HOLDOUT: None} if definition.holdout else {}
    arms |= {REST: None} if definition.test is not None else {}
    session.execute(
        ARM,
        [{"id": campaign_id, "arm": arm, "content": content, "contacts": of_arm[arm]} for arm, content in arms.items()],
    )
    session.execute(
        WAVE,
        [
            {"id": campaign_id, "wave": number, "test": test, "at": at, "zone": zone, "contacts": of_wave[number]}
            for number, (test, at, zone) in kinds.items()
            if of_wave[number] or not definition.best or number == 0
        ],
    )
