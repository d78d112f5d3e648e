"""Teams or quarters side by side: won in time, moved on and days by stage, pulled to each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.multiplicity import SMALLEST, control_discoveries
from salesnb.analysis.process.change import FEWEST
from salesnb.analysis.process.flow import ENDS, MOVED_ON
from salesnb.analysis.process.incidence import Z_95, Incidence, find_incidence
from salesnb.analysis.process.records import (
    NO_HISTORY,
    WINDOW,
    cohort,
    is_lacking,
    name_teams,
    of_teams,
    open_stages,
)
from salesnb.analysis.rates import estimate_effects
from salesnb.analysis.result import Result
from salesnb.analysis.wording import count_things, name_quarters
from salesnb.errors import ParameterError
from salesnb.language import format_share, mark, tr, tr_many
from salesnb.measures.flow.stays import WON
from salesnb.measures.measures import Measures

COMPARISON_ANCHOR = "process-compared"
By = Literal["team", "quarter"]
BY: dict[By, str] = {"team": mark("team"), "quarter": mark("quarter")}
WON_IN_TIME, MOVED, DAYS = "won_in_time", "moved", "days"
_SHOWN_QUARTERS = 8
_ROWS = [
    "figure", "stage", "unit", "n", "value", "error", "estimate", "low", "high",
]  # fmt: skip
_DIFFERENCES = ["figure", "stage", "p_value", "adjusted", "n_units"]


@dataclass(frozen=True, eq=False, repr=False)
class ProcessComparison(Result):
    """Teams or quarters by what becomes of their opportunities.

    Attributes
    ----------
    by, periods, horizon
        `team` or `quarter`; the quarters pooled, or listed; days by which shares are given.
    rows
        One row a figure (won_in_time; moved and days of a stage), and unit: n, value, error, and
        the estimate pulled to the others, with its 90% interval low to high. Days are compared on
        their logs, where `error` is.
    differences
        One row a figure: chance of units as far apart among equal ones, `adjusted`
        (Benjamini-Hochberg).
    lacking
        What part of it needs that is not there; empty when nothing lacks.
    """

    by: By
    periods: tuple[str, ...]
    horizon: int
    company: str
    rows: pd.DataFrame
    differences: pd.DataFrame
    lacking: str = ""

    def is_beyond_chance(self, figure: str, stage: str = "") -> bool:
        """Tell whether units differ in a figure."""
        rows = self.differences
        found = rows[(rows["figure"] == figure) & (rows["stage"] == stage)]
        return bool((found["adjusted"] < FALSE_CLAIMS).any())

    @property
    def finding(self) -> str:
        """Say in which figures units differ beyond chance."""
        said = {"company": self.company, "by": tr(BY[self.by])}
        if self.rows.empty:
            return tr("{company}: nothing to compare {by}s by.", **said)
        real = self.differences[self.differences["adjusted"] < FALSE_CLAIMS]
        if real.empty:
            return tr(
                "{company}: {by}s do not differ beyond chance in how the process runs.", **said
            )
        named = zip(real["figure"], real["stage"], strict=True)
        names = "; ".join(name_figure(figure, stage, self.horizon) for figure, stage in named)
        return tr("{company}: {by}s differ beyond chance in {figures}.", figures=names, **said)

    @property
    def caveat(self) -> str:
        """Say what is compared."""
        said = tr(
            "{quarters}. Each figure is pulled to the others as far as its records are few. What "
            "differs may be the opportunities, not the work.",
            quarters=name_quarters(self.periods),
        )
        return f"{said} {self.company}: {self.lacking}." if self.lacking else said

    def to_frame(self) -> pd.DataFrame:
        """List one row a figure and unit."""
        return self.rows.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer each figure that was tested."""
        tested = self.differences[self.differences["p_value"].notna()]
        return tuple(
            self._offer(figure, stage, p_value, adjusted < FALSE_CLAIMS)
            for figure, stage, p_value, adjusted in zip(
                *(tested[name] for name in _DIFFERENCES[:4]), strict=True
            )
        )

    def _offer(self, figure: str, stage: str, p_value: float, is_real: bool) -> Candidate:
        name = name_figure(figure, stage, self.horizon)
        rows = self.rows[(self.rows["figure"] == figure) & (self.rows["stage"] == stage)]
        rows = rows.sort_values(["estimate", "unit"])
        low, high = rows.iloc[0], rows.iloc[-1]
        size = abs(high["estimate"] - low["estimate"]) / max(high["estimate"], 1e-9) / 2
        write = _write_days if figure == DAYS else format_share
        by = tr(BY[self.by])
        return Candidate(
            text=tr(
                "{company}: {by}s differ in {figure}: {least} in {low} to {most} in {high}.",
                company=self.company,
                by=by,
                figure=name,
                least=write(low["estimate"]),
                low=low["unit"],
                most=write(high["estimate"]),
                high=high["unit"],
            ),
            why=tr(
                "{n} {by}s, each pulled to the others as far as it is small.", n=len(rows), by=by
            ),
            anchor=f"{COMPARISON_ANCHOR}-{self.by}",
            effect=min(float(size), 1.0) if is_real else 0.0,
            p_value=max(float(p_value), SMALLEST),
        )


def _write_days(days: float) -> str:
    return count_things(round(days), "day", "days")


def name_figure(figure: str, stage: str, horizon: int) -> str:
    """Name a compared figure."""
    if figure == WON_IN_TIME:
        return tr_many("won within {n} day", "won within {n} days", horizon)
    if figure == MOVED:
        return tr("moved on from {stage}", stage=stage)
    return tr("days in {stage}", stage=stage)


def compare_process(
    measures: Measures, *, period: str, by: By = "team", n_draws: int = 2000
) -> ProcessComparison:
    """Compare teams over four quarters, or the last eight quarters, by how the process runs.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`; without stage_history only what is won in time
        is compared.
    period
        Last fiscal quarter.
    by
        `team` (what each team's own members did, so that no team holds another) or `quarter`.
    n_draws
        Posterior draws a unit.

    Returns
    -------
    ProcessComparison
        Units with fewer than 20 records are not in a comparison.

    Raises
    ------
    ParameterError
        The quarter is unknown, or `by` is something else.
    """
    measures.check_period(period)
    if by not in ("team", "quarter"):
        raise ParameterError(f"by: {by!r} is not one of team, quarter.")
    periods = measures.window(period, WINDOW if by == "team" else _SHOWN_QUARTERS)
    units = (
        {name: ((team,), periods) for team, name in name_teams(measures).items()}
        if by == "team"
        else {quarter: (None, (quarter,)) for quarter in periods}
    )
    horizon = measures.company.maturity_days
    of_stages = [(kind, stage) for stage in open_stages(measures) for kind in (MOVED, DAYS)]
    figures = [(WON_IN_TIME, ""), *of_stages]
    frames, differences = [], []
    for figure, stage in figures if not is_lacking(measures) else figures[:1]:
        raw = [
            (figure, stage, unit, *_figure(measures, figure, stage, where, horizon))
            for unit, where in units.items()
        ]
        frame, p_value = _estimate(pd.DataFrame(raw, columns=_ROWS[:6]), figure, n_draws)
        frames.append(frame)
        differences.append((figure, stage, p_value, math.nan, len(frame)))
    tests = pd.DataFrame(differences, columns=_DIFFERENCES)
    tests["adjusted"] = control_discoveries(tests["p_value"].astype(float))
    return ProcessComparison(
        by=by,
        periods=periods,
        horizon=horizon,
        company=measures.company.name,
        rows=pd.concat(frames, ignore_index=True)[_ROWS],
        differences=tests,
        lacking=tr(NO_HISTORY) if is_lacking(measures) else "",
    )


def _figure(
    measures: Measures, figure: str, stage: str, where: tuple[tuple[str, ...] | None,
    tuple[str, ...]], horizon: int,
) -> tuple[float, float, float]:  # fmt: skip
    """Give n, value and standard error (of days: of their logs) of a unit's figure."""
    teams, periods = where
    if figure == WON_IN_TIME:
        found = find_incidence(cohort(measures, teams, periods), [WON])
        return _share(found, horizon)
    stays = of_teams(measures.flow.stays, teams, periods)
    stays = stays[stays["stage"] == stage]
    if stays.empty:
        return 0.0, math.nan, math.nan
    if figure == MOVED:
        return _share(find_incidence(stays, MOVED_ON), horizon)
    found = find_incidence(stays, ENDS)
    span = found.when()
    if not min(span.days, span.low) > 0 or math.isnan(span.high):
        return found.n, math.nan, math.nan
    return found.n, span.days, math.log(span.high / span.low) / (2 * Z_95)


def _share(found: Incidence, horizon: int) -> tuple[float, float, float]:
    share = found.by(horizon)
    return found.n, share.value, share.error


def _estimate(raw: pd.DataFrame, figure: str, n_draws: int) -> tuple[pd.DataFrame, float]:
    known = raw[(raw["n"] >= FEWEST) & (raw["error"] > 0)].sort_values("unit", ignore_index=True)
    if len(known) < 2:
        alone = known.assign(estimate=known["value"], low=np.nan, high=np.nan)
        return alone, math.nan
    values = known["value"].to_numpy(float)
    scaled = np.log(values) if figure == DAYS else values
    estimates = estimate_effects(
        scaled, known["error"].to_numpy(float), labels=list(known["unit"]), n_draws=n_draws
    )
    found = estimates.to_frame().set_index("label").reindex(known["unit"])
    back = np.exp if figure == DAYS else np.asarray
    shown = {name: back(found[name].to_numpy(float)) for name in ("estimate", "low", "high")}
    return known.assign(**shown), float(estimates.heterogeneity.p_value)
