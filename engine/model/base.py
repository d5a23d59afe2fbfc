"""What every table shares: naming, column types, and the partition helpers."""

from __future__ import annotations

import datetime as dt
import secrets
from decimal import Decimal
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, Identity, LargeBinary, MetaData, Numeric, Text, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

naming = {
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}


class Base(DeclarativeBase):
    """Declarative base. Instants are timestamptz in UTC, money is numeric, text is unbounded."""

    metadata = MetaData(naming_convention=naming)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a class attribute
        int: BigInteger,
        str: Text,
        bytes: LargeBinary,
        dt.datetime: DateTime(timezone=True),
        Decimal: Numeric,
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        list[str]: ARRAY(Text),
    }


def new_public_id() -> str:
    """An unguessable id for use outside: 96 random bits, base64url, 16 characters."""
    return secrets.token_urlsafe(12)


Id = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
PublicId = Annotated[str, mapped_column(Text, unique=True, default=new_public_id)]
CreatedAt = Annotated[dt.datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]
