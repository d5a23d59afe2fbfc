"""An account with a vendor, from CAIRN_SMTP_URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from engine.channels.http import Connection, Host, HttpProvider, Vendor
from engine.channels.journal import Journal
from engine.channels.mail_api import mailgun, postmark, sendgrid, ses
from engine.channels.naming import Naming
from engine.channels.options import options, split
from engine.channels.provider import Outgoing, Rendered, RenderFailure, Result
from engine.errors import ConfigurationError
from engine.signing import signer

OPTIONS: Mapping[str, frozenset[str]] = {
    "postmark": frozenset({"stream"}),
    "sendgrid": frozenset({"verify"}),
    "mailgun": frozenset({"domain", "signing"}),
    "ses": frozenset({"region", "configuration", "topic"}),
}
HOSTS = {
    "postmark": "api.postmarkapp.com",
    "sendgrid": "api.sendgrid.com",
    "mailgun": "api.mailgun.net",
    "ses": "email.{region}.amazonaws.com",
}
NEEDED = {"mailgun": ("domain",), "ses": ("region",)}
HINT = (
    "Write postmark://TOKEN@api.postmarkapp.com, sendgrid://KEY@api.sendgrid.com, "
    "mailgun://KEY@api.mailgun.net?domain=mg.example.com or ses://KEY_ID:SECRET@email.eu-west-1.amazonaws.com?region=eu-west-1."
)


@dataclass(frozen=True, slots=True)
class Account:
    """kind: ses, postmark, sendgrid, mailgun. `user` is the key, `password` the secret that belongs to it (SES only).

    `options`: Postmark's message `stream`; SendGrid's public key that receipts `verify` by; Mailgun's `domain` and the
    key that `signing` uses; SES's `region`, `configuration` set and the `topic` (ARN) that receipts come from.
    """

    kind: str
    host: Host
    user: str = field(repr=False)
    password: str = field(repr=False)
    options: Mapping[str, str] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.kind}://{self.host}"


def parse(url: str) -> Account:
    """Read an address. Raises ConfigurationError that says what is wrong with it, without its keys."""
    parts, port = split(url, _wrong)
    kind, _, how = parts.scheme.partition("+")
    if kind not in OPTIONS or how not in ("", "http"):
        raise _wrong(f"“{parts.scheme}” is no vendor that Cairn knows")
    said = options(kind, parts, OPTIONS[kind], _wrong)
    if missing := [name for name in NEEDED.get(kind, ()) if not said.get(name)]:
        raise _wrong(f"{kind} needs ?{missing[0]}=")
    if not parts.username:
        raise _wrong("it lacks the key")
    host = Host(parts.hostname or HOSTS[kind].format(**said), port or (80 if how else 443), not how)
    return Account(kind, host, unquote(parts.username), unquote(parts.password or ""), said)


def _wrong(what: str) -> ConfigurationError:
    return ConfigurationError(f"CAIRN_SMTP_URL cannot be used: {what}. {HINT}")


def unchecked(account: Account) -> str:
    """The option without which receipts of this account are not checked by their signature, if it lacks that."""
    wanted = {"sendgrid": "verify", "mailgun": "signing", "ses": "topic"}.get(account.kind, "")
    return wanted if not account.options.get(wanted) else ""


def vendor(account: Account, naming: Naming) -> Vendor:
    """The vendor's side of an account."""
    user, password, options = account.user, account.password, account.options
    if account.kind == "postmark":
        return postmark.Postmark(user, options.get("stream", "broadcast"), naming)
    if account.kind == "sendgrid":
        return sendgrid.SendGrid(user, naming)
    if account.kind == "mailgun":
        return mailgun.Mailgun(user, options["domain"], naming)
    return ses.Ses(user, password, account.host, options["region"], options.get("configuration"), naming)


def once(url: str) -> Callable[[str, bytes], Result]:
    """Hands over mails that are not in the ledger, each by itself and without a journal. Raises ConfigurationError."""
    account = parse(url)
    speaks = vendor(account, Naming("", signer()))
    host = Connection(account.host)

    def post(recipient: str, data: bytes) -> Result:
        item = Outgoing(0, 1, "", recipient, lambda: Rendered(data))
        try:
            request = speaks.request(item, data)
        except RenderFailure as error:
            return Result(0, "failed", text=str(error), stage="render")
        return host.ask(speaks, item, request)

    return post


def provider(url: str, journal: Journal, naming: Naming) -> HttpProvider:
    """The provider of an account. Raises ConfigurationError."""
    account = parse(url)
    return HttpProvider("email", account.host, vendor(account, naming), journal)
