"""Replies of an SMTP server (RFC 5321, section 4.2; enhanced codes RFC 2034 and RFC 3463)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

enhanced_code = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)")
busy_words = re.compile(r"too many|connection limit|concurren|connections from", re.IGNORECASE)
longest_line = 16_384
most_lines = 1_000


class ProtocolError(Exception):
    """The peer does not speak SMTP as it should."""


class Reply(NamedTuple):
    """A whole reply: its code and the text of each line, without code and line end."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def told(self) -> tuple[str, str]:
        """The enhanced code and the text, as the properties give them."""
        if len(self.lines) > 1:
            return self.enhanced, self.text
        line = self.lines[0].decode("utf-8", "replace")
        found = enhanced_code.match(line)
        if found is None:
            return "", _bare(line).strip()
        return found[1], line[found.end() :].strip()

    @property
    def text(self) -> str:
        """The text without enhanced codes, on one line."""
        return " ".join([_bare(line) for line in self._decoded()]).strip()

    @property
    def enhanced(self) -> str:
        """The enhanced code, '' if there is none."""
        found = enhanced_code.match(self._decoded()[-1])
        return found.group(1) if found else ""

    @property
    def busy(self) -> bool:
        """Whether the server complains of the number of connections."""
        return self.code // 100 == 4 and bool(busy_words.search(self.text))

    def _decoded(self) -> list[str]:
        return [line.decode("utf-8", "replace") for line in self.lines]

    def __str__(self) -> str:
        return " ".join(part for part in (str(self.code), self.enhanced, self.text) if part)


def _bare(line: str) -> str:
    """A line without its enhanced code, which stands in front nearly always."""
    found = enhanced_code.match(line)
    return line[found.end() :] if found else enhanced_code.sub("", line, count=1)


@lru_cache(maxsize=256)
def _split(line: bytes) -> tuple[int, bytes, bool, Reply]:
    """Code, text, whether more lines follow, and the reply that the line alone is. Raises ProtocolError.

    A server says the same few things all day.
    """
    code, mark = line[:3], line[3:4]
    if len(code) != 3 or not code.isdigit() or not b"200" <= code < b"600" or mark not in (b"", b" ", b"-"):
        raise ProtocolError(f"The server sent no SMTP reply: {line[:80]!r}")
    return int(code), line[4:], mark == b"-", Reply(int(code), (line[4:],))


class ReplyReader:
    """Cuts a stream of bytes into replies."""

    def __init__(self) -> None:
        self.rest = b""
        self.lines: list[bytes] = []

    @property
    def empty(self) -> bool:
        """Whether no part of a reply is waiting for its end."""
        return not self.rest and not self.lines

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that `data` completes; raises `ProtocolError`."""
        *lines, self.rest = (self.rest + data).split(b"\n")
        if len(self.rest) > longest_line:
            raise ProtocolError("The server sent a line without end.")
        replies = []
        for line in lines:
            reply = self._line(line.rstrip(b"\r"))
            if reply is not None:
                replies.append(reply)
        return replies

    def _line(self, line: bytes) -> Reply | None:
        code, told, more, alone = _split(line)
        if not more and not self.lines:
            return alone
        self.lines.append(told)
        if more:
            if len(self.lines) > most_lines:
                raise ProtocolError("The server sent a reply without end.")
            return None
        reply = Reply(code, tuple(self.lines))
        self.lines = []
        return reply
