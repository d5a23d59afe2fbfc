"""Segments: saved rules, and who is in them, with history."""

from engine.segments.index import Asked, SegmentIndex
from engine.segments.refresh import mark_stale, refresh, refresh_stale
from engine.segments.rules import count, load_rules, resolve
from engine.segments.save import hear, save
from engine.segments.touched import BATCH, Held, expire, forget, hold, mark_touched, refresh_contacts, refresh_held

__all__ = [
    "BATCH",
    "Asked",
    "Held",
    "SegmentIndex",
    "count",
    "expire",
    "forget",
    "hear",
    "hold",
    "load_rules",
    "mark_stale",
    "mark_touched",
    "refresh",
    "refresh_contacts",
    "refresh_held",
    "refresh_stale",
    "resolve",
    "save",
]
