"""What became of a folder's reports, from its journal: also while a batch runs, or after a kill."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from salesnb.errors import ParameterError
from salesnb.publish.journal import is_locked, read_state
from salesnb.publish.manifest import Record


@dataclass(frozen=True)
class Status:
    """The reports of a folder.

    Attributes
    ----------
    folder
        Where.
    is_running
        Whether a batch is writing there.
    has_ended
        Whether the last batch came to its end.
    states
        Of each report: slug, state (complete, failed, running, waiting, interrupted), its record
        or None.
    """

    folder: Path
    is_running: bool
    has_ended: bool
    states: tuple[tuple[str, str, Record | None], ...]

    @property
    def is_whole(self) -> bool:
        """Whether all reports are complete and nothing runs."""
        return all(state == "complete" for _, state, _ in self.states) and not self.is_running

    def __rich__(self) -> RenderableType:
        """Show one line a report."""
        counts: dict[str, int] = {}
        for _, state, _ in self.states:
            counts[state] = counts.get(state, 0) + 1
        counted = ", ".join(f"{n} {state}" for state, n in sorted(counts.items()))
        batch = "a batch is running" if self.is_running else (
            "no batch is running" if self.has_ended else "the last batch was interrupted"
        )  # fmt: skip
        table = Table("Report", "State", "Seconds", "Kernel", "Built", "Reason")
        for slug, state, record in self.states:
            cells = (
                (f"{record.seconds:.1f}", record.kernel, record.built, record.reason)
                if record else ("", "", "", "")
            )  # fmt: skip
            table.add_row(*(Text(cell) for cell in (slug, state, *cells)))
        return Group(Text(f"{self.folder}: {counted or 'no reports'}; {batch}."), table)


def read_status(folder: Path) -> Status:
    """Read what became of a folder's reports.

    Raises
    ------
    ParameterError
        There is no such folder.
    DataError
        Its journal cannot be read.
    """
    if not folder.is_dir():
        raise ParameterError(
            f"{folder}: there is no such folder. Give that of a quarter's reports."
        )
    is_running, state = is_locked(folder), read_state(folder)
    known = state.manifest.reports
    slugs = dict.fromkeys((*state.planned, *sorted(known)))
    states = []
    for slug in slugs:
        record = known.get(slug)
        if slug in state.open:
            told = "running" if is_running else "interrupted"
        elif record is not None:
            told = record.status
        else:
            told = "waiting" if is_running else "interrupted"
        states.append((slug, told, record))
    return Status(folder, is_running, state.has_ended, tuple(states))
