"""Whom a campaign is for: the rule as a select, and how many they are."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.campaigns.definition import Definition, Goal
from engine.errors import InvalidInput, LanguageError
from engine.expr.ast import Node
from engine.expr.compile_sql import matching
from engine.expr.dependencies import dependencies
from engine.expr.load import load as load_schema
from engine.expr.rewrite import since_entry_default
from engine.segments import planning
from engine.segments.planning import planned
from engine.segments.rules import resolve


def rule_of(session: Session, definition: Definition) -> Node:
    """The parsed rule. Raises InvalidInput for an audience without one and LanguageError for one that does not read."""
    if not definition.audience:
        raise InvalidInput("is empty", "audience", 'Write a rule, such as: in segment "vip" or in list "beta".')
    schema = load_schema(session)
    for where, text in (("audience", definition.audience), ("except", definition.excluded)):
        if text:
            try:
                resolve(text, schema)
            except LanguageError as error:
                error.message = f"{where}: {error.message}"
                raise
    return resolve(definition.rule, schema)


def goal_of(session: Session, goal: Goal) -> Node:
    """The parsed rule of the goal; behaviour without a window is since the campaign reached the contact.

    Raises LanguageError for one that does not read, and InvalidInput if no event could ever meet it.
    """
    schema = load_schema(session)
    try:
        node = since_entry_default(resolve(goal.when, schema))
    except LanguageError as error:
        error.message = f"goal: {error.message}"
        raise
    if not dependencies(node, schema.aliases).events:
        raise InvalidInput("must ask for something that people do", "goal", 'Such as: did "Order Completed".')
    return node


def contacts(session: Session, definition: Definition, now: dt.datetime) -> Any:
    """A select of the contacts' ids as of `now`. To be run within `planned(session, planning.ALL)`."""
    return matching(rule_of(session, definition), load_schema(session), now)


def count(session: Session, definition: Definition, now: dt.datetime) -> int:
    """How many they are at `now`."""
    ids = contacts(session, definition, now).subquery()
    with planned(session, planning.ALL):
        return session.execute(select(func.count()).select_from(ids)).scalar_one()
