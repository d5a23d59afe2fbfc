"""A real Kannel: bearerbox, smsbox and `fakesmsc`, the phones behind it. Debian's packages kannel and kannel-extras."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

FAKE = Path("/usr/lib/kannel/test/fakesmsc")
PATIENCE = 20.0
CONFIGURATION = """
group = core
sms-combine-concatenated-mo = {combine}
admin-port = {admin}
admin-password = admin
smsbox-port = {box}
box-allow-ip = 127.0.0.1
admin-allow-ip = 127.0.0.1

group = smsc
smsc = fake
smsc-id = fake
port = {centre}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}

group = sendsms-user
username = cairn
password = secret
concatenation = true
max-messages = 10

group = sms-service
keyword = default
catch-all = true
omit-empty = true
max-messages = 3
get-url = "{incoming}"
"""


def missing() -> str:
    """The package that would have to be installed; '' where all is here."""
    if shutil.which("bearerbox") is None:
        return "kannel"
    return "" if FAKE.exists() else "kannel-extras"


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@dataclass
class Kannel:
    """`sendsms` is the port of its HTTP interface, `phones` what the phones got and sent."""

    sendsms: int
    centre: int
    phones: Path

    def arrived(self) -> list[str]:
        """The texts that the phones got, as `fakesmsc` prints them."""
        lines = self.phones.read_text("utf-8", "replace").splitlines()
        return [line.partition("Got message ")[2] for line in lines if "Got message " in line]


@contextmanager
def kannel(folder: Path, incoming: str, *texted: str, times: int = 1, combine: bool = True) -> Iterator[Kannel]:
    """Run it. `incoming` is the address for texts, `texted` what phones send: "SENDER RECEIVER text WORDS", or
    "SENDER RECEIVER udh HEADER WORDS"; of several one by chance, `times` times. `combine`: whether Kannel joins pieces.
    """
    admin, box, centre, sendsms = free_ports(4)
    ports = {"admin": admin, "box": box, "centre": centre, "sendsms": sendsms, "combine": str(combine).lower()}
    configuration = folder / "kannel.conf"
    configuration.write_text(CONFIGURATION.format(incoming=incoming, **ports))
    with ExitStack() as stack:
        _run(stack, folder, "bearerbox", "-v", "1", str(configuration))
        _await(box)
        _run(stack, folder, "smsbox", "-v", "1", str(configuration))
        _await(sendsms)
        _run(stack, folder, str(FAKE), "-H", "127.0.0.1", "-r", str(centre), "-i", "0.1", "-m", str(times), *texted)
        yield Kannel(sendsms, centre, folder / "fakesmsc.log")


def _run(stack: ExitStack, folder: Path, *command: str) -> None:
    with (folder / f"{Path(command[0]).name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    stack.callback(process.wait)
    stack.callback(process.kill)


def _await(port: int) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on port {port}")
