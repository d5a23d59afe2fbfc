"""Time zones of contacts. RFC 9557 names; the candidates of a phone number come from libphonenumber's metadata."""

from __future__ import annotations

import functools
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone as phone_timezone


def zones_of(named: str | None, phone: str | None, workspace: ZoneInfo) -> tuple[ZoneInfo, ...]:
    """The contact's possible zones, and last the workspace's.

    A known name stands alone; without one the phone number's candidates hold; without these, the workspace's zone.
    """
    if (own := _known(named)) is not None:
        return own, workspace
    candidates = _of_phone(phone) if phone else ()
    return (*(candidates or (workspace,)), workspace)


@functools.lru_cache(maxsize=1024)
def _known(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        return None


@functools.lru_cache(maxsize=65_536)
def _of_phone(phone: str) -> tuple[ZoneInfo, ...]:
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return ()
    found = (_known(name) for name in phone_timezone.time_zones_for_number(number))
    return tuple(zone for zone in found if zone is not None)
