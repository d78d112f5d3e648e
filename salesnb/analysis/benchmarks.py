"""Benchmarks: a unit's KPIs beside its own past, the other teams, and figures from outside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from salesnb.analysis.external import ExternalFigure, read_external
from salesnb.analysis.matrix import PerformanceMatrix, performance_matrix
from salesnb.analysis.result import Result
from salesnb.analysis.wording import count_things, within_sentence
from salesnb.language import tr, write_day
from salesnb.measures.catalogue import Kpi
from salesnb.measures.measures import Measures

BENCHMARKS_ANCHOR = "benchmarks"
"""Id of the table that shows them."""

PAST = 8
"""Quarters before this one that are its own past."""

FEWEST_TEAMS = 4
"""Other teams below which their quartiles are not shown: each would be one team."""

OLD_YEARS = 3
"""Age above which an external figure is called old."""

_SURE = 2
_ROWS = [
    "kpi", "period", "value", "n", "median", "lowest", "highest", "n_quarters", "year_period",
    "year_value", "compared", "first_quartile", "third_quartile", "n_teams", "is_judged",
    "evidence",
]  # fmt: skip
_EXTERNAL = ["kpi", "value", "low", "high", "source", "dated", "definition", "is_old"]


@dataclass(frozen=True, eq=False, repr=False)
class Benchmarks(Result):
    """KPIs of a unit beside what they can be compared with.

    Attributes
    ----------
    period, unit
        The last whole quarter up to the one asked for, and whose figures they are.
    rows
        One row a KPI: `value` and `n` of `period` (a cohort's last mature quarter); `median`,
        `lowest`, `highest` of the `n_quarters` whole quarters among the eight before it;
        `year_value` of the same quarter a year before, `year_period`. Of the other teams
        (of all teams for a company) `first_quartile` and `third_quartile` over `n_teams`, and
        beside them the unit's own figure `compared`: estimates over the KPI's window, per full
        quarter of one rep for totals. Where `is_judged`, `evidence` from -3 (surely worse than
        the teams together) over 0 (cannot be told) to 3.
    external
        One row a figure from outside: kpi, value, low, high, source, dated, definition, is_old.
    kpis
        Definitions, in order.
    left_out
        What was to be shown and is not, and why.
    is_company
        Whether the unit is the company, which has no teams beside it.
    gap
        Why there is nothing to compare; empty when there is.
    """

    period: str
    unit: str
    rows: pd.DataFrame
    external: pd.DataFrame
    kpis: tuple[Kpi, ...]
    left_out: tuple[str, ...]
    currency: str
    is_company: bool
    gap: str = ""

    @property
    def finding(self) -> str:
        """Name the KPIs in which a team differs from the teams beyond chance."""
        if self.gap:
            return f"{self.unit}: {self.gap}"
        head = f"{self.unit}, {self.period}"
        n = count_things(len(self.rows), "KPI", "KPIs")
        judged = self.rows[self.rows["is_judged"].astype(bool)]
        if judged.empty:
            if self.external.empty:
                return tr(
                    "{unit_and_quarter}: {kpis} beside their own past and the teams.",
                    unit_and_quarter=head,
                    kpis=n,
                )
            outside = count_things(len(self.external), "external figure", "external figures")
            return tr(
                "{unit_and_quarter}: {kpis} beside their own past, the teams and {outside}.",
                unit_and_quarter=head,
                kpis=n,
                outside=outside,
            )
        labels = {kpi.kpi: within_sentence(kpi.label) for kpi in self.kpis}
        n = count_things(len(judged), "KPI", "KPIs")
        real = judged[judged["evidence"].abs() >= _SURE]
        if real.empty:
            return tr(
                "{unit_and_quarter}: over several quarters it differs from the other teams beyond "
                "chance on none of {kpis}.",
                unit_and_quarter=head, kpis=n,
            )  # fmt: skip
        named = ", ".join(
            tr("{kpi} (better)", kpi=labels[kpi])
            if evidence > 0
            else tr("{kpi} (worse)", kpi=labels[kpi])
            for kpi, evidence in zip(real["kpi"], real["evidence"], strict=True)
        )
        return tr(
            "{unit_and_quarter}: over several quarters it differs from the other teams beyond "
            "chance on {n} of {kpis}: {named}.",
            unit_and_quarter=head, n=len(real), kpis=n, named=named,
        )  # fmt: skip

    @property
    def caveat(self) -> str:
        """Say what the comparisons do not show."""
        if self.gap:
            return ""
        lines = [
            tr(
                "The range of past quarters is no limit: with eight of them chance alone puts two "
                "in nine new ones outside."
            )
        ]
        if len(self.external):
            lines.append(tr("Sources may count otherwise: compare definitions before figures."))
        old = self.external[self.external["is_old"].astype(bool)]
        if len(old):
            lines.append(
                tr("External figures older than {years} years: {n}.", years=OLD_YEARS, n=len(old))
            )
        if self.left_out:
            lines.append(tr("Not shown: {reasons}.", reasons="; ".join(self.left_out)))
        return " ".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """List one row a KPI."""
        return self.rows.copy()


def benchmark(
    measures: Measures, *, period: str, team: str | None = None, external: str | Path = "",
    n_draws: int = 2000,
) -> Benchmarks:  # fmt: skip
    """Put a unit's KPIs beside its own past, the other teams and figures from outside.

    Shown are the headline KPIs and those of which there is an external figure. Only whole
    quarters are compared: in a running one all figures are of the last whole one.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`.
    period
        Fiscal quarter, 2026Q3.
    team
        Id or name; None is the whole company.
    external
        YAML file of figures with source and date (docs/benchmarks.md); empty for none.
    n_draws
        Posterior draws a KPI.

    Returns
    -------
    Benchmarks
        Empty, with the reason in `gap`, where no quarter is whole or no KPI was measured.

    Raises
    ------
    ParameterError
        Quarter or team is unknown, or an entry of the file is wrong.
    """
    measures.check_period(period)
    team_id = measures.find_team(team) if team is not None else None
    unit = measures.unit_name(team_id)
    figures = read_external(external, measures)
    known = [figure for figure in figures if figure.dated <= measures.as_of]
    named = {figure.kpi for figure in known}
    kpis = tuple(kpi for kpi in measures.kpis if kpi.is_headline or kpi.kpi in named)
    whole = [quarter for quarter in measures.periods if quarter <= period]
    whole = [quarter for quarter in whole if measures.is_whole(quarter)]
    rows, gap = pd.DataFrame(columns=_ROWS), ""
    if not whole:
        gap = tr("no quarter up to {period} is whole, so nothing can be compared.", period=period)
    elif not kpis:
        gap = tr("no KPI was measured, so nothing can be compared.")
    else:
        rows = _compare(measures, kpis, whole[-1], team_id, n_draws)
    shown = set(rows["kpi"])
    return Benchmarks(
        period=whole[-1] if whole else period,
        unit=unit,
        rows=rows,
        external=_list_external([figure for figure in known if figure.kpi in shown], measures),
        kpis=tuple(kpi for kpi in kpis if kpi.kpi in shown),
        left_out=_explain(measures, figures, kpis, shown),
        currency=measures.company.currency,
        is_company=team_id is None,
        gap=gap,
    )


def _compare(
    measures: Measures, kpis: tuple[Kpi, ...], period: str, team: str | None, n_draws: int
) -> pd.DataFrame:
    past = [p for p in measures.calendar.window(period, PAST * 2) if p in measures.periods]
    whole = tuple(p for p in past if measures.is_whole(p))
    points = measures.roll_up(by="company", periods=whole, team=team)
    matrix = performance_matrix(
        measures, period=period, by="team", kpis=tuple(kpi.kpi for kpi in kpis), n_draws=n_draws
    )
    own = set(measures.teams_within(team)) if team is not None else set()
    rows = []
    for kpi in kpis:
        end = measures.latest_mature(kpi, period)
        series = points[points["kpi"] == kpi.kpi].set_index("period")
        if end is not None and end in whole:
            past_row = _describe_past(measures, series, end)
            rows.append({"kpi": kpi.kpi, **past_row, **_describe_teams(matrix, kpi, own, team)})
    return pd.DataFrame(rows, columns=_ROWS)


def _describe_past(
    measures: Measures, series: pd.DataFrame, end: str
) -> dict[str, str | float]:  # one row of `rows`
    """Describe a KPI's quarter and the whole ones before it."""
    values = series["value"]
    before = measures.calendar.window(measures.calendar.shift(end, -1), PAST)
    past = values.reindex([p for p in before if p in values.index]).dropna()
    year = measures.calendar.shift(end, -4)
    return {
        "period": end,
        "value": float(values.get(end, np.nan)),
        "n": float(series["n"].get(end, 0.0)),
        "median": float(past.median()),
        "lowest": float(past.min()),
        "highest": float(past.max()),
        "n_quarters": len(past),
        "year_period": year,
        "year_value": float(values.get(year, np.nan)),
    }


def _describe_teams(
    matrix: PerformanceMatrix, kpi: Kpi, own: set[str], team: str | None
) -> dict[str, float]:
    """Find the quartiles of the teams outside the unit, and the evidence that it differs."""
    scores = matrix.scores[(matrix.scores["kpi"] == kpi.kpi) & matrix.scores["raw"].notna()]
    others = scores.loc[~scores["unit_id"].isin(own), "estimate"].astype(float)
    mine = scores[scores["unit_id"] == team]
    tested = matrix.differences[matrix.differences["kpi"] == kpi.kpi]
    is_enough = len(others) >= FEWEST_TEAMS
    low, high = others.quantile([0.25, 0.75]) if is_enough else (np.nan, np.nan)
    return {
        "compared": float(mine["estimate"].iloc[0]) if len(mine) else np.nan,
        "first_quartile": float(low),
        "third_quartile": float(high),
        "n_teams": len(others),
        "is_judged": bool(len(mine) and len(others) and tested["is_compared"].any()),
        "evidence": int(mine["evidence"].iloc[0]) if len(mine) else 0,
    }


def _list_external(figures: list[ExternalFigure], measures: Measures) -> pd.DataFrame:
    oldest = (pd.Timestamp(measures.as_of) - pd.DateOffset(years=OLD_YEARS)).date()
    rows = [{**figure.model_dump(), "is_old": figure.dated < oldest} for figure in figures]
    return pd.DataFrame(rows, columns=_EXTERNAL).astype({"low": float, "high": float})


def _explain(
    measures: Measures, figures: tuple[ExternalFigure, ...], kpis: tuple[Kpi, ...], shown: set[str]
) -> tuple[str, ...]:
    """Say which KPIs and external figures are not shown, and why."""
    late = [figure for figure in figures if figure.dated > measures.as_of]
    day = write_day(measures.as_of)
    lines = [
        tr(
            "{kpi} of {source}, not published by {day}",
            kpi=figure.kpi,
            source=figure.source,
            day=day,
        )
        for figure in late
    ]
    lines += [
        tr(
            "the external figure of {kpi}, which needs {needs}",
            kpi=figure.kpi,
            needs=measures.missing[figure.kpi],
        )
        for figure in figures
        if figure.kpi in measures.missing
    ]
    lines += [
        tr("{kpi}, no cohort is old enough", kpi=kpi.kpi) for kpi in kpis if kpi.kpi not in shown
    ]
    return tuple(lines)
