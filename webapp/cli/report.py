"""`cairn report`: figures in the terminal."""

from __future__ import annotations

import datetime as dt
import json

import click

from engine import clock
from engine.previews import message
from engine.reports import hits, languages, roi
from engine.tracking.classify import VERSION
from webapp.cli._context import connected
from webapp.cli._roi_table import roi_table, terminal

DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def command() -> None:
    """Reports: return on investment, opens and clicks, and languages."""


@command.command("languages")
@click.argument("content")
@click.option("--since", type=DAY, help="First day, UTC; 30 days ago without.")
def languages_(content: str, since: dt.datetime | None) -> None:
    """Messages of CONTENT that were sent, opened and clicked, by language, of entries and campaigns since a day."""
    with connected() as database, database.transaction() as session:
        first = since.replace(tzinfo=dt.UTC) if since else clock.now(session) - languages.PERIOD
        message.find(session, content)
        rows = languages.report(session, content, first)
    for row in rows:
        click.echo(f"{row.language or '–':8} {row.sent:8} sent {row.opened:8} opened {row.clicked:8} clicked")


@command.command("hits")
@click.option("--since", type=DAY, help="First day, UTC.")
@click.option("--until", type=DAY, help="Last day, UTC.")
def hits_(since: dt.datetime | None, until: dt.datetime | None) -> None:
    """Opens and clicks by the rule that judged them, then raw and human figures by journey and campaign."""
    with connected() as database, database.transaction() as session:
        found = hits.report(session, VERSION, since.date() if since else None, until.date() if until else None)
    for one in found.rules:
        click.echo(f"{one.classification:10} {one.opens:10,} opens {one.clicks:10,} clicks  {one.name}: {one.saw}")
    for source in (*found.sources, found.total):
        opens = f"{source.raw_opens:10,} raw opens {source.opened:8,} opened"
        clicks = f"{source.raw_clicks:10,} raw clicks {source.clicked:8,} clicked"
        sent = f"{source.sent:10,} sent {source.untracked:8,} untracked"
        click.echo(f"{sent} {opens} {clicks}  {source.kind or 'all'} {source.slug}".rstrip())
    if found.stale:
        click.echo(f"{found.stale:,} hits were judged by older rules: cairn hits rejudge")


@command.command("roi")
@click.option("--since", type=DAY, help="First day, UTC.")
@click.option("--until", type=DAY, help="Last day, UTC.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV instead of a table.")
def roi_(since: dt.datetime | None, until: dt.datetime | None, as_json: bool, as_csv: bool) -> None:
    """Sent, opens, clicks, conversions, revenue, cost, ROI and lift by journey and step."""
    with connected() as database, database.transaction() as session:
        found = roi.report(session, since.date() if since else None, until.date() if until else None)
    if as_json:
        click.echo(json.dumps(roi.as_json(found), indent=2))
    elif as_csv:
        click.echo(roi.as_csv(found), nl=False)
    else:
        terminal().print(roi_table(found))
