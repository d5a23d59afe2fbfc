"""`email` and `sms`: the message leaves now, is held for its time, or is skipped.

An entry moves on as soon as its message is queued. Only at a send with a `fallback` it stays (phase `sending`) until it
is known whether the message reached the server, for the steps of the fallback come before those that follow.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from engine.habits.estimate import By, choose
from engine.quiet import Hours
from journeys.decide.localtime import next_time, quiet_until
from journeys.decide.values import Needs, Outcome, Row, held, kept, parked, skipped
from journeys.language.program import Program
from journeys.language.steps import BestHour, Email, LocalTime, SendOptions, Sms

PATIENCE = dt.timedelta(hours=24)
"""How long an entry waits for the fate of its message; with a mail server that is away for longer it goes on."""


def needs(program: Program, step: Email | Sms) -> Needs:
    """The `if` rule, the contact's zone when `at` or `quiet` is local to it, its hours when `at` is the best one."""
    options = program.sends[step.id]
    best = isinstance(options.at, BestHour)
    timed = (None if isinstance(options.at, BestHour) else options.at, options.quiet)
    local = best or any(part is not None and part.zone in ("contact", "workspace") for part in timed)
    return Needs((options.if_,) if options.if_ else (), zone=local, habits=best, fate=bool(options.fallback))


def decide(program: Program, step: Email | Sms, rows: Sequence[Row], now: dt.datetime) -> list[Outcome]:
    """Skip where `if` is false, hold until `at` and the end of quiet hours, else queue the message and go on."""
    options = program.sends[step.id]
    sent, left_out, settled, unreachable = kept(program, step, _ways)
    if not options.fallback and options.if_ is None and options.at is None and options.quiet is None:
        return [sent] * len(rows)
    if options.fallback:
        until = now + PATIENCE
        sent = Outcome("queued", phase="sending", wake_at=until, deadline=until, send=True)
    outcomes = []
    for row in rows:
        if row.phase == "sending":
            outcomes.append(_after(row, settled, unreachable, now))
        elif not all(row.truths):
            outcomes.append(left_out)
        elif (waits := _hold(options, row, now)) is not None:
            outcomes.append(waits)
        else:
            outcomes.append(sent)
    return outcomes


def _ways(program: Program, step: Email | Sms) -> tuple[Outcome, Outcome, Outcome, Outcome]:
    """Sent and gone on; left out; gone on after its fate; gone to the fallback."""
    to = program.following[step.id]
    left_out = skipped(to, program.sends[step.id].if_)
    unreachable = Outcome("fell_back", program.fallback.get(step.id))
    return Outcome("queued", to, send=True), left_out, Outcome("settled", to), unreachable


def _after(row: Row, settled: Outcome, unreachable: Outcome, now: dt.datetime) -> Outcome:
    """What follows for a row whose message is queued already."""
    if row.fate == "unreachable":
        return unreachable
    if row.fate == "under_way" and row.deadline is not None and row.deadline > now:
        return parked("sending", row.deadline, row.deadline)
    return settled


def _hold(options: SendOptions, row: Row, now: dt.datetime) -> Outcome | None:
    """A row that was held has reached its `at`; only quiet hours can hold it longer, or something woke it too early."""
    if row.phase == "held" and row.deadline is not None and row.deadline > now:
        return parked("held", row.deadline, row.deadline)
    moment, gate, by = now, "at", None
    if row.phase != "held":
        moment, by = _time(options, row, now)
    if options.quiet is not None:
        quiet = quiet_until(options.quiet, _zones(options.quiet.zone, row), moment)
        moment, gate, by = (quiet, "quiet", None) if quiet else (moment, gate, by)
    return held(gate, moment, by) if moment > now else None


def _time(options: SendOptions, row: Row, now: dt.datetime) -> tuple[dt.datetime, By | None]:
    """When `at` lets the message go, and whose history chose that."""
    match options.at:
        case LocalTime():
            return next_time(options.at, _zones(options.at.zone, row)[0], now), None
        case BestHour():
            quiet = options.quiet
            kept = ((Hours(quiet.start, quiet.end), _zones(quiet.zone, row)),) if quiet else ()
            chosen = choose(row.habits, row.zones[:-1], kept, now)
            return chosen.at, chosen.by
    return now, None


def _zones(named: str, row: Row) -> tuple[ZoneInfo, ...]:
    """The contact's possible zones; the last of `row.zones` is always the workspace's."""
    if named == "contact":
        return row.zones[:-1]
    return row.zones[-1:] if named == "workspace" else (ZoneInfo(named),)
