"""What would happen to the people of a segment, before it is done."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from webapp.pages.queries import AnyRow

OF_LIST = text("""
select count(*) as people, count(o.contact_id) as inside, 0 as earlier
from segments s join segment_memberships m on m.segment_id = s.id and m.left_at is null
left join (select o.contact_id from list_memberships o join lists l on l.id = o.list_id
    where l.slug = :target and o.removed_at is null) o on o.contact_id = m.contact_id
where s.slug = :segment""")
OF_JOURNEY = text("""
select count(*) as people, count(*) filter (where e.inside) as inside, count(*) filter (where not e.inside) as earlier
from segments s join segment_memberships m on m.segment_id = s.id and m.left_at is null
left join (select e.contact_id, bool_or(e.status in ('active', 'held_out')) as inside
    from enrolments e join journeys j on j.id = e.journey_id where j.slug = :target group by e.contact_id) e
    on e.contact_id = m.contact_id
where s.slug = :segment""")
JOURNEYS = text("select slug from journeys where live_version_id is not null order by slug limit 500")


def of_list(session: Session, segment: str, target: str) -> AnyRow:
    """`people` of the segment, and how many of them are on the list (`inside`)."""
    return session.execute(OF_LIST, {"segment": segment, "target": target}).one()


def of_journey(session: Session, segment: str, target: str) -> AnyRow:
    """`people` of the segment, how many are in the journey now (`inside`), and how many were (`earlier`)."""
    return session.execute(OF_JOURNEY, {"segment": segment, "target": target}).one()


def journeys(session: Session) -> list[str]:
    """Published journeys."""
    return list(session.execute(JOURNEYS).scalars())
