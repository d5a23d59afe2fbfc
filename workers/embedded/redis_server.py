"""A Redis of our own. It carries doorbells only, so it keeps nothing on disk."""

from __future__ import annotations

import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from engine.errors import ConfigurationError
from workers.embedded import process
from workers.embedded.account import server_account
from workers.embedded.binaries import redis_program
from workers.embedded.places import leave, log_file, prepare, socket_folder

STOP = ((signal.SIGTERM, 5.0),)
START_PATIENCE = 30.0


@dataclass(frozen=True)
class RedisServer:
    """A running server; `url` is understood by redis-py and RQ."""

    url: str
    sockets: Path
    child: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.child.pid

    def stop(self) -> None:
        """Stop it; what it holds is gone."""
        process.stop(self.child, *STOP)
        leave(self.sockets)


def start_redis(home: Path) -> RedisServer:
    """Start the Redis of `home`; returns when it answers. The caller holds the home's lock, see `start_postgres`.

    Errors: ConfigurationError, with the end of the server's log.
    """
    program = redis_program()
    prepare(home)
    account = server_account(home / "redis")
    folder, log = home / "redis", log_file(home, "redis")
    folder.mkdir(mode=0o700, exist_ok=True)
    account.own(folder)
    process.stop_orphans(folder, [program.name, "redis-server", "valkey-server"], *STOP, (signal.SIGKILL, 5.0))
    sockets = socket_folder(home, account)
    path = sockets / "redis.sock"
    options: list[str | Path] = [
        "--port",
        "0",
        "--unixsocket",
        path,
        "--unixsocketperm",
        "700",
        "--save",
        "",
        "--appendonly",
        "no",
    ]
    child = process.spawn([program, *options], log, cwd=folder, account=account, reach=[folder])
    server = RedisServer(f"unix://{path}", sockets, child)
    try:
        _await(server, log)
    except BaseException:
        server.stop()
        raise
    return server


def _await(server: RedisServer, log: Path) -> None:
    until = time.monotonic() + START_PATIENCE
    with Redis.from_url(server.url) as client:
        while time.monotonic() < until and server.child.poll() is None:
            try:
                client.ping()
                return
            except RedisError:
                time.sleep(0.01)
    raise ConfigurationError(f"Redis does not start:\n{process.last_lines(log)}")
