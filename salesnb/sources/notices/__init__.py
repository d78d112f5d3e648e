"""What to know about accepted rows: what misleads, and what changed since the import before."""
