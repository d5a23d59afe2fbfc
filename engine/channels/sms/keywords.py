"""What people text back to stop, to start again and to ask for help. Pure.

CTIA Messaging Principles and Best Practices (2023), section 5; 47 CFR 64.1200(a)(10), which names STOP, QUIT, END,
REVOKE, OPT OUT, CANCEL and UNSUBSCRIBE as always meant, and leaves other plain words to reason.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Literal

Keyword = Literal["stop", "start", "help", "confirm"]

STOP = (
    "stop", "stopall", "stop all", "quit", "end", "revoke", "opt out", "optout", "opt-out", "cancel", "unsubscribe",
    "stopp", "abmelden", "abbestellen", "arret", "stopper", "desabonner", "desinscrire", "baja", "parar", "cancelar",
    "desuscribir", "descadastrar", "annulla", "disiscrivi", "disiscrivimi", "afmelden", "uitschrijven", "afmeld",
    "avsluta", "lopeta", "rezygnuje", "wypisz", "odhlasit", "leiratkozas", "dezabonare", "iptal", "стоп", "отписаться",
    "отписка", "отмена", "відписатися", "στοπ", "διαγραφή", "הסר", "إيقاف", "توقف", "الغاء", "बंद", "ยกเลิก",
)  # fmt: skip
"""Anywhere in the text as whole words: "STOP PLEASE" is meant, "non-stop" is not. A refused wish is worse than a
granted one that was not meant."""
UNSPACED = ("退订", "退訂", "取消订阅", "取消訂閱", "停止", "수신거부")
"""The same in scripts that write no blanks between words."""
STOP_ALONE = ("td", "alto", "sair", "pare", "basta", "dur", "ret")
"""Only as the whole text: within a sentence they mean other things."""
START = (
    "start", "unstop", "yes", "subscribe", "optin", "opt in", "opt-in", "abonnieren", "anmelden", "alta", "suscribir",
    "s'abonner", "abonner", "старт", "开始", "订阅",
)  # fmt: skip
CONFIRM = (
    "yes", "y", "yes please", "ok", "okay", "confirm", "ja", "jawohl", "bestatigen", "oui", "si", "sim", "tak", "ano",
    "да", "так", "ναι", "evet", "igen", "joo", "kylla", "是", "はい", "네", "예", "نعم", "כן",
)  # fmt: skip
"""As the whole text, and only where a text has asked whether to subscribe."""
HELP = (
    "help", "info", "hilfe", "aide", "ayuda", "aiuto", "ajuda", "hulp", "hjalp", "pomoc", "yardim", "помощь", "帮助",
    "幫助", "ヘルプ", "도움말", "مساعدة", "עזרה",
)  # fmt: skip
"""Only as the whole text: "yes" within a sentence is no consent, and "help" may be about anything."""


def keyword(text: str) -> Keyword | None:
    """The wish in a text, in any case, with any accents and punctuation; None for all others."""
    words = _plain(text)
    if (known := ALONE.get(words)) is not None:
        return known
    return "stop" if ANYWHERE.search(words) or INSIDE.search(words) else None


def confirms(text: str) -> bool:
    """Whether the text says yes to what was asked."""
    return _plain(text) in CONFIRMING


def _plain(text: str) -> str:
    """Lower case without accents; punctuation but the hyphen and the apostrophe becomes a blank."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text[:2000]) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^\w'\-]+", " ", bare.casefold().replace("’", "'")).split()).strip("-' ")


def _any_of(words: Iterable[str]) -> str:
    return "(?:" + "|".join(re.escape(_plain(word)) for word in words) + ")"


ANYWHERE = re.compile(rf"(?<![\w-]){_any_of(STOP)}(?![\w-])")
INSIDE = re.compile(_any_of(UNSPACED))
WHOLE: tuple[tuple[Keyword, tuple[str, ...]], ...] = (("start", START), ("help", HELP), ("stop", STOP_ALONE))
ALONE: dict[str, Keyword] = {_plain(word): wish for wish, words in WHOLE for word in words}
CONFIRMING = frozenset(_plain(word) for word in CONFIRM)
