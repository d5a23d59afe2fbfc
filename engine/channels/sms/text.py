"""How a text travels (3GPP TS 23.038, 23.040): GSM 03.38 in parts of 160 or 153 septets, UCS-2 in 70 or 67 units."""

from __future__ import annotations

import smsutil

GSM, ASCII, LATIN, UCS2 = 0x00, 0x01, 0x03, 0x08
"""SMPP's `data_coding` (SMPP 3.4, section 5.2.19)."""
CYRILLIC, HEBREW, KOREAN = 0x06, 0x07, 0x0E
CODECS = {
    GSM: "gsm0338", ASCII: "ascii", LATIN: "latin-1", CYRILLIC: "iso8859-5", HEBREW: "iso8859-8", UCS2: "utf-16-be",
    KOREAN: "euc-kr",
}  # fmt: skip
ALPHABETS = ("gsm0338", "latin-1", "utf-16-be", "latin-1")
"""By the two bits that 3GPP TS 23.038, section 4, has for them where a coding names a message class too."""
USER_DATA_HEADER = 0x40
CONCATENATED = b"\x05\x00\x03"


def is_gsm(text: str) -> bool:
    """Whether the text fits the default alphabet and its extension."""
    return bool(smsutil.is_valid_gsm(text))


def encoded_parts(text: str, reference: int) -> tuple[int, list[bytes]]:
    """`data_coding` and the parts as they go over the wire; several carry a header with `reference` modulo 256.

    No escape and no surrogate pair is torn.
    """
    coding = GSM if is_gsm(text) else UCS2
    parts = [part.content.encode(CODECS[coding]) for part in smsutil.split(text).parts]
    if len(parts) == 1:
        return coding, parts
    head = CONCATENATED + bytes([reference & 0xFF, len(parts)])
    return coding, [head + bytes([number]) + part for number, part in enumerate(parts, 1)]


def parted(data: bytes, esm_class: int) -> tuple[bytes, bytes]:
    """A received text's header, empty without one, and what follows it."""
    cut = data[0] + 1 if esm_class & USER_DATA_HEADER and data else 0
    return data[:cut], data[cut:]


def codec(coding: int) -> str:
    """The codec of a `data_coding`; bytes of one that we do not know are read one by one."""
    if 0x10 <= coding < 0x40:
        return ALPHABETS[coding >> 2 & 3]
    if coding >= 0xF0:
        return ALPHABETS[coding >> 2 & 1]
    return CODECS.get(coding, "latin-1")


def readable(data: bytes, coding: str) -> str:
    """A received text by the name of its codec. Bytes that it does not know become the replacement character."""
    try:
        text = data.decode(coding, "strict")
    except UnicodeError:
        text = data.decode(coding if coding.startswith("utf") else "latin-1", "replace")
    return text.replace("\0", "")
