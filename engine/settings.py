"""Settings of an installation, read once from the environment (`CAIRN_*`, `DATABASE_URL`, `REDIS_URL`) and `.env`."""

from __future__ import annotations

import functools
import secrets
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from engine.errors import ConfigurationError

SHORTEST_KEY = 32


class Settings(BaseSettings):
    """Without `database_url` and `redis_url` the embedded servers in `home` are used."""

    model_config = SettingsConfigDict(env_prefix="CAIRN_", env_file=".env", extra="ignore")

    home: Path = Path("var")
    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL")
    redis_url: str | None = Field(default=None, validation_alias="REDIS_URL")
    workspace: str = "default"
    host: str = "127.0.0.1"
    port: int = 8025
    public_url: str | None = None  # what contacts reach; http://host:port when unset
    client_ip_header: str | None = None  # set by a proxy of ours, such as X-Forwarded-For; its last address counts
    smtp_url: str | None = None  # smtp://user:password@host:port; the local mailbox when unset
    mailbox_url: str | None = None  # where the local mailbox listens; `cairn up` sets it when no mail server is named
    smtp_connections: int = 8
    bounce_domain: str | None = None  # bounces.example.com, or bounces@example.com for a mailbox that takes bounces+…
    sms_url: str | None = (
        None  # twilio://, kannel:// or smpp://, see engine.channels.sms.gateway; the local phone when unset
    )
    bounce_listen: str | None = None  # lmtp://127.0.0.1:8024 or smtp://0.0.0.0:25: where mail that comes back is taken
    bounce_mailbox: SecretStr | None = None  # imaps://user:password@host/INBOX or pop3s://…, asked each minute
    dkim_domain: str | None = None  # what email is signed for; it should be the domain of the sender's address
    dkim_keys: str | None = None  # SELECTOR:FILE, or several with commas between, such as an RSA and an Ed25519 key
    dns_server: str | None = None  # 192.0.2.1:53: asked in place of the machine's resolver when senders are checked
    rspamd_url: str | None = None  # http://127.0.0.1:11333: previews show what rspamd thinks of them
    webhook_networks: str = ""  # networks of our own that webhooks may reach, as in 10.1.0.0/16, with commas between
    allowed_recipients: str = ""  # addresses, @domains, numbers, +49*: nobody else is written to; everybody when unset
    secret_key: SecretStr | None = None  # kept in home/secret when unset
    sealing_keys: SecretStr | None = None  # keys for secrets at rest, with commas between; the first one seals
    log_level: str = "INFO"
    log_format: str = "console"  # console, json

    @property
    def workspace_schema(self) -> str:
        """The PostgreSQL schema of the workspace."""
        return f"cairn_{self.workspace}"

    @property
    def site_url(self) -> str:
        """Base of every link in a message, without a trailing slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def mail_stays_here(self) -> bool:
        """Whether email goes to the local mailbox and reaches nobody."""
        return self.smtp_url in (None, self.mailbox_url)

    def keys_to_seal(self) -> list[bytes]:
        """CAIRN_SEALING_KEYS, the one that seals first. Raises ConfigurationError for one that could be guessed."""
        given = self.sealing_keys.get_secret_value() if self.sealing_keys is not None else ""
        found = [each.strip().encode() for each in given.split(",") if each.strip()]
        if any(len(each) < SHORTEST_KEY for each in found):
            hint = "`cairn secrets new` prints one."
            raise ConfigurationError(f"A key in CAIRN_SEALING_KEYS has under {SHORTEST_KEY} characters. {hint}")
        return found

    def secret(self) -> bytes:
        """The installation's secret, made at first use and kept readable to its owner only."""
        if self.secret_key is not None:
            return self.secret_key.get_secret_value().encode()
        path = self.home / "secret"
        if not path.exists():
            self.home.mkdir(parents=True, exist_ok=True)
            _create_private(path, secrets.token_urlsafe(48))
        return path.read_bytes().strip()


def _create_private(path: Path, text: str) -> None:
    """Write once: of two processes that start together, the first one's secret stays."""
    draft = path.with_name(f".secret-{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink()


@functools.cache
def settings() -> Settings:
    """The settings of this process. Raises ConfigurationError naming the variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]).upper()
        raise ConfigurationError(f"The setting {name} is not valid: {first['msg']}.") from error
