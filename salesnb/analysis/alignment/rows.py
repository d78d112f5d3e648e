"""What alignment looks at: which rows, under which names, and what is lacking."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from salesnb.analysis.interval import find_wilson
from salesnb.analysis.multiplicity import SMALLEST
from salesnb.analysis.wording import name_quarters
from salesnb.errors import ParameterError, meant
from salesnb.language import mark, tr
from salesnb.measures.demand.names import NO_TOUCH, OTHER
from salesnb.measures.measures import Measures

By = Literal["source", "campaign", "segment"]
BY: dict[By, str] = {
    "source": mark("source"),
    "campaign": mark("campaign"),
    "segment": mark("segment"),
}
"""What rows are told apart by, in words; what is said of several ends in `{by}s`."""

NOT_SAID = mark("not stated")
"""How rows without a source (campaign, segment) are called."""

ALL = mark("All sources")
"""How the row of all of them is called."""

WINDOW = 4
"""Quarters looked at together."""

LEVEL = 0.9
"""Of the intervals of shares and costs."""

NO_LEADS = mark("whether leads fare well needs the table leads")


@dataclass(frozen=True)
class View:
    """Whose rows of which quarters are looked at; `team_ids` is None for everybody's."""

    periods: tuple[str, ...]
    unit: str
    team_ids: tuple[str, ...] | None

    def take(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Keep the rows of the quarters and of the team."""
        kept = rows[rows["period"].isin(self.periods)]
        return kept if self.team_ids is None else kept[kept["team_id"].isin(self.team_ids)]

    @property
    def span(self) -> str:
        """Name the quarters."""
        return name_quarters(self.periods) if self.periods else ""


def look_at(measures: Measures, period: str, team: str | None, n: int = WINDOW) -> View:
    """Look at the `n` quarters up to one, of a team by id or name or of the company.

    Raises
    ------
    ParameterError
        Quarter or team is unknown.
    """
    measures.check_period(period)
    team_id = None if team is None else measures.find_team(team)
    window = measures.window(period, n)
    return View(window, measures.unit_name(team_id), measures.ids_within(team_id))


def check_choice(name: str, value: str, known: Iterable[str]) -> None:
    """Refuse what is not one of the known values.

    Raises
    ------
    ParameterError
        It is not; the message lists them.
    """
    if value not in known:
        raise ParameterError(
            f"{name}: {value!r} is not one of {', '.join(known)}.{meant(value, known)}"
        )


def called(names: pd.Series[str]) -> pd.Series[str]:
    """Give what has no name one."""
    return names.mask(names == "", NOT_SAID)


def name_unit(unit: str) -> str:
    """Name a row for readers: what no record names, in the language spoken.

    >>> name_unit("not stated"), name_unit("Web")
    ('not stated', 'Web')
    """
    return tr(unit) if unit in (NOT_SAID, ALL, OTHER, NO_TOUCH) else unit


def order_units(rows: pd.DataFrame, unit: str, size: str) -> pd.DataFrame:
    """Put the largest first; what is not stated and all others come last."""
    last = rows[unit].isin([NOT_SAID, OTHER])
    return rows.assign(_last=last).sort_values(
        ["_last", size, unit], ascending=[True, False, True], ignore_index=True
    ).drop(columns="_last")  # fmt: skip


def share_of(part: float, whole: float) -> float:
    """Divide; missing where there is nothing to divide by."""
    return part / whole if whole > 0 else float("nan")


def wilson(part: float, whole: float) -> tuple[float, float]:
    """Find the interval of a share (Wilson, 1927); missing without any trial.

    >>> low, high = wilson(5, 10)
    >>> round(low, 2), round(high, 2)
    (0.27, 0.73)
    """
    if whole <= 0:
        return float("nan"), float("nan")
    return find_wilson(part / whole, whole, level=LEVEL)


def tested(p_value: float) -> float:
    """Keep a p-value above 0, which is a plain count's."""
    return float(np.fmax(p_value, SMALLEST)) if np.isfinite(p_value) else p_value
