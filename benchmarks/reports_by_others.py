"""Make one page by another program, in an environment of its own; compare_reports calls this.

Each takes the same rows as a CSV file, where to write, and the team's name, and uses the program
as its documentation shows it first. Nothing of salesnb is imported here.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

DATES = ["created_on", "qualified_on", "closed_on", "expected_close_on"]
LAST_QUARTER = "2026-07-01"
TRAILING = 90
"""Days of bookings that make the series for quantstats."""


def read_rows(data: str) -> pd.DataFrame:
    return pd.read_csv(data, parse_dates=DATES)


def by_ydata(data: str, page: str, team: str) -> None:
    """Profile the team's opportunities."""
    from ydata_profiling import ProfileReport

    ProfileReport(read_rows(data), title=team, progress_bar=False).to_file(page)


def by_evidently(data: str, page: str, team: str) -> None:
    """Summarise what was closed in the last quarter, and how it drifted from what was before."""
    from evidently import Report
    from evidently.presets import DataDriftPreset, DataSummaryPreset

    rows = read_rows(data)
    rows = rows[rows["closed_on"].notna()]
    is_now = rows["closed_on"] >= LAST_QUARTER
    report = Report([DataSummaryPreset(), DataDriftPreset()], metadata={"team": team})
    report.run(rows[is_now], rows[~is_now]).save_html(page)


def by_quantstats(data: str, page: str, team: str) -> None:
    """Read bookings as a price: that of a day is what was won in euros in the 90 days to it.

    Its daily changes are the returns. They say how business grows and shrinks; that it can be
    bought, as the page takes it, is not meant.
    """
    import quantstats

    rows = read_rows(data)
    won = rows[rows["is_won"] & (rows["currency"] == "EUR")]
    daily = won.groupby("closed_on")["amount"].sum().asfreq("D", fill_value=0.0)
    level = daily.rolling(TRAILING).sum().dropna()
    returns = level[level.index.dayofweek < 5].pct_change().dropna()
    quantstats.reports.html(returns, output=page, title=team, strategy_title=team)


MAKERS: dict[str, Callable[[str, str, str], None]] = {
    "ydata-profiling": by_ydata,
    "evidently": by_evidently,
    "quantstats": by_quantstats,
}
