"""Where links lead: each is asked for its head, by an address that was checked, at each redirect too."""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from engine.errors import InvalidInput
from engine.webhooks.address import Forbidden, Network, parse_url, resolve
from engine.webhooks.call import connected

MOST = 40
AT_ONCE = 8
SECONDS = 6.0
MOST_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
AGENT = "Cairn (link check)"
UNASKED = frozenset({401, 403, 405, 406, 429, 501})
"""What a server that is there answers to strangers, machines, or a question for the head alone."""


class Visit(NamedTuple):
    """What became of one address: `said` is in words; it is `dead` where readers would find nothing."""

    address: str
    said: str
    dead: bool


def visit(addresses: Sequence[str], allowed: Sequence[Network]) -> list[Visit]:
    """Ask for the head of each web address, eight at a time; nothing is fetched, and nothing is ever followed further.

    A question for the head changes nothing on the other side (RFC 9110, section 9.2.1). Addresses inside our own
    network are not asked unless they are `allowed`. Call it outside of a transaction: it takes seconds.
    """
    asked = [each for each in addresses if each.lower().startswith(("https://", "http://"))]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda address: _visited(address, allowed), asked[:MOST]))
    return found + [Visit(each, "not asked: there are too many", dead=False) for each in asked[MOST:]]


def _visited(address: str, allowed: Sequence[Network]) -> Visit:
    try:
        return _answered(address, allowed)
    except Forbidden as error:
        return Visit(address, f"not reached: {error}", dead=True)
    except InvalidInput as error:
        return Visit(address, f"no address: {error.message}", dead=True)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Visit(address, f"not reached: {error or type(error).__name__}"[:200], dead=True)


def _answered(address: str, allowed: Sequence[Network]) -> Visit:
    url = address
    for _ in range(MOST_REDIRECTS + 1):
        status, location = _head(url, allowed)
        if status not in REDIRECTS or not location:
            return _told(address, url, status)
        url = urljoin(url, location)
    return Visit(address, f"redirects more than {MOST_REDIRECTS} times", dead=True)


def _head(url: str, allowed: Sequence[Network]) -> tuple[int, str | None]:
    target = parse_url(url.partition("#")[0])
    headers = {"Host": target.authority, "User-Agent": AGENT, "Accept": "*/*", "Connection": "close"}
    with connected(target, resolve(target, allowed), SECONDS) as (connection, _):
        connection.request("HEAD", target.target, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location")


def _told(address: str, url: str, status: int) -> Visit:
    there = status < 400 or status in UNASKED
    moved = f", by a redirect to {urlsplit(url).netloc}{urlsplit(url).path}"[:120] if url != address else ""
    if status < 400:
        return Visit(address, f"answers{moved}", dead=False)
    return Visit(address, f"answers with {status}{moved}", dead=not there)
