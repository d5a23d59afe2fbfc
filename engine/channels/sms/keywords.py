"""What people text back to stop, to start again and to ask for help. Pure.

CTIA Messaging Principles and Best Practices (2023), section 5; 47 CFR 64.1200(a)(10), which names STOP, QUIT, END,
REVOKE, OPT OUT, CANCEL and UNSUBSCRIBE as always meant, and leaves other plain words to reason.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Keyword = Literal["stop", "start", "help", "confirm"]

STOP = (
    "stop", "stopall", "stop all", "quit", "end", "revoke", "opt out", "optout", "opt-out", "cancel", "unsubscribe",
    "stopp", "abmelden", "arret", "stopper", "desabonner", "baja", "parar", "cancelar", "annulla", "disiscrivi",
)  # fmt: skip
"""Anywhere in the text as whole words: "STOP PLEASE" is meant, "non-stop" is not. A refused wish is worse than a
granted one that was not meant."""
START = ("start", "unstop", "yes", "subscribe", "optin", "opt in", "opt-in")
CONFIRM = (
    "yes", "y", "yes please", "ok", "okay", "confirm", "ja", "jawohl", "bestatigen", "oui", "si", "sim", "tak", "ano",
    "да", "evet",
)  # fmt: skip
"""As the whole text, and only where a text has asked whether to subscribe."""
HELP = ("help", "info", "hilfe", "aide", "ayuda", "aiuto")
"""Only as the whole text: "yes" within a sentence is no consent, and "help" may be about anything."""
ANYWHERE = re.compile(r"(?<![\w-])(?:" + "|".join(re.escape(word) for word in STOP) + r")(?![\w-])")


def keyword(text: str) -> Keyword | None:
    """The wish in a text, in any case, with any accents and punctuation; None for all others."""
    words = _plain(text)
    if words in START:
        return "start"
    if words in HELP:
        return "help"
    return "stop" if ANYWHERE.search(words) else None


def confirms(text: str) -> bool:
    """Whether the text says yes to what was asked."""
    return _plain(text) in CONFIRM


def _plain(text: str) -> str:
    """Lower case without accents; punctuation but the hyphen and the apostrophe becomes a blank."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text[:2000]) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^\w'\-]+", " ", bare.casefold().replace("’", "'")).split()).strip("-' ")
