"""The programming interface: Segment-compatible ingest, answered natively."""
