"""The `where` of a trigger, for many contacts at once."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, DateTime, bindparam, cast, column, func, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from engine.expr import ast
from engine.expr.compile_sql import Scope, condition
from engine.model import Contact
from journeys.runtime.catalogue import Catalogue, Version

if TYPE_CHECKING:
    from journeys.runtime.enrol import Trigger


def satisfied(
    session: Session, catalogue: Catalogue, version: Version, triggers: Sequence[Trigger], now: dt.datetime
) -> list[Trigger]:
    """Those of `triggers`, at most one a contact, whose contact and event satisfy `enter.where`.

    What looks at the event alone is judged in memory; PostgreSQL is asked only for the rest.
    """
    where = version.listening.start
    triggers = [one for one in triggers if where.verdict(one.properties or {}, catalogue.schema, now).value]
    if where.rest is None or not triggers:
        return triggers
    key = (version.id, "rules", "enter")
    if key not in catalogue.statements:
        catalogue.statements[key] = _statement(catalogue, where.rest)
    passed = set(
        session.execute(
            catalogue.statements[key],
            {
                "ids": [trigger.contact_id for trigger in triggers],
                "events": [json.dumps(trigger.properties or {}) for trigger in triggers],
                "now": now,
            },
        ).scalars()
    )
    return [trigger for trigger in triggers if trigger.contact_id in passed]


def _statement(catalogue: Catalogue, rest: ast.Node) -> object:
    asked = (
        func.unnest(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("events", type_=ARRAY(Text)))
        .table_valued(column("id", BigInteger), column("event", Text))
        .render_derived(name="asked")
    )
    scope = Scope(
        contact=Contact.__table__,
        now=bindparam("now", type_=DateTime(timezone=True)),
        event=cast(asked.c.event, JSONB),
        zone=catalogue.schema.zone,
        aliases=catalogue.schema.aliases,
    )
    return (
        select(Contact.id)
        .select_from(asked)
        .join(Contact, Contact.id == asked.c.id)
        .where(condition(rest, catalogue.schema, scope))
    )
