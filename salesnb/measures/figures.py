"""How a KPI's figure is made of its sums and counted values, at any level."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from salesnb.measures.catalogue import Kpi

UNIT = ["unit_id", "period", "kpi"]
TOP = 3
"""How many of the largest values count where their share is shown, and are kept."""
_HALF = 0.5 + 1e-9
"""Share of times still going at which the median is reached, but for what floats lose."""


def add_figures(summed: pd.DataFrame, values: pd.DataFrame, kpis: Iterable[Kpi]) -> pd.DataFrame:
    """Add `value` to the sums of units, quarters and KPIs.

    Parameters
    ----------
    summed
        unit_id, period, kpi and the sums.
    values
        unit_id, period, kpi, value, n, and `is_ended` where KPIs of lasting times are among them.
    kpis
        Definitions of all that occur.

    Returns
    -------
    DataFrame
        `summed` with `value`: numerator / denominator x scale, or the numerator, or what the
        definition says; missing where the denominator is not positive.
    """
    known = {kpi.kpi: kpi for kpi in kpis}
    out = summed.assign(value=_ratios(summed, known))
    for figures in _kept_figures(values, known):
        out = _with_kept(out, figures, known)
    for kpi in known.values():
        if kpi.factors and (out["kpi"] == kpi.kpi).any():
            out.loc[out["kpi"] == kpi.kpi, "value"] = _product(out, kpi)
    return out


def _ratios(summed: pd.DataFrame, known: dict[str, Kpi]) -> pd.Series[float]:
    numerator, denominator = summed["numerator"], summed["denominator"]
    ratio = (numerator / denominator.where(denominator > 0)).astype(float)
    for name, kpi in known.items():
        if kpi.scale != 1.0:
            ratio = ratio.mask(summed["kpi"] == name, ratio * kpi.scale)
    sums = summed["kpi"].isin([name for name, kpi in known.items() if not kpi.is_ratio])
    return ratio.mask(sums, numerator.astype(float))


def _kept_figures(values: pd.DataFrame, known: dict[str, Kpi]) -> Iterable[pd.Series[float]]:
    """Make the figures of counted values, each kind of KPI by its statistic."""
    kinds = {
        weighted_medians: [name for name, kpi in known.items() if kpi.median_of is not None],
        survival_medians: [name for name, kpi in known.items() if kpi.survival_of is not None],
        sum_largest: [name for name, kpi in known.items() if kpi.top_of is not None],
    }
    for statistic, names in kinds.items():
        rows = values[values["kpi"].isin(names)]
        if len(rows):
            yield statistic(rows, UNIT)


def _with_kept(out: pd.DataFrame, figures: pd.Series[float], known: dict[str, Kpi]) -> pd.DataFrame:
    """Put figures of counted values in place of the ratio; a sum becomes a share."""
    names = {str(name) for name in figures.index.unique("kpi")}
    rows = out[out["kpi"].isin(names)]
    figure = rows.merge(figures.rename("figure").reset_index(), on=UNIT, how="left")["figure"]
    figure = figure.set_axis(rows.index)
    share = figure / rows["denominator"].where(rows["denominator"] > 0)
    figure = figure.mask(rows["kpi"].isin([n for n in names if known[n].top_of is not None]), share)
    is_time = rows["kpi"].isin([n for n in names if known[n].survival_of is not None])
    is_there = pd.MultiIndex.from_frame(rows[UNIT]).isin(figures.index)
    value = rows["value"].mask(figure.notna() | (is_time & is_there), figure)
    return out.assign(value=out["value"].mask(out.index.isin(rows.index), value))


def _product(out: pd.DataFrame, kpi: Kpi) -> pd.Series[float]:
    """Multiply a KPI's own sum by the figures it is made of, unit by unit."""
    keys = ["unit_id", "period"]
    rows = out[out["kpi"] == kpi.kpi]
    found = rows[keys]
    for name in kpi.factors:
        figures = out[out["kpi"] == name].set_index(keys)["value"]
        found = found.join(figures.rename(name), on=keys)
    over = found[list(kpi.over)].prod(axis=1, skipna=False)
    times = found[list(kpi.times)].prod(axis=1, skipna=False)
    return rows["numerator"] * times / over.where(over > 0)


def weighted_medians(values: pd.DataFrame, keys: list[str]) -> pd.Series[float]:
    """Compute exact medians of counted values.

    Parameters
    ----------
    values
        The key columns, `value`, and `n`: how often the value occurs.
    keys
        Columns that name a group.

    Returns
    -------
    Series
        Median per group; of an even count the mean of the middle two.
    """
    ordered = values.groupby([*keys, "value"], as_index=False, observed=True)["n"].sum()
    groups = ordered.groupby(keys, observed=True)["n"]
    reached, size = groups.cumsum(), groups.transform("sum")
    lower = ordered[reached >= (size + 1) // 2].groupby(keys, observed=True)["value"].first()
    upper = ordered[reached >= size // 2 + 1].groupby(keys, observed=True)["value"].first()
    medians: pd.Series[float] = (lower + upper) / 2
    return medians


def survival_medians(values: pd.DataFrame, keys: list[str]) -> pd.Series[float]:
    """Compute Kaplan-Meier medians of counted times, some of which last still.

    Parameters
    ----------
    values
        The key columns, `value`, `is_ended`, and `n`: how often both occur together.
    keys
        Columns that name a group.

    Returns
    -------
    Series
        Per group the first time that no more than half outlast; missing while more than half do.
        What lasts still at a time counts as at risk of ending then.
    """
    ended = values["n"].where(values["is_ended"].astype(bool), 0)
    counts = values.assign(_ended=ended).groupby([*keys, "value"], observed=True)
    times = counts[["n", "_ended"]].sum().reset_index()
    groups = times.groupby(keys, observed=True)
    at_risk = groups["n"].transform("sum") - groups["n"].cumsum() + times["n"]
    times["_left"] = 1 - times["_ended"] / at_risk
    times["_left"] = times.groupby(keys, observed=True)["_left"].cumprod()
    reached = times["value"].where(times["_left"] <= _HALF)
    medians: pd.Series[float] = (
        times.assign(value=reached).groupby(keys, observed=True)["value"].min()
    )
    return medians


def sum_largest(values: pd.DataFrame, keys: list[str]) -> pd.Series[float]:
    """Add up the three largest of counted values.

    Parameters
    ----------
    values
        The key columns, `value`, and `n`: how often the value occurs.
    keys
        Columns that name a group.

    Returns
    -------
    Series
        Sum per group, of all where there are fewer.
    """
    ordered = values.sort_values([*keys, "value"], ascending=[*[True] * len(keys), False])
    groups = ordered.groupby(keys, observed=True)["n"]
    before = groups.cumsum() - ordered["n"]
    taken = np.minimum(ordered["n"], (TOP - before).clip(lower=0))
    sums: pd.Series[float] = (
        ordered.assign(value=ordered["value"] * taken).groupby(keys, observed=True)["value"].sum()
    )
    return sums
