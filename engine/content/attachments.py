"""The files that a content's front matter names. They lie in the content's folder and are kept with its version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.errors import LanguageError
from engine.rendering import attached

LARGEST = 5_000_000
LONGEST_NAME = 100
REFUSED = frozenset(("exe", "bat", "cmd", "com", "scr", "pif", "js", "vbs", "msi", "jar", "ps1", "lnk", "iso"))
HINT = "choose it beside the text, or `cairn content publish` takes it from the folder of the content"

Read = Callable[[str], bytes | None]
"""The bytes of a file by its name; None for one that is to stay as it was."""


def checked(name: str, line: int) -> str:
    """A file name without a folder. Raises LanguageError, also for what mailbox providers refuse to deliver."""
    if not name.strip(" .") or set(name) & set('/\\"<>|:*?') or not name.isprintable() or len(name) > LONGEST_NAME:
        raise LanguageError(f"attachments: “{name[:100]}” is no name of a file.", line, hint="[terms.pdf]")
    if name.rpartition(".")[2].lower() in REFUSED:
        raise LanguageError(f"attachments: mailboxes refuse mail with files such as {name}.", line, hint="link to it")
    return name


def kept(compiled: Mapping[str, Any] | None) -> dict[str, str]:
    """The files of a version, by name, as they stand in its mails."""
    return {each["name"]: each["entity"] for each in (compiled or {}).get("files", ())}


def gathered(names: list[str], read: Read | None, before: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The files to keep with a version: those that are read, else those of the version before. Raises LanguageError."""
    old, size = kept(before), 0
    found: list[dict[str, Any]] = []
    for name in names:
        data = read(name) if read else None
        if data is None and name not in old:
            raise LanguageError(f"attachments: the file {name} is not here.", hint=HINT)
        entity = old[name] if data is None else attached.entity(name, data)
        size += len(entity) * 3 // 4
        found.append({"name": name, "entity": entity})
    if size > LARGEST:
        raise LanguageError(f"The attachments have more than {LARGEST / 1e6:.0f} MB.", hint="link to large files")
    return found


def unchanged(compiled: Mapping[str, Any], read: Read | None) -> bool:
    """Whether the files of a version are those that lie in the folder now."""
    return read is None or gathered(compiled.get("attachments", []), read, compiled) == compiled.get("files", [])
