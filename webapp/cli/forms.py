"""`cairn forms`: sign-up forms, on pages of their own or embedded in yours."""

from __future__ import annotations

import click
from sqlalchemy.orm import Session

from engine import clock
from engine.model import Form
from engine.tracking import form_fields, forms
from engine.translation import NAMES
from webapp.cli._context import connected, site_url
from webapp.public import showing


@click.group()
def command() -> None:
    """Sign-up forms."""


@command.command("list")
def list_() -> None:
    """Print all forms: slug, title, address, and more."""
    with connected() as database, database.transaction() as session:
        site = site_url()
        for form in forms.listed(session):
            marks = ["double opt-in" if form.double_opt_in else "single opt-in"]
            marks += [{"sms": "texts", "both": "email and texts"}[form.channel]] if form.channel != "email" else []
            marks += ["archived"] if form.archived_at else []
            click.echo(f"{form.slug}\t{form.title}\t{site}/f/{form.slug}\t{', '.join(marks)}")


@command.command("set")
@click.argument("slug")
@click.option("--title", help="The heading.")
@click.option("--intro", help="A sentence below it.")
@click.option("--thanks", help="What people read afterwards.")
@click.option(
    "--field", "fields", multiple=True, help="ATTRIBUTE=Label, with a * if it must be filled in; kinds: see below."
)
@click.option(
    "--topic", "topics", multiple=True, help="A topic that they subscribe to; without one, the whole channel."
)
@click.option("--list", "lists", multiple=True, help="A list that they are put on.")
@click.option("--wording", help="What they agree to (`cairn topics word`).")
@click.option("--origin", "origins", multiple=True, help="A site that may embed it, as in https://www.example.com.")
@click.option("--channel", type=click.Choice(forms.CHANNELS), help="What it subscribes to, and so asks for. email.")
@click.option("--choose-topics/--all-topics", default=None, help="Whether people tick the topics that they want.")
@click.option("--redirect", help="The page that people see afterwards, as in https://www.example.com/thanks.")
@click.option("--double-opt-in/--single-opt-in", default=None, help="Whether a message asks to confirm. On by default.")
def set_(slug: str, fields: tuple[str, ...], **values: object) -> None:
    """Make the form SLUG, or change what is given of it; repeated options replace all that there were.

    A field may have a kind: seats:number=Seats, born:date=Birthday, dealer:box=I am a dealer, size:choice=Size|S|M|L,
    and utm_source:hidden, which takes ?utm_source=… of the page that holds the form. A form for the channel `both` asks
    for an email address and, if people like, a number; each is confirmed by itself.
    """
    given = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if value or value is False
    }
    with connected() as database, database.transaction() as session:
        form = _form(session, slug)
        for name, value in given.items():
            setattr(form, name, value)
        asked = [form_fields.parse(text) for text in fields] if fields else forms.fields_of(form)
        forms.save(session, form, asked)
    click.echo(f"{site_url()}/f/{slug}")


def _form(session: Session, slug: str) -> Form:
    empty = {name: list[str]() for name in ("topics", "lists", "origins")}
    made = Form(slug=slug, title=slug, fields=[], intro="", thanks="", channel="email", double_opt_in=True, **empty)
    return session.get(Form, slug) or made


@command.command()
@click.argument("slug")
@click.option("--language", default="en", type=click.Choice(list(NAMES)), help="What its words are in. en.")
def embed(slug: str, language: str) -> None:
    """Print the form SLUG as HTML for a page of yours, whose origin the form must allow (--origin)."""
    with connected() as database, database.transaction() as session:
        html = showing.embedded(session, forms.find(session, slug), site_url(), language)
    click.echo(html)


@command.command()
@click.argument("slug")
@click.option("--undo", is_flag=True, help="Bring it back.")
def archive(slug: str, undo: bool) -> None:
    """Take the form SLUG off the web; who signed up by it stays."""
    with connected() as database, database.transaction() as session:
        found = _form(session, slug) if undo else forms.find(session, slug)
        found.archived_at = None if undo else clock.now(session)
    click.echo(f"form {slug} {'is back' if undo else 'is archived'}")
