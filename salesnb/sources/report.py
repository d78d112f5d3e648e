"""The LoadReport: what came in, what was refused and why, and that nothing was lost."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from salesnb.errors import DataError
from salesnb.language import format_number, tr
from salesnb.message import AS_TEXT, AnyText, tell
from salesnb.sources.notices.notice import Notice, by_table
from salesnb.summary import Summarised, printable

OUTCOMES = ("left_out", "merged", "superseded", "accepted", "refused")
"""What becomes of a row that was read."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Refusal(_Frozen):
    """Rows refused for one reason: how many, examples and what to do."""

    reason: AnyText
    count: int
    examples: tuple[str, ...]
    action: AnyText

    def told(self) -> Refusal:
        """Give the refusal in the language spoken."""
        said = {"reason": tell(self.reason), "action": tell(self.action)}
        return self.model_copy(update=said)


class TableLoad(_Frozen):
    """One table's rows: read = left out + merged + superseded + accepted + refused.

    `left_out` counts rows the mapping skips, `merged` repeated rows that it declares to be one
    (`distinct`), `superseded` rows whose key stands in a later row or file again.
    """

    table: str
    files: tuple[str, ...]
    read: int
    left_out: int = 0
    merged: int
    superseded: int = 0
    accepted: int
    refusals: tuple[Refusal, ...]

    @property
    def refused(self) -> int:
        """Rows in quarantine, and lines that could not be split into columns."""
        return sum(refusal.count for refusal in self.refusals)

    @property
    def reconciles(self) -> bool:
        """Whether every row read is accounted for."""
        dropped = self.left_out + self.merged + self.superseded
        return self.read == dropped + self.accepted + self.refused


class LoadReport(Summarised, _Frozen):
    """The whole import, table by table.

    Attributes
    ----------
    tables
        One entry a table that had a source.
    warnings
        What was accepted but will affect results.
    drift
        What changed since the import before.
    compared_with
        Id of the snapshot that import made; empty when there was none.
    resolved
        What the mapping's aliases put right, in words with counts.
    left_out
        Optional tables and columns of the mapping that the export does not have, in words.
    absent
        Tables of the model the export does not have.
    unused_files
        Files that no table was read from.
    reused_parts
        Parts of the export that were taken from the last snapshot as they were; known only to
        the import itself.
    """

    tables: tuple[TableLoad, ...]
    warnings: tuple[Notice, ...] = ()
    drift: tuple[Notice, ...] = ()
    compared_with: str = ""
    resolved: tuple[AnyText, ...] = ()
    left_out: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    unused_files: tuple[str, ...] = ()
    reused_parts: int = Field(0, exclude=True)

    @property
    def accepted(self) -> int:
        """Rows accepted over all tables."""
        return sum(table.accepted for table in self.tables)

    @property
    def refused(self) -> int:
        """Rows refused over all tables."""
        return sum(table.refused for table in self.tables)

    @property
    def finding(self) -> str:
        """The import in one sentence."""
        if self.refused:
            judged = self.accepted + self.refused
            said = tr(
                "{refused} of {n} rows were refused and put in quarantine.",
                refused=format_number(self.refused), n=format_number(judged),
            )  # fmt: skip
        else:
            said = tr("All {n} rows were accepted.", n=format_number(self.accepted))
        left_out = sum(table.left_out for table in self.tables)
        if not left_out:
            return said
        skipped = tr("The mapping left {n} out.", n=format_number(left_out))
        return f"{said} {skipped}"

    @property
    def caveat(self) -> str:
        """Say how much there is to know before its figures are trusted."""
        n = len(self.warnings)
        return f"To know before you trust the KPIs: {n} warnings, in .warnings." if n else ""

    def told(self) -> LoadReport:
        """Give the report in the language spoken; an import writes it in English."""
        tables = [
            table.model_copy(update={"refusals": tuple(one.told() for one in table.refusals)})
            for table in self.tables
        ]
        return self.model_copy(
            update={
                "tables": tuple(tables),
                "warnings": tuple(notice.told() for notice in self.warnings),
                "drift": tuple(notice.told() for notice in self.drift),
                "resolved": tuple(map(tell, self.resolved)),
            }
        )

    def check(self) -> str:
        """Check that every row read is accounted for in every table.

        Raises
        ------
        DataError
            A table does not reconcile.
        """
        apart = [table.table for table in self.tables if not table.reconciles]
        if apart:
            raise DataError(f"load report: rows do not reconcile in {', '.join(apart)}.")
        return f"All {len(self.tables)} tables reconcile."

    def to_frame(self) -> pd.DataFrame:
        """List one row a table: table, read, and what became of the rows read."""
        rows = [
            (t.table, t.read, t.left_out, t.merged, t.superseded, t.accepted, t.refused)
            for t in self.tables
        ]
        return pd.DataFrame(rows, columns=["table", "read", *OUTCOMES])

    def shown_frame(self) -> pd.DataFrame:
        """List what `to_frame` does, without outcomes that no row had."""
        frame = self.to_frame()
        unused = [name for name in OUTCOMES[:3] if not frame[name].any()]
        return frame.drop(columns=unused)

    def refusals_frame(self) -> pd.DataFrame:
        """List one row a table and reason: table, reason, rows, examples, action."""
        rows = [
            (table.table, r.reason, r.count, ", ".join(r.examples), r.action)
            for table in self.tables
            for r in table.refusals
        ]
        return pd.DataFrame(rows, columns=["table", "reason", "rows", "examples", "action"])

    def to_json(self) -> str:
        """Write the whole report as JSON, for another program."""
        return self.model_dump_json(indent=1, context=AS_TEXT)

    def __rich__(self) -> RenderableType:
        """Show finding, tables, refusals, warnings, drift."""
        counts = _rich_table(self.shown_frame(), numeric=("read", *OUTCOMES))
        parts: list[RenderableType] = [Text(self.finding, style="bold"), counts]
        if self.refused:
            parts.append(Text("What was refused", style="bold"))
            parts.append(_rich_table(self.refusals_frame(), numeric=("rows",)))
        parts += _lines("Resolved by your mapping", self.resolved)
        parts += _lines("Optional, and not in this export", self.left_out)
        parts += _notices("What to know before you trust the KPIs", self.warnings)
        parts += _notices("What changed since the last import", self.drift)
        if self.absent:
            parts.append(Text(f"Tables this export does not have: {', '.join(self.absent)}"))
        if self.unused_files:
            parts.append(Text(f"Files not used: {', '.join(self.unused_files)}"))
        return Group(*parts)


def _lines(heading: str, lines: Sequence[str]) -> list[RenderableType]:
    if not lines:
        return []
    return [Text(heading, style="bold"), *(Text(printable(f"  {line}")) for line in lines)]


def _notices(heading: str, notices: Sequence[Notice]) -> list[RenderableType]:
    """Put notices under their heading and tables, each with what it does and what to do."""
    if not notices:
        return []
    parts: list[RenderableType] = [Text(f"{heading} ({len(notices)})", style="bold")]
    for table, group in by_table(notices).items():
        parts.append(Text(f"  {table}"))
        parts += [Text(printable(f"    - {notice.text}")) for notice in group]
    return parts


def _rich_table(frame: pd.DataFrame, *, numeric: Sequence[str]) -> RichTable:
    table = RichTable()
    for name in frame.columns:
        table.add_column(str(name), justify="right" if name in numeric else "left")
    for row in frame.itertuples(index=False):
        table.add_row(*(Text(f"{v:,}" if isinstance(v, int) else printable(str(v))) for v in row))
    return table
