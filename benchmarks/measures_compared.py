"""Bring the sums of other programs to salesnb's totals, and see that they are the same.

They have the KPIs that reports show by default (`KPIS`), and only those are compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

KEYS = ["rep_id", "team_id", "period"]
EXACT = 1e-9
"""Relative difference that is the order of adding up floats."""


@dataclass(frozen=True)
class Sums:
    """Names of the sums a KPI's row is made of; `moment` has its count, sum and squares."""

    numerator: str
    denominator: str
    moment: tuple[str, str, str] | None = None


_MONEY = ("n_money", "money", "money_squares")
KPIS = {
    "bookings": Sums("money", "active_share", _MONEY),
    "quota_attainment": Sums("money", "quota", _MONEY),
    "win_rate": Sums("n_won", "n_decided"),
    "close_rate": Sums("n_created_won", "n_created"),
    "deal_size": Sums("money", "n_money", ("n_money", "log_money", "log_money_squares")),
    "cycle_days": Sums("days", "n_days", ("n_days", "log_days", "log_days_squares")),
    "pipeline_created": Sums(
        "qualified", "active_share", ("n_qualified", "qualified", "qualified_squares")
    ),
    "pipeline_coverage": Sums("due", "lacking", ("n_due", "due", "due_squares")),
    "leads": Sums("n_leads", "active_share"),
    "lead_to_won": Sums("n_leads_won", "n_leads"),
    "connected_calls": Sums("n_calls", "working_days"),
    "meetings_per_100": Sums("n_meetings", "n_calls"),
}


def write_sums(frames: dict[str, pd.DataFrame], folder: Path) -> None:
    """Keep what a program found."""
    for name, frame in frames.items():
        frame = frame.reset_index() if "rep_id" not in frame else frame
        frame["period"] = pd.PeriodIndex(frame.pop("quarter"), freq="Q").astype(str)
        frame.to_parquet(folder / f"{name}.parquet")


def find_differences(ours: Path, theirs: Path) -> list[str]:
    """List what differs between salesnb's totals and values and another program's sums."""
    frames = {path.stem: pd.read_parquet(path) for path in theirs.glob("*.parquet")}
    values = frames.pop("values", None)
    wide = pd.concat([frame.set_index(KEYS) for frame in frames.values()], axis=1)
    medians = wide.pop("median_days") if "median_days" in wide else None
    wide = wide.fillna(0.0).astype(float)
    wide["lacking"] = wide["quota"] - wide["money"]
    last = wide.index.get_level_values("period").max()
    totals = pd.read_parquet(ours / "totals.parquet").set_index(["kpi", *KEYS])
    found = [] if set(totals.index.get_level_values("kpi")) >= set(KPIS) else ["KPIs"]
    for kpi, sums in KPIS.items():
        rows = (
            wide.xs(last, level="period", drop_level=False)
            if "lacking" in vars(sums).values()
            else wide
        )
        found += [f"{kpi}: {text}" for text in _compare(totals.loc[kpi], _totals(rows, sums))]
    counted = pd.read_parquet(ours / "values.parquet")
    counted = counted[counted["kpi"] == "cycle_days"]
    if values is not None:
        found += [f"values: {text}" for text in _compare_values(counted, values)]
    if medians is not None:
        found += [f"medians: {text}" for text in _compare_medians(counted, medians.dropna())]
    return found


def _totals(wide: pd.DataFrame, sums: Sums) -> pd.DataFrame:
    parts = {"numerator": wide[sums.numerator], "denominator": wide[sums.denominator]}
    if sums.moment is not None:
        names = zip(("n", "total", "total_of_squares"), sums.moment, strict=True)
        parts |= {part: wide[name] for part, name in names if name in wide}
    frame = pd.DataFrame(parts)
    counted = frame.columns.intersection(["numerator", "denominator", "n"])
    return frame[(frame[counted] != 0).any(axis=1)]


def _compare(ours: pd.DataFrame, theirs: pd.DataFrame) -> list[str]:
    if set(ours.index) != set(theirs.index):
        apart = ours.index.symmetric_difference(theirs.index)
        return [f"{len(apart):,} rows of one only, e.g. {list(apart[:3])}"]
    matched = ours.loc[theirs.index]
    return [
        f"{part} differs in {n_apart:,} of {len(theirs):,} rows"
        for part in theirs
        if (n_apart := int((~np.isclose(matched[part], theirs[part], EXACT, 1e-6)).sum()))
    ]


def _compare_values(ours: pd.DataFrame, theirs: pd.DataFrame) -> list[str]:
    keys = [*KEYS, "value"]
    both = ours[[*keys, "n"]].merge(theirs[[*keys, "n"]], on=keys, how="outer")
    n_apart = int((both["n_x"] != both["n_y"]).sum())
    return [f"{n_apart:,} of {len(both):,} counts differ"] if n_apart else []


def _compare_medians(ours: pd.DataFrame, theirs: pd.Series) -> list[str]:
    days = ours.loc[ours.index.repeat(ours["n"])].groupby(KEYS)["value"].median()
    both = pd.concat([days, theirs], axis=1)
    n_apart = int((both.iloc[:, 0] != both.iloc[:, 1]).sum())
    return [f"{n_apart:,} of {len(both):,} differ"] if n_apart else []
