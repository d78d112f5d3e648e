"""How much a point of each skill moves results, as learned from quarters after the ratings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.plan.outcomes import OUTCOMES, WIN_RATE, find_outcomes
from salesnb.analysis.plan.ridge import TOTAL, Fit, Rows, fit_toward
from salesnb.analysis.profiles import skill_profiles
from salesnb.analysis.profiles.people import find_framework
from salesnb.analysis.result import Result
from salesnb.analysis.skills import skill_label
from salesnb.errors import ParameterError
from salesnb.language import format_share, tr
from salesnb.measures.measures import Measures
from salesnb.measures.shared import shared
from salesnb.progress import long

IMPORTANCE_ANCHOR = "skill-importance"
_AHEAD = 3
"""Quarters of results that are explained by the scores known before them."""
_SCORED = 8
"""Quarters of ratings behind scores: how people move is considered, so old ones still help."""

REACH = 1.6448536269514722
"""Standard deviations to either side of a 90% interval."""

_COLUMNS = ["skill", "group", "weight", "by_weight", "importance", "low", "high", "p_positive"]


@dataclass(frozen=True, eq=False, repr=False)
class SkillImportance(Result):
    """What a point of each skill is worth.

    Attributes
    ----------
    period
        Last quarter whose results were used.
    outcome
        KPI it was learned from: `win_rate` or `bookings`.
    skills
        One row a skill of the framework: the manager's `weight`; the share of bookings that a
        point more brings, were the weights right (`by_weight`), and as learned (`importance`),
        with 90% interval `low` to `high`: no skill is taken to lose bookings. `p_positive` is the
        chance that it brings anything, were that possible.
    draws
        (D, S) of `importance`, from all that is likely.
    n_reps, n_rows, n_quarters
        People, people and quarters together, and quarters behind it; 0 when nothing was learned.
    p_weights
        Chance of results as far from the weights, were they right.
    lacking
        Why nothing could be learned: then the weights stand, and how much all skills together
        bring is assumed. Empty when something was.
    note
        Whose weights these are when they are not the snapshot's.
    """

    period: str
    outcome: str
    skills: pd.DataFrame
    draws: NDArray[np.float64]
    n_reps: int
    n_rows: int
    n_quarters: int
    p_weights: float
    lacking: str = ""
    note: str = ""

    @property
    def is_beyond_weights(self) -> bool:
        """Whether results contradict the weights beyond chance."""
        return self.p_weights < FALSE_CLAIMS

    @property
    def finding(self) -> str:
        """Say what a point is worth, and whether results say more than the weights."""
        if self.skills.empty:
            return tr("No skill can be weighed: {why}.", why=self.lacking)
        if self.lacking:
            return tr("Skills count as the manager weighs them: {why}.", why=self.lacking)
        top = self.skills.iloc[int(self.skills["importance"].argmax())]
        share, low, high = (
            format_share(top[name], sign=True) for name in ("importance", "low", "high")
        )
        said = {"skill": skill_label(top["skill"]), "share": share, "low": low, "high": high}
        if self.is_beyond_weights:
            return tr(
                "Results weigh skills differently from the manager: a point of {skill} goes with "
                "{share} bookings later ({low} to {high}).",
                **said,
            )
        return tr(
            "Results say nothing sure beyond the manager's weights; a point of {skill} goes with "
            "{share} bookings later ({low} to {high}).",
            **said,
        )

    @property
    def caveat(self) -> str:
        """Say how it was learned, and what it cannot tell."""
        note = f" {self.note}" if self.note else ""
        if self.lacking:
            assumed = tr(
                "Assumed, not measured: a point more on every skill brings {share} more bookings. "
                "The order of the plan depends on the weights alone.",
                share=format_share(TOTAL),
            )
            return f"{assumed}{note}"
        learned = tr(
            "From {n} people's results in {n_quarters} quarters up to {period}, each after the "
            "ratings; territory, tenure and season taken out, blurred scores allowed for, drawn "
            "toward the manager's weights. Who is better at a skill may be better at what nobody "
            "rates: only a trial shows a cause.",
            n=self.n_reps,
            n_quarters=self.n_quarters,
            period=self.period,
        )
        return f"{learned}{note}"

    def to_frame(self) -> pd.DataFrame:
        """List one row a skill."""
        return self.skills.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer that results weigh skills differently from the manager."""
        if self.lacking or not np.isfinite(self.p_weights):
            return ()
        p = self.p_weights
        share = format_share(p) if p >= 0.01 else tr("less than {share}", share=format_share(0.01))
        apart = (self.skills["importance"] - self.skills["by_weight"]).abs()
        return (
            Candidate(
                text=self.finding,
                why=tr(
                    "{n} people, {n_quarters} quarters; were the weights right, results as far "
                    "from them would come in {share} of cases.",
                    n=self.n_reps,
                    n_quarters=self.n_quarters,
                    share=share,
                ),
                anchor=IMPORTANCE_ANCHOR,
                effect=float(min(1.0, apart.max())),
                p_value=self.p_weights,
            ),
        )


@long("Learning what skills are worth")
@shared
def skill_importance(
    measures: Measures, *, period: str, outcome: str = WIN_RATE, n_quarters: int = 12
) -> SkillImportance:
    """Learn what a point of each skill is worth, from results of the three quarters after.

    Results of the quarter in which somebody was rated are not used: raters know them, which makes
    skills look half as important again. Scores are those of `skill_profiles` as of a quarter's
    end: what one can expect of the truth, for of raw scores, which are blurred, a
    regression finds too little. Without any history the manager's weights remain.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`.
    period
        Fiscal quarter, the last whose results may be used.
    outcome
        `win_rate` (surer) or `bookings`.
    n_quarters
        Quarters of results used at most.

    Returns
    -------
    SkillImportance

    Raises
    ------
    ParameterError
        Quarter or outcome is unknown.

    Notes
    -----
    Source: Carroll, Ruppert, Stefanski & Crainiceanu (2006), Measurement Error in Nonlinear
    Models, ch. 4 (regression calibration).
    """
    measures.check_period(period)
    if outcome not in OUTCOMES:
        raise ParameterError(f"outcome: {outcome!r} is none of {', '.join(OUTCOMES)}.")
    framework, note = find_framework(measures)
    weights = find_weights(framework)
    if weights.empty:
        lacking = tr("the framework names no skill")
        return _conclude(period, outcome, weights, None, _Basis(), lacking)
    skills = tuple(weights["skill"])
    rows, basis, factor, lacking = _learn_from(measures, period, outcome, skills, n_quarters)
    fit = fit_toward(rows, weights["weight"].to_numpy(), total=TOTAL / factor)
    found = _conclude(period, outcome, weights, _scale(fit, factor), basis, lacking)
    return replace(found, note=note)


@dataclass(frozen=True)
class _Basis:
    n_reps: int = 0
    n_rows: int = 0
    n_quarters: int = 0


def find_weights(framework: pd.DataFrame) -> pd.DataFrame:
    """List each skill with its group and weight, the mean over roles; 1 where none is given."""
    if framework.empty:
        return pd.DataFrame(columns=["skill", "group", "weight"])
    given = framework.reindex(columns=["skill", "group", "weight"])
    given = given.assign(weight=given["weight"].astype(float))
    found = given.groupby("skill", sort=False).agg(
        group=("group", "first"), weight=("weight", "mean")
    )
    found["weight"] = found["weight"].fillna(1.0)
    if not (found["weight"] > 0).any():
        found["weight"] = 1.0
    return found.reset_index()


def _learn_from(
    measures: Measures, period: str, outcome: str, skills: tuple[str, ...], n_quarters: int
) -> tuple[Rows, _Basis, float, str]:
    """Pair scores with the results of the quarter after; say why where there are none."""
    nothing = join_rows([], len(skills))
    if all(kpi.kpi != outcome for kpi in measures.kpis):
        return nothing, _Basis(), 1.0, tr("{kpi} was not measured", kpi=outcome)
    kpi = measures.kpi(outcome)
    window = measures.window(period, n_quarters)
    ended = tuple(p for p in window if measures.is_mature(kpi, p) and measures.is_whole(p))
    results = find_outcomes(measures, outcome, ended)
    pairs = []
    for start in range(len(ended) % _AHEAD, len(ended), _AHEAD):
        before = measures.calendar.shift(ended[start], -1)
        if before in measures.periods:
            cells = skill_profiles(measures, period=before, n_quarters=_SCORED).cells
            for quarter in ended[start : start + _AHEAD]:
                pairs.append(pair(cells, results[results["period"] == quarter], skills))
    rows = join_rows(pairs, len(skills))
    n_quarters = sum(len(part) > 0 for part, _ in pairs)
    basis = _Basis(int(rows.person.max(initial=-1)) + 1, len(rows.outcome), n_quarters)
    if basis.n_reps <= len(skills) // 2:
        why = tr("only {n} people have ratings and results of a quarter after", n=basis.n_reps)
        return nothing, _Basis(), 1.0, why
    return rows, basis, _to_bookings(measures, outcome, ended), ""


def pair(
    scores: pd.DataFrame, results: pd.DataFrame, skills: tuple[str, ...]
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Take the results of those rated before, and their scores (N, S).

    A skill nobody has seen in a person counts as the person's others do.
    """
    wide = scores.pivot_table(index="rep_id", columns="skill", values="score", dropna=False)
    wide = wide.reindex(columns=list(skills)).astype(float).dropna(how="all")
    middle = wide.mean().fillna(0.0)
    apart = wide - middle
    filled = apart.apply(lambda column: column.fillna(apart.mean(axis=1))) + middle
    known = results[results["rep_id"].isin(filled.index)].sort_values("rep_id", ignore_index=True)
    return known, filled.loc[known["rep_id"]].to_numpy()


def join_rows(pairs: Sequence[tuple[pd.DataFrame, NDArray[np.float64]]], size: int) -> Rows:
    """Stack quarters; each has a level of its own."""
    pairs = [(part, scores) for part, scores in pairs if len(part)]
    if not pairs:
        none = np.empty(0)
        return Rows(np.empty((0, size)), none, none, np.empty(0, np.intp), np.empty((0, 1)))
    joined = pd.concat([part for part, _ in pairs], ignore_index=True)
    quarters = np.repeat(np.arange(len(pairs)), [len(part) for part, _ in pairs])
    controls = np.column_stack(
        [np.eye(len(pairs))[quarters], joined[["potential", "tenure"]].to_numpy(dtype=float)]
    )
    return Rows(
        skills=np.vstack([scores for _, scores in pairs]),
        outcome=joined["outcome"].to_numpy(dtype=float),
        noise=joined["noise"].to_numpy(dtype=float),
        person=pd.factorize(joined["rep_id"], sort=True)[0].astype(np.intp),
        controls=controls,
    )


def _to_bookings(measures: Measures, outcome: str, periods: tuple[str, ...]) -> float:
    """Share of bookings that moves with a unit of the outcome: of log odds, one less the rate."""
    if outcome != WIN_RATE:
        return 1.0
    whole = measures.roll_up(by="company", periods=periods, kpi=WIN_RATE)
    return float(1 - whole["numerator"].sum() / whole["denominator"].sum())


def _scale(fit: Fit, factor: float) -> Fit:
    return Fit(
        fit.draws * factor, fit.mean * factor, fit.p_positive, fit.centre * factor, fit.p_weights
    )


def _conclude(
    period: str, outcome: str, weights: pd.DataFrame, fit: Fit | None, basis: _Basis, lacking: str
) -> SkillImportance:
    if fit is None:
        empty = pd.DataFrame(columns=_COLUMNS)
        return SkillImportance(
            period, outcome, empty, np.empty((0, 0)), 0, 0, 0, float("nan"), lacking
        )
    low, high = np.quantile(fit.draws, [0.05, 0.95], axis=0)
    skills = weights.assign(
        by_weight=fit.centre, importance=fit.mean, low=low, high=high, p_positive=fit.p_positive
    )  # fmt: skip
    return SkillImportance(
        period=period, outcome=outcome, skills=skills[_COLUMNS], draws=fit.draws,
        n_reps=basis.n_reps, n_rows=basis.n_rows, n_quarters=basis.n_quarters,
        p_weights=fit.p_weights, lacking=lacking,
    )  # fmt: skip
