"""Compiled contents become messages: one call per contact, complete bytes out."""
