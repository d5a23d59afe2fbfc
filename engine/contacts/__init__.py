"""Contacts: who they are, what is known of them, and what they have agreed to."""
