"""Where texts go: the address of a gateway, and the provider that speaks its language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote

from engine.channels.journal import Journal
from engine.channels.naming import Naming
from engine.channels.options import options, split
from engine.channels.phone import LocalPhone
from engine.channels.provider import Provider
from engine.errors import ConfigurationError

HINT = (
    "Write twilio://ACCOUNT:TOKEN@api.twilio.com?from=+15550100, kannel://USER:PASSWORD@HOST:13013?from=SHOP "
    "or smpp://SYSTEM_ID:PASSWORD@HOST:2775?from=SHOP."
)
PORTS = {"twilio": 443, "twilio+http": 80, "kannel": 13013, "kannel+https": 443, "smpp": 2775, "smpp+tls": 3550}
OPTIONS = {
    "twilio": {"from", "service"},
    "kannel": {"from", "path", "smsc"},
    "smpp": {"from", "type", "window"},
}


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway as CAIRN_SMS_URL names it. kind: twilio, kannel, smpp; `secure`: over TLS.

    `user` is the account, `options` what follows the question mark: `from` is the number or name that texts come from;
    Twilio's `service` a messaging service in its place; Kannel's `path` and `smsc`; SMPP's system `type` and `window`,
    the number of texts that may be under way.
    """

    kind: str
    secure: bool
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    options: Mapping[str, str]

    @property
    def sender(self) -> str:
        """What texts come from."""
        return self.options.get("from", "")

    def __str__(self) -> str:
        return f"{self.kind}://{self.host}:{self.port}"


def parse(url: str) -> Gateway:
    """Read an address. Raises ConfigurationError that says what is wrong with it, without its password."""
    parts, port = split(url, _wrong)
    kind = parts.scheme.partition("+")[0]
    if parts.scheme not in PORTS:
        raise _wrong(f"“{parts.scheme}” is no kind of gateway; there are twilio, kannel and smpp")
    if not parts.hostname or not parts.username:
        raise _wrong("it lacks the host or the account")
    said = _options(kind, parts)
    secure = parts.scheme in ("twilio", "kannel+https", "smpp+tls")
    user, password = unquote(parts.username), unquote(parts.password or "")
    return Gateway(kind, secure, parts.hostname, port or PORTS[parts.scheme], user, password, said)


def name_of(url: str | None) -> str:
    """By which name the rate of a gateway is set: `smpp://HOST:PORT`. Raises ConfigurationError."""
    return str(parse(url)).lower() if url else LocalPhone.gateway


def _options(kind: str, parts: SplitResult) -> dict[str, str]:
    said = options(kind, parts, OPTIONS[kind], _wrong)
    if not said.get("from") and not said.get("service"):
        raise _wrong("nothing says what texts come from")
    if not said.get("window", "1").isdigit():
        raise _wrong("its window is no number")
    return said


def _wrong(what: str) -> ConfigurationError:
    return ConfigurationError(f"CAIRN_SMS_URL cannot be used: {what}. {HINT}")


def provider(url: str | None, journal: Journal, naming: Naming) -> Provider:
    """The provider of a gateway, the local phone where there is none. Raises ConfigurationError."""
    if not url:
        return LocalPhone()
    gateway = parse(url)
    if gateway.kind == "smpp":
        from engine.channels.sms.smpp import SmppProvider  # its library is loaded only where it is used

        return SmppProvider(gateway, journal)
    from engine.channels.http import Host, HttpProvider
    from engine.channels.sms import kannel, twilio

    vendor = twilio.Twilio(gateway, naming) if gateway.kind == "twilio" else kannel.Kannel(gateway, naming)
    return HttpProvider("sms", Host(gateway.host, gateway.port, gateway.secure), vendor, journal)
