"""Do chances to hit a target come true? Beside the straight line through bookings so far.

Every chance is given at a day of a quarter from what was known then, by the whole chain from the
export on, and compared with how the quarter ended. Two kinds of companies: planted ones (wins at
the reps' own rates, a rush at the quarter's end, good and bad quarters; no pipeline), and the
sample company (seasons, ramp, moves, pictures of the pipeline).

Run `python benchmarks/targets_recovery.py`: some two minutes on one core.
"""

from __future__ import annotations

import datetime as dt
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from salesnb.analysis.outlook import target_outlook
from salesnb.analysis.outlook.calibration import calibration_error, reliability_table
from salesnb.analysis.outlook.units import list_units
from salesnb.measures.cache import load_snapshot
from salesnb.measures.compute import compute_measures
from salesnb.periods import FiscalCalendar
from salesnb.sources.load import import_snapshot
from salesnb.sources.snapshot import Snapshot, open_snapshot

N_COMPANIES, N_REPS, N_TEAMS = 16, 48, 4
QUARTERS = FiscalCalendar().window("2026Q2", 9)
KPIS = ("bookings", "quota_attainment")
PLANTED_DAYS = (dt.date(2026, 4, 24), dt.date(2026, 6, 5))
SAMPLE_DAYS = tuple(
    FiscalCalendar().first_day(quarter) + dt.timedelta(days)
    for quarter in FiscalCalendar().window("2026Q3", 8)
    for days in (30, 60)
)
"""Two years: quarters of one year share its growth, so their chances stray together. Over the last
four quarters alone, in which the sample company grows, chances are too low by some 5 points."""
LARGEST_ERROR = 0.05


def plant_company(folder: Path, seed: int) -> Snapshot:
    """Write and import reps who win at their own rate, three times as fast in the last 15 days."""
    rng = np.random.default_rng(seed)
    calendar = FiscalCalendar()
    rates, sizes = rng.gamma(5, 1.2, N_REPS), 12_000 * np.exp(rng.normal(0, 0.35, N_REPS))
    reps = [f"r{n:03d}" for n in range(N_REPS)]
    teams = [f"t{n % N_TEAMS}" for n in range(N_REPS)]
    won, targets = [], []
    for quarter in QUARTERS:
        first, last = calendar.first_day(quarter), calendar.last_day(quarter)
        length = (last - first).days + 1
        pull = np.where(np.arange(length) >= length - 15, 3.0, 1.0)
        expected = rates * np.exp(rng.normal(-0.005, 0.1))
        goals = np.round(rates * sizes * np.exp(rng.normal(0.0, 0.25, N_REPS)), 2)
        for rep, n in enumerate(rng.poisson(expected)):
            days = rng.choice(length, n, p=pull / pull.sum())
            amounts = sizes[rep] * np.exp(rng.normal(-0.25, 0.7, n))
            won += [
                (reps[rep], first + dt.timedelta(int(d)), a)
                for d, a in zip(days, amounts, strict=True)
            ]
        targets += [
            ("rep", rep, quarter, "bookings", goal) for rep, goal in zip(reps, goals, strict=True)
        ]
        for team in sorted(set(teams)):
            goal = goals[[own == team for own in teams]].sum()
            targets.append(("team", team, quarter, "bookings", round(goal, 2)))
    facts = pd.DataFrame(won, columns=["rep_id", "closed_on", "amount"])
    facts = facts.assign(
        opportunity_id=[f"o{n}" for n in range(len(facts))],
        created_on=pd.to_datetime(facts["closed_on"]) - pd.Timedelta(days=40),
        is_won=True, is_closed=True,
    )  # fmt: skip
    tables = {
        "reps": pd.DataFrame({"rep_id": reps, "name": reps}),
        "teams": pd.DataFrame({"team_id": sorted(set(teams)), "name": sorted(set(teams))}),
        "memberships": pd.DataFrame({"rep_id": reps, "team_id": teams}).assign(
            valid_from="2020-01-01"
        ),
        "opportunities": facts,
        "targets": pd.DataFrame(
            targets, columns=["owner_kind", "owner_id", "period", "kpi", "target"]
        ),
    }
    export = folder / f"export{seed}"
    export.mkdir()
    for name, frame in tables.items():
        frame.to_csv(export / f"{name}.csv", index=False)
    import_snapshot(export, to=folder / f"snapshot{seed}")
    return open_snapshot(folder / f"snapshot{seed}")


def foresee(snapshot: Snapshot, day: dt.date) -> pd.DataFrame:
    """Give the chances of a day, and how the quarter ended: targets still open that day."""
    known = compute_measures(snapshot, as_of=day, kpis=KPIS)
    quarter = known.calendar.quarter_of(day)
    outlook = target_outlook(known, period=quarter, n_draws=1000)
    later = known.calendar.last_day(quarter) + dt.timedelta(1)
    whole = compute_measures(snapshot, as_of=min(later, snapshot.as_of), kpis=KPIS)
    ends = list_units(whole, quarter).rows.set_index(["level", "unit_id"])["end"]
    rows = outlook.rows.join(ends, on=["level", "unit_id"])
    first, last = known.calendar.first_day(quarter), known.calendar.last_day(quarter)
    elapsed = ((day - first).days + 1) / ((last - first).days + 1)
    rows = rows.assign(
        hit=(rows["end"] >= rows["target"]).astype(float),
        straight=(rows["booked"] >= rows["target"] * elapsed).astype(float),
        inside=(rows["end"] >= rows["low"]) & (rows["end"] <= rows["high"]),
        kind=np.where(rows["level"] == "rep", "reps", "teams and company"),
    )
    return rows[(rows["booked"] < rows["target"]) & rows["p_hit"].notna() & rows["end"].notna()]


def judge(table: Table, name: str, rows: pd.DataFrame) -> None:
    """Add what chances of one kind were worth, each beside its target."""
    p, hit = rows["p_hit"].to_numpy(), rows["hit"].to_numpy()
    error = calibration_error(p, hit)
    brier, straight = np.mean((p - hit) ** 2), np.mean((rows["straight"] - hit) ** 2)
    same = hit.mean() * (1 - hit.mean())
    coverage = rows["inside"].mean()
    stray = f"calibration error (right chances: {error_by_chance(p):.3f})"
    asked = (
        (stray, "", error, f"<= {LARGEST_ERROR:.2f}", error <= LARGEST_ERROR),
        ("Brier score", f"{straight:.3f}", brier, "< straight line", brier < straight),
        ("  one chance for all", f"{same:.3f}", brier, "< that", brier < same),
        ("90% interval holds", "", coverage, ".90 +- .05", abs(coverage - 0.9) <= 0.05),
    )
    for question, today, found, target, is_met in asked:
        shown = f"{name}, {len(rows):,}: {question}"
        table.add_row(shown, today, f"{found:.3f}", target, "yes" if is_met else "NO")


def error_by_chance(p: np.ndarray) -> float:
    """Mean calibration error of chances that are right: few of them stray by themselves."""
    rng = np.random.default_rng(0)
    return float(np.mean([calibration_error(p, rng.random(len(p)) < p) for _ in range(100)]))


def show_reliability(console: Console, name: str, rows: pd.DataFrame) -> None:
    table = Table("Chance", "n", "Mean chance", "Came", "90% interval", title=name)
    for row in reliability_table(rows["p_hit"].to_numpy(), rows["hit"].to_numpy()).to_dict(
        "records"
    ):
        table.add_row(
            f"{row['low']:.1f} - {row['high']:.1f}", f"{row['n']:,}", f"{row['p']:.2f}",
            f"{row['share']:.2f}", f"{row['share_low']:.2f} - {row['share_high']:.2f}",
        )  # fmt: skip
    console.print(table)


def main() -> None:
    start, console = time.perf_counter(), Console()
    with tempfile.TemporaryDirectory() as folder:
        planted = [
            foresee(snapshot, day)
            for seed in range(N_COMPANIES)
            for snapshot in [plant_company(Path(folder), seed)]
            for day in PLANTED_DAYS
        ]
    sample = load_snapshot()
    found = {
        f"{N_COMPANIES} planted companies": pd.concat(planted),
        "sample company": pd.concat([foresee(sample, day) for day in SAMPLE_DAYS]),
    }
    table = Table("Question", "Today", "Found", "Target", "Met")
    for name, rows in found.items():
        for kind, own in rows.groupby("kind"):
            show_reliability(console, f"{name}, {kind}", own)
            judge(table, f"{name}, {kind}", own)
    console.print(table)
    console.print(f"{time.perf_counter() - start:.0f} seconds")
    sys.exit("NO" in list(table.columns[-1].cells))


if __name__ == "__main__":
    main()
