"""At which hours contacts open and click."""

from __future__ import annotations

from sqlalchemy import Integer, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base


class ContactHour(Base):
    """How many messages a contact opened or clicked first in an hour of its local week (0..167, Monday 0:00 is 0).

    Contact 0 is everybody together. No foreign key, for rows are written in bulk with the hits.
    """

    __tablename__ = "contact_hours"

    contact_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    messages: Mapped[int] = mapped_column(Integer)
