"""`cairn secrets`: the keys under which passwords, signing keys and secrets of webhooks are stored."""

from __future__ import annotations

import getpass
import secrets
import sys

import click

from engine import clock
from engine.model import AuditLog
from engine.resealing import reseal as seal_anew
from engine.signing import signer
from webapp.cli._context import connected


@click.group()
def command() -> None:
    """The keys that secrets in the database are sealed with: new, reseal."""


@command.command()
def new() -> None:
    """Print a new key, for the beginning of CAIRN_SEALING_KEYS."""
    click.echo(secrets.token_urlsafe(48))


@command.command()
def reseal() -> None:
    """Seal everything under the first key of CAIRN_SEALING_KEYS; exit code 1 if something opens with none of them."""
    with connected() as database, database.transaction() as session:
        counts = seal_anew(session, signer().sealing_keys)
        if counts["done"]:
            session.add(AuditLog(actor=getpass.getuser(), action="secrets resealed", object="", at=clock.now(session)))
    click.echo(f"{counts['done']} sealed anew, {counts['before']} were already under the first key.")
    if counts["closed"]:
        click.echo(f"{counts['closed']} open with no key: keep the older keys in CAIRN_SEALING_KEYS.", err=True)
        sys.exit(1)
