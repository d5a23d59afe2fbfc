"""`cairn campaigns`: one-off sends to an audience."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from engine import clock, workspace
from engine.campaigns import copying, forecast, preflight, states, store, winner
from engine.campaigns import definition as definitions
from engine.campaigns import report as reports
from engine.campaigns.as_json import campaign_as_json, report_as_json
from engine.contacts.find import find
from engine.signing import signer
from journeys.explain import as_json as story_as_json
from journeys.explain.campaigns import explain_campaign
from webapp.cli._console import console
from webapp.cli._context import connected, site_url
from webapp.cli._explaining import show_campaign_story
from webapp.cli._files import read_text

FILE = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
SAID = {
    "start": "starts {start_at:%Y-%m-%d %H:%M} UTC",
    "draft": "is a draft again",
    "pause": "is paused; nothing more leaves",
    "resume": "goes on",
    "cancel": "is cancelled, with all that was queued",
}


@click.group()
def command() -> None:
    """Campaigns: one message, or variants of it, to an audience."""


@command.command("list")
@AS_JSON
def list_(as_json: bool) -> None:
    """Print all campaigns with their state and size, separated by tabs."""
    with connected() as database, database.transaction() as session:
        found = store.listing(session)
    if as_json:
        click.echo(json.dumps([campaign_as_json(each) for each in found], indent=2))
        return
    for each in found:
        click.echo(f"{each.slug}\t{each.state}\t{each.audience_count}\t{each.name}")


@command.command()
@click.argument("files", type=FILE, nargs=-1, required=True)
def apply(files: tuple[Path, ...]) -> None:
    """Save campaign files as drafts; nothing is sent before `cairn campaigns start`."""
    with connected() as database, database.transaction() as session:
        for file in files:
            source = read_text(file)
            read, now = definitions.parse(source), clock.now(session)
            found = store.save(session, read, now, getpass.getuser(), source)
            click.echo(f"{found.slug}\t{found.state}")


@command.command()
@click.argument("slug")
@click.option("--audience", required=True, help='A rule, such as: in segment "vip" or in list "beta".')
@click.option("--content", required=True, help="The name of a content.")
@click.option("--channel", type=click.Choice(["email", "sms"]), default="email", show_default=True)
@click.option("--topic", default="", help="The topic that contacts can unsubscribe from.")
@click.option("--from", "from_", default="", help="The identity that it is from, as in cairn identities list.")
@click.option("--at", default="", help="When, such as 2026-12-01 09:00; at once if left out.")
def create(slug: str, **fields: str) -> None:
    """Make the draft SLUG. Files (`cairn campaigns apply`) say more: variants, throttle, hold-back, goal."""
    given = {"campaign": slug} | {key.rstrip("_"): value for key, value in fields.items() if value}
    with connected() as database, database.transaction() as session:
        found = store.save(session, definitions.read(given), clock.now(session), getpass.getuser())
    click.echo(f"{found.slug}\t{found.state}")


@command.command()
@click.argument("slug")
def show(slug: str) -> None:
    """Print the campaign SLUG as the file that makes it."""
    with connected() as database, database.transaction() as session:
        found = store.find(session, slug)
    click.echo(store.text_of(found), nl=False)


@command.command()
@click.argument("slug")
@click.option("--name", default="", help="What the copy is called.")
def duplicate(slug: str, name: str) -> None:
    """Make a draft that says the same as SLUG."""
    with connected() as database, database.transaction() as session:
        found = copying.duplicate(session, slug, name, clock.now(session), getpass.getuser())
    click.echo(f"{found.slug}\t{found.state}")


@command.command()
@click.argument("slug")
def again(slug: str) -> None:
    """Make a draft to those who got SLUG and did not open it."""
    with connected() as database, database.transaction() as session:
        found = copying.again(session, slug, clock.now(session), getpass.getuser())
    click.echo(f"{found.slug}\t{found.state}")


def _verb(name: str, help_: str) -> Callable[[str], None]:
    @command.command(name, help=help_)
    @click.argument("slug")
    def run(slug: str) -> None:
        with connected() as database, database.transaction() as session:
            found = states.change(session, slug, name, clock.now(session), getpass.getuser())
        click.echo(f"{slug} {SAID[name].format(start_at=found.start_at)}")

    return run


_verb("draft", "Take a scheduled campaign back, to change it.")
_verb("pause", "Hold the campaign SLUG: what is queued stays queued.")


@command.command()
@click.argument("slug")
@click.option("--accept-warnings", "accepted", is_flag=True, help="Go on although something came up since it started.")
def resume(slug: str, accepted: bool) -> None:
    """Let a paused campaign go on, if nothing that harms came up since it started."""
    with connected() as database, database.transaction() as session:
        preflight.resume(session, slug, clock.now(session), getpass.getuser(), accepted=accepted)
    click.echo(f"{slug} {SAID['resume']}")


_verb("cancel", "End the campaign SLUG; what is queued is cancelled, what was sent stays sent.")


@command.command()
@click.argument("slug")
@AS_JSON
def check(slug: str, as_json: bool) -> None:
    """Look for what would go wrong with the campaign SLUG; exit code 1 if something stops it. Nothing is sent."""
    with connected() as database, database.transaction() as session:
        campaign = store.find(session, slug)
        found = preflight.check(session, store.definition_of(campaign), signer(), site_url(), clock.now(session))
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=2))
    else:
        _show_preflight(found)
    sys.exit(1 if found.errors else 0)


def _show_preflight(found: preflight.Preflight) -> None:
    reach = found.reach
    for name in ("audience", "held_back", "no_address", "unsubscribed", "no_consent", "suppressed", "capped", "likely"):
        click.echo(f"{name.replace('_', ' ')}\t{getattr(reach, name):,}")
    click.echo(f"cost\t{found.cost:,.2f} {found.currency}")
    click.echo(f"last one leaves\t{found.finish:%Y-%m-%d %H:%M} UTC" if found.finish else "last one leaves\tat once")
    for one in found.findings:
        click.echo(f"{one.severity}: {one.message}{f' {one.hint}' if one.hint else ''}")


@command.command()
@click.argument("slug")
@click.option("--accept-warnings", "accepted", is_flag=True, help="Send although the check warns.")
def start(slug: str, accepted: bool) -> None:
    """Send the campaign SLUG, at once or at its time, if the check finds nothing against it."""
    with connected() as database, database.transaction() as session:
        now, actor = clock.now(session), getpass.getuser()
        found = preflight.start(session, slug, signer(), site_url(), now, actor, accepted=accepted)
    click.echo(f"{slug} {SAID['start'].format(start_at=found.start_at)}")


@command.command()
@click.argument("slug")
@click.argument("contact")
@AS_JSON
def explain(slug: str, contact: str, as_json: bool) -> None:
    """Tell why CONTACT (external id, email or phone) got the campaign SLUG, or did not."""
    with connected() as database, database.transaction() as session:
        found = find(session, contact)
        story = explain_campaign(session, slug, found.id, contact, signer(), clock.now(session))
        zone = workspace.load(session).zone
    if as_json:
        click.echo(json.dumps(story_as_json(story), indent=2))
    else:
        show_campaign_story(story, zone)


@command.command()
@click.argument("slug")
@AS_JSON
def report(slug: str, as_json: bool) -> None:
    """Print what the campaign SLUG did, by variant."""
    with connected() as database, database.transaction() as session:
        campaign = store.find(session, slug)
        found, currency = reports.report(session, campaign), workspace.load(session).currency
        definition, now = store.definition_of(campaign), clock.now(session)
        finish = forecast.finish(found, definition, reports.waves(session, campaign.id), now)
    if as_json:
        click.echo(
            json.dumps(
                report_as_json(found, definition)
                | {"finish": finish.isoformat() if finish else None}
                | {"currency": currency},
                indent=2,
            )
        )
        return
    click.echo(
        f"{slug}: {found.campaign.state}, audience {found.campaign.audience_count:,}, "
        f"sent {found.total.sent:,}, waiting {found.waiting:,}, not queued yet {found.ahead:,}"
    )
    if finish is not None:
        click.echo(f"the last one leaves about {finish:%Y-%m-%d %H:%M} UTC")
    console().print(_table(found, currency))
    for line in _compared(winner.against_control(found, definition)):
        click.echo(line)
    if found.lift is not None:
        click.echo(_lift(found))


COLUMNS = ("sent", "undelivered", "human_opens", "human_clicks", "unsubscribes", "conversions", "revenue", "cost")


def _table(found: reports.Report, currency: str) -> Table:
    table = Table("variant", "contacts", *(name.replace("_", " ") for name in COLUMNS), caption=f"money in {currency}")
    for arm in found.arms:
        table.add_row(arm.name, f"{arm.people.contacts:,}", *_cells(arm.figures))
    table.add_row("all", f"{found.treated.contacts:,}", *_cells(found.total))
    return table


def _cells(figures: Any) -> list[str]:
    return [f"{value:,.2f}" if name in COLUMNS[5:] else f"{value:,}" for name in COLUMNS
            for value in [getattr(figures, name)]]  # fmt: skip


def _compared(found: Mapping[str, list[winner.Compared]]) -> Iterator[str]:
    """Rates in points, money a contact."""
    for by, (control, *others) in found.items():
        for one in others:
            begin, scale = f"{one.name} against {control.name} by {by}: ", 1 if by == "revenue" else 100
            if not one.enough or one.difference is None:
                yield begin + "not enough data yet"
            else:
                low, at, high = (
                    each * scale for each in (one.difference.low, one.difference.estimate, one.difference.high)
                )
                yield f"{begin}{at:+.2f} ({low:+.2f} to {high:+.2f})"


def _lift(found: reports.Report) -> str:
    assert found.lift is not None and found.holdout is not None
    if not found.lift.enough:
        return f"held back: {found.holdout.contacts:,}; not enough data yet to say what the campaign added"
    rate = found.lift.rate
    return (
        f"held back: {found.holdout.contacts:,}; the campaign added {rate.estimate * 100:+.2f} points to the goal rate "
        f"({rate.low * 100:+.2f} to {rate.high * 100:+.2f})"
    )
