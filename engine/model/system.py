"""The workspace itself: settings, people who sign in, keys, imports, leases and the clock."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base, CreatedAt, Id, PublicId


class WorkspaceSetting(Base):
    """A named value of the workspace; `engine.workspace` knows the names and their defaults."""

    __tablename__ = "workspace_settings"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB)


class Clock(Base):
    """One row at most. While it is there, `virtual_now` is the time for every process."""

    __tablename__ = "clock"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    virtual_now: Mapped[dt.datetime]


class Lease(Base):
    """Leadership by name: valid until `lease_until`; `fence` rises with each new holder."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    fence: Mapped[int]
    lease_until: Mapped[dt.datetime]


class ScheduleSlot(Base):
    """A slot of a schedule that has been taken: each runs once, whoever leads."""

    __tablename__ = "schedule_slots"

    schedule: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[dt.datetime] = mapped_column(primary_key=True)
    fence: Mapped[int]
    taken_at: Mapped[CreatedAt]


class User(Base):
    """Someone who signs in. role: admin, marketer, viewer. A changed `session_stamp` ends the sessions."""

    __tablename__ = "users"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(server_default=text("''"))
    role: Mapped[str] = mapped_column(server_default=text("'admin'"))
    password_hash: Mapped[str]
    session_stamp: Mapped[str]
    created_at: Mapped[CreatedAt]


class ApiKey(Base):
    """A key for `/v1`. Only its SHA-256 is stored; `prefix` shows which one it is."""

    __tablename__ = "api_keys"

    id: Mapped[Id]
    prefix: Mapped[str]
    key_hash: Mapped[bytes] = mapped_column(unique=True)
    name: Mapped[str]
    scopes: Mapped[list[str]]
    created_at: Mapped[CreatedAt]
    revoked_at: Mapped[dt.datetime | None]


class ApiFailure(Base):
    """A call of `/v1` that failed: what was asked for, and what was answered. The newest are kept."""

    __tablename__ = "api_failures"

    id: Mapped[Id]
    at: Mapped[dt.datetime]
    key_prefix: Mapped[str]
    method: Mapped[str]
    path: Mapped[str]
    status: Mapped[int]
    message: Mapped[str]


class Import(Base):
    """A file that was imported, with its counts and where its refused rows are."""

    __tablename__ = "imports"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    kind: Mapped[str]  # contacts, events
    filename: Mapped[str]
    rows: Mapped[int]
    accepted: Mapped[int]
    unchanged: Mapped[int]
    refused: Mapped[int]
    error_file: Mapped[str | None]
    started_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]


class AuditLog(Base):
    """Who did what to which object."""

    __tablename__ = "audit_log"

    id: Mapped[Id]
    actor: Mapped[str]
    action: Mapped[str]
    object: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    at: Mapped[CreatedAt]
