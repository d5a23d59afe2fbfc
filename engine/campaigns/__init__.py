"""Campaigns: one message, or variants of it, to an audience that is frozen when the campaign starts."""
