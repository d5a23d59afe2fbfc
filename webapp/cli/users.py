"""`cairn users`: people who sign in."""

from __future__ import annotations

import click

from engine import users
from engine.errors import NotFound
from webapp.cli._context import connected


@click.group()
def command() -> None:
    """Users: add people, set passwords."""


@command.command()
@click.argument("email")
@click.option("--role", type=click.Choice(users.ROLES), default="marketer", show_default=True)
@click.password_option()
def add(email: str, role: str, password: str) -> None:
    """Add a user."""
    with connected() as database, database.transaction() as session:
        users.create(session, email, password, role=role)
    click.echo(f"{email} can sign in.")


@command.command()
@click.argument("email")
@click.password_option()
def password(email: str, password: str) -> None:
    """Set a user's password; every session of theirs ends."""
    with connected() as database, database.transaction() as session:
        user = users.by_email(session, email)
        if user is None:
            raise NotFound("user", email)
        users.set_password(user, password)
    click.echo("The password is set.")
