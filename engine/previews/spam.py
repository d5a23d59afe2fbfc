"""What rspamd thinks of a message (https://docs.rspamd.com/developers/protocol: POST /checkv2)."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from engine.errors import ConfigurationError, ProviderError

SECONDS = 10
LARGEST_REPLY = 1_000_000
# What rspamd says of how a message reached it; a preview has not travelled.
TRAVEL = (
    "HFILTER_",
    "RCVD_",
    "R_SPF",
    "R_DKIM",
    "DMARC_",
    "ARC_",
    "RECEIVED_",
    "ONCE_RECEIVED",
    "AUTH_",
    "FROM_NEQ_ENV",
    "DATE_IN_",  # a preview may be as of any instant
)


@dataclass(frozen=True)
class Symbol:
    """A rule of rspamd that holds for the message; below zero speaks for it."""

    name: str
    score: float
    description: str


@dataclass(frozen=True)
class Spam:
    """The score, from what score on it counts as spam, and the rules that made it, the worst first."""

    score: float
    required: float
    symbols: tuple[Symbol, ...]

    @property
    def is_spam(self) -> bool:
        """Would a server with this rspamd refuse or mark it?"""
        return self.score >= self.required


def ask(url: str, raw: bytes) -> Spam:
    """Have rspamd at `url` (http://host:11333) look at an email.

    Raises ConfigurationError for an address that is none, ProviderError when rspamd does not answer as it should.
    """
    parts = urlsplit(url)
    try:
        port = parts.port or 11333
    except ValueError as error:
        raise ConfigurationError(f"CAIRN_RSPAMD_URL cannot be used: {error}. Write http://127.0.0.1:11333.") from error
    if parts.scheme != "http" or not parts.hostname:
        raise ConfigurationError("CAIRN_RSPAMD_URL cannot be used. Write http://127.0.0.1:11333.")
    connection = http.client.HTTPConnection(parts.hostname, port, timeout=SECONDS)
    try:
        connection.request("POST", parts.path.rstrip("/") + "/checkv2", raw, {"Content-Type": "message/rfc822"})
        reply = connection.getresponse()
        body = reply.read(LARGEST_REPLY)
        if reply.status != 200:
            raise ProviderError(f"rspamd answers {reply.status}. Check CAIRN_RSPAMD_URL.", permanent=False)
        return read(json.loads(body))
    except (OSError, http.client.HTTPException) as error:
        raise ProviderError(f"rspamd at {parts.hostname}:{port} does not answer: {error}.", permanent=False) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ProviderError("rspamd gives an answer that cannot be read.", permanent=False) from error
    finally:
        connection.close()


def read(reply: dict[str, Any]) -> Spam:
    """The reply of /checkv2. What concerns the journey of a message is taken out of the score."""
    given = [
        Symbol(name, float(each.get("score") or 0), str(each.get("description") or ""))
        for name, each in (reply.get("symbols") or {}).items()
    ]
    left_out = [each for each in given if each.name.startswith(TRAVEL)]
    kept = sorted((each for each in given if each not in left_out and each.score), key=lambda each: -each.score)
    score = float(reply["score"]) - sum(each.score for each in left_out)
    return Spam(round(score, 2), float(reply["required_score"]), tuple(kept))
