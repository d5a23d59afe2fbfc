"""The demo shop: ninety days of a small coffee roaster, through the real pipeline."""
