"""What one running import knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from salesnb.sources.load.export import Export
from salesnb.sources.load.settle import Settled
from salesnb.sources.mapping import Mapping
from salesnb.sources.notices.notice import Notice
from salesnb.sources.report import TableLoad
from salesnb.sources.snapshot import Snapshot


@dataclass
class Import:
    """State of one running import.

    Attributes
    ----------
    content, workspace
        Folder of the content being made, and one within it for what is not kept.
    previous
        What the snapshot folder held before.
    accepted, settled, loads
        Per table settled so far: relation of its rows, its parts, its counts.
    shared
        Ids of the parts that several blocks read.
    """

    db: duckdb.DuckDBPyConnection
    content: Path
    workspace: Path
    mapping: Mapping
    export: Export
    previous: Snapshot | None
    is_append: bool
    left_out: tuple[str, ...] = ()
    shared: frozenset[int] = frozenset()
    accepted: dict[str, str] = field(default_factory=dict)
    settled: dict[str, Settled] = field(default_factory=dict)
    loads: list[TableLoad] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    n_reused: int = 0

    def count(self, relation: str) -> int:
        """Count the rows of a relation."""
        return int(self.db.sql(f"select count(*) from {relation}").fetchall()[0][0])
