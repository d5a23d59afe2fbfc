"""`cairn up`, `down` and `status` with real processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from workers.embedded import Running, running

CAIRN = [sys.executable, "-m", "webapp.cli"]
PATIENCE = 60.0


def environment(home: Path, **values: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    return kept | {"CAIRN_HOME": str(home)} | values


def cairn(home: Path, *arguments: str, **values: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*CAIRN, *arguments], env=environment(home, **values), capture_output=True, text=True, timeout=PATIENCE
    )


class Up:
    """A `cairn up` in the background."""

    def __init__(self, home: Path, **values: str) -> None:
        self.home = home
        self.output = home.with_name(f"{home.name}.out")
        with self.output.open("w") as out:
            self.process = subprocess.Popen(
                [*CAIRN, "up", "--port", "0"], env=environment(home, **values), stdout=out, stderr=out
            )
        until = time.monotonic() + PATIENCE
        while "Ctrl-C" not in self.text():
            assert self.process.poll() is None and time.monotonic() < until, self.text()
            time.sleep(0.05)

    def text(self) -> str:
        return self.output.read_text()

    def running(self) -> Running:
        found = running.read(self.home)
        assert found
        return found

    def everything(self) -> list[psutil.Process]:
        """The supervisor and all that runs below it."""
        supervisor = psutil.Process(self.process.pid)
        return [supervisor, *supervisor.children(recursive=True)]

    def end(self, number: signal.Signals) -> float:
        """Signal the supervisor; the seconds until it was gone."""
        started = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(PATIENCE)
        return time.monotonic() - started


def answers(address: str | None) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/", timeout=10) as answer:
            return bool(answer.status < 500)
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def gone(processes: list[psutil.Process], patience: float = 10.0) -> bool:
    """Whether all have ended; one that waits to be reaped by a foreign parent has."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes):
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One home for the tests of this file, which run in their order, below a folder that only its owner may enter."""
    closed = tmp_path_factory.mktemp("closed folder")
    closed.chmod(0o700)
    path = closed / "a home"
    yield path
    if site := running.read(path):
        os.kill(site.pid, signal.SIGKILL)


@pytest.mark.timeout(120)
def test_up_runs_everything_and_down_stops_it_and_the_data_stays(home: Path) -> None:
    first = Up(home)
    parts, address = first.everything(), first.running().address
    assert answers(address)
    assert "Sign in as" in first.text()
    status = cairn(home, "status")
    assert status.returncode == 0 and f"Runs at {address}" in status.stdout
    assert set(first.running().processes) == {"web", "worker-1", "worker-2", "scheduler", "mailbox"}

    again = cairn(home, "up", "--port", "0")
    assert again.returncode == 3 and f"already runs at {address}" in again.stderr

    down = cairn(home, "down")
    assert down.returncode == 0 and "Stopped" in down.stdout
    assert gone(parts) and first.process.wait(5) == 0
    assert "ended" not in first.text()
    assert cairn(home, "status").returncode == 1
    assert "Nothing runs" in cairn(home, "down").stdout


@pytest.mark.timeout(120)
def test_a_killed_supervisor_takes_everything_along_and_the_next_start_is_clean(home: Path) -> None:
    second = Up(home)
    assert "Sign in as" not in second.text()
    parts, mailbox = second.everything(), second.running().processes["mailbox"]
    os.kill(mailbox, signal.SIGKILL)
    until = time.monotonic() + 20
    while second.running().processes.get("mailbox") in (mailbox, None) and time.monotonic() < until:
        time.sleep(0.05)
    assert second.running().processes["mailbox"] != mailbox
    assert "mailbox ended (by SIGKILL)" in second.text()
    parts += second.everything()
    second.end(signal.SIGKILL)
    assert gone(parts)

    third = Up(home)
    parts, address = third.everything(), third.running().address
    assert answers(address)
    assert third.end(signal.SIGINT) < 20
    assert gone(parts) and not answers(address)
    assert third.text().rstrip().endswith("Stopped.")


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = cairn(tmp_path / "home", "up", "--port", str(port))
    assert refused.returncode == 3
    assert f"Port {port} on 127.0.0.1 is taken" in refused.stderr and "--port" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "home" / "postgres").exists()


def test_an_address_of_another_machine_is_refused(tmp_path: Path) -> None:
    refused = cairn(tmp_path / "home", "up", "--port", "0", "--host", "192.0.2.1")
    assert refused.returncode == 3 and "192.0.2.1 is not an address of this machine" in refused.stderr


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    refused = cairn(tmp_path / "home", "up", "--port", "0")
    assert refused.returncode == 3 and "CAIRN_HOME" in refused.stderr
