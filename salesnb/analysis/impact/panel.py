"""An outcome by person and quarter, and its mean over windows of quarters."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from salesnb.analysis.impact.effect import Bools, Floats
from salesnb.analysis.profiles.forms import find_own
from salesnb.measures.catalogue import Kpi
from salesnb.measures.measures import Measures
from salesnb.schema import ratings


@dataclass(frozen=True, eq=False)
class Panel:
    """Sums by person (rows) and quarter (columns); the outcome is numerator / denominator.

    Attributes
    ----------
    numerator, denominator
        Person x quarter; a denominator of 0 is a quarter without records.
    units
        Person (or team) of each row.
    groups
        Team of each row, within which people are compared.
    periods
        Quarter of each column, without gaps.
    """

    numerator: Floats
    denominator: Floats
    units: NDArray[np.object_]
    groups: NDArray[np.object_]
    periods: tuple[str, ...]

    def take(self, rows: Bools) -> Panel:
        """Keep some of the rows."""
        return replace(
            self, numerator=self.numerator[rows], denominator=self.denominator[rows],
            units=self.units[rows], groups=self.groups[rows],
        )  # fmt: skip

    def without_quarters(self, compared: Bools) -> Panel:
        """Take out what each quarter did to all: the outcome of those compared with is 0 then."""
        records = self.denominator[compared].sum(axis=0)
        level = self.numerator[compared].sum(axis=0) / np.where(records > 0, records, np.nan)
        shifted = self.numerator - self.denominator * np.nan_to_num(level)
        return replace(self, numerator=shifted)

    def mean(self, columns: NDArray[np.int64]) -> Floats:
        """Average each row's outcome over quarters; missing without records."""
        records = self.records(columns)
        values: Floats = self.numerator[:, columns].sum(axis=1) / np.where(
            records > 0, records, np.nan
        )
        return values

    def records(self, columns: NDArray[np.int64]) -> Floats:
        """Count (or add up the exposure of) each row over quarters."""
        total: Floats = self.denominator[:, columns].sum(axis=1)
        return total

    def spread(self, columns: NDArray[np.int64]) -> float:
        """Give the standard deviation of people's quarterly outcomes about the quarter's mean."""
        records = self.denominator[:, columns]
        values = self.numerator[:, columns] / np.where(records > 0, records, np.nan)
        known = np.isfinite(values)
        n = known.sum(axis=0)
        apart = values - np.nansum(values, axis=0) / np.maximum(n, 1)
        freedom = int(np.maximum(n - 1, 0).sum())
        return float(np.sqrt(np.nansum(apart**2) / freedom)) if freedom > 0 else float("nan")

    def pool_groups(self) -> Panel:
        """Add up the rows of each group: one row a group."""
        names, place = np.unique(self.groups.astype(str), return_inverse=True)
        member = np.eye(len(names))[place].T
        units = names.astype(object)
        return replace(
            self, numerator=member @ self.numerator, denominator=member @ self.denominator,
            units=units, groups=units,
        )  # fmt: skip


def outcome_panel(measures: Measures, kpi: Kpi, *, period: str, at: str) -> Panel:
    """Lay out a KPI by rep and whole quarter up to `period`.

    Rates are shares of their trials, skewed amounts and durations means of logs, totals their
    sum per quarter worked. A rep's team is the one of the last record up to the quarter `at`.
    """
    sums = ("total", "n") if kpi.family == "log_mean" else ("numerator", "denominator")
    rows = measures.totals[measures.totals["kpi"] == kpi.kpi]
    frame = pd.DataFrame(
        {
            "unit": rows["rep_id"], "team": rows["team_id"], "period": rows["period"],
            "top": rows[sums[0]].astype(float), "bottom": rows[sums[1]].astype(float),
        }
    )  # fmt: skip
    usable = tuple(
        name for name in measures.periods
        if name <= period and measures.is_whole(name) and measures.is_mature(kpi, name)
    )  # fmt: skip
    return _lay_out(frame.dropna(subset=["top", "bottom"]), usable, at)


def rating_panel(measures: Measures, skill: str, *, period: str, at: str) -> Panel:
    """Lay out how far others score a skill above the other skills on the same form.

    A strict rater is strict on the whole form, so severity and mood cancel within it.
    """
    rows = measures.ratings
    rows = rows[~find_own(rows) & rows[ratings.score].notna()]
    is_skill = rows[ratings.skill] == skill
    base = rows[~is_skill].groupby(ratings.form_id)[ratings.score].mean()
    own = rows[is_skill]
    above = own[ratings.score].astype(float) - own[ratings.form_id].map(base).astype(float)
    frame = pd.DataFrame(
        {
            "unit": own[ratings.rep_id], "team": own["team_id"], "period": own["period"],
            "top": above, "bottom": 1.0,
        }
    )  # fmt: skip
    usable = tuple(name for name in measures.periods if name <= period and measures.is_whole(name))
    return _lay_out(frame.dropna(subset=["top"]), usable, at)


def _lay_out(frame: pd.DataFrame, periods: tuple[str, ...], at: str) -> Panel:
    frame = frame[frame["period"].isin(periods) & (frame["unit"] != "")]
    units = sorted(set(frame["unit"]))
    tables = [
        frame.pivot_table(index="unit", columns="period", values=value, aggfunc="sum")
        .reindex(index=units, columns=list(periods)).fillna(0.0).to_numpy(float)
        for value in ("top", "bottom")
    ]  # fmt: skip
    ordered = frame.sort_values("period", kind="stable")
    by_then = ordered[ordered["period"] <= at].groupby("unit")["team"].last()
    teams = by_then.reindex(units).fillna(ordered.groupby("unit")["team"].first())
    return Panel(
        numerator=tables[0],
        denominator=tables[1],
        units=np.array(units, dtype=object),
        groups=teams.to_numpy(object),
        periods=periods,
    )
