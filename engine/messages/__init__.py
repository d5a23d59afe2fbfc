"""The life of a message: claimed, gated, rendered, handed over, accounted for."""
