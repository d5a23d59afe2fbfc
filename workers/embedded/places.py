"""Where an installation keeps its things: the home folder, its lock, its logs, its sockets, its run file."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from pathlib import Path
from typing import IO

from engine.errors import ConfigurationError
from workers.embedded.account import Account
from workers.embedded.process import rotate, shorten

SOCKET_ROOT = Path("/tmp")
"""Not TMPDIR, which may be long or hold spaces. The folder made in it is private and checked."""


def prepare(home: Path) -> None:
    """Make the home and its log folder. Root leaves the home enterable, as the servers run as somebody else.

    Errors: ConfigurationError if it cannot be made or written.
    """
    try:
        home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        (home / "log").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"Cairn cannot keep its data in {home} ({error.strerror}). Set CAIRN_HOME to a folder of yours."
        ) from error
    if not os.access(home, os.W_OK | os.X_OK):
        raise ConfigurationError(f"Cairn may not write to {home}. Set CAIRN_HOME to a folder of yours.")


def log_file(home: Path, name: str) -> Path:
    """The log of one process."""
    path = home / "log" / f"{name}.log"
    rotate(path)
    return path


def shorten_logs(home: Path) -> None:
    """Bound the logs of processes that run for long."""
    for path in (home / "log").glob("*.log"):
        shorten(path)


def socket_folder(home: Path, account: Account) -> Path:
    """A folder for sockets, one per home: short, without spaces, closed to others, owned by the servers' account.

    A socket's path may have some 100 bytes at most, and RQ breaks on a space in it.
    Errors: ConfigurationError if somebody else made that folder first.
    """
    key = hashlib.sha256(f"{os.geteuid()} {home.resolve()}".encode()).hexdigest()[:16]
    folder = SOCKET_ROOT / f"cairn-{key}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if folder.is_symlink() or not folder.is_dir() or status.st_uid not in (os.geteuid(), max(account.uid, 0)):
        raise ConfigurationError(f"{folder} belongs to somebody else. Remove it; Cairn keeps its sockets there.")
    folder.chmod(0o700)
    account.own(folder)
    return folder


def leave(folder: Path) -> None:
    """Remove a socket folder that the last server has left."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def lock(home: Path) -> IO[str] | None:
    """The one lock of a home, held while its servers run; None if another process has it. Close it to let go."""
    prepare(home)
    file = (home / "lock").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
