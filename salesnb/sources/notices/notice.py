"""Notices: what was accepted but changes what a reader may believe, and how that is worded."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from pydantic import BaseModel, ConfigDict

from salesnb.language import mark
from salesnb.message import AnyText, figure, listing, message, message_many, percentage, tell
from salesnb.schema import TABLES, Column, activities, leads, opportunities, targets

_CLOSING = (
    "bookings", "quota_attainment", "win_rate", "close_rate", "deal_size", "cycle_days",
)  # fmt: skip
_CALLS = ("connected_calls", "meetings_per_100")
_NEEDED_BY: tuple[tuple[Column, tuple[str, ...]], ...] = (
    (opportunities.created_on, ("close_rate", "cycle_days")),
    (opportunities.closed_on, _CLOSING),
    (opportunities.is_won, _CLOSING),
    (opportunities.is_closed, _CLOSING),
    (
        opportunities.amount,
        ("bookings", "quota_attainment", "deal_size", "pipeline_created", "pipeline_coverage"),
    ),
    (opportunities.qualified_on, ("pipeline_created",)),
    (opportunities.expected_close_on, ("pipeline_coverage",)),
    (targets.target, ("quota_attainment", "pipeline_coverage")),
    (leads.created_at, ("leads", "lead_to_won")),
    (leads.converted_opportunity_id, ("lead_to_won",)),
    (activities.started_at, _CALLS),
    (activities.kind, _CALLS),
)
"""Column -> the headline KPIs that need it, by the ids of the KPI catalogue."""

KPIS_OF = {(column.table, str(column)): kpis for column, kpis in _NEEDED_BY}
"""(table, column) -> the KPIs that need it."""

FEW_ROWS = 50
"""Below it a share says more about chance than about the export."""

MISSING_SHARE = 0.02
"""Fewer than 1 row in 50 without a value move a KPI less than its own uncertainty."""

SEVERAL = mark("several tables")
"""In place of a table, of what several have in common."""

WON_AMOUNT_KPIS = ("bookings", "quota_attainment", "deal_size")
_SINGULAR = {
    "opportunities": message("opportunity"),
    "activities": message("activity"),
    "memberships": message("membership"),
    "leads": message("lead"),
    "reps": message("rep"),
    "teams": message("team"),
}


class Notice(BaseModel):
    """One thing to know about accepted rows.

    Attributes
    ----------
    table
        Where it was found.
    what
        What it is, how many rows and which, as sentences.
    effect
        What it does to figures, in words.
    kpis
        Ids of the KPIs it touches.
    action
        The one thing to do about it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str
    what: AnyText
    effect: AnyText = ""
    kpis: tuple[str, ...] = ()
    action: AnyText = ""

    @property
    def text(self) -> str:
        """The whole notice, without its table."""
        named = f"KPIs: {', '.join(self.kpis)}." if self.kpis else ""
        return " ".join(part for part in (self.what, self.effect, named, self.action) if part)

    def told(self) -> Notice:
        """Give the notice in the language spoken."""
        said = {name: tell(getattr(self, name)) for name in ("what", "effect", "action")}
        return self.model_copy(update=said)

    def __str__(self) -> str:
        """Give table and text."""
        return f"{self.table}: {self.text}"


def by_table(notices: Iterable[Notice]) -> dict[str, list[Notice]]:
    """Group notices by their table, in the order of the model's tables."""
    groups: dict[str, list[Notice]] = {table: [] for table in TABLES}
    for notice in notices:
        groups.setdefault(notice.table, []).append(notice)
    return {table: group for table, group in groups.items() if group}


def kpis_of(*columns: Column) -> tuple[str, ...]:
    """List the KPIs that need any of these columns."""
    kpis = [kpi for column in columns for kpi in KPIS_OF.get((column.table, str(column)), ())]
    return tuple(dict.fromkeys(kpis))


def table_kpis(table: str) -> tuple[str, ...]:
    """List the KPIs that need any column of a table."""
    return kpis_of(*TABLES[table].columns.values())


def lacking_kpis(columns: Mapping[str, Collection[str]]) -> frozenset[str]:
    """List the KPIs that cannot be computed from these columns of these tables."""
    return frozenset(
        kpi
        for (table, column), kpis in KPIS_OF.items()
        for kpi in kpis
        if column not in columns.get(table, ())
    )


def row_of(table: str) -> str:
    """Name one row of a table.

    >>> row_of("activities"), row_of("reps"), row_of("ratings")
    ('activity', 'rep', 'row')
    """
    return _SINGULAR.get(table) or message("row")


def rows_of(table: str, count: int) -> str:
    """Count rows of a table by their own noun.

    >>> rows_of("opportunities", 1), rows_of("leads", 1200), rows_of("ratings", 1)
    ('1 opportunity', '1,200 leads', '1 row')
    """
    counted = {
        "opportunities": message_many("{n} opportunity", "{n} opportunities", count),
        "activities": message_many("{n} activity", "{n} activities", count),
        "memberships": message_many("{n} membership", "{n} memberships", count),
        "leads": message_many("{n} lead", "{n} leads", count),
        "reps": message_many("{n} rep", "{n} reps", count),
        "teams": message_many("{n} team", "{n} teams", count),
    }
    return counted.get(table) or message_many("{n} row", "{n} rows", count)


def share_text(count: float, whole: float) -> str:
    """Write a share as per cent; what is not nothing is not 0%, and what is not all not 100%.

    >>> share_text(14, 100), share_text(1, 900), share_text(999, 1000)
    ('14%', 'under 1%', 'over 99%')
    """
    per_cent = 100 * count / whole if whole else 0.0
    if 0 < per_cent < 0.95:
        return message("under {share}", share=percentage(0.01))
    if 99 < per_cent < 100:
        return message("over {share}", share=percentage(0.99))
    return percentage(round(per_cent) / 100)


def part_of(count: int, whole: int) -> dict[str, str]:
    """Write a part of a whole, as values of a message: share, count, n.

    >>> part_of(14, 1400)
    {'share': '1%', 'count': '14', 'n': '1,400'}
    """
    return {"share": share_text(count, whole), "count": figure(count), "n": figure(whole)}


def days_text(days: int) -> str:
    """Count days.

    >>> days_text(1), days_text(64)
    ('1 day', '64 days')
    """
    return message_many("{n} day", "{n} days", days)


def examples_text(examples: Iterable[object]) -> str:
    """Put examples in brackets as messages do; nothing for none.

    >>> examples_text(["o1", "o2"])
    " (e.g. 'o1', 'o2')"
    """
    shown = [one if isinstance(one, str) else str(one) for one in list(examples)[:3]]
    return message(" (e.g. {examples})", examples=listing(shown, is_quoted=True)) if shown else ""
