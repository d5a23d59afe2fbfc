"""A feed's file from its URL: by addresses that were checked, at each redirect too, bounded in time and size."""

from __future__ import annotations

import http.client
import zlib
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urljoin

from engine.errors import InvalidInput
from engine.feeds.store import Known
from engine.webhooks.address import Forbidden, Network, parse_url, resolve
from engine.webhooks.call import connected

SECONDS = 60.0
LARGEST = 30_000_000
MOST_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)
AGENT = "Cairn (product feed)"


class Fetched(NamedTuple):
    """The file, or None if it has not changed."""

    data: bytes | None
    known: Known


def fetch(url: str, known: Known, allowed: Sequence[Network]) -> Fetched:
    """Ask for the file. Raises InvalidInput, in words for who set the feed up, for whatever is not one."""
    try:
        return _fetch(url, known, allowed)
    except Forbidden as error:
        raise InvalidInput(str(error), "feed") from None
    except (OSError, http.client.HTTPException, ValueError, zlib.error) as error:
        raise InvalidInput(f"cannot be fetched: {error or type(error).__name__}"[:300], "feed") from None


def _fetch(url: str, known: Known, allowed: Sequence[Network]) -> Fetched:
    for _ in range(MOST_REDIRECTS + 1):
        target = parse_url(url)
        headers = {"Host": target.authority, "User-Agent": AGENT, "Accept-Encoding": "gzip", "Connection": "close"}
        headers |= {"If-None-Match": known.etag} if known.etag else {}
        headers |= {"If-Modified-Since": known.last_modified} if known.last_modified else {}
        with connected(target, resolve(target, allowed), SECONDS) as (connection, late):
            connection.request("GET", target.target, headers=headers)
            answer = connection.getresponse()
            location = answer.getheader("Location")
            if answer.status in REDIRECTS and location:
                url = urljoin(url, location)
                continue
            found = _read(answer, known)
            if late.is_set():
                raise InvalidInput(f"takes more than {SECONDS:g} seconds", "feed")
            return found
    raise InvalidInput(f"redirects more than {MOST_REDIRECTS} times", "feed")


def _read(answer: http.client.HTTPResponse, known: Known) -> Fetched:
    if answer.status == 304 and (known.etag or known.last_modified):
        return Fetched(None, known)
    if answer.status != 200:
        raise InvalidInput(f"is answered with {answer.status} {answer.reason}", "feed", "Look at its URL.")
    data = answer.read(LARGEST + 1)
    if data[:2] == b"\x1f\x8b":
        inflating = zlib.decompressobj(31)
        data = inflating.decompress(data, LARGEST + 1)
        if len(data) <= LARGEST and not inflating.eof:
            raise InvalidInput("is cut off", "feed")
    if len(data) > LARGEST:
        raise InvalidInput(f"is larger than {LARGEST // 1_000_000} MB", "feed", "Split it into several feeds.")
    return Fetched(data, Known(answer.getheader("ETag"), answer.getheader("Last-Modified")))
