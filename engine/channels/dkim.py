"""DKIM signatures (RFC 6376): relaxed/relaxed, rsa-sha256 of 2048 bits or more (RFC 8301) and ed25519 (RFC 8463).

The body must be its own relaxed form, as `engine.rendering` writes it: no two blanks in a row, no tab, no blank at the
end of a line, one line end at the end. So it is hashed as it stands, once for all keys.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from engine.errors import ConfigurationError

# What is not there is signed as absent, so that nobody adds it later; From twice, so that nobody adds a second one.
signed = (
    *("from", "from", "to", "cc", "reply-to", "subject", "date", "message-id", "mime-version", "content-type"),
    *("list-unsubscribe", "list-unsubscribe-post", "feedback-id"),
)
field_end = re.compile(rb"\r\n(?![ \t])")
domain_name = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?").fullmatch
blanks = re.compile(rb"[ \t]+")
prehashed = Prehashed(hashes.SHA256())
least_bits = 2048


@dataclass(frozen=True)
class Key:
    """A private key and the selector under which its public half is published."""

    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey

    @property
    def algorithm(self) -> str:
        """As `a=` names it."""
        return "rsa-sha256" if isinstance(self.private, RSAPrivateKey) else "ed25519-sha256"

    def sign(self, digest: bytes) -> bytes:
        """The signature over a SHA-256 digest."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(digest, padding.PKCS1v15(), prehashed)
        return self.private.sign(digest)

    def record(self) -> str:
        """The TXT record to publish at SELECTOR._domainkey.DOMAIN (RFC 6376, section 3.6.1; RFC 8463, section 4)."""
        public = self.private.public_key()
        if isinstance(self.private, RSAPrivateKey):
            form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        else:
            form = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        kind = self.algorithm.removesuffix("-sha256")
        return f"v=DKIM1; k={kind}; p={base64.b64encode(public.public_bytes(*form)).decode()}"


def load(selector: str, path: Path) -> Key:
    """The key in a PEM file. Raises ConfigurationError when it is missing, of another kind, or too short."""
    try:
        return parse(selector, path.read_bytes(), str(path))
    except OSError as error:
        raise ConfigurationError(f"The DKIM key {path} cannot be read: {error.strerror}.") from error


def parse(selector: str, pem: bytes, where: str) -> Key:
    """The key in a PEM text; errors say `where` it is from. Raises ConfigurationError as `load`."""
    try:
        private = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"{where} is no PEM file of a private key without a password.") from error
    if isinstance(private, RSAPrivateKey) and private.key_size < least_bits:
        raise ConfigurationError(f"The DKIM key {where} has {private.key_size} bits; at least {least_bits} are needed.")
    if not isinstance(private, RSAPrivateKey | Ed25519PrivateKey):
        raise ConfigurationError(f"The DKIM key {where} is neither RSA nor Ed25519.")
    return Key(selector, private)


def new(*, ed25519: bool) -> bytes:
    """A new private key as PEM."""
    private = Ed25519PrivateKey.generate() if ed25519 else generate_private_key(65537, least_bits)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private.private_bytes(*form)


def create(path: Path, *, ed25519: bool) -> None:
    """Write a new private key, readable to its owner only. Raises OSError, also when the file exists."""
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(new(ed25519=ed25519))


def configured(domain: str | None, keys: str | None) -> Dkim | None:
    """The signer that CAIRN_DKIM_DOMAIN and CAIRN_DKIM_KEYS (`SELECTOR:FILE,…`) ask for; None without either.

    Raises ConfigurationError when one is missing or wrong.
    """
    if not domain and not keys:
        return None
    if not domain or not keys:
        raise ConfigurationError("Signing needs both CAIRN_DKIM_DOMAIN and CAIRN_DKIM_KEYS.")
    pairs = [(word.strip().partition(":")) for word in keys.split(",")]
    for name, wanted in (
        (domain, "CAIRN_DKIM_DOMAIN"),
        *((pair[0], "a selector in CAIRN_DKIM_KEYS") for pair in pairs),
    ):
        if not domain_name(name):
            raise ConfigurationError(f"“{name}” cannot be {wanted}: use letters, digits, - and dots.")
    if len({selector for selector, _, _ in pairs}) < len(pairs):
        raise ConfigurationError("Each key in CAIRN_DKIM_KEYS needs a selector of its own.")
    return Dkim(domain, [load(selector, Path(path)) for selector, _, path in pairs])


def relaxed(field: bytes) -> tuple[bytes, bytes]:
    """Name and relaxed form of a header field, without its line end (RFC 6376, section 3.4.2)."""
    name, _, value = field.partition(b":")
    name = name.rstrip(b" \t").lower()
    return name, name + b":" + blanks.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")


class Dkim:
    """Signs messages of one domain with one key or several."""

    def __init__(self, domain: str, keys: Sequence[Key]) -> None:
        self.domain, self.keys = domain, keys
        names = ":".join(signed[:8]) + ":\r\n " + ":".join(signed[8:])
        self._starts = [
            f"DKIM-Signature: v=1; a={key.algorithm}; c=relaxed/relaxed;\r\n d={domain}; s={key.selector};\r\n"
            f" h={names};\r\n bh=".encode()
            for key in keys
        ]

    def sign(self, message: bytes) -> bytes:
        """The message behind its signatures. It has CRLF line ends and the body that this module asks for."""
        head, _, body = message.partition(b"\r\n\r\n")
        text = base64.b64encode(hashlib.sha256(body).digest()) + b";\r\n b="
        hashed = hashlib.sha256(self._fields(head))
        fields = []
        for key, start in zip(self.keys, self._starts, strict=True):
            own = hashed.copy()
            own.update(relaxed(start + text)[1])
            value = base64.b64encode(key.sign(own.digest()))
            folded = b"\r\n ".join(value[at : at + 72] for at in range(0, len(value), 72))
            fields.append(start + text + folded + b"\r\n")
        return b"".join([*fields, message])

    @staticmethod
    def _fields(head: bytes) -> bytes:
        """The signed fields in the order of h=; of several with one name the last comes first (section 5.4.2)."""
        found: dict[bytes, list[bytes]] = {}
        for field in field_end.split(head):
            name, form = relaxed(field)
            found.setdefault(name, []).append(form)
        chosen = [found[name].pop() for each in signed if found.get(name := each.encode())]
        return b"".join(form + b"\r\n" for form in chosen)
