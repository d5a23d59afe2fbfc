"""What was decided on the blocks of a message."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base


class MessageBlocks(Base):
    """Of a message whose content asks rules or shows products.

    `holds` are the numbers, from 1, of the rules that were true of its contact; `products` the ids of what its product
    blocks showed, by their number: `{"1": ["7", "9"]}`.
    """

    __tablename__ = "message_blocks"

    message_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    origin_at: Mapped[dt.datetime]
    holds: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), server_default=text("'{}'"))
    products: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
