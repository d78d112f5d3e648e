"""The mean percentile among peers over the KPIs in which people differ."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

from salesnb.analysis.composite.acceptability import (
    N_BANDS,
    Acceptability,
    Uncertain,
    accept_ranks,
    cap_weights,
)
from salesnb.analysis.composite.result import QUARTERS, CompositeScore
from salesnb.analysis.finding import FALSE_DIFFERENCES
from salesnb.analysis.matrix import PerformanceMatrix
from salesnb.analysis.peers import PeerGroups
from salesnb.analysis.rates.heterogeneity import combine_p_values
from salesnb.errors import ParameterError
from salesnb.language import tr
from salesnb.measures.catalogue import Kpi

MOST_SHARE = 0.4
"""Largest share of one KPI, whatever weight it is given."""
FEWEST_RECORDS = 5
N_BEST = 3
EVERYBODY = "everybody"
_LEAST_COVERAGE = 0.5
_FEWEST_UNITS = N_BANDS
_FEWEST_IN_COMMON = 30
_COMPARED = frozenset({"rate", "count", "log_mean", "total", "attainment"})
_NEEDS_RECORDS = frozenset({"rate", "log_mean"})
_SCORES = [
    "unit_id", "unit", "group", "n_peers", "n_kpis", "coverage", "is_scored", "composite", "low",
    "high", "rank_low", "rank_high", "p_top_quartile", *QUARTERS, "p_best",
]  # fmt: skip


def composite_score(
    matrix: PerformanceMatrix, *, weights: Mapping[str, float] | None = None,
    groups: PeerGroups | None = None, fewest_records: int = FEWEST_RECORDS,
    n_best: int = N_BEST,
) -> CompositeScore:  # fmt: skip
    """Average each unit's percentiles among its peers over the KPIs in which people differ.

    A KPI without a better side, and one in which units do not differ beyond chance, does not
    count. A KPI that is not known of a unit, or rests on fewer than `fewest_records` records
    (rates, sizes and times; a total of few records is a low total), is left out of that unit's
    mean, never scored zero; who lacks half of the weight is not scored. No KPI buys the others:
    a percentile ends at 100 however large the figure, and a share at `MOST_SHARE` (or an equal
    one) whatever the weight.

    Percentiles are found in every posterior draw, so noise is carried into interval and ranks. A
    peer group whose members do not differ beyond chance is not ranked, and nobody is unless the
    matrix shows a difference.

    Parameters
    ----------
    matrix
        Who stands where.
    weights
        KPI id to weight, >= 0, on any scale; KPIs not named count nothing. None: each
        KPI's own `weight`, all the same unless parameters say otherwise.
    groups
        Peers to compare with, from `peer_groups`; None compares all units shown.
    fewest_records
        Records below which a cell is left out.
    n_best
        First places whose chance is given.

    Returns
    -------
    CompositeScore

    Raises
    ------
    ParameterError
        A weight is negative, not finite, all are 0, or one names a KPI that cannot count; or
        peer groups of reps are given for other units.

    Notes
    -----
    The test of a group combines its KPIs' heterogeneity tests by weight: Cauchy combination,
    which holds for dependent tests (Liu & Xie 2020, JASA 115, 393-402).
    """
    if groups is not None and matrix.by != "rep":
        raise ParameterError(f"groups: peers are reps, the matrix shows {matrix.by}s. Leave out.")
    asked = _read_weights(matrix, weights)
    counted = _choose_kpis(matrix, asked)
    units = _list_units(matrix, groups)
    known = _find_known(matrix, counted, units, fewest_records)
    shares = _share(counted, asked)
    coverage = known.to_numpy(dtype=float) @ shares
    units = units.assign(
        n_kpis=known.sum(axis=1).to_numpy(dtype=int),
        coverage=coverage,
        is_scored=coverage > _LEAST_COVERAGE - 1e-9 if counted else False,
    )
    tested = _test_groups(matrix, units, asked)
    ranked = set(tested.loc[tested["is_ranked"], "group"])
    units["is_scored"] &= units["group"].isin(ranked)
    parts, noise, moved = [], [0.0], [0.0]
    for name, rows in units[units["is_scored"]].groupby("group", sort=True):
        found = _rank_group(matrix, counted, known.loc[rows.index], shares, n_best)
        parts.append(_tabulate(found, rows.index))
        noise.append(float(found.noise_variance.sum()))
        moved.append(float(found.weight_variance.sum()))
        tested.loc[tested["group"] == name, "n_units"] = len(rows)
    n_scored = int(units["is_scored"].sum())
    figures = pd.concat(parts) if parts else pd.DataFrame(index=units.index[:0])
    scores = units.join(figures).reindex(columns=_SCORES)
    return CompositeScore(
        period=matrix.period,
        by=matrix.by,
        scores=scores,
        weights=_describe_weights(matrix, asked, counted, shares),
        groups=tested,
        noise_places=float(np.sqrt(sum(noise) / n_scored)) if n_scored else np.nan,
        weight_places=float(np.sqrt(sum(moved) / n_scored)) if n_scored else np.nan,
        n_best=n_best,
        fewest_records=fewest_records,
    )


def _can_count(kpi: Kpi) -> bool:
    return kpi.direction != "neutral" and kpi.family in _COMPARED


def _read_weights(
    matrix: PerformanceMatrix, weights: Mapping[str, float] | None
) -> dict[str, float]:
    """Give every KPI that can count its weight, in the order of the matrix."""
    able = [kpi.kpi for kpi in matrix.kpis if _can_count(kpi)]
    if weights is None:
        return {kpi.kpi: kpi.weight for kpi in matrix.kpis if _can_count(kpi)}
    problems = [f"{name} cannot count" for name in weights if name not in able]
    problems += [
        f"{name} is {weight}"
        for name, weight in weights.items()
        if not (np.isfinite(weight) and weight >= 0)
    ]
    if not problems and not sum(weights.values()) > 0:
        problems.append("all are 0")
    if problems:
        raise ParameterError(
            f"weights: {'; '.join(problems)}. Use numbers >= 0 for any of {', '.join(able)}."
        )
    return {name: float(weights.get(name, 0.0)) for name in able}


def _choose_kpis(matrix: PerformanceMatrix, asked: dict[str, float]) -> list[str]:
    return [name for name, weight in asked.items() if weight > 0 and matrix.is_beyond_chance(name)]


def _share(counted: list[str], asked: dict[str, float]) -> NDArray[np.float64]:
    if not counted:
        return np.empty(0)
    return cap_weights(np.array([asked[name] for name in counted]), MOST_SHARE)


def _list_units(matrix: PerformanceMatrix, groups: PeerGroups | None) -> pd.DataFrame:
    """List the units shown, by id, with their peer group; outside of any it is empty."""
    names = matrix.scores.drop_duplicates("unit_id").set_index("unit_id")["unit"].sort_index()
    if groups is None:
        group = pd.Series(EVERYBODY, index=names.index)
    else:
        group = groups.members.set_index("rep_id")["group"].reindex(names.index).fillna("")
    frame = pd.DataFrame({"unit": names, "group": group}).rename_axis("unit_id").reset_index()
    return frame.assign(n_peers=frame.groupby("group")["unit_id"].transform("size"))


def _find_known(
    matrix: PerformanceMatrix, counted: list[str], units: pd.DataFrame, fewest: int
) -> pd.DataFrame:
    """Say per unit and KPI whether enough is known: one row a unit, one column a KPI."""
    scores = matrix.scores[matrix.scores["kpi"].isin(counted)]
    needing = {kpi.kpi for kpi in matrix.kpis if kpi.family in _NEEDS_RECORDS}
    enough = ~scores["kpi"].isin(needing) | (scores["n"] >= fewest)
    flags = scores.assign(is_known=scores["raw"].notna() & enough)
    table = flags.pivot_table(index="unit_id", columns="kpi", values="is_known", aggfunc="max")
    table = table.reindex(index=units["unit_id"], columns=counted, fill_value=False)
    return table.fillna(False).astype(bool).reset_index(drop=True)


def _test_groups(
    matrix: PerformanceMatrix, units: pd.DataFrame, asked: dict[str, float]
) -> pd.DataFrame:
    """Test each peer group for any difference; none is claimed that the matrix does not show."""
    names = {name: weight for name, weight in asked.items() if weight > 0}
    gate = any(matrix.is_beyond_chance(name) for name in names)
    rows = []
    for group, members in units[units["is_scored"]].groupby("group", sort=True):
        if group and len(members) >= _FEWEST_UNITS:
            rows.append((group, len(members), _test_group(matrix, members["unit_id"], names)))
    frame = pd.DataFrame(rows, columns=["group", "n_units", "p_value"])
    if len(frame):
        frame["p_value"] = false_discovery_control(frame["p_value"].to_numpy(dtype=float))
    return frame.assign(is_ranked=(frame["p_value"] < FALSE_DIFFERENCES) & gate)


def _test_group(
    matrix: PerformanceMatrix, unit_ids: pd.Series[str], weights: dict[str, float]
) -> float:
    p_values, used = [], []
    for name, weight in weights.items():
        estimates = matrix.estimates[name]
        if len(unit_ids) == len(estimates.labels):
            test = estimates.heterogeneity
        else:
            rows = np.flatnonzero(np.isin(estimates.labels.astype(str), unit_ids.astype(str)))
            test = estimates.evidence.take(rows).test_heterogeneity(estimates.random_state)
        if np.isfinite(test.p_value):
            p_values.append(test.p_value)
            used.append(weight)
    return combine_p_values(np.array(p_values), np.array(used)) if used else 1.0


def _rank_group(
    matrix: PerformanceMatrix, counted: list[str], known: pd.DataFrame,
    shares: NDArray[np.float64], n_best: int,
) -> Acceptability:  # fmt: skip
    """Rank the members of one group; rows of estimates are by unit id, as those of `known`."""
    kpis = []
    for name in counted:
        estimates = matrix.estimates[name]
        order = np.argsort(estimates.labels.astype(str))
        draws = estimates.draws[order[known.index.to_numpy()]]
        kpis.append(Uncertain(draws, known[name].to_numpy(), estimates.higher_is_better))
    seed = matrix.estimates[counted[0]].random_state
    common = correlate_noise(matrix, counted)
    return accept_ranks(kpis, shares, common, n_best=n_best, random_state=seed)


def correlate_noise(matrix: PerformanceMatrix, counted: list[str]) -> NDArray[np.float64]:
    """Estimate how chance deviations of KPIs go together, for they rest on the same records.

    What a quarter of a unit deviates from its own mean and from the quarter's is correlated
    between KPIs, by ranks, each turned so that more is better. KPIs that too few quarters have
    in common count as independent.
    """
    table = matrix.trend[matrix.trend["kpi"].isin(counted)].pivot_table(
        index=["unit_id", "period"], columns="kpi", values="value"
    )
    table = table.reindex(columns=counted)
    apart = table - table.groupby(level="period").transform("mean")
    apart = apart - apart.groupby(level="unit_id").transform("mean")
    found = apart.rank().corr(min_periods=_FEWEST_IN_COMMON).fillna(0.0).to_numpy(copy=True)
    np.fill_diagonal(found, 1.0)
    is_up = {kpi.kpi: kpi.direction == "up" for kpi in matrix.kpis}
    sign = np.array([1.0 if is_up[name] else -1.0 for name in counted])
    return np.asarray(found * np.outer(sign, sign))


def _tabulate(found: Acceptability, index: pd.Index[int]) -> pd.DataFrame:
    figures = {
        "composite": 100 * found.score,
        "low": 100 * found.low,
        "high": 100 * found.high,
        "rank_low": found.rank_low,
        "rank_high": found.rank_high,
        "p_top_quartile": found.p_top_quartile,
        "p_best": found.best,
    }
    figures |= {name: found.bands[:, place] for place, name in enumerate(QUARTERS)}
    return pd.DataFrame(figures, index=index)


def _describe_weights(
    matrix: PerformanceMatrix, asked: dict[str, float], counted: list[str],
    shares: NDArray[np.float64],
) -> pd.DataFrame:  # fmt: skip
    share = dict(zip(counted, shares, strict=True))
    rows = [
        (kpi.kpi, kpi.label, asked.get(kpi.kpi, 0.0), share.get(kpi.kpi, 0.0),
         _why_not(kpi, asked, counted))
        for kpi in matrix.kpis
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["kpi", "label", "weight", "share", "why"])


def _why_not(kpi: Kpi, asked: dict[str, float], counted: list[str]) -> str:
    if kpi.kpi in counted:
        return ""
    if kpi.kpi not in asked:
        return tr("no side is better")
    return tr("no weight") if not asked[kpi.kpi] else tr("no difference beyond chance")
