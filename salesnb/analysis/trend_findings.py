"""What a trend offers a reader to know: KPIs whose last quarter is not as its past."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import norm

from salesnb.analysis.finding import Candidate
from salesnb.analysis.multiplicity import SMALLEST
from salesnb.analysis.wording import format_change, format_value
from salesnb.language import format_number, format_share, tr

if TYPE_CHECKING:
    from salesnb.analysis.trend import Trend
    from salesnb.measures.catalogue import Kpi

TREND_ANCHOR = "trend"
_SEEN = 0.01
"""Season, as a share of the level, from which on it is told."""


def change_candidates(trend: Trend) -> tuple[Candidate, ...]:
    """Offer each KPI's last quarter against those before it."""
    if not trend.kpis:
        return ()
    last = trend.last()
    kpis = {kpi.kpi: kpi for kpi in trend.kpis}
    return tuple(
        _offer_change(kpis[row["kpi"]], row, trend) for _, row in last[last["z"].notna()].iterrows()
    )


def _offer_change(kpi: Kpi, row: pd.Series[float], trend: Trend) -> Candidate:
    said = {
        "kpi": kpi.label,
        "value": format_value(kpi, row["value"], trend.currency),
        "usual": format_value(kpi, row["centre"], trend.currency),
        "period": row["period"],
    }
    change = format_change(kpi, row["value"] - row["centre"], trend.currency)
    share = abs(row["value"] / row["centre"] - 1) if row["centre"] else 1.0
    return Candidate(
        text=tr("{kpi} up to {value} in {period}, from a usual {usual}.", **said)
        if row["value"] > row["centre"]
        else tr("{kpi} down to {value} in {period}, from a usual {usual}.", **said),
        why=tr(
            "A change of {change} from the quarters before, from {n} records, is {errors} standard "
            "errors; {season}.",
            change=change,
            n=format_number(row["n"]),
            errors=format_number(abs(row["z"]), 1, group=False),
            season=_say_season(row),
        ),
        anchor=TREND_ANCHOR,
        effect=float(min(share, 1.0)),
        p_value=float(max(2 * norm.sf(abs(row["z"])), SMALLEST)),
        kpi=kpi.kpi,
    )


def _say_season(row: pd.Series[float]) -> str:
    season = row["season"]
    if not np.isfinite(season):
        return tr("seasons are not taken out")
    if abs(season) < _SEEN:
        return tr("seasons are taken out, of which there is hardly any")
    said = {"quarter": str(row["period"])[-2:], "share": format_share(abs(season))}
    if season > 0:
        return tr(
            "seasons are taken out: {quarter} is usually {share} above the year's level", **said
        )
    return tr("seasons are taken out: {quarter} is usually {share} below the year's level", **said)
