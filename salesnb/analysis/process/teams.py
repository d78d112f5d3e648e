"""Bottlenecks team by team: each beside the rest of the company, all tested together."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.multiplicity import control_any_error
from salesnb.analysis.process.bottlenecks import bottlenecks
from salesnb.analysis.process.records import NO_HISTORY, is_lacking
from salesnb.analysis.result import Result
from salesnb.analysis.wording import count, format_money
from salesnb.measures.measures import Measures

TEAM_BOTTLENECKS_ANCHOR = "team-bottlenecks"


@dataclass(frozen=True, eq=False, repr=False)
class TeamBottlenecks(Result):
    """Where teams move fewer on than the rest of the company.

    Attributes
    ----------
    company, period
        Name of the company; the quarter.
    rows
        One row a team and stage, the most at stake first: team, then as `Bottlenecks.rows` has
        it, `adjusted` (Holm) for all teams and stages, and booked (by the team in the quarter).
    currency
        Of the stakes.
    lacking
        Why there is nothing to show; empty when there is.
    """

    company: str
    period: str
    rows: pd.DataFrame
    currency: str
    lacking: str = ""

    @property
    def found(self) -> pd.DataFrame:
        """The bottlenecks, the most at stake first."""
        return self.rows[self.rows["is_bottleneck"].astype(bool)] if len(self.rows) else self.rows

    @property
    def finding(self) -> str:
        """Name the bottleneck with most at stake and count the others, or say there is none."""
        if self.lacking:
            return f"{self.company}: {self.lacking}."
        if self.found.empty:
            return f"{self.company}: no team has a bottleneck beyond chance in {self.period}."
        more = len(self.found) - 1
        said = self._describe(self.found.iloc[0])
        return f"{said[:-1]}; {count(more, 'other bottleneck')}." if more else said

    def _describe(self, row: pd.Series[float]) -> str:
        stake = format_money(row["stake"], self.currency)
        return (
            f"{row['team']}: {row['moved']:.0%} moved on from {row['stage']} in {self.period}, "
            f"{row['moved_other']:.0%} elsewhere; {stake} at stake."
        )

    @property
    def caveat(self) -> str:
        """Say how many tests the claims come from."""
        return (
            f"{self.rows['p_value'].notna().sum()} pairs of team and stage are tested together. "
            "That others move more on is no proof that this team could: its opportunities may "
            "differ."
        )

    def to_frame(self) -> pd.DataFrame:
        """List one row a team and stage, the most at stake first."""
        return self.rows.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer each pair that was tested; what came out quiet has no effect."""
        tested = self.rows[self.rows["p_value"].notna()] if len(self.rows) else self.rows
        return tuple(self._offer(tested.loc[index]) for index in tested.index)

    def _offer(self, row: pd.Series[float]) -> Candidate:
        part = abs(row["stake"]) / row["booked"] if row["booked"] else math.nan
        size = part if math.isfinite(part) else abs(row["by"])
        return Candidate(
            text=self._describe(row),
            why=f"{row['n']:,.0f} entries against {row['n_other']:,.0f}, open ones counted.",
            anchor=TEAM_BOTTLENECKS_ANCHOR,
            effect=min(float(size), 1.0) if row["is_bottleneck"] else 0.0,
            p_value=float(row["p_value"]),
        )


def team_bottlenecks(measures: Measures, *, period: str) -> TeamBottlenecks:
    """Find where each team moves fewer on than the rest of the company, all tested together.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`; without stage_history the result says so.
    period
        Fiscal quarter.

    Returns
    -------
    TeamBottlenecks

    Raises
    ------
    ParameterError
        The quarter is unknown.
    """
    measures.check_period(period)
    company, currency = measures.company.name, measures.company.currency
    if is_lacking(measures):
        return TeamBottlenecks(company, period, pd.DataFrame(), currency, NO_HISTORY)
    frames = []
    for team in measures.team_ids():
        found = bottlenecks(measures, period=period, team=team)
        frames.append(found.rows.assign(team=found.unit, booked=found.booked))
    if len(frames) < 2:
        lacking = "there are no teams to compare"
        return TeamBottlenecks(company, period, pd.DataFrame(), currency, lacking)
    whole = pd.concat(frames, ignore_index=True)
    whole["adjusted"] = control_any_error(whole["p_value"])
    whole["is_bottleneck"] = (whole["adjusted"] < FALSE_CLAIMS) & (whole["by"] < 0)
    whole = whole.sort_values(["wins", "team", "stage"], ascending=[False, True, True])
    return TeamBottlenecks(company, period, whole.reset_index(drop=True), currency)
