"""Previews, checks and test sends."""
