"""A DNS server on loopback that knows what a test tells it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Zone = dict[str, dict[str, list[str]]]
"""Records by name and kind, such as `{"a.example": {"TXT": ['"v=spf1 -all"']}}`; or `SERVFAIL`, `SILENCE` as a kind."""


def answer(zone: Zone, query: dns.message.Message) -> bytes | None:
    """What the zone says to a question; None for silence."""
    asked = query.question[0]
    name, kind = asked.name.to_text().rstrip(".").lower(), dns.rdatatype.to_text(asked.rdtype)
    made = dns.message.make_response(query)
    made.flags |= dns.flags.RA | dns.flags.AA
    known = zone.get(name)
    if known is not None and "SILENCE" in known:
        return None
    if known is None or "SERVFAIL" in known:
        made.set_rcode(dns.rcode.NXDOMAIN if known is None else dns.rcode.SERVFAIL)
        return made.to_wire()
    while known is not None and "CNAME" in known:
        made.answer.append(dns.rrset.from_text_list(f"{name}.", 60, "IN", "CNAME", known["CNAME"]))
        name = known["CNAME"][0].rstrip(".")
        known = zone.get(name)
    if known is not None and kind in known:
        made.answer.append(dns.rrset.from_text_list(f"{name}.", 60, "IN", kind, known[kind]))
    return made.to_wire()


@contextmanager
def dns_server(zone: Zone) -> Iterator[str]:
    """A running server; gives HOST:PORT. The zone may change while it runs."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                data, peer = door.recvfrom(4096)
                if data and (said := answer(zone, dns.message.from_wire(data))):
                    door.sendto(said, peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{door.getsockname()[1]}"
        over.set()
        door.sendto(b"", door.getsockname())
        thread.join(5)
