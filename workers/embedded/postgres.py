"""A PostgreSQL 18 of our own: made with `initdb`, run as a foreground child, reached over a unix socket only."""

from __future__ import annotations

import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from engine.errors import ConfigurationError
from workers.embedded import process
from workers.embedded.account import Account, server_account
from workers.embedded.binaries import postgres_folder
from workers.embedded.memory import machine_mb, postgres_settings
from workers.embedded.places import leave, log_file, prepare, socket_folder

USER = DATABASE = "cairn"
FAST_STOP = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))
INITDB_FLAGS = ("-A", "trust", "-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
START_PATIENCE = 300.0
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "synchronous_commit": "on",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "autovacuum_naptime": "15s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.02",
    "autovacuum_vacuum_cost_limit": "1000",
    "log_line_prefix": "%m [%p] ",
}
"""Good for a small server that shares its machine with Cairn. `postgresql.conf` may overrule them below its include."""

NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
"""For tests, whose data need not outlive a power cut."""


@dataclass(frozen=True)
class Postgres:
    """A running server. `url` is understood by libpq; `data` is its folder."""

    url: str
    data: Path
    sockets: Path
    child: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.child.pid

    def stop(self) -> None:
        """Stop fast. Its clients should be gone by now: those that are not lose their connection."""
        process.stop(self.child, *FAST_STOP)
        leave(self.sockets)


def start_postgres(home: Path, *, durable: bool = True) -> Postgres:
    """Start the server of `home`, making its data folder first if needed; returns when it answers.

    The caller keeps others from the same home (`places.lock`). The server stops when the calling thread ends.
    Errors: ConfigurationError, with the end of the server's log.
    """
    data, programs = home / "postgres", postgres_folder()
    prepare(home)
    account = server_account(data)
    sockets = socket_folder(home, account)
    log = log_file(home, "postgres")
    if not (data / "PG_VERSION").exists():
        _initialise(programs, data, account, log, durable)
    _clear_leftovers(data)
    _write_settings(data, account, durable)
    command: list[str | Path] = [programs / "postgres", "-D", data.resolve(), "-k", sockets]
    child = process.spawn(command, log, cwd=data, account=account, reach=[data], death_signal=signal.SIGINT)
    server = Postgres(f"postgresql://{USER}@/{DATABASE}?host={sockets}", data, sockets, child)
    try:
        _await(server, f"postgresql://{USER}@/postgres?host={sockets}", log)
    except BaseException:
        server.stop()
        raise
    return server


def _initialise(programs: Path, data: Path, account: Account, log: Path, durable: bool) -> None:
    """Make the data folder under another name and move it in place, so that half a folder is never taken for one."""
    draft = data.with_name("postgres.new")
    if draft.exists():
        _remove(draft)
    draft.mkdir(mode=0o700)
    account.own(draft)
    command: list[str | Path] = [
        programs / "initdb",
        "-D",
        draft.resolve(),
        "-U",
        USER,
        *INITDB_FLAGS,
        *(() if durable else ("-N",)),
    ]
    code = process.spawn(command, log, cwd=draft, account=account, reach=[draft]).wait()
    if code != 0:
        raise ConfigurationError(f"PostgreSQL could not make its data folder {data}:\n{process.last_lines(log)}")
    with (draft / "postgresql.conf").open("a") as file:
        file.write("\ninclude 'cairn.conf'\n")
    draft.rename(data)


def _remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    folder.rmdir()


def _clear_leftovers(data: Path) -> None:
    """Stop a server that outlived its supervisor, and forget its pid file: the number in it may live again."""
    pid_file = data / "postmaster.pid"
    if pid_file.exists():
        process.stop_orphans(data, ["postgres"], *FAST_STOP, (signal.SIGKILL, 5.0))
        pid_file.unlink(missing_ok=True)


def _write_settings(data: Path, account: Account, durable: bool) -> None:
    values = SETTINGS | postgres_settings(machine_mb()) | ({} if durable else NOT_DURABLE)
    lines = ["# Written by Cairn at each start. Put your own settings into postgresql.conf, below the include.", ""]
    lines += [f"{name} = '{value}'" for name, value in values.items()]
    path = data / "cairn.conf"
    path.write_text("\n".join(lines) + "\n")
    account.own(path)


def _await(server: Postgres, maintenance_url: str, log: Path) -> None:
    """Wait until the server answers; after a crash it first replays its log. Then see to the database."""
    until = time.monotonic() + START_PATIENCE
    while time.monotonic() < until:
        if server.child.poll() is not None:
            raise ConfigurationError(f"PostgreSQL does not start ({server.data}):\n{process.last_lines(log)}")
        try:
            with psycopg.connect(maintenance_url, autocommit=True, connect_timeout=5) as connection:
                return _ensure_database(connection)
        except psycopg.OperationalError:
            time.sleep(0.02)
    raise ConfigurationError(f"PostgreSQL did not answer within {START_PATIENCE:.0f} s:\n{process.last_lines(log)}")


def _ensure_database(connection: psycopg.Connection) -> None:
    found = connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone()
    if not found:
        connection.execute(f'create database "{DATABASE}"')
