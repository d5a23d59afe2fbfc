"""`/hooks/mail/TOKEN`: where vendors of email deliver what became of messages.

The address holds a token of ours that nobody else can make; where a vendor signs, its signature is checked besides.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog
import urllib3
from sqlalchemy.exc import SQLAlchemyError

from engine import clock, urls
from engine.bounces.failure import Failure
from engine.bounces.verdict import judge
from engine.channels.addresses import accounts
from engine.channels.http import Answer as Body
from engine.channels.http import loaded
from engine.channels.mail_api import mailgun, postmark, sendgrid, ses
from engine.channels.mail_api.account import Account
from engine.channels.mail_api.word import Word
from engine.db import Database
from engine.errors import NotFound
from engine.identities import store as identities
from engine.identities.values import House
from engine.receipts.store import store
from engine.receipts.values import Kind, Receipt
from engine.signing import Signer
from webapp.native import NOT_FOUND, TEXT, Answer, Environ, not_allowed, receive

log = structlog.get_logger(__name__)

PREFIX = "/hooks/mail/"
DOOR = "mail"
BODY_BYTES = 1024 * 1024
FETCH_SECONDS = 10.0
STORED = Answer(200, TEXT, b"")
LATER = Answer(503, (*TEXT, ("Retry-After", "5")), b"Not stored. Come again.\n")
UNREADABLE = Answer(400, TEXT, b"The body is no JSON that can be read.\n")
FORBIDDEN = Answer(403, TEXT, b"The signature does not fit.\n")
READERS: dict[str, Callable[[bytes], list[Word]]] = {
    "postmark": postmark.words,
    "sendgrid": sendgrid.words,
    "mailgun": mailgun.words,
    "ses": ses.words,
}


def door_url(site: str, signer: Signer, kind: str = "", identity: str = "") -> str:
    """What to enter at the vendor as the address of its webhook; `kind` says which vendor where there are several.

    An account of an identity has an address of its own, which names its vendor.
    """
    parts = (_token(signer, identity), kind, identity)
    return f"{site}{PREFIX}{'/'.join(part for part in parts if part)}"


def _token(signer: Signer, identity: str) -> str:
    return signer.door(f"{DOOR} of {identity}" if identity else DOOR)


@functools.lru_cache(maxsize=8)
def fetch(url: str) -> bytes:
    """A document of Amazon's; only of addresses that `ses.SNS_HOST` knows. Raises urllib3's HTTPError."""
    answer = urllib3.request("GET", url, timeout=FETCH_SECONDS, redirect=False, retries=False)
    if answer.status != 200:
        raise urllib3.exceptions.HTTPError(f"{url} answered {answer.status}")
    return answer.data


@dataclass(frozen=True, slots=True)
class MailReceipts:
    """What the address works with: the accounts of `smtp_url` (CAIRN_SMTP_URL) and of identities.

    Without an account of its kind it does not exist. An address without a kind is that of the first account's vendor.
    """

    database: Database
    signer: Signer
    house: House
    smtp_url: str | None = None
    fetch: Callable[[str], bytes] = fetch

    def answer(self, environ: Environ) -> Answer:
        """200 once it is stored; 400 for no JSON, 403 for a wrong signature, the common 404 for a wrong token, 503."""
        token, _, rest = environ["PATH_INFO"][len(PREFIX) :].partition("/")
        kind, _, identity = rest.partition("/")
        if not hmac.compare_digest(token.encode(), _token(self.signer, identity).encode()):
            return NOT_FOUND
        try:
            mine = self._of(kind, identity)
        except SQLAlchemyError:
            return LATER
        if not mine:
            return NOT_FOUND
        if environ["REQUEST_METHOD"] != "POST":
            return not_allowed("POST")
        body = receive(environ, BODY_BYTES)
        if loaded(body) is None:
            return UNREADABLE
        try:
            if not any(self._genuine(account, environ, body) for account in mine):
                return FORBIDDEN
            self._store(mine[0], READERS[mine[0].kind](body), body)
        except (SQLAlchemyError, urllib3.exceptions.HTTPError) as error:
            log.warning("a receipt could not be taken", error=str(error)[:300])
            return LATER
        return STORED

    def _of(self, kind: str, identity: str) -> list[Account]:
        """The accounts that may speak at this address. One that an identity no longer has does not."""
        setting = self._setting_of(identity) if identity else self.smtp_url
        known = accounts(setting)
        wanted = kind or (known[0].kind if known else "")
        return [account for account in known if account.kind == wanted]

    def _setting_of(self, identity: str) -> str:
        with self.database.transaction() as session, suppress(NotFound):
            return identities.find(session, identity, self.house).relays
        return ""

    def _genuine(self, account: Account, environ: Environ, body: bytes) -> bool:
        key = account.options.get("verify") or account.options.get("signing")
        if account.kind == "sendgrid" and key:
            names = (sendgrid.SIGNATURE, sendgrid.TIMESTAMP)
            given = {name: environ.get("HTTP_" + name.upper().replace("-", "_"), "") for name in names}
            return sendgrid.genuine(key, given, body)
        if account.kind == "mailgun" and key:
            return mailgun.genuine(key, body)
        return account.kind != "ses" or self._from_amazon(account, body)

    def _from_amazon(self, account: Account, body: bytes) -> bool:
        """Signed by SNS, from our topic where one is named. A subscription is confirmed by fetching its address."""
        said = Body(200, {}, body).json()
        certificate, topic = str(said.get("SigningCertURL", "")), account.options.get("topic")
        if not ses.CERTIFICATE.fullmatch(certificate) or (topic and said.get("TopicArn") != topic):
            return False
        if not ses.genuine(said, self.fetch(certificate)):
            return False
        confirm = str(said.get("SubscribeURL", ""))
        if said.get("Type") == "SubscriptionConfirmation" and ses.SNS_HOST.fullmatch(confirm):
            self.fetch(confirm)
        return True

    def _store(self, account: Account, words: list[Word], body: bytes) -> None:
        if not words:
            return
        receipts = [self._receipt(account, word, body) for word in words]
        with self.database.transaction() as session:
            store(session, receipts, clock.now(session), self.signer)

    def _receipt(self, account: Account, word: Word, body: bytes) -> Receipt:
        """What the vendor leaves open is judged as a bounce is: by the receiving server's code and words.

        A word without a name of the vendor's has its own text for one, which a repeat brings again.
        """
        named = self.signer.read_bounce(word.name)
        kind: Kind = word.kind or _judged(word)
        payload = body if word.payload is None else word.payload
        return Receipt(
            provider=account.kind,
            provider_id=f"{word.own_id or hashlib.sha256(payload).hexdigest()}:{kind}",
            kind=kind,
            message=(named.message_id, urls.origin_at(named)) if named else None,
            recipient=word.recipient or None,
            status=word.status,
            reason=word.reason,
            occurred_at=word.occurred_at,
            payload=payload,
        )


def _judged(word: Word) -> Kind:
    kind = judge(Failure(word.recipient, status=word.status, diagnostic=word.reason), "", "").kind
    return kind if kind in ("hard", "soft", "policy") else "soft"  # type: ignore[return-value]
