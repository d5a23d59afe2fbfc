"""Reads that only pages need. Each is one statement and is bounded."""
