"""The Sales Performance Matrix: who stands where, and what of it is more than chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.analysis.finding import FALSE_DIFFERENCES, Candidate
from salesnb.analysis.matrix_findings import difference_candidates
from salesnb.analysis.multiplicity import control_discoveries
from salesnb.analysis.population import Peers, read_population
from salesnb.analysis.rates import Estimates
from salesnb.analysis.result import Result
from salesnb.analysis.wording import name_level, within_sentence
from salesnb.errors import ParameterError
from salesnb.language import tr
from salesnb.measures.catalogue import CATALOGUE, Kpi
from salesnb.measures.measures import Level, Measures
from salesnb.measures.shared import shared
from salesnb.progress import long

_TINTS = ((0.99, 3), (0.95, 2), (0.90, 1))
_SCORES = [
    "unit_id", "unit", "kpi", "period", "value", "estimate", "low", "high", "n", "raw",
    "group", "p_top_quartile", "p_above", "rank_low", "rank_high", "reliability", "evidence",
]  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class PerformanceMatrix(Result):
    """Units by KPIs, with the uncertainty of each figure.

    Attributes
    ----------
    period, by, team
        What was asked.
    scores
        One row a unit and KPI: `value` as observed in the KPI's quarter `period`; `estimate`,
        `low`, `high` from its window of quarters, pulled to the peers as far as evidence is
        thin (sizes and times: geometric means, brought to the scale of the company's mean or
        median); `n` and `raw` of that window; `group` their pooled level; chances and 90% rank
        interval among the units shown; `evidence` from -3 (surely worse than the group) over 0
        (cannot be told) to 3.
    differences
        One row a KPI: whether units differ beyond chance (`p_value`, `p_adjusted` for the number
        of KPIs, `is_beyond_chance`), `overall` level, `n_units`, `window` of quarters.
    group
        One row a KPI for all units shown together: pooled `level` (totals: per full quarter of
        one rep) and `n` of its window.
    trend
        unit_id, kpi, period, value: the observed quarters.
    kpis
        Definitions, in column order.
    missing
        KPIs that could not be shown and why.
    silent
        Names of units without any record in the last four quarters: they are not compared.
    estimates
        Posterior of each KPI over the units shown.
    """

    period: str
    by: Level
    team: str | None
    scores: pd.DataFrame
    differences: pd.DataFrame
    group: pd.DataFrame
    trend: pd.DataFrame
    kpis: tuple[Kpi, ...]
    missing: dict[str, str]
    silent: tuple[str, ...]
    estimates: dict[str, Estimates]
    currency: str

    @property
    def tells_of_people(self) -> bool:
        """Whether its units are people."""
        return self.by == "rep"

    @property
    def units(self) -> tuple[str, ...]:
        """Ids of the units shown, by name."""
        order = self.scores.drop_duplicates("unit_id").sort_values(["unit", "unit_id"])
        return tuple(order["unit_id"])

    def is_beyond_chance(self, kpi: str) -> bool:
        """Whether units differ in a KPI beyond chance."""
        found = self.differences.loc[self.differences["kpi"] == kpi, "is_beyond_chance"]
        return bool(len(found) and found.iloc[0])

    @property
    def finding(self) -> str:
        """Name the KPIs in which units differ, or say that there are none."""
        tested = self.differences[self.differences["is_compared"]]
        real = tested[tested["is_beyond_chance"]]
        who = name_level(self.by)
        if real.empty:
            return tr(
                "The {units} do not differ beyond chance on any KPI: nobody is ranked.", units=who
            )
        labels = {kpi.kpi: within_sentence(kpi.label) for kpi in self.kpis}
        return tr(
            "The {units} differ beyond chance on {n} of {of} KPIs: {named}.",
            units=who,
            n=len(real),
            of=len(tested),
            named=", ".join(labels[kpi] for kpi in real["kpi"]),
        )

    @property
    def caveat(self) -> str:
        """Say what is not in the matrix."""
        lines = [f"{kpi}: {why}" for kpi, why in self.missing.items()]
        return tr("Not shown: {reasons}.", reasons="; ".join(lines)) if lines else ""

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer who stands out in each KPI, and in which nobody does."""
        return difference_candidates(self)

    def to_frame(self) -> pd.DataFrame:
        """List one row a unit and KPI."""
        return self.scores.copy()


@long("Comparing units")
def performance_matrix(
    measures: Measures, *, period: str, by: Level = "rep", team: str | None = None,
    kpis: tuple[str, ...] | None = None, n_draws: int = 2000,
) -> PerformanceMatrix:  # fmt: skip
    """Put units beside each other on every KPI, with estimates, intervals and evidence.

    All peers of the company are used to learn how much units differ; ranks and evidence are
    among the units shown. A cohort that is not mature yet is shown by its last mature quarter.
    Units without any record in the four quarters up to `period` are named in `silent` and left out.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`.
    period
        Fiscal quarter, 2026Q3.
    by
        `rep`, `team` or `region`.
    team
        Id or name: show only its members (with `by="rep"`).
    kpis
        Ids to show; default the headline KPIs that were measured.
    n_draws
        Posterior draws a KPI.

    Returns
    -------
    PerformanceMatrix

    Raises
    ------
    ParameterError
        Quarter, team or KPI is unknown, or `by` cannot be compared.
    """
    measures.check_period(period)
    if by in ("branch", "company"):
        why = "a company has no peers here" if by == "company" else "branches hold each other"
        raise ParameterError(f"by: {why}. Use rep, team or region.")
    if team is not None and by != "rep":
        raise ParameterError("team: only members can be shown within a team. Use by='rep'.")
    team_id = measures.find_team(team) if team is not None else None
    chosen = measures.choose_kpis(kpis or None)
    return _build(
        measures, period=period, by=by, team_id=team_id, kpis=tuple(kpi.kpi for kpi in chosen),
        n_draws=n_draws,
    )  # fmt: skip


@shared
def _build(
    measures: Measures, *, period: str, by: Level, team_id: str | None, kpis: tuple[str, ...],
    n_draws: int,
) -> PerformanceMatrix:  # fmt: skip
    """Take the units shown out of all peers, and find where they stand among each other."""
    everybody = read_population(measures, period=period, by=by, kpis=kpis, n_draws=n_draws)
    present = everybody.present if team_id is None else measures.members(team_id, period)
    shown = tuple(unit for unit in present if unit in everybody.active)
    scored = {name: _take(peers, shown) for name, peers in everybody.peers.items()}
    unseen = {kpi.kpi for kpi in CATALOGUE if not kpi.is_headline}
    missing = {
        name: tr("needs {needs}", needs=needs)
        for name, needs in measures.missing.items()
        if name not in unseen
    }
    missing |= {name: tr("no cohort is old enough yet") for name in kpis if name not in scored}
    differences = _test_differences(measures, scored)
    names = _unit_names(measures, by)
    trend = everybody.trend
    return PerformanceMatrix(
        period=period,
        by=by,
        team=team_id,
        scores=_join_scores(scored, differences, names),
        differences=differences,
        group=_group_figures(measures, scored, team_id),
        trend=trend[trend["unit_id"].isin(shown)].reset_index(drop=True),
        kpis=tuple(measures.kpi(name) for name in kpis if name in scored),
        missing=missing,
        silent=tuple(
            sorted(names.get(unit, unit) for unit in present if unit not in everybody.active)
        ),
        estimates={name: part.shown for name, part in scored.items()},
        currency=measures.company.currency,
    )


@dataclass(frozen=True)
class _Scored:
    """One KPI of all peers, and of the units shown."""

    peers: Peers
    shown: Estimates
    observed: pd.Series[float]
    pooled: pd.Series[float]
    cases: pd.Series[float]


def _take(peers: Peers, shown: tuple[str, ...]) -> _Scored:
    units = list(shown)
    return _Scored(
        peers=peers,
        shown=peers.estimates.within(units),
        observed=peers.observed.reindex(units),
        pooled=peers.pooled.reindex(units),
        cases=peers.cases.reindex(units).fillna(0.0),
    )


def _unit_names(measures: Measures, by: Level) -> pd.Series[str]:
    if by == "rep":
        return measures.people.set_index("rep_id")["name"]
    return measures.teams.set_index("team_id")["name"]


def _test_differences(measures: Measures, scored: dict[str, _Scored]) -> pd.DataFrame:
    rows = []
    for name, part in scored.items():
        estimates = part.peers.estimates
        test = estimates.heterogeneity
        compared = part.peers.kpi.is_comparable and np.isfinite(test.p_value)
        rows.append(
            {
                "kpi": name,
                "p_value": test.p_value,
                "is_compared": compared,
                "overall": part.shown.overall,
                "n_units": len(estimates.labels),
                "window": part.peers.window,
            }
        )
    columns = ["kpi", "p_value", "is_compared", "overall", "n_units", "window"]
    frame = pd.DataFrame(rows, columns=columns)
    compared = frame["is_compared"].astype(bool)
    adjusted = control_discoveries(frame["p_value"].where(compared))
    real = dict(zip(frame["kpi"], adjusted < FALSE_DIFFERENCES, strict=True))
    gated = [
        real[name] and (gate is None or real.get(gate, True))
        for name, gate in ((name, measures.kpi(name).gate) for name in frame["kpi"])
    ]
    return frame.assign(is_compared=compared, p_adjusted=adjusted, is_beyond_chance=gated)


def _join_scores(
    scored: dict[str, _Scored], differences: pd.DataFrame, names: pd.Series[str]
) -> pd.DataFrame:
    real = dict(zip(differences["kpi"], differences["is_beyond_chance"], strict=True))
    frames = []
    for name, part in scored.items():
        frame = part.shown.to_frame().rename(columns={"label": "unit_id"})
        frame["value"] = part.observed.reindex(frame["unit_id"]).to_numpy()
        frame["n"] = part.cases.reindex(frame["unit_id"]).to_numpy()
        frame["kpi"], frame["period"] = name, part.peers.period
        frame["group"] = part.shown.overall
        if part.peers.kpi.family == "log_mean":
            scaled = ["estimate", "low", "high", "group"]
            frame[scaled] = frame[scaled] * part.peers.scale
            frame["raw"] = part.pooled.reindex(frame["unit_id"]).to_numpy()
        if part.peers.kpi.family == "plain":
            frame = _without_claims(frame)
        grade = grade_evidence(frame["p_above"], is_real=real[name])
        frame["evidence"] = grade.where(frame["raw"].notna(), 0)
        frames.append(frame)
    if not frames:
        return pd.DataFrame(columns=_SCORES)
    whole = pd.concat(frames, ignore_index=True)
    whole["unit"] = whole["unit_id"].map(names).fillna(whole["unit_id"])
    return whole[_SCORES]


def _without_claims(frame: pd.DataFrame) -> pd.DataFrame:
    """Show figures without an error model as they are: no interval, no chances, any rank."""
    unknown = ["low", "high", "p_top_quartile", "p_above", "reliability"]
    return frame.assign(
        **dict.fromkeys(unknown, np.nan), estimate=frame["raw"], rank_low=1, rank_high=len(frame)
    )


def _group_figures(
    measures: Measures, scored: dict[str, _Scored], team: str | None
) -> pd.DataFrame:
    """Roll the whole group up, as it was: what people did while they were in it."""
    rows = []
    for name, part in scored.items():
        window = part.peers.window
        found = measures.roll_up(by="company", periods=window, team=team, kpi=name, pool=True)
        level, n = np.nan, 0.0
        if len(found):
            whole = found.iloc[0]
            n = whole["n"]
            level = whole["value"]
            if not part.peers.kpi.is_ratio and whole["denominator"] > 0:
                level = whole["numerator"] / whole["denominator"]
        rows.append({"kpi": name, "level": level, "n": n})
    return pd.DataFrame(rows, columns=["kpi", "level", "n"])


def grade_evidence(p_above: pd.Series[float], *, is_real: bool) -> pd.Series[int]:
    """Grade how sure it is that a unit is better (1 to 3) or worse (-1 to -3) than its group.

    Thresholds of the posterior probability are .90, .95 and .99; where units do not differ
    beyond chance every grade is 0.
    """
    grade = pd.Series(0, index=p_above.index)
    if not is_real:
        return grade
    for threshold, step in reversed(_TINTS):
        grade = grade.mask(p_above >= threshold, step)
        grade = grade.mask(p_above <= 1 - threshold, -step)
    return grade
