"""Bookings over what territory, tenure and season make likely, shrunk."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import spearmanr

from salesnb.analysis.adjust.expect import Expected, expect, find_selection
from salesnb.analysis.adjust.result import BOOKINGS, AdjustedPerformance
from salesnb.analysis.estimate import compound_error
from salesnb.analysis.peers import find_tenure
from salesnb.analysis.rates import estimate_effects
from salesnb.language import tr
from salesnb.measures.measures import Measures
from salesnb.measures.shared import shared

_ROWS = [
    "rep_id", "name", "potential", "tenure_days", "quarters", "n", "bookings", "expected", "raw",
    "adjusted", "estimate", "low", "high", "p_above", "raw_rank", "rank", "rank_low", "rank_high",
]  # fmt: skip


@shared
def adjusted_performance(
    measures: Measures, *, period: str, n_quarters: int = 4, n_draws: int = 2000
) -> AdjustedPerformance:
    """Compare each rep's bookings with what territory, tenure and season make likely.

    Seasons: a quarter worked counts for as much as the company books in it. Territory and
    tenure: by default the residual of a robust regression (Huber) of log bookings on log
    potential and log tenure. Where good reps were given good patches (people with more potential
    win more often, which potential cannot cause), a regression
    would credit the patch with their skill: then bookings / potential is used. So it is, too,
    where fewer than 12 reps can be fitted. The index is shrunk toward 1 as far as it rests on
    few wins; without any territory known only season and tenure are taken out.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`.
    period
        Fiscal quarter, the last one pooled.
    n_quarters
        Quarters pooled.
    n_draws
        Posterior draws.

    Returns
    -------
    AdjustedPerformance
        Reps who worked in the window.

    Raises
    ------
    ParameterError
        The quarter is unknown.
    """
    measures.check_period(period)
    window = measures.window(period, n_quarters)
    if all(kpi.kpi != BOOKINGS for kpi in measures.kpis):
        needs = measures.missing.get(BOOKINGS) or tr("won amounts")
        return _nothing(measures, period, window, tr("bookings need {needs}", needs=needs))
    rows = _gather(measures, window)
    is_known = (rows["exposure"] > 0).to_numpy()
    if not is_known.any() or not rows["bookings"].sum() > 0:
        return _nothing(measures, period, window, tr("nobody booked anything"))
    rows = rows[is_known].reset_index(drop=True)
    expected = expect(rows, find_selection(measures, rows, window))
    usable = np.isfinite(expected.relative)
    return _assemble(measures, period, window, rows, expected, usable, n_draws)


def _gather(measures: Measures, window: tuple[str, ...]) -> pd.DataFrame:
    """Add up each rep's bookings and quarters worked, a quarter weighed by its season."""
    sums = measures.roll_up(by="rep", periods=window, kpi=BOOKINGS)
    sums = sums[sums["unit_id"] != ""]
    level = sums.groupby("period")[["numerator", "denominator"]].sum()
    rate = level["numerator"] / level["denominator"].where(level["denominator"] > 0)
    booked, worked = level["numerator"].sum(), level["denominator"].sum()
    season = (rate * worked / booked).fillna(1.0) if booked > 0 else rate.fillna(1.0) * 0 + 1.0
    sums = sums.assign(exposure=sums["denominator"] * sums["period"].map(season))
    columns = ["numerator", "denominator", "exposure", "n", "total_of_squares"]
    rows = sums.groupby("unit_id")[columns].sum().sort_index()
    people = measures.people.drop_duplicates("rep_id").set_index("rep_id").reindex(rows.index)
    areas = measures.territories.dropna(subset=["rep_id", "potential"])
    potential = areas[areas["potential"] > 0].groupby("rep_id")["potential"].sum()
    first, last = measures.calendar.first_day(window[0]), measures.calendar.last_day(window[-1])
    tenure = find_tenure(people["hired_on"], first + (last - first) / 2)
    return pd.DataFrame(
        {
            "rep_id": rows.index,
            "name": people["name"].fillna(pd.Series(rows.index, rows.index)).to_numpy(),
            "potential": potential.reindex(rows.index).astype(float).to_numpy(),
            "tenure_days": tenure.clip(lower=0).to_numpy(),
            "quarters": rows["denominator"].to_numpy(),
            "exposure": rows["exposure"].to_numpy(),
            "n": rows["n"].to_numpy(),
            "bookings": rows["numerator"].to_numpy(),
            "squares": rows["total_of_squares"].to_numpy(),
        }
    )


def _assemble(
    measures: Measures, period: str, window: tuple[str, ...], rows: pd.DataFrame,
    expected: Expected, usable: NDArray[np.bool_], n_draws: int,
) -> AdjustedPerformance:  # fmt: skip
    bookings, exposure = rows["bookings"].to_numpy(), rows["exposure"].to_numpy()
    relative = expected.relative[usable]
    likely = relative * bookings[usable].sum() / relative.sum()
    # noise as of the wins to be expected: few wins must not make a figure look certain
    wins = rows["n"].to_numpy()[usable].sum() * likely / likely.sum()
    found = estimate_effects(
        bookings[usable] / likely,
        compound_error(wins, rows["squares"].to_numpy()[usable], likely),
        n=np.ones(likely.size), weights=likely, labels=rows["rep_id"].to_numpy()[usable],
        n_draws=n_draws,
    )  # fmt: skip
    raw = bookings / exposure / (bookings.sum() / exposure.sum())
    figures = {
        "expected": likely,
        "adjusted": found.raw,
        "estimate": found.estimate,
        "low": found.low,
        "high": found.high,
        "p_above": (found.draws > 1).mean(axis=1),
        "raw_rank": pd.Series(raw[usable]).rank(ascending=False).to_numpy(),
        "rank": pd.Series(found.estimate).rank(ascending=False).to_numpy(),
        "rank_low": found.rank_low,
        "rank_high": found.rank_high,
    }
    table = pd.DataFrame(figures, index=rows.index[usable])
    rows = rows.assign(raw=raw).join(table)
    agree = np.nan
    if usable.sum() > 2 and np.ptp(raw[usable]) > 0 and np.ptp(found.estimate) > 0:
        agree = float(spearmanr(raw[usable], found.estimate).statistic)
    return AdjustedPerformance(
        period=period,
        window=window,
        rows=rows[_ROWS],
        method=expected.method,
        why=expected.why,
        left_out=tuple(rows.loc[~usable, "name"]),
        elasticity=expected.elasticity,
        order_agreement=agree,
        estimates=found,
        currency=measures.company.currency,
    )


def _nothing(
    measures: Measures, period: str, window: tuple[str, ...], why: str
) -> AdjustedPerformance:
    return AdjustedPerformance(
        period=period, window=window, rows=pd.DataFrame(columns=_ROWS), method="nothing", why=why,
        left_out=(), elasticity=np.nan, order_agreement=np.nan, estimates=None,
        currency=measures.company.currency,
    )  # fmt: skip
