"""Files that go along with an email: each an entity of `multipart/mixed` (RFC 2046), in base64, made once a version."""

from __future__ import annotations

import base64
import mimetypes
import re
from collections.abc import Sequence
from urllib.parse import quote

BOUNDARY = "=_cairn_mixed"
HEAD = f'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="{BOUNDARY}"\r\n\r\n--{BOUNDARY}\r\n'
LINE = 57
ordinary = re.compile(r"[A-Za-z0-9_.()+-]+(?: [A-Za-z0-9_.()+-]+)*").fullmatch


def entity(name: str, data: bytes) -> str:
    """Headers and body of one file, ASCII with CRLF, no line of which begins with a dot or ends with a blank."""
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if kind.startswith(("message/", "multipart/")):  # these may not stand in base64 (RFC 2046, section 5.2.1)
        kind = "application/octet-stream"
    whole = base64.b64encode(data).decode("ascii")
    lines = [whole[at : at + LINE // 3 * 4] for at in range(0, len(whole), LINE // 3 * 4)]
    head = f"Content-Type: {kind}\r\nContent-Disposition: attachment;\r\n {_filename(name)}\r\n"
    return f"{head}Content-Transfer-Encoding: base64\r\n\r\n" + "\r\n".join(lines) + "\r\n"


def data(entity: str) -> bytes:
    """The bytes of a file from its entity."""
    return base64.b64decode(entity.partition("\r\n\r\n")[2])


def _filename(name: str) -> str:
    """The parameter, in the form of RFC 2231 for what is not plain ASCII."""
    if ordinary(name):
        return f'filename="{name}"'
    return f"filename*=utf-8''{quote(name, safe='')}"


def ending(entities: Sequence[str]) -> str:
    """What stands behind the alternatives: the files and the end of the whole."""
    return "".join(f"--{BOUNDARY}\r\n{each}" for each in entities) + f"--{BOUNDARY}--\r\n"
