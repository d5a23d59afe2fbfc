"""What can go wrong while one message is rendered."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import ProviderError


@dataclass
class RenderError(ProviderError):
    """This message cannot be rendered for this contact; sending it again would not help, so it is permanent."""

    permanent: bool = True
    code: str = "render"


@dataclass
class LimitError(RenderError):
    """The template asked for more steps, text or numbers than one message may take."""

    code: str = "render-limit"
