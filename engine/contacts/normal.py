"""Normal forms of addresses, numbers, zones and languages."""

from __future__ import annotations

import functools
import re
import zoneinfo
from collections.abc import Callable

import idna
import phonenumbers

from engine.errors import InvalidInput

SIMPLE_EMAIL = re.compile(
    r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}"
)
LOCAL_PART = re.compile(r"[^\s@\"(),:;<>\[\\\]\x00-\x1f\x7f]+")
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
LOCALE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")


class Kept(InvalidInput):
    """The value is doubtful but is stored as it was given."""


def is_plain_email(given: str) -> bool:
    """Whether the address is of the usual form, in which it is stored as it is."""
    return len(given) <= 64 and SIMPLE_EMAIL.fullmatch(given) is not None and "xn--" not in given


def email(given: str) -> str:
    """An address as it is stored: the domain in lower case, in Unicode, valid under IDNA 2008 (RFC 5891, RFC 5321).

    The local part keeps its case; addresses are compared without regard to it. Raises InvalidInput.
    """
    if is_plain_email(given):
        return given
    local, at, domain = given.strip().rpartition("@")
    if not at or not LOCAL_PART.fullmatch(local) or ".." in local or local[0] == "." or local[-1] == ".":
        raise InvalidInput("is not an email address", hint="Write it like name@example.com.")
    if len(local.encode()) > 64 or len(given) > 254:
        raise InvalidInput("is too long for an email address", hint="At most 64 characters may stand before the @.")
    return f"{local}@{_domain(domain)}"


@functools.lru_cache(maxsize=4096)
def _domain(domain: str) -> str:
    """Cached, because a list has few domains."""
    try:
        ascii_form = idna.encode(domain.rstrip("."), uts46=True).decode()
        readable = idna.decode(ascii_form)
    except (idna.IDNAError, UnicodeError) as error:
        raise InvalidInput("has a domain that is not valid", hint=f"Check what follows the @ ({error}).") from error
    if "." not in ascii_form or len(ascii_form) > 253:
        raise InvalidInput("has a domain without a dot", hint="Write it like name@example.com.")
    return readable


def phone(given: str) -> str:
    """E.164, as ITU-T wants it: `+` and 7 to 15 digits.

    Raises Kept for a national number, whose country is not known, and InvalidInput for what is no number.
    """
    number = given.strip()
    if is_plain_phone(number):
        return number
    if number.startswith("00"):
        number = "+" + number[2:]
    if not number.startswith("+"):
        if sum(c.isdigit() for c in number) < 4:
            raise InvalidInput("is not a phone number", hint="Write it like +14155552671.")
        raise Kept("is a phone number without its country", hint="Begin it with + and the country code.")
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException as error:
        raise InvalidInput("is not a phone number", hint="Write it like +14155552671.") from error
    if not phonenumbers.is_possible_number(parsed):
        raise InvalidInput("has too few or too many digits for its country", hint="Check the number.")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def international(given: str, country: str) -> str:
    """A number as people of a country (ISO 3166) write it in E.164; what is no number there, or is one of another
    country's already, stays as it was given."""
    if given.lstrip().startswith(("+", "00")):
        return given
    try:
        parsed = phonenumbers.parse(given, country)
    except phonenumbers.NumberParseException:
        return given
    if not phonenumbers.is_valid_number(parsed):
        return given
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def country(given: str) -> str:
    """The code of a country that has telephone numbers, in capitals. Raises InvalidInput."""
    code = given.strip().upper()
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise InvalidInput(f"“{given}” is no country", hint="Write its code, such as DE or US.")
    return code


def dialled(given: str) -> str:
    """A number as gateways write it: E.164 with or without its `+`; short codes and names stay as they are."""
    number = given.strip().replace("\0", "")[:40]
    plain = number if number.startswith("+") else f"+{number.removeprefix('00')}"
    return plain if is_plain_phone(plain) else number


def is_plain_phone(number: str) -> bool:
    """Whether a number in E.164 shape has a length its country uses; a tenth of the cost of a full parse."""
    return E164.fullmatch(number) is not None and _known_length(number[1:5], len(number) - 1)


@functools.lru_cache(maxsize=65536)
def _known_length(first: str, count: int) -> bool:
    """By the first four digits, and how many there are in all."""
    for size in (1, 2, 3):
        lengths = _lengths(int(first[:size]))
        if lengths:
            return count - size in lengths and first[size] != "0"
    return False


@functools.cache
def _lengths(country_code: int) -> tuple[int, ...]:
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(country_code)
    if not regions:
        return ()
    found = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(country_code, regions[0])
    return tuple(found.general_desc.possible_length) if found and found.general_desc else ()


def timezone(given: str) -> str:
    """An IANA zone name. Raises Kept for an unknown one, which falls back to the workspace's zone at use."""
    name = given.strip()
    if name not in _zones():
        raise Kept("is not a known time zone", hint="Use a name like Europe/Berlin.")
    return name


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def locale(given: str) -> str:
    """A language tag (RFC 5646) with `-` between its parts. Raises Kept for anything else."""
    tag = given.strip()
    if not LOCALE.fullmatch(tag):
        raise Kept("is not a language tag", hint="Use a tag like en or pt-BR.")
    return tag.replace("_", "-")


def is_plain_timezone(given: str) -> bool:
    """Whether it is an IANA zone name."""
    return given in _zones()


def is_plain_locale(given: str) -> bool:
    """Whether it is a language tag as it is stored."""
    return LOCALE.fullmatch(given) is not None and "_" not in given


BY_COLUMN: dict[str, Callable[[str], str]] = {"email": email, "phone": phone, "timezone": timezone, "locale": locale}
IS_PLAIN: dict[str, Callable[[str], bool]] = {
    "email": is_plain_email,
    "phone": is_plain_phone,
    "timezone": is_plain_timezone,
    "locale": is_plain_locale,
}
"""Whether a value is certainly its own normal form, at a fraction of what it costs to find the normal form."""
