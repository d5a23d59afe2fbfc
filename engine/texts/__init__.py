"""Texts that people send to us: their wishes, their questions, their replies."""
