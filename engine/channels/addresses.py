"""The addresses in CAIRN_SMTP_URL: one, or several with blanks between, the first being the one to use."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from engine.channels.mail_api import is_account
from engine.channels.smtp.server import Server
from engine.errors import ConfigurationError

if TYPE_CHECKING:
    from engine.channels.mail_api.account import Account


def addresses(setting: str) -> tuple[str, ...]:
    """Each address by itself. Raises ConfigurationError where there is none, or one twice."""
    found = tuple(setting.split())
    if not found:
        raise ConfigurationError("CAIRN_SMTP_URL is empty. Write smtp://host:port, or leave it unset.")
    if len(set(found)) < len(found):
        raise ConfigurationError("CAIRN_SMTP_URL names an address twice.")
    return found


def name_of(address: str) -> str:
    """What people are shown of an address: no user, password or key. Raises ConfigurationError."""
    if not is_account(address):
        return str(Server.parse(address))
    from engine.channels.mail_api.account import parse  # loaded only where a vendor is used

    return str(parse(address))


def stays_here(setting: str | None) -> bool:
    """Whether all of these are mail servers on this machine. Raises ConfigurationError."""
    return all(not is_account(each) and Server.parse(each).loopback for each in addresses(setting)) if setting else True


@functools.lru_cache(maxsize=32)
def accounts(setting: str | None) -> tuple[Account, ...]:
    """The vendors among the addresses. Raises ConfigurationError."""
    vendors = [each for each in addresses(setting) if is_account(each)] if setting else []
    if not vendors:
        return ()
    from engine.channels.mail_api.account import parse

    return tuple(parse(each) for each in vendors)
