"""Raw exports to a checked, immutable Snapshot."""
