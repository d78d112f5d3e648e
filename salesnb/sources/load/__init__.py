"""The import: an export's sources, through a mapping and the checks, into a Snapshot."""

from salesnb.sources.load.run import import_snapshot

__all__ = ["import_snapshot"]
