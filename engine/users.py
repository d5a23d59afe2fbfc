"""People who sign in to the web UI, and the keys that programs use."""

from __future__ import annotations

import functools
import hashlib
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.errors import InvalidInput
from engine.model import ApiKey, User

hasher = PasswordHasher()
ROLES = ("admin", "marketer", "viewer")


def create(session: Session, email: str, password: str, *, name: str = "", role: str = "admin") -> User:
    """A new user. Raises InvalidInput for a short password, a taken address or a role that is none."""
    if len(password) < 10:
        raise InvalidInput("a password needs at least 10 characters", where="password")
    if role not in ROLES:
        raise InvalidInput(f"a role is one of {', '.join(ROLES)}", where="role")
    if by_email(session, email) is not None:
        raise InvalidInput("this address already belongs to a user", where="email")
    user = User(
        email=email.strip().lower(),
        name=name,
        role=role,
        password_hash=hasher.hash(password),
        session_stamp=secrets.token_urlsafe(16),
    )
    session.add(user)
    session.flush()
    return user


def ensure_admin(session: Session) -> tuple[str, str] | None:
    """Make the first administrator with a random password: (email, password), or None when there is a user already."""
    if session.execute(select(func.count(User.id))).scalar_one():
        return None
    email, password = "admin@cairn.example", secrets.token_urlsafe(12)
    create(session, email, password, name="Administrator")
    return email, password


def by_email(session: Session, email: str) -> User | None:
    """The user with this address."""
    return session.execute(select(User).where(User.email == email.strip().lower())).scalar_one_or_none()


def by_public_id(session: Session, public_id: str) -> User | None:
    """The user with this public id."""
    return session.execute(select(User).where(User.public_id == public_id)).scalar_one_or_none()


def authenticate(session: Session, email: str, password: str) -> User | None:
    """The user, if the password is right. An unknown address costs the same time as a wrong password."""
    user = by_email(session, email)
    try:
        hasher.verify(user.password_hash if user else _hash_of_nobody(), password)
    except (VerificationError, InvalidHashError):
        return None
    if user is not None and hasher.check_needs_rehash(user.password_hash):
        user.password_hash = hasher.hash(password)
    return user


@functools.cache
def _hash_of_nobody() -> str:
    return hasher.hash(secrets.token_urlsafe(16))


def set_password(user: User, password: str) -> None:
    """Change the password and end every session of the user."""
    if len(password) < 10:
        raise InvalidInput("a password needs at least 10 characters", where="password")
    user.password_hash = hasher.hash(password)
    user.session_stamp = secrets.token_urlsafe(16)


def create_api_key(session: Session, name: str, scopes: tuple[str, ...] = ("ingest",)) -> str:
    """A new key; this is the only time that it can be seen."""
    key = f"ck_{secrets.token_urlsafe(24)}"
    session.add(ApiKey(prefix=key[:8], key_hash=key_hash(key), name=name, scopes=list(scopes)))
    return key


def key_hash(key: str) -> bytes:
    """SHA-256 of a key: the key itself has 192 random bits, so no slow hash is needed."""
    return hashlib.sha256(key.encode()).digest()


def api_keys(session: Session) -> dict[bytes, frozenset[str]]:
    """Hashes of the keys in force with their scopes."""
    rows = session.execute(select(ApiKey.key_hash, ApiKey.scopes).where(ApiKey.revoked_at.is_(None))).all()
    return {hash_: frozenset(scopes) for hash_, scopes in rows}
