"""`cairn dkim`: keys that sign email, and the DNS records that belong to them."""

from __future__ import annotations

from pathlib import Path

import click

from engine.channels import dkim
from engine.errors import ConfigurationError
from engine.identities.records import zone_line
from engine.settings import settings


@click.group()
def command() -> None:
    """Sign email: make keys, print the DNS records to publish."""


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--ed25519", is_flag=True, help="An Ed25519 key (RFC 8463) instead of RSA with 2048 bits.")
def new(file: Path, ed25519: bool) -> None:
    """Make a private key in FILE, readable to its owner only."""
    try:
        dkim.create(file, ed25519=ed25519)
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be made: {error.strerror}.") from error
    click.echo(f"Made {file}. Name it in CAIRN_DKIM_KEYS as SELECTOR:{file}.")


@command.command()
def records() -> None:
    """Print the TXT record of each key in CAIRN_DKIM_KEYS."""
    own = settings()
    signer = dkim.configured(own.dkim_domain, own.dkim_keys)
    if signer is None:
        raise ConfigurationError("Nothing is signed: set CAIRN_DKIM_DOMAIN and CAIRN_DKIM_KEYS.")
    for key in signer.keys:
        click.echo(zone_line(f"{key.selector}._domainkey.{signer.domain}", "TXT", key.record()))
