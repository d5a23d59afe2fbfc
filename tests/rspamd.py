"""A real rspamd with the rules that Debian's package brings, in a folder of its own and without a network."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine.channels.servers import free_port

# The list of top-level domains is ours, as rspamd takes half a minute to compile its own.
CONFIGURATION = """
.include "$CONFDIR/common.conf"
options {{
    filters = "chartable,dkim,regexp";
    cache_file = "{home}/symbols.cache";
    hs_cache_dir = "{home}/";
    url_tld = "{home}/tlds";
    pidfile = "{home}/pid";
    control_socket = "{home}/control mode=0600";
    tempdir = "{home}";
    history_file = "{home}/history";
    disable_hyperscan = true;
    map_watch_interval = 1h;
    dns {{ nameserver = ["127.0.0.1:1"]; timeout = 0.05s; retransmits = 1; }}
}}
logging {{ type = "file"; filename = "{home}/log"; level = "warning"; }}
worker "normal" {{ bind_socket = "127.0.0.1:{port}"; count = 1; }}
"""
ASKING_OTHERS = "asn fuzzy_check greylist mx_check neural ratelimit rbl replies reputation rspamd_update surbl"
TRIES, SECONDS = 3, 60


@contextmanager
def running_rspamd() -> Iterator[str]:
    """Run it for the length of the block; gives its URL."""
    program = shutil.which("rspamd", path="/usr/bin:/usr/sbin:/usr/local/bin")
    if program is None:
        pytest.skip("install rspamd")
    with tempfile.TemporaryDirectory(prefix="rspamd") as name:
        home = Path(name)
        (home / "tlds").write_text("com\norg\nexample\n")
        (home / "override.d").mkdir()
        for module in ASKING_OTHERS.split():
            (home / "override.d" / f"{module}.conf").write_text("enabled = false;\n")
        server, port = _started(program, home)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


def _started(program: str, home: Path) -> tuple[subprocess.Popen[bytes], int]:
    """It cannot take a port of the system's choice, so one that somebody else took meanwhile costs a new try."""
    for _ in range(TRIES):
        port = free_port()
        (home / "conf").write_text(CONFIGURATION.format(home=home, port=port))
        places = [f"--var={name}={home}" for name in ("DBDIR", "RUNDIR", "LOGDIR", "LOCAL_CONFDIR")]
        with (home / "out").open("wb") as out:
            server = subprocess.Popen([program, "-f", "-i", "-c", str(home / "conf"), *places], stdout=out, stderr=out)
        if _listens(server, port):
            return server, port
        server.kill()
        server.wait()
    raise AssertionError((home / "out").read_text()[-2000:])


def _listens(server: subprocess.Popen[bytes], port: int) -> bool:
    until = time.monotonic() + SECONDS
    while server.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False
