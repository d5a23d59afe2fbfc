"""Journeys: the language that people write them in, and the executor that runs them."""
