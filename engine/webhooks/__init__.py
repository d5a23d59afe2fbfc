"""Calls of other programs and notes to colleagues: queued with the step, delivered by workers, tried again."""
