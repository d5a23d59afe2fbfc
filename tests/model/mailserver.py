"""A mail server that keeps its own record and misbehaves when told to, a message at a time."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Container, Iterator
from contextlib import contextmanager

from tests.invariants import token_of
from tests.smtp import Conversation, Receiver, recording_server

AT_RCPT = {
    "greylisted": b"451 4.7.1 come back later",
    "no such user": b"550 5.1.1 no such user",
    "policy": b"550 5.7.1 we do not like you",
    "goes away": b"421 4.3.2 shutting down",
}
AT_DOT = {"deferred": b"451 4.3.0 try again", "refused": b"554 5.6.0 no"}
DROPS = ("hangs up before taking", "takes and hangs up")
FAULTS = (*AT_RCPT, *AT_DOT, *DROPS, "hangs up at RCPT")


class Troublesome(Receiver):
    """`faults` are met in order, one a message; then all goes well."""

    def __init__(self) -> None:
        super().__init__(keep=True)
        self.faults: deque[str] = deque()

    @property
    def record(self) -> Counter[str]:
        """How often each message was accepted, by its token."""
        return Counter(token_of(raw) for _, raw in self.messages)

    def clear(self) -> None:
        """Forget everything."""
        self.messages.clear()
        self.accepted.clear()
        self.faults.clear()

    def meet(self, names: Container[str]) -> str:
        """Take the next fault if it is among `names`."""
        return self.faults.popleft() if self.faults and self.faults[0] in names else ""


class Trouble(Conversation):
    """A conversation with such a server."""

    receiver: Troublesome

    def _one(self) -> bool:
        return not self.transport.is_closing() and super()._one()

    def _command(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb in (b"MAIL", b"RSET"):
            self.recipients = []
        if verb == b"RCPT" and self.receiver.meet(("hangs up at RCPT",)):
            self.transport.abort()
        elif verb == b"RCPT" and (fault := self.receiver.meet(AT_RCPT)):
            self.transport.write(AT_RCPT[fault] + b"\r\n")
            if fault == "goes away":
                self.transport.close()
        elif verb == b"DATA" and not self.recipients:
            self.transport.write(b"554 5.5.1 no valid recipients\r\n")
        else:
            super()._command(line)

    def _accept(self, body: bytes) -> None:
        fault = self.receiver.meet(AT_DOT) or self.receiver.meet(DROPS)
        if fault in AT_DOT:
            self.in_data, self.recipients = False, []
            self.transport.write(AT_DOT[fault] + b"\r\n")
            return
        if fault != "hangs up before taking":
            self._take(body)
        if fault:
            self.transport.abort()
        else:
            self.transport.write(b"250 2.0.0 accepted\r\n")


@contextmanager
def troublesome_server() -> Iterator[Troublesome]:
    """Such a server on a free port, for the length of the block."""
    with recording_server(receiver=Troublesome(), conversation=Trouble) as server:
        assert isinstance(server, Troublesome)
        yield server
