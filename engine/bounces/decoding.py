"""Bytes of mail to text, whatever they claim to be. Nothing here raises."""

from __future__ import annotations

import binascii
import html
import re
import unicodedata

LABELS = {
    "x-sjis": "cp932",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "ksc5601": "cp949",
    "euc-kr": "cp949",
    "iso-2022-jp": "iso2022_jp_ext",
    "us-ascii": "",
    "ascii": "",
    "iso-8859-1": "cp1252",
    "unknown-8bit": "",
    "x-unknown": "",
    "cp-850": "cp850",
    "unicode-1-1-utf-7": "utf-7",
    "iso-8859-8-i": "iso-8859-8",
}
CANDIDATES = ("gb18030", "cp949", "cp932", "euc_jp", "big5", "koi8-r", "cp1251", "cp1250", "cp1252")
WESTERN = ("cp1252", "cp1250", "iso-8859-2", "iso-8859-9", "iso-8859-15", "cp1254")
MULTIBYTE = 12  # bytes beyond one for each character
WORDS = re.compile(rb"[A-Za-z\x80-\xff]{1,200}")
ENCODED_WORD = re.compile(r"=\?([A-Za-z0-9_.:-]{1,40})(?:\*[A-Za-z0-9-]{0,12})?\?([bBqQ])\?([^?\n]{0,4000})\?=")
BETWEEN_WORDS = re.compile(r"\?=[ \t\n]{1,8}=\?")
DROPPED = ("style", "script", "head", "title")
BREAKS = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6]|/table|/td|/body|/html|p|tr|li|hr)\b[^<>]{0,500}>", re.IGNORECASE)
TAG = re.compile(r"<(?![A-Za-z0-9._%+=-]{1,64}@)[/!?A-Za-z][^<>]{0,4000}>")
BLANKS = re.compile(r"[ \t\xa0\u3000]{1,1000}")
QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "“": '"', "”": '"', "\xa0": " ", "\u3000": " "})


def text_of(data: bytes, charset: str = "") -> str:
    """The text, by the named charset if that fits, otherwise by what the bytes look like."""
    if data.isascii() and b"\x1b$" not in data and charset.lower() not in ("utf-16", "utf-16le", "utf-7", "hz-gb-2312"):
        return data.decode("ascii")
    if b"\x1b$" in data or b"\x1b(" in data:
        return _try(data, "iso2022_jp_ext") or _try(data, "iso2022_kr") or data.decode("iso2022_jp_ext", "replace")
    named = LABELS.get(charset.strip("\"' ").lower(), charset.strip("\"' "))
    utf8 = _try(data, "utf-8")
    if utf8 and (named in WESTERN or len(data) - len(utf8) >= MULTIBYTE):
        return utf8  # long texts of other charsets are never UTF-8 by chance
    whole = None if named in ("cp1252", "iso-8859-15", "latin1") else _try(data, named)
    return whole or utf8 or _guess(data, named)


def _try(data: bytes, charset: str) -> str | None:
    try:
        return data.decode(charset) if charset else None
    except (LookupError, ValueError):
        return None


def _guess(data: bytes, named: str) -> str:
    """One of the common charsets: the one in which the sample reads most like a language.

    A text that is UTF-8 but for a torn character stays UTF-8.
    """
    sample = data[:4000]
    torn = sample.decode("utf-8", "replace")
    if torn.count("\ufffd") * 10 < sum(character > "\x7f" for character in torn):
        return data.decode("utf-8", "replace")
    if _is_western(sample):
        whole = _try(data, named) if named in WESTERN else None
        return whole or data.decode(_best(sample, named, WESTERN), "replace")
    return data.decode(_best(sample, named, CANDIDATES), "replace")


def _is_western(sample: bytes) -> bool:
    """Whether most words that go beyond ASCII are ASCII letters for the greater part."""
    words = [word for word in WORDS.findall(sample) if not word.isascii()]
    western = [word for word in words if sum(byte < 0x80 for byte in word) * 2 >= len(word)]
    return len(western) * 2 > len(words)


def _best(sample: bytes, named: str, candidates: tuple[str, ...]) -> str:
    readings = {each: sample.decode(each, "replace") for each in candidates}
    return max(readings, key=lambda each: _likeness(readings[each], each) + (0.1 if each == named else 0))


def _likeness(text: str, charset: str) -> float:
    """From -1 to 1: the share of letters beyond ASCII that the languages of a charset use often."""
    beyond = [character for character in text if character > "\x7f"]
    good = sum(_usual(character, charset) for character in beyond)
    bad = sum(character == "\ufffd" or not character.isprintable() for character in beyond)
    return (good - bad) / len(beyond) if beyond else 0.0


def _usual(character: str, charset: str) -> float:
    """How usual a character is in texts of a charset, from -1 to 1."""
    if charset in ("koi8-r", "cp1251"):
        return "а" <= character <= "я"
    if charset in ("cp932", "euc_jp"):
        return 1.0 if "\u3041" <= character <= "\u30fe" else 0.4 * ("\u4e00" <= character <= "\u9fff")
    if charset == "cp949":
        return 1.0 if "\uac00" <= character <= "\ud7a3" else -1.0 if "\u4e00" <= character <= "\u9fff" else 0.0
    if charset in ("gb18030", "big5"):
        return _common(character, charset)
    return character in ("äöüßéèàâêîôûçñáíóúãõåæøìòùëïÄÖÜÉ" if charset == "cp1252" else "ąćęłńóśźżáéíóúýčďěňřšťůžőű")


def _common(character: str, charset: str) -> float:
    """Both charsets put common characters into their first part; kana in a Chinese text is a sign of Japanese."""
    if "\u3041" <= character <= "\u30fe":
        return -1.0
    try:
        lead = character.encode("gb2312" if charset == "gb18030" else "big5")[0]
    except UnicodeEncodeError:
        return 0.0
    return 0.7 * ((0xB0 <= lead <= 0xD7) if charset == "gb18030" else (0xA4 <= lead <= 0xC6))


def transfer(data: bytes, encoding: str) -> bytes:
    """The content behind a Content-Transfer-Encoding; as it is where it cannot be read so."""
    name = encoding.strip().lower()
    if name == "base64":
        return _base64(data)
    if name == "quoted-printable":
        return binascii.a2b_qp(data)
    return data


def _base64(data: bytes) -> bytes:
    """Base64 up to where it breaks; text that follows it (a disclaimer, a truncation) is kept as it is."""
    kept = re.sub(rb"[^A-Za-z0-9+/]", b"", data.partition(b"=")[0])
    try:
        return binascii.a2b_base64(kept[: len(kept) // 4 * 4] + _tail(kept))
    except (binascii.Error, ValueError):
        return data


def _tail(kept: bytes) -> bytes:
    rest = kept[len(kept) // 4 * 4 :]
    return rest.ljust(4, b"=") if len(rest) > 1 else b""


def words_of(value: str) -> str:
    """A header value with its RFC 2047 words read; neighbours of one charset are joined before they are decoded."""
    if "=?" not in value:
        return value
    value = BETWEEN_WORDS.sub("?==?", value)
    out, position, held, charset = [], 0, b"", ""
    for match in ENCODED_WORD.finditer(value):
        if match.start() > position or match[1].lower() != charset:
            out.append(text_of(held, charset))
            out.append(value[position : match.start()])
            held, charset = b"", match[1].lower()
        held += _word(match[2], match[3])
        position = match.end()
    return "".join([*out, text_of(held, charset), value[position:]])


def _word(encoding: str, payload: str) -> bytes:
    data = payload.encode("utf-8", "replace")
    return _base64(data) if encoding in "bB" else binascii.a2b_qp(data.replace(b"_", b" "))


def plain(markup: str) -> str:
    """The text of HTML: tags away, ends of blocks as line ends; `<name@host>` stays. Without tags it is plain text."""
    if not TAG.search(markup):
        return html.unescape(markup)
    for name in DROPPED:
        markup = _without(markup, name)
    markup = re.sub(r"\s{1,1000}", " ", markup)
    text = html.unescape(TAG.sub("", BREAKS.sub("\n", markup)))
    return "\n".join(BLANKS.sub(" ", line).strip() for line in text.split("\n"))


def _without(markup: str, name: str) -> str:
    lower, kept, position = markup.lower(), [], 0
    while (start := lower.find("<" + name, position)) >= 0:
        end = lower.find(f"</{name}", start)
        kept.append(markup[position:start])
        position = len(markup) if end < 0 else end
        if end < 0:
            break
    return "".join([*kept, markup[position:]]) if kept else markup


def normal(text: str) -> str:
    """For the comparison of words: without case, accents, kinds of quotes, and runs of blanks or line ends."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(QUOTES))
        text = "".join(character for character in text if not unicodedata.combining(character))
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.translate(QUOTES).casefold().split())
