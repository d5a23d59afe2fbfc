"""Campaigns and their figures as plain values: money as numbers, instants as ISO 8601, unbounded intervals as null."""

from __future__ import annotations

import math
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from engine.campaigns import winner
from engine.campaigns.definition import Definition
from engine.campaigns.report import Report
from engine.model import Campaign
from engine.reports.lift import Arm, Interval
from engine.reports.roi import Figures

INSTANTS = ("start_at", "origin_at", "winner_at", "ended_at", "created_at")


def campaign_as_json(found: Campaign) -> dict[str, Any]:
    """The campaign without figures."""
    instants = {name: getattr(found, name) for name in INSTANTS}
    return {
        "campaign": found.slug,
        "name": found.name,
        "channel": found.channel,
        "state": found.state,
        "reason": found.reason,
        "audience": found.audience_count,
        "messages": found.message_count,
        "winner": found.winner,
        "comparison": found.winner_note,
        "definition": found.definition,
    } | {name: at.isoformat() if at else None for name, at in instants.items()}


def report_as_json(found: Report, definition: Definition) -> dict[str, Any]:
    """The campaign with its figures; `against_control` has each variant but the first, by what may choose a winner."""
    return campaign_as_json(found.campaign) | {
        "waiting": found.waiting,
        "ahead": found.ahead,
        **_figures(found.total),
        "variants": [
            {"name": arm.name, "content": arm.content, **_arm(arm.people), **_figures(arm.figures)}
            for arm in found.arms
        ],
        "against_control": {
            by: [winner.as_json(one) for one in arms[1:]]
            for by, arms in winner.against_control(found, definition).items()
        },
        "treated": _arm(found.treated),
        "holdout": _arm(found.holdout) if found.holdout else None,
        "lift": {
            "enough": found.lift.enough,
            "rate": _interval(found.lift.rate),
            "value": _interval(found.lift.value),
            "incremental_conversions": _interval(found.lift.incremental_conversions),
            "incremental_value": _interval(found.lift.incremental_value),
        }
        if found.lift
        else None,
    }


def _figures(figures: Figures) -> dict[str, Any]:
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in asdict(figures).items()}


def _arm(arm: Arm) -> dict[str, Any]:
    return {"contacts": arm.contacts, "goals": arm.conversions, "goal_rate": arm.rate, "goal_value": arm.value}


def _interval(interval: Interval) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in asdict(interval).items()}
