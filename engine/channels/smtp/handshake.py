"""From a TCP connection to one that takes mail: greeting, EHLO, STARTTLS (RFC 3207), AUTH (RFC 4954)."""

from __future__ import annotations

import asyncio
import base64
import ssl
from dataclasses import dataclass, field
from functools import cached_property

from engine.channels.smtp.reply import Reply
from engine.channels.smtp.server import Server, Timeouts
from engine.channels.smtp.wire import Lost, Wire


class Refused(Exception):
    """The server cannot be used now; the text is for the person who runs Cairn. `busy`: it has too many connections."""

    def __init__(self, text: str, *, busy: bool = False) -> None:
        super().__init__(text)
        self.busy = busy


@dataclass(frozen=True)
class Extensions:
    """What the server offers in its reply to EHLO: upper-case keywords with their parameters."""

    keywords: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def parse(cls, reply: Reply) -> Extensions:
        """Read an EHLO reply (RFC 5321, section 4.1.1.1); `AUTH=PLAIN` of old servers counts as `AUTH PLAIN`."""
        keywords: dict[str, tuple[str, ...]] = {}
        for line in reply.lines[1:]:
            words = line.decode("ascii", "replace").upper().replace("AUTH=", "AUTH ", 1).split()
            if words:
                keywords[words[0]] = keywords.get(words[0], ()) + tuple(words[1:])
        return cls(keywords)

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.keywords

    @cached_property
    def largest(self) -> int:
        """Bytes that a message may have; 0: no limit is known (RFC 1870)."""
        size = self.keywords.get("SIZE", ())
        return int(size[0]) if size and size[0].isdigit() and len(size[0]) <= 20 else 0


async def connect(server: Server, timeouts: Timeouts, hostname: str) -> tuple[Wire, Extensions]:
    """A connection that is ready for mail. Raises `Refused` with the reason, whatever went wrong."""
    wire = Wire()
    try:
        await _reach(wire, server, timeouts)
        return wire, await _greet(wire, server, timeouts, hostname)
    except (Lost, TimeoutError, OSError) as error:
        wire.abort("not set up")
        raise Refused(f"{server}: {_reason(error)}") from error
    except Refused:
        wire.abort("not set up")
        raise


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not valid: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return str(error) or type(error).__name__


async def _reach(wire: Wire, server: Server, timeouts: Timeouts) -> None:
    context = server.context() if server.tls == "implicit" else None
    async with asyncio.timeout(timeouts.connect):
        await asyncio.get_running_loop().create_connection(
            lambda: wire, server.host, server.port, ssl=context, server_hostname=server.host if context else None
        )


async def _greet(wire: Wire, server: Server, timeouts: Timeouts, hostname: str) -> Extensions:
    greeting = await wire.ask(b"", timeouts.greeting)
    if greeting.code != 220:
        raise Refused(f"{server} answers {greeting}", busy=greeting.code // 100 == 4)
    extensions = await _hello(wire, server, timeouts, hostname)
    secure = server.tls == "implicit"
    if server.tls in ("auto", "required"):
        secure = await _upgrade(wire, server, timeouts, extensions)
        if secure:
            extensions = await _hello(wire, server, timeouts, hostname)
    if server.user is not None:
        if not secure and not server.loopback:
            raise Refused(f"{server} offers no encryption, and a password is not sent in the clear. Use smtps://.")
        await _authenticate(wire, server, timeouts, extensions)
    return extensions


async def _hello(wire: Wire, server: Server, timeouts: Timeouts, hostname: str) -> Extensions:
    reply = await wire.ask(b"EHLO " + hostname.encode("ascii", "replace") + b"\r\n", timeouts.command)
    if reply.code == 250:
        return Extensions.parse(reply)
    if reply.code in (500, 501, 502, 504):
        reply = await wire.ask(b"HELO " + hostname.encode("ascii", "replace") + b"\r\n", timeouts.command)
        if reply.code == 250:
            return Extensions()
    raise Refused(f"{server} answers {reply}", busy=reply.busy)


async def _upgrade(wire: Wire, server: Server, timeouts: Timeouts, extensions: Extensions) -> bool:
    """Start TLS where it is offered. What came in the clear before the handshake must not be read after it."""
    if "STARTTLS" not in extensions:
        if server.tls == "required":
            raise Refused(f"{server} offers no STARTTLS.")
        return False
    reply = await wire.ask(b"STARTTLS\r\n", timeouts.command)
    if reply.code != 220:
        raise Refused(f"{server} answers STARTTLS with {reply}")
    if not wire.quiet:
        raise Refused(f"{server} sent replies in the clear after STARTTLS.")
    assert wire.transport is not None
    async with asyncio.timeout(timeouts.connect):
        transport = await asyncio.get_running_loop().start_tls(
            wire.transport, wire, server.context(), server_hostname=server.host
        )
    if transport is None:
        raise Refused(f"{server} ended the connection during STARTTLS.")
    wire.transport = transport
    return True


async def _authenticate(wire: Wire, server: Server, timeouts: Timeouts, extensions: Extensions) -> None:
    """AUTH PLAIN (RFC 4616), or LOGIN where only that is offered."""
    offered = extensions.keywords.get("AUTH", ())
    user, password = (server.user or "").encode(), server.password.encode()
    if "PLAIN" in offered:
        steps = [b"AUTH PLAIN " + base64.b64encode(b"\0" + user + b"\0" + password)]
    elif "LOGIN" in offered:
        steps = [b"AUTH LOGIN", base64.b64encode(user), base64.b64encode(password)]
    else:
        raise Refused(f"{server} offers neither AUTH PLAIN nor AUTH LOGIN.")
    for position, step in enumerate(steps):
        reply = await wire.ask(step + b"\r\n", timeouts.command)
        if reply.code != (235 if position == len(steps) - 1 else 334):
            raise Refused(f"{server} refuses the user or the password: {reply}")
