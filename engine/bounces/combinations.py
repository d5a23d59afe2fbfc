"""Words that hint at a cause when they stand near each other, for sentences that are in no table."""

from __future__ import annotations

import re

LOOKED_AT = 400


def _any(*alternatives: str) -> str:
    return rf"\b(?:{'|'.join(alternatives)})\b"


def _near(one: str, other: str) -> re.Pattern[str]:
    return re.compile(rf"{one}.{{0,40}}{other}|{other}.{{0,30}}{one}")


PERSON = _any(
    "users?|userid|recipients?|mail ?box(?:es)?|accounts?|address(?:es|ee)?|alias|e-?mail|customer|subscriber",
    "mail ?drop|rcpt|members?|employee",
)
GONE = _any(
    "unknowns?|invalid|wrong|bad|illegal|inactive|inactivity|disabled|closed|deleted|expired|removed|locked|no such",
    r"incorrect|misspell?ed|mistyped|unallocated|unassigned|unrecogni[sz]ed|obsolete|retired|defunct|cancell?ed",
    "not here",
    r"no longer|non-?exist\w*|deactivated|unavailable|terminated|nobody|no one|unable to find|can(?:no|')t find",
    r"could(?: not|n't) find|not exist\w*",
    r"(?:not|no|n't|cannot)(?: be| been| an?| currently| currently being)? ?(?:found|known|exist\w*|valid|verified"
    r"|verify|recogni\w+|listed|local|member|available|activated|registered|ok|accepted|matched|present|defined)",
)
ROOM = _any("quota|space|storage|mailbox|inbox|mail ?folder|limit|allocation")
SPENT = _any(r"exceed\w*|full|exhaust\w*|over|insufficient|not enough|too large|larger|reached|used up|no more")
OURS = _any(
    r"ips?|hosts?|servers?|domains?|senders?|messages?|e-?mails?|mail|content|connections?|client|relay\w*|location",
    "network|sending|attachments?|urls?",
)
UNWANTED = _any(
    r"block\w*|reject\w*|denied|refused|listed at|listed in|banned|abuse|abusive|prohibited|permissions?|no access",
    r"not (?:allowed|permitted|authori[sz]ed|accepted|configured|comply)|too many bounces|bad \w{0,12} ?profile",
    r"unauthori[sz]ed|disallow\w*|bounced by",
)
PERSON_ELSEWHERE = _any(
    r"empf\w{1,10}|benutzer\w*|nutzer|adress\w*|postfach|mailbox|konto|destinat\w*|boite|compte|utilisat\w*",
    r"direccion\w*|buzon|usuario|cuenta|conta|caixa|endereco|indirizzo|casella|utente|adres|ontvanger|gebruiker|postvak",
    r"mottagar\w*|modtager\w*|mottaker\w*|uzytkownik\w*|odbiorc\w*|skrzynk\w*|konta|получател\w*|пользовател\w*",
    r"адрес\w*|ящик\w*|абонент\w*|користувач\w*|одержувач\w*",
)
GONE_ELSEWHERE = _any(
    r"unbekannt\w*|existiert nicht|ungultig\w*|geloscht|deaktiviert",
    r"nicht (?:mehr )?(?:vorhanden|gefunden|bekannt|gultig)|inconnue?s?|n'existe|inexistante?s?|introuvables?",
    r"invalides?|desactivee?s?|supprimee?s?|no existe|desconocid[oa]s?|inexistentes?",
    r"no (?:se )?(?:ha )?(?:sido )?encontrad[oa]|invalid[oa]s?|nao existe|nao (?:foi )?encontrad[oa]",
    r"desconhecid[oa]s?|sconosciut[oa]|non esiste|non (?:e stat[oa] )?trovat[oa]|onbekend\w*|bestaat niet",
    r"niet gevonden|okan[dt]|finns inte|findes ikke|finnes ikke|ukjent|ukendt|nieznan\w*|nie istnieje|nie znaleziono",
    r"неизвест\w*|не (?:существует|существуют|наиден\w*|зарегистрирован\w*|існує|знаидено)|несуществующ\w*|удален\w*",
)
ROOM_ELSEWHERE = _any(
    r"postfach|mailbox|quota|kontingent|speicher\w*|boite|espace|buzon|cuota|espacio|caixa|cota|casella|spazio|postvak",
    r"inkorg\w*|postkasse\w*|innboks\w*|skrzynk\w*|limit\w*|ящик\w*|квот\w*|лимит\w*",
)
SPENT_ELSEWHERE = _any(
    r"voll|uberschritten|erschopft|pleine?|depassee?|saturee?|llen[oa]|excedid[oa]|superad[oa]|lotad[oa]|cheia|esgotad[oa]",
    r"pien[oa]|superat[oa]|esaurit[oa]|overschreden|vol|fullt?|overskredet|pelna|przepelnion\w*|przekroczon\w*",
    r"переполнен\w*|превышен\w*|исчерпан\w*|заполнен\w*",
)
COMBINED = (("soft", _near(ROOM, SPENT)), ("hard", _near(PERSON, GONE)), ("policy", _near(OURS, UNWANTED)))
ELSEWHERE = (("soft", _near(ROOM_ELSEWHERE, SPENT_ELSEWHERE)), ("hard", _near(PERSON_ELSEWHERE, GONE_ELSEWHERE)))
"""In this order: a mailbox that is full is not gone."""


def hint(said: str) -> str:
    """The kind that words near each other hint at in a normal text; nothing where none do."""
    text = said[:LOOKED_AT]
    return next((kind for kind, pattern in (*COMBINED, *ELSEWHERE) if pattern.search(text)), "")
