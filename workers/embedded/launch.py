"""Become another program that dies with its parent and, started as root, runs as a user of its own.

Run as a script: `python launch.py PARENT SIGNAL UID GID CAPABILITY PROGRAM ARGUMENT…`. PARENT is the pid that must
still be the parent; SIGNAL is what the program gets when that parent dies (0: nothing); UID -1 keeps the user;
CAPABILITY is the number of the Linux capability that stays over the change of user, or -1.

It stands alone (the standard library only), because it runs before the user is changed and must start fast.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 4
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522


def die_with_parent(parent: int, signal: int) -> None:
    """Ask Linux to send `signal` to this process when the thread that started it ends; elsewhere do nothing.

    A parent that died before the request is found by comparing pids; this process then ends at once.
    """
    if not sys.platform.startswith("linux") or not signal:
        return
    _call("prctl", PR_SET_PDEATHSIG, signal, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def change_user(uid: int, gid: int, capability: int) -> None:
    """Give up root for good. With a capability, keep that one, also over `exec` (capabilities(7), ambient set).

    PostgreSQL looks for its own programs with access(2), which for other users than root leaves capabilities out of
    account unless the secure bit says that changes of user do not touch them. A container may withhold the right to
    set it; then the data may lie in a closed folder, but not the programs.
    """
    if capability >= 0:
        try:
            _call("prctl", PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
        except OSError:
            _call("prctl", PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if capability >= 0:
        _keep_only(capability)
        _call("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)


def _keep_only(capability: int) -> None:
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    bits = 1 << capability
    data = (ctypes.c_uint32 * 6)(bits, bits, bits, 0, 0, 0)
    _call("capset", ctypes.byref(header), ctypes.byref(data))


def _call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


def main(arguments: list[str]) -> None:
    """Change user, tie to the parent, and become the program. The tie comes last: a change of user undoes it."""
    parent, signal, uid, gid, capability = (int(word) for word in arguments[:5])
    program = arguments[5:]
    if uid >= 0:
        change_user(uid, gid, capability)
    die_with_parent(parent, signal)
    os.execv(program[0], program)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        sys.exit(f"cannot start {sys.argv[6]}: {error}")
