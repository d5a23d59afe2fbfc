"""What would go wrong with a campaign, found before anybody gets it: errors stop it, warnings want a person's word."""

from __future__ import annotations

from engine.campaigns.preflight.checking import check
from engine.campaigns.preflight.findings import Finding, Preflight
from engine.campaigns.preflight.starting import news, resume, start

__all__ = ["Finding", "Preflight", "check", "news", "resume", "start"]
