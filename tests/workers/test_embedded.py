"""The embedded servers, started for real."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from redis import Redis

from engine.errors import ConfigurationError
from engine.settings import Settings
from workers.embedded import Running, binaries, places, process, running, servers, start_postgres, start_redis
from workers.embedded.account import server_account


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with a space in its name, in a folder that only its owner may enter, with its data folder made."""
    closed = tmp_path_factory.mktemp("only mine")
    closed.chmod(0o700)
    path = closed / "my home"
    start_postgres(path, durable=False).stop()
    yield path


def value(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()
    return row[0] if row else None


def settings_for(home: Path, **values: str) -> Settings:
    return Settings.model_construct(**{**Settings().model_dump(), "home": home, **values})


def test_data_survives_a_restart_and_only_a_unix_socket_is_open(home: Path) -> None:
    first = start_postgres(home, durable=False)
    with psycopg.connect(first.url, autocommit=True) as connection:
        connection.execute("create table kept as select 42 as answer")
    listening = psutil.Process(first.pid).net_connections("inet")
    first.stop()
    second = start_postgres(home)
    try:
        assert listening == []
        assert value(second.url, "select answer from kept") == 42
        assert value(second.url, "show server_version_num") >= "180000"  # type: ignore[operator]
        assert [value(second.url, f"show {name}") for name in ("jit", "timezone", "fsync")] == ["off", "UTC", "on"]
        assert value(second.url, "select datlocale from pg_database where datname = 'cairn'") == "C.UTF-8"
    finally:
        second.stop()
    assert not second.sockets.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes the user")
def test_root_runs_the_servers_as_somebody_else_with_one_capability_at_most(home: Path) -> None:
    server = start_postgres(home, durable=False)
    status = Path(f"/proc/{server.pid}/status").read_text()
    server.stop()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split()[1] == str((home / "postgres").stat().st_uid) != "0"
    assert bin(int(fields["CapEff"], 16)).count("1") <= 1


def test_a_pid_file_whose_number_lives_again_is_no_obstacle(home: Path) -> None:
    (home / "postgres" / "postmaster.pid").write_text(
        f"{os.getpid()}\n{home / 'postgres'}\n1\n5432\n/tmp\n\n0 0\nready\n"
    )
    server = start_postgres(home, durable=False)
    assert value(server.url, "select 1") == 1
    server.stop()


def test_a_server_that_outlived_its_supervisor_is_stopped_first(home: Path) -> None:
    data = home / "postgres"
    account = server_account(data)
    sockets = places.socket_folder(home, account)
    command = [binaries.postgres_folder() / "postgres", "-D", data, "-k", sockets]
    orphan = process.spawn(command, home / "log" / "orphan.log", cwd=data, account=account, reach=[data])
    while not (sockets / ".s.PGSQL.5432").exists():
        time.sleep(0.01)
    server = start_postgres(home, durable=False)
    assert orphan.wait(5) == 0
    assert value(server.url, "select 1") == 1
    server.stop()


def test_the_servers_stop_when_the_thread_that_started_them_ends(home: Path) -> None:
    started: list[psutil.Process] = []

    def start() -> None:
        started.append(psutil.Process(start_postgres(home, durable=False).pid))
        started.append(psutil.Process(start_redis(home).pid))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    _, alive = psutil.wait_procs(started, timeout=10)
    assert alive == []


def test_two_homes_run_side_by_side(home: Path, tmp_path: Path) -> None:
    one, two = start_redis(home), start_redis(tmp_path / "other")
    try:
        Redis.from_url(one.url).set("whose", "one")
        assert Redis.from_url(two.url).get("whose") is None
        assert one.url != two.url
        assert " " not in one.url
    finally:
        one.stop()
        two.stop()


def test_a_server_that_does_not_start_says_what_its_log_says(home: Path) -> None:
    broken = home / "postgres" / "cairn.conf"
    configuration = home / "postgres" / "postgresql.conf"
    before = configuration.read_text()
    configuration.write_text(before + "\nno_such_setting = 1\n")
    with pytest.raises(ConfigurationError, match="no_such_setting"):
        start_postgres(home, durable=False)
    configuration.write_text(before)
    assert broken.exists()


def test_your_own_servers_are_used_as_they_are(tmp_path: Path) -> None:
    own = settings_for(tmp_path / "unused", database_url="postgresql://a/b", redis_url="redis://c")
    with servers(own) as urls:
        assert (urls.database_url, urls.redis_url, urls.migrated) == ("postgresql://a/b", "redis://c", False)
    assert not (tmp_path / "unused").exists()


def test_a_second_command_joins_the_servers_of_the_first_which_waits_for_it(home: Path) -> None:
    started, joined, let_go = threading.Event(), threading.Event(), threading.Event()
    seen: list[str] = []

    def second() -> None:
        started.wait(20)
        with servers(settings_for(home)) as urls:
            joined.set()
            let_go.wait(20)
            seen.append(str(value(urls.database_url, "select 'still there'")))

    thread = threading.Thread(target=second)
    thread.start()
    with servers(settings_for(home)):
        started.set()
        assert joined.wait(20)
        threading.Timer(0.3, let_go.set).start()
    thread.join()
    assert seen == ["still there"]
    assert running.read(home) is None


def test_a_run_file_of_a_dead_process_counts_for_nothing(tmp_path: Path) -> None:
    child = subprocess.Popen(["sleep", "60"])
    running.write(tmp_path, Running("up", "d", "r", pid=child.pid, started_at=psutil.Process(child.pid).create_time()))
    assert running.read(tmp_path) is not None
    child.send_signal(signal.SIGKILL)
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert running.read(tmp_path) is None
    child.wait()
    assert running.read(tmp_path) is None


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="CAIRN_HOME"):
        places.prepare(tmp_path / "file" / "home")


def test_a_socket_folder_that_somebody_else_put_there_is_refused(tmp_path: Path) -> None:
    account = server_account(tmp_path / "none")
    folder = places.socket_folder(tmp_path, account)
    folder.rmdir()
    folder.symlink_to(tmp_path)
    try:
        with pytest.raises(ConfigurationError, match="belongs to somebody else"):
            places.socket_folder(tmp_path, account)
    finally:
        folder.unlink()


def test_a_long_log_begins_anew_under_its_writer_and_one_older_file_stays(tmp_path: Path) -> None:
    log = tmp_path / "log" / "web.log"
    log.parent.mkdir()
    with log.open("ab", buffering=0) as writer:
        writer.write(b"old\n" * 100)
        process.shorten(log, limit=1000)
        assert log.stat().st_size == 400
        process.shorten(log, limit=100)
        writer.write(b"new\n")
    assert log.read_bytes() == b"new\n"
    assert log.with_suffix(".log.1").read_bytes() == b"old\n" * 100
    places.shorten_logs(tmp_path)
    assert log.read_bytes() == b"new\n"
