"""Words that hint at a cause when they stand near each other, for sentences that are in no table."""

from __future__ import annotations

import re

LOOKED_AT = 400


def _any(*alternatives: str) -> str:
    return rf"\b(?:{'|'.join(alternatives)})\b"


def _near(one: str, other: str) -> re.Pattern[str]:
    return re.compile(rf"{one}.{{0,40}}{other}|{other}.{{0,30}}{one}")


PERSON = _any(
    "users?|userid|recipients?|mailbox(?:es)?|accounts?|address(?:es|ee)?|alias|e-?mail|customer|subscriber",
    "mail ?drop|rcpt",
)
GONE = _any(
    "unknowns?|invalid|wrong|bad|illegal|inactive|inactivity|disabled|closed|deleted|expired|removed|locked|no such",
    r"no longer|non-?exist\w*|deactivated|unavailable|terminated|nobody|no one|unable to find|can(?:no|')t find",
    r"could(?: not|n't) find|not exist\w*",
    r"(?:not|no|n't)(?: be| been| an?| currently| currently being)? ?(?:found|known|exist\w*|valid|verified|verify"
    r"|recogni\w+|listed|local|member|available|activated|registered|ok|accepted|matched|present|defined)",
)
ROOM = _any("quota|space|storage|mailbox|inbox|mail ?folder|limit|allocation")
SPENT = _any(r"exceed\w*|full|exhaust\w*|over|insufficient|not enough|too large|larger|reached|used up|no more")
OURS = _any("ips?|host|server|domain|sender|message|mail|content|connection|client|relay|location|network|sending")
UNWANTED = _any(
    r"block\w*|reject\w*|denied|refused|listed at|listed in|banned|abuse|abusive|prohibited|permissions?|no access",
    r"not (?:allowed|permitted|authori[sz]ed|accepted|configured|comply)|too many bounces|bad \w{0,12} ?profile",
    r"unauthori[sz]ed|bounced by",
)
COMBINED = (("soft", _near(ROOM, SPENT)), ("hard", _near(PERSON, GONE)), ("policy", _near(OURS, UNWANTED)))
"""In this order: a mailbox that is full is not gone."""


def hint(said: str) -> str:
    """The kind that words near each other hint at in a normal text; nothing where none do."""
    text = said[:LOOKED_AT]
    return next((kind for kind, pattern in COMBINED if pattern.search(text)), "")
