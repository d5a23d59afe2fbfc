"""How providers speak of our messages: by a signed name that goes out with each and comes back with its receipts."""

from __future__ import annotations

from dataclasses import dataclass

from engine.channels.provider import Outgoing
from engine.signing import Signer
from engine.urls import origin_us

TEXTS = "/hooks/sms/"


@dataclass(frozen=True, slots=True)
class Naming:
    """`site` is the base of addresses that providers can reach."""

    site: str
    signer: Signer

    def name(self, item: Outgoing) -> str:
        """As `Signer.read_bounce` reads it: 80 bits of tag, letters and digits; "" for what is not in the ledger."""
        return self.signer.bounce(item.id, origin_us(item.origin_at)) if item.origin_at else ""

    def receipt_url(self, item: Outgoing) -> str:
        """Where a gateway tells what became of a text; "" for one that is not in the ledger."""
        name = self.name(item)
        return f"{self.site}{TEXTS}{name}" if name else ""
