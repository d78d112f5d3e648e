"""Bottlenecks team by team: each beside the rest of the company, all tested together."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.multiplicity import control_any_error
from salesnb.analysis.process.bottlenecks import (
    ELSEWHERE,
    NO_STAGES,
    compare_stages,
    describe_stage,
    offer_stage,
)
from salesnb.analysis.process.records import NO_HISTORY, is_lacking, name_teams
from salesnb.analysis.result import Result
from salesnb.analysis.wording import count_things
from salesnb.language import tr
from salesnb.measures.measures import Measures

TEAM_BOTTLENECKS_ANCHOR = "team-bottlenecks"


@dataclass(frozen=True, eq=False, repr=False)
class TeamBottlenecks(Result):
    """Where teams' own members move fewer on than the rest of the company.

    Attributes
    ----------
    company, period
        Name of the company; the quarter.
    rows
        One row a team and stage, the most at stake first: team, then as `Bottlenecks.rows` has
        it, `adjusted` (Holm) for all teams and stages, and booked (by the team in the quarter).
    currency
        Of the stakes.
    horizon
        Days after entering a stage by which shares moved on are compared.
    lacking
        Why there is nothing to show; empty when there is.
    """

    company: str
    period: str
    rows: pd.DataFrame
    currency: str
    horizon: int
    lacking: str = ""

    @property
    def found(self) -> pd.DataFrame:
        """The bottlenecks, the most at stake first."""
        return self.rows[self.rows["is_bottleneck"].astype(bool)]

    @property
    def finding(self) -> str:
        """Name the bottleneck with most at stake and count the others, or say there is none."""
        if self.lacking:
            return f"{self.company}: {self.lacking}."
        if self.found.empty:
            return tr(
                "{company}: no team has a bottleneck beyond chance in {quarter}.",
                company=self.company,
                quarter=self.period,
            )
        more = len(self.found) - 1
        said = self._describe(self.found.iloc[0])
        others = count_things(more, "other bottleneck", "other bottlenecks")
        return f"{said[:-1]}; {others}." if more else said

    def _describe(self, row: pd.Series[float]) -> str:
        team, elsewhere = str(row["team"]), tr(ELSEWHERE)
        return describe_stage(row, team, self.period, elsewhere, self.currency)

    @property
    def caveat(self) -> str:
        """Say how many tests the claims come from."""
        if self.lacking:
            return ""
        pairs = count_things(self.rows["p_value"].notna().sum(), "pair", "pairs")
        return tr(
            "{pairs} of team and stage tested together, each team by what its own members did. "
            "That others move more on is no proof that this team could: its opportunities may "
            "differ.",
            pairs=pairs,
        )

    def to_frame(self) -> pd.DataFrame:
        """List one row a team and stage, the most at stake first."""
        return self.rows.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer each pair that was tested; what came out quiet has no effect."""
        tested = self.rows[self.rows["p_value"].notna()]
        return tuple(self._offer(tested.loc[index]) for index in tested.index)

    def _offer(self, row: pd.Series[float]) -> Candidate:
        return offer_stage(row, self._describe(row), self.horizon, TEAM_BOTTLENECKS_ANCHOR)


def team_bottlenecks(measures: Measures, *, period: str) -> TeamBottlenecks:
    """Find where each team moves fewer on than the rest of the company, all tested together.

    A team is what its own members did: one with others below it does not hold them here, so that
    nothing is told twice.

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
    horizon = measures.company.maturity_days
    named = name_teams(measures)
    lacking = "" if len(named) > 1 else tr("there are no teams to compare")
    lacking = tr(NO_HISTORY) if is_lacking(measures) else lacking
    if lacking:
        nothing = NO_STAGES.assign(team="", booked=0.0)
        return TeamBottlenecks(company, period, nothing, currency, horizon, lacking)
    frames = [
        compare_stages(measures, period, (team,), horizon).assign(team=name)
        for team, name in named.items()
    ]
    whole = pd.concat(frames, ignore_index=True)
    whole["adjusted"] = control_any_error(whole["p_value"])
    whole["is_bottleneck"] = (whole["adjusted"] < FALSE_CLAIMS) & (whole["by"] < 0)
    whole = whole.sort_values(["wins", "team", "stage"], ascending=[False, True, True])
    whole = whole[[*NO_STAGES.columns, "team", "booked"]].reset_index(drop=True)
    return TeamBottlenecks(company, period, whole, currency, horizon)
