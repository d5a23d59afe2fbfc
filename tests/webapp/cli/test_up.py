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
from click.testing import CliRunner, Result

from engine.errors import ConfigurationError
from engine.settings import settings
from webapp.cli import main
from workers.embedded import Running, places, running
from workers.site import supervised

CAIRN = [sys.executable, "-m", "webapp.cli"]
PATIENCE = 200.0


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    return kept | {"CAIRN_HOME": str(home)}


class Up:
    """A `cairn up` in the background."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.output = home.with_name(f"{home.name}.out")
        with self.output.open("w") as out:
            self.process = subprocess.Popen(
                [*CAIRN, "up", "--port", "0"], env=environment(home), stdout=out, stderr=out
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


def answers(address: str | None) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/", timeout=10) as answer:
            return bool(answer.status < 500)
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def ready(address: str | None) -> bool:
    """Whether the site reaches its database."""
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=10) as answer:
            return bool(answer.status == 200)
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


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[None]:
    """Commands called in this process use the home of these tests."""
    monkeypatch.setenv("CAIRN_HOME", str(home))
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def call(*arguments: str) -> Result:
    """A command in this process."""
    return CliRunner().invoke(main, list(arguments))


@pytest.mark.timeout(280)
def test_up_runs_everything_and_a_killed_supervisor_takes_everything_along(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Up(home)
    parts, address = first.everything(), first.running().address
    assert answers(address)
    assert "Sign in as" in first.text()
    assert f"Runs at {address}" in call("status").output and "only" not in call("status").output
    assert call("forms", "set", "join", "--title", "Join us").output.strip() == f"{address}/f/join"
    monkeypatch.setenv("CAIRN_ALLOWED_RECIPIENTS", "@cairn.example")
    settings.cache_clear()
    assert "Writes to   @cairn.example only" in call("status").output
    again = call("up", "--port", "0")
    assert again.exit_code == 3 and f"already runs at {address}" in again.output
    assert set(first.running().processes) == {"web", "worker-1", "worker-2", "scheduler", "mailbox"}

    mailbox = first.running().processes["mailbox"]
    os.kill(mailbox, signal.SIGKILL)
    until = time.monotonic() + 30
    while first.running().processes.get("mailbox") in (mailbox, None) and time.monotonic() < until:
        time.sleep(0.05)
    assert first.running().processes["mailbox"] != mailbox
    assert "mailbox ended (by SIGKILL)" in first.text()

    for name, words in (("redis-server", "Redis had ended"), ("postgres", "PostgreSQL had ended")):
        next(each for each in first.everything() if each.name() == name).kill()
        until = time.monotonic() + 60
        while words not in first.text() and time.monotonic() < until:
            time.sleep(0.05)
        assert f"{words} and runs again." in first.text()
    until = time.monotonic() + 30
    while not ready(address) and time.monotonic() < until:
        time.sleep(0.1)
    assert ready(address)

    parts += first.everything()
    first.process.kill()
    first.process.wait()
    assert gone(parts) and not answers(address)
    assert call("status").exit_code == 1


@pytest.mark.timeout(280)
def test_the_next_start_is_clean_finds_the_data_and_down_stops_it(home: Path) -> None:
    second = Up(home)
    parts, address = second.everything(), second.running().address
    assert answers(address)
    assert "Sign in as" not in second.text()
    down = call("down")
    assert down.exit_code == 0 and "Stopped" in down.output
    assert second.process.wait(5) == 0 and gone(parts) and not answers(address)
    assert " ended (" not in second.text()
    assert second.text().rstrip().endswith("Stopped.")
    assert "Nothing runs" in call("down").output


def refusal(home: Path, host: str = "127.0.0.1", port: int = 0) -> str:
    """Why a site does not start."""
    own = settings().model_copy(update={"home": home})
    with pytest.raises(ConfigurationError) as caught, supervised(own, host=host, port=port):
        pass
    return str(caught.value)


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        why = refusal(tmp_path / "home", port=port)
    assert f"Port {port} on 127.0.0.1 is taken" in why and "--port" in why
    assert not (tmp_path / "home" / "postgres").exists()


def test_an_address_of_another_machine_and_a_home_that_is_a_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "192.0.2.1 is not an address of this machine" in refusal(tmp_path / "home", host="192.0.2.1")
    assert "CAIRN_HOME" in refusal(tmp_path / "file")


def test_a_home_that_another_process_is_starting_in_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.site.LOCK_PATIENCE", 0.1)
    held = places.lock(tmp_path)
    assert held
    with held:
        assert "another process that is starting or stopping" in refusal(tmp_path)
