"""What changed: quarters with control limits."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesnb.analysis.seasons import SEASONAL_FROM
from salesnb.analysis.trend import Trend
from salesnb.analysis.trend_findings import TREND_ANCHOR
from salesnb.analysis.wording import format_range, format_value
from salesnb.language import format_number, tr
from salesnb.measures.catalogue import Kpi
from salesnb.views.blocks import Block, Figure, Note, Panel
from salesnb.views.figures.parts import tick_writer
from salesnb.views.theme import BETTER, UNCLEAR, WORSE, css_variable


def trend_chart(trend: Trend) -> Block:
    """Draw every KPI over the quarters with its control limits, as small multiples."""
    if trend.points.empty:
        return Note(tr("There are no quarters to follow."), "missing")
    last = trend.last()
    outside = last[last["is_outside"]]
    quarters = sorted(trend.points["period"].unique())
    rows = dict(iter(trend.points.groupby("kpi")))
    return Figure.from_panels(
        [
            _make_panel(rows[kpi.kpi].reset_index(drop=True), kpi, trend.currency)
            for kpi in trend.kpis
        ],
        title=trend.finding,
        caption=tr(
            "{unit}, {first} to {last}. Band: where a quarter falls when nothing but chance "
            "changes (3 standard errors around the dashed line, which is the level of the "
            "quarters before). {caveat}",
            unit=trend.unit, first=quarters[0], last=quarters[-1], caveat=trend.caveat,
        ),
        alt=tr(
            "Small line charts of {kpis} KPIs over {quarters} quarters with control limits; "
            "{outside} end outside them. {finding}",
            kpis=len(trend.kpis), quarters=len(quarters), outside=len(outside),
            finding=trend.finding,
        ),
        how_to_read=tr(
            "A point inside the band needs no explanation. A point outside is marked: look for "
            "a cause. Limits are computed from the quarters before only, and widen where the "
            "past was unsteady. From {n} quarters before on, the dashed line and the band move "
            "with a season that repeats each year. A hollow point is a quarter so far: it has no "
            "band, and nothing follows from it yet.",
            n=SEASONAL_FROM,
        ),
        numbers=_trend_numbers(trend),
        anchor=TREND_ANCHOR,
    )  # fmt: skip


def _make_panel(points: pd.DataFrame, kpi: Kpi, currency: str) -> Panel:
    z, outside = points["z"].to_numpy(), points["is_outside"].to_numpy(dtype=bool)
    names = [_name_quarter(row.period, row.is_running) for row in points.itertuples()]
    return Panel(
        title=kpi.label,
        values=points["value"].astype(float).tolist(),
        low=points["low"].astype(float).tolist(),
        high=points["high"].astype(float).tolist(),
        centre=points["centre"].astype(float).tolist(),
        span=_span(points),
        write=tick_writer(kpi, currency),
        ends=(names[0], names[-1]),
        marked=[(int(place), _colour(z[place], kpi)) for place in np.flatnonzero(outside)],
        is_stepped=True,
        is_open=bool(points["is_running"].iloc[-1]),
    )


def _colour(z: float, kpi: Kpi) -> str:
    good = (z > 0) == (kpi.direction == "up")
    return css_variable(UNCLEAR if kpi.direction == "neutral" else BETTER if good else WORSE)


def _name_quarter(period: object, is_running: object) -> str:
    return tr("{quarter} so far", quarter=period) if is_running else f"{period}"


def _span(points: pd.DataFrame) -> tuple[float, float]:
    """Give a small chart room: at least a fifth of its level, so that small moves look small."""
    shown = points[["value", "low", "high"]].to_numpy(dtype=float)
    shown = shown[np.isfinite(shown)]
    if not len(shown):
        return 0.0, 1.0
    low, high = float(shown.min()), float(shown.max())
    room = max(0.15 * (high - low), 0.2 * abs(high), 1e-9)
    return max(0.0, low - room), high + room


def _trend_numbers(trend: Trend) -> pd.DataFrame:
    kpis = {kpi.kpi: kpi for kpi in trend.kpis}
    return pd.DataFrame(
        [
            {
                tr("KPI"): kpis[row["kpi"]].label,
                tr("Quarter"): _name_quarter(row["period"], row["is_running"]),
                tr("Value"): format_value(kpis[row["kpi"]], row["value"], trend.currency),
                tr("Usual"): format_value(kpis[row["kpi"]], row["centre"], trend.currency),
                tr("Limits"): format_range(
                    kpis[row["kpi"]], row["low"], row["high"], trend.currency
                ),
                "n": format_number(row["n"]),
            }
            for row in trend.points.to_dict("records")
        ]
    )
