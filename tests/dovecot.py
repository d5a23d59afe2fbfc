"""A real IMAP and POP3 server with one mailbox: Debian's dovecot-imapd and dovecot-pop3d, run without privileges."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.settings import Settings
from tests.engine.channels.servers import await_port, free_port
from workers.polling import DONE

CONFIGURATION = """
base_dir = {home}/run
state_dir = {home}/run
log_path = {home}/log
protocols = imap pop3
listen = 127.0.0.1
auth_failure_delay = 0
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
first_valid_uid = {uid}
ssl = required
ssl_cert = <{home}/cert.pem
ssl_key = <{home}/key.pem
mail_location = maildir:{home}/mail
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {imap}
    ssl = yes
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = 0
  }}
  inet_listener pop3s {{
    port = {pop}
    ssl = yes
  }}
}}
namespace inbox {{
  inbox = yes
}}
passdb {{
  driver = static
  args = password=s3cret/+
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}
}}
"""
CERTIFICATE = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
    "-addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem"
)


@dataclass(frozen=True)
class Dovecot:
    """`home/cert.pem` vouches for the server; `ports` are by scheme."""

    home: Path
    ports: dict[str, int]
    uid: int

    def url(self, scheme: str, password: str = "s3cret/+") -> str:
        """The mailbox, for CAIRN_BOUNCE_MAILBOX."""
        quoted = password.replace("/", "%2F").replace("+", "%2B")
        return f"{scheme}://bounces:{quoted}@localhost:{self.ports[scheme]}"

    def settings(self, scheme: str, password: str = "s3cret/+") -> Settings:
        """Settings that name the mailbox."""
        return Settings(bounce_mailbox=self.url(scheme, password))

    def deliver(self, *raws: bytes) -> None:
        """Put mails into the inbox."""
        for number, raw in enumerate(raws):
            path = self.home / "mail" / "new" / f"{time.time_ns()}.{number}.test"
            draft = self.home / "mail" / "tmp" / path.name
            draft.write_bytes(raw)
            os.chown(draft, self.uid, -1)
            draft.rename(path)

    def inbox(self) -> int:
        """How many mails are in the inbox."""
        return _count(self.home / "mail")

    def processed(self) -> int:
        """How many were put away."""
        return _count(self.home / "mail" / f".{DONE}")


def _count(folder: Path) -> int:
    return sum(1 for part in ("new", "cur") for _ in folder.glob(f"{part}/*"))


@contextmanager
def running_dovecot() -> Iterator[Dovecot]:
    """Run the server for the length of the block; root runs it as `nobody`."""
    program = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None or not Path("/usr/lib/dovecot/pop3-login").exists():
        pytest.skip("install dovecot-imapd and dovecot-pop3d")
    uid = pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else os.getuid()
    user = pwd.getpwuid(uid)
    with tempfile.TemporaryDirectory(prefix="dove") as name:
        home = Path(name)
        for folder in ("mail/new", "mail/cur", "mail/tmp", "run"):
            (home / folder).mkdir(parents=True)
        subprocess.run(CERTIFICATE.split(), cwd=home, check=True, capture_output=True)
        ports = {"imaps": free_port(), "pop3s": free_port()}
        own = {"home": home, "user": user.pw_name, "group": grp.getgrgid(user.pw_gid).gr_name, "uid": uid}
        own |= {"gid": user.pw_gid, "imap": ports["imaps"], "pop": ports["pop3s"]}
        (home / "conf").write_text(CONFIGURATION.format(**own))
        for path in (home, *home.rglob("*")):
            os.chown(path, uid, user.pw_gid)
        lowered: dict[str, Any] = {"user": uid, "group": user.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
        server = subprocess.Popen([program, "-F", "-c", str(home / "conf")], **lowered)
        try:
            for port in ports.values():
                await_port(port)
            yield Dovecot(home, ports, uid)
        finally:
            server.terminate()
            server.wait(10)
