"""What companies and scanners write below every mail, bounces too: it speaks of spam and viruses, and tells nothing."""

from __future__ import annotations

import re

from engine.bounces.dsn import REPLY, STATUS

LOOKED_AT = 4000  # characters of a paragraph
FOOTER = re.compile(
    r"not (?:the|an|its|one of the) (?:intended|named) (?:recipient|addressee)|intended (?:only|solely|exclusively) for"
    r"|(?:solely|only) for the (?:use of the )?(?:intended|named)|confidentiality notice|strictly confidential"
    r"|(?:is|are|be) confidential|legally privileged|privileged (?:and|or) confidential|by the addressee"
    r"|(?:mail|message) (?:has been|was|is) (?:scanned|checked) (?:by|for)|scanned for (?:viruses|spam)|virus-?free"
    r"|no virus found in|checked by (?:avg|avast)|anti-?virus|originated (?:from )?outside|external (?:e-?mail|sender):"
    r"|before printing|vertraulich|nicht der (?:richtige|beabsichtigte) (?:adressat|empfänger)|confidentiel"
    r"|confidencia[il]|ha sido (?:analizado|revisado)|a été (?:vérifié|analysé)|strettamente riservat|vertrouwelijk"
    r"|poufn|důvěrn"
    r"|конфиденциальн|проверено на вирусы|gizlidir|機密情報|保密",
    re.IGNORECASE,
)
TELLING = re.compile(
    r"infected|reject|refus|block|detected|contain(?:s|ed) a|quarantine|deliver|abgelehnt|zugestellt", re.IGNORECASE
)
PARAGRAPHS = re.compile(r"(\n[ \t]*\n)")


def without_footers(text: str) -> str:
    """The text without such paragraphs and lines; one that names an address, a code or a rejection is no footer."""
    if not FOOTER.search(text):
        return text
    return "".join(_kept(piece) for piece in PARAGRAPHS.split(text))


def _kept(paragraph: str) -> str:
    if not FOOTER.search(paragraph[:LOOKED_AT]):
        return paragraph
    if not _tells(paragraph):
        return _before(paragraph)
    return "\n".join(line for line in paragraph.split("\n") if _tells(line) or not FOOTER.search(line[:LOOKED_AT]))


def _before(paragraph: str) -> str:
    """What stands before the sentences of a footer."""
    lines = paragraph.split("\n")
    first = next((number for number, line in enumerate(lines) if FOOTER.search(line[:LOOKED_AT])), 0)
    while first > 0 and not lines[first - 1].rstrip().endswith((".", "!", "?", ":", "--")):
        first -= 1
    return "\n".join(lines[:first])


def _tells(text: str) -> bool:
    return "@" in text or any(pattern.search(text[:LOOKED_AT]) for pattern in (TELLING, REPLY, STATUS))
