"""Foreground children: started in a session of their own, tied to this process, stopped by signals in turn."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from workers.embedded.account import Account

LOG_BYTES = 10_000_000
LAUNCHER = Path(__file__).with_name("launch.py")


def spawn(
    command: Sequence[str | Path],
    log: Path,
    *,
    cwd: Path | None = None,
    account: Account | None = None,
    reach: Sequence[Path] = (),
    death_signal: signal.Signals = signal.SIGTERM,
    env: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program whose output is appended to `log`.

    Its own session keeps a Ctrl-C in the terminal from it. It gets `death_signal` when the *thread* that calls this
    ends, however it ends, so the caller is the main thread or one that lives as long as the child shall. `reach` are
    the paths that the account must get at.
    """
    account = account or Account()
    program = Path(command[0])
    capability = account.capability(program, *reach)
    numbers = [os.getpid(), death_signal.value, account.uid, account.gid, capability]
    launcher = [sys.executable, "-I", "-S", str(LAUNCHER), *map(str, numbers)]
    with log.open("ab") as output:
        return subprocess.Popen(
            [*launcher, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=env,
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes], *steps: tuple[signal.Signals, float]) -> None:
    """Send each signal in turn and wait for so many seconds; kill what is still there then."""
    for number, patience in steps:
        if process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
    if process.poll() is None:
        process.kill()
        process.wait()


def stop_orphans(folder: Path, names: Sequence[str], *steps: tuple[signal.Signals, float]) -> list[int]:
    """Stop servers left over by a killed supervisor: programs of these names whose working folder is `folder`.

    Returns their pids. A pid file is not believed, as its number may belong to another program by now.
    """
    found = [process for process in psutil.process_iter() if _works_in(process, folder, names)]
    for number, patience in steps:
        alive = [process for process in found if process.is_running()]
        for process in alive:
            _signal(process, number)
        _, left = psutil.wait_procs(alive, timeout=patience)
        if not left:
            break
    return [process.pid for process in found]


def _works_in(process: psutil.Process, folder: Path, names: Sequence[str]) -> bool:
    try:
        return process.name() in names and Path(process.cwd()) == folder.resolve()
    except (psutil.Error, OSError):
        return False


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def last_lines(log: Path, count: int = 8) -> str:
    """The end of a log, for a message about what went wrong; at most 8 kB."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-count:])


def rotate(log: Path, limit: int = LOG_BYTES) -> None:
    """Keep one older file of a log that grew over `limit` bytes. Only while nobody writes to it."""
    if log.exists() and log.stat().st_size > limit:
        log.replace(_older(log))


def shorten(log: Path, limit: int = LOG_BYTES) -> None:
    """As `rotate`, while a process appends to the log, which begins anew. Lines of that instant may be lost.

    On a full disk there is no older file, as room is worth more then.
    """
    if log.stat().st_size <= limit:
        return
    try:
        shutil.copyfile(log, _older(log))
    except OSError:
        _older(log).unlink(missing_ok=True)
    os.truncate(log, 0)


def _older(log: Path) -> Path:
    return log.with_suffix(".log.1")
