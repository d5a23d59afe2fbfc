"""A small file system of our own that can be filled, where the machine allows mounting; seen by this process only."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

CLONE_NEWNS = 0x00020000
MS_REC_PRIVATE = 0x4000 | 0x40000
SIZE = 1 << 30
RESERVE = 4096


class SmallDisk:
    """A tmpfs on `folder`, gone with the processes that see it. Errors: OSError where mounting is not possible."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ballast = folder, folder / "ballast"
        _call("unshare", CLONE_NEWNS)
        _call("mount", b"none", b"/", None, ctypes.c_ulong(MS_REC_PRIVATE), None)
        _call("mount", b"none", os.fsencode(folder), b"tmpfs", ctypes.c_ulong(0), f"size={SIZE},mode=0711".encode())

    def fill(self) -> int:
        """Leave not one page; the bytes that it took."""
        with self.ballast.open("wb") as file:
            size, piece = 0, SIZE
            while piece >= RESERVE:
                try:
                    os.posix_fallocate(file.fileno(), size, piece)
                    size += piece
                except OSError:
                    piece //= 2
            return size

    def free(self) -> None:
        """Give the room back."""
        self.ballast.unlink(missing_ok=True)

    def leave(self) -> None:
        """Unmount as soon as nobody uses it."""
        _call("umount2", os.fsencode(self.folder), 2)


def _call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
