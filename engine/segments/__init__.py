"""Segments: saved rules, and who is in them, with history."""

from engine.segments.refresh import mark_stale, refresh, refresh_contacts, refresh_stale
from engine.segments.rules import count, resolve
from engine.segments.save import save

__all__ = ["count", "mark_stale", "refresh", "refresh_contacts", "refresh_stale", "resolve", "save"]
