"""The system account of the embedded servers: PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ConfigurationError

NAME = "cairn"
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2


@dataclass(frozen=True)
class Account:
    """Whom the servers run as; uid -1 is whoever runs Cairn."""

    uid: int = -1
    gid: int = -1

    def own(self, path: Path) -> None:
        """Hand a file or folder over to this account."""
        if self.uid >= 0:
            os.chown(path, self.uid, self.gid)

    def capability(self, *paths: Path) -> int:
        """The capability needed to reach `paths` through folders that only root may enter; -1 if none is needed.

        `mktemp -d` makes such folders (0700). Reading is enough, since the account owns its data; where a
        container withholds that capability, the wider one serves.
        """
        if self.uid < 0 or all(self._reaches(path) for path in paths):
            return -1
        return CAP_DAC_READ_SEARCH if _permitted(CAP_DAC_READ_SEARCH) else CAP_DAC_OVERRIDE

    def _reaches(self, path: Path) -> bool:
        return all(self._enters(folder) for folder in path.resolve().parents)

    def _enters(self, folder: Path) -> bool:
        status = folder.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        return bool(status.st_mode & (stat.S_IXGRP if status.st_gid == self.gid else stat.S_IXOTH))


def server_account(data: Path) -> Account:
    """The account for the servers whose data lies in the folder `data`, which need not exist yet.

    Started by root this is the owner of the data, else the user `cairn` (made if missing), else `nobody`.
    Errors: ConfigurationError if the data belongs to somebody else.
    """
    owner = data.stat().st_uid if data.exists() else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise ConfigurationError(
                f"{data} belongs to the user {_name(owner)}. Start Cairn as that user, or set CAIRN_HOME."
            )
        return Account()
    if owner:
        return Account(owner, data.stat().st_gid)
    entry = _find(NAME) or _create() or _find("nobody")
    if entry is None:
        raise ConfigurationError(
            f"PostgreSQL does not run as root. Create a user for it (`useradd --system {NAME}`), start Cairn as an "
            "ordinary user, or set DATABASE_URL."
        )
    return Account(entry.pw_uid, entry.pw_gid)


def _find(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _create() -> pwd.struct_passwd | None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        return None
    command = [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    subprocess.run(command, check=False, capture_output=True)  # a start at the same time may have made it
    return _find(NAME)


def _name(uid: int | None) -> str:
    try:
        return pwd.getpwuid(uid or 0).pw_name
    except KeyError:
        return str(uid)


def _permitted(capability: int) -> bool:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return False
    word = next((line.split()[1] for line in lines if line.startswith("CapPrm:")), "0")
    return bool(int(word, 16) >> capability & 1)
