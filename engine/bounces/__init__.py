"""Bounces and complaints: what a mail that came back says. Pure: bytes in, a Report out."""

from engine.bounces.classify import classify
from engine.bounces.report import KINDS, Report, Verdict

__all__ = ["KINDS", "Report", "Verdict", "classify"]
