"""How a session is set up: TLS, sign-in, and the address of the server. aiosmtpd speaks the other side."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from engine.channels.journal import Journal
from engine.channels.smtp import Server, Transmitter
from engine.errors import ConfigurationError, ProviderError
from tests.engine.channels.servers import certificate, free_port, letters, scripted

pytestmark = pytest.mark.timeout(30)


class Keeper:
    """Keeps what arrives, with whether the session was encrypted."""

    def __init__(self) -> None:
        self.kept: list[tuple[bytes, bool]] = []

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd calls it so
        self.kept.append((envelope.content, session.ssl is not None))
        return "250 2.0.0 kept"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate and its key."""
    return certificate(tmp_path_factory.mktemp("tls"))


def context(files: tuple[Path, Path]) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*files)
    return made


class Host(Controller):
    """A controller whose start-up probe is a client that trusts its own certificate."""

    def _trigger_server(self) -> None:
        with socket.create_connection((self.hostname, self.port), timeout=5) as plain:
            if self.ssl_context is not None:
                probe = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                probe.check_hostname, probe.verify_mode = False, ssl.CERT_NONE
                probe.wrap_socket(plain).recv(1)


def authenticator(server: object, session: object, envelope: object, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"me", b"s3cret/@"), handled=False)


@pytest.fixture
def transmit(tmp_path: Path) -> Iterator[Any]:
    """Sends three messages to a URL and gives the outcomes."""
    journal, made = Journal(tmp_path), list[Transmitter]()

    def sender(url: str) -> list[str]:
        made.append(Transmitter(url, journal, hostname="tests.example"))
        made[-1].open()
        return [result.outcome for result in made[-1].transmit(letters(3))]

    yield sender
    for each in made:
        each.close()


@pytest.fixture
def serve() -> Iterator[Any]:
    """Starts aiosmtpd with options; gives the keeper and the port."""
    running: list[Controller] = []

    def start(**options: Any) -> tuple[Keeper, int]:
        keeper = Keeper()
        running.append(Host(keeper, hostname="127.0.0.1", port=free_port(), **options))
        running[-1].start()
        return keeper, int(running[-1].port)

    yield start
    for each in running:
        each.stop()


def test_mail_goes_to_a_server_without_pipelining(serve: Any, transmit: Any) -> None:
    keeper, port = serve()
    assert transmit(f"smtp://127.0.0.1:{port}") == ["accepted"] * 3
    assert len(keeper.kept) == 3


def test_starttls_is_used_where_it_is_offered(serve: Any, transmit: Any, files: tuple[Path, Path]) -> None:
    keeper, port = serve(tls_context=context(files), require_starttls=True)
    assert transmit(f"smtp://localhost:{port}?ca={files[0]}") == ["accepted"] * 3
    assert [encrypted for _, encrypted in keeper.kept] == [True] * 3


def test_a_certificate_that_nobody_vouches_for_is_refused(serve: Any, transmit: Any, files: tuple[Path, Path]) -> None:
    keeper, port = serve(tls_context=context(files))
    with pytest.raises(ProviderError, match="certificate"):
        transmit(f"smtp://127.0.0.1:{port}")
    assert transmit(f"smtp://127.0.0.1:{port}?verify=no") == ["accepted"] * 3
    assert [encrypted for _, encrypted in keeper.kept] == [True] * 3


def test_implicit_tls(serve: Any, transmit: Any, files: tuple[Path, Path]) -> None:
    keeper, port = serve(ssl_context=context(files))
    assert transmit(f"smtps://127.0.0.1:{port}?ca={files[0]}") == ["accepted"] * 3
    assert len(keeper.kept) == 3


def test_starttls_that_is_required_but_not_offered_is_an_error(serve: Any, transmit: Any) -> None:
    _, port = serve()
    with pytest.raises(ProviderError, match="no STARTTLS"):
        transmit(f"smtp://127.0.0.1:{port}?starttls=required")


def test_what_was_sent_in_the_clear_after_starttls_is_not_trusted(transmit: Any) -> None:
    ehlo = b"250-test\r\n250 STARTTLS"
    with scripted(ehlo=ehlo, starttls=b"220 go\r\n250 injected") as server, pytest.raises(ProviderError, match="clear"):
        transmit(server.url)


@pytest.mark.parametrize("only", [[], ["PLAIN"], ["LOGIN"]], ids=["login", "without plain", "without login"])
def test_sign_in(serve: Any, transmit: Any, files: tuple[Path, Path], only: list[str]) -> None:
    keeper, port = serve(
        authenticator=authenticator, auth_required=True, tls_context=context(files), auth_exclude_mechanism=only
    )
    assert transmit(f"smtp://me:s3cret%2F%40@localhost:{port}?ca={files[0]}") == ["accepted"] * 3
    assert len(keeper.kept) == 3


def test_a_wrong_password_is_told_and_costs_no_message(serve: Any, transmit: Any, files: tuple[Path, Path]) -> None:
    _, port = serve(authenticator=authenticator, auth_required=True, tls_context=context(files))
    with pytest.raises(ProviderError, match="refuses the user or the password"):
        transmit(f"smtp://me:wrong@localhost:{port}?ca={files[0]}")


def test_the_address_of_a_server() -> None:
    assert Server.parse("smtp://127.0.0.1:2525") == Server("127.0.0.1", 2525)
    assert Server.parse("smtps://me:p%40ss@mail.example") == Server("mail.example", 465, "implicit", "me", "p@ss")
    assert Server.parse("smtp://[::1]:25?starttls=no").tls == "no"


@pytest.mark.parametrize(
    "url",
    ["http://x", "smtp://", "smtp://a.example?verify=no", "smtp://a.example?starttls=maybe", "smtp://a.example?x=1"],
)
def test_an_address_that_is_wrong_or_unsafe_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        Server.parse(url)


@pytest.mark.parametrize("url", ["stmp://user:hidden@mail.example", "smtp://:hidden@", "user:hidden@mail.example"])
def test_an_address_that_is_none_is_told_without_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Server.parse(url)
    assert "hidden" not in str(caught.value)
