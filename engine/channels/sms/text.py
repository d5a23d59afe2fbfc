"""How a text travels (3GPP TS 23.038, 23.040): GSM 03.38 in parts of 160 or 153 septets, UCS-2 in 70 or 67 units."""

from __future__ import annotations

import smsutil

GSM, ASCII, LATIN, UCS2 = 0x00, 0x01, 0x03, 0x08
"""SMPP's `data_coding` (SMPP 3.4, section 5.2.19)."""
CODECS = {GSM: "gsm0338", ASCII: "ascii", LATIN: "latin-1", UCS2: "utf-16-be"}
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


def decoded(data: bytes, coding: int, esm_class: int = 0) -> str:
    """A received text. Bytes that its coding does not know become the replacement character."""
    if esm_class & USER_DATA_HEADER and data:
        data = data[data[0] + 1 :]
    try:
        text = data.decode(CODECS.get(coding, "latin-1"), "strict")
    except UnicodeError:
        text = data.decode("utf-16-be" if coding == UCS2 else "latin-1", "replace")
    return text.replace("\0", "")
