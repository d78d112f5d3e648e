"""Are chances of open opportunities right, and forecasts? Beside a table of shares by stage.

The sample company at twice its size, with three seeds, and columns planted that know the end; at
a third of it on days within a quarter whose end is known; and 100,000 open opportunities scored.

Run `python benchmarks/pipeline.py`: some minutes of one core; a company on a day within the quarter
takes fifteen seconds.
"""

from __future__ import annotations

import datetime as dt
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd
from rates_recovery import Report

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from planted_columns import LEAKS, plant_columns  # noqa: E402

from salesnb.analysis.pipeline import pipeline_forecast, score_pipeline  # noqa: E402
from salesnb.analysis.pipeline.backtest import look_back  # noqa: E402
from salesnb.analysis.pipeline.choose import choose_method  # noqa: E402
from salesnb.analysis.pipeline.frames import know, thin, with_outcome  # noqa: E402
from salesnb.analysis.pipeline.leaks import find_leaks  # noqa: E402
from salesnb.analysis.pipeline.models import fit  # noqa: E402
from salesnb.measures.compute import compute_measures  # noqa: E402
from salesnb.measures.pictures import PipelineHistory, compute_pipeline  # noqa: E402
from salesnb.sources.load import import_snapshot  # noqa: E402
from salesnb.sources.sample import sample_company  # noqa: E402
from salesnb.sources.snapshot import Snapshot  # noqa: E402

REPS, SEEDS, HORIZON, MANY_OPEN = 400, (0, 1, 2), 90, 100_000
FEWER_REPS = 60
DAYS = tuple(dt.date(2026, month, day) for month, day in ((6, 15), (7, 5), (8, 15), (9, 15)))
LARGEST_ERROR, SLOPES, WITHIN, SECONDS = 0.025, (0.9, 1.1), 0.10, 10.0


@cache
def history(seed: int) -> PipelineHistory:
    """Read a sample company's pipeline."""
    with tempfile.TemporaryDirectory() as folder:
        export = sample_company(Path(folder) / "export", reps=REPS, seed=seed)
        return compute_pipeline(import_snapshot(export, to=Path(folder) / "snapshot"))


def report_chances(report: Report) -> None:
    """Judge chances on months after all that they were learned from, by seed."""
    for seed in SEEDS:
        found = history(seed)
        known = know(found, None)
        rows = with_outcome(known.past, HORIZON, pd.Timestamp(found.as_of))
        choice = choose_method(rows, known.features, HORIZON, seed)
        if choice is None:
            report.add(f"seed {seed}: a model", "-", 0.0, "there is one", is_met=False)
            continue
        own, table = choice.quality, choice.table_quality
        name = f"seed {seed}, {choice.method}, n {own.n:,}"
        error, slope, wins = own.value("error"), own.value("slope"), own.sum_ratio
        report.add(
            f"{name}: ECE", f"{table.value('error'):.3f}", error, f"<= {LARGEST_ERROR}",
            is_met=own.n >= 5_000 and error <= LARGEST_ERROR,
        )  # fmt: skip
        report.add(
            f"{name}: slope", f"{table.value('slope'):.3f}", slope, "0.9 - 1.1",
            is_met=SLOPES[0] <= slope <= SLOPES[1],
        )  # fmt: skip
        report.add(
            f"{name}: wins expected / came", f"{table.sum_ratio:.3f}", wins, "0.9 - 1.1",
            is_met=abs(wins - 1) <= WITHIN,
        )  # fmt: skip
        better = table.value("log_loss") - own.value("log_loss")
        report.add(
            f"{name}: log loss", f"{table.value('log_loss'):.3f}", own.value("log_loss"),
            "< today", is_met=better > 0,
        )  # fmt: skip
        report.add(
            f"{name}: AUC", f"{table.value('auc'):.3f}", own.value("auc"), "> today",
            is_met=own.value("auc") > table.value("auc"),
        )  # fmt: skip


def report_forecast(report: Report) -> None:
    """Compare what was forecast of open amounts in past quarters with what came, by seed."""
    ratios, plain = [], []
    for seed in SEEDS:
        found = history(seed)
        known = know(found, None)
        for kept, method in ((ratios, "logistic"), (plain, "table")):
            past = look_back(found, known, method).dropna(subset=["expected"])
            sums = past.groupby("period")[["expected", "actual"]].sum()
            kept.append(float(sums["expected"].sum() / sums["actual"].sum()))
    for seed, own, table in zip(SEEDS, ratios, plain, strict=True):
        report.add(
            f"seed {seed}: forecast / came, past quarters", f"{table:.3f}", own, "0.9 - 1.1",
            is_met=abs(own - 1) <= WITHIN,
        )  # fmt: skip


@cache
def snapshot(seed: int) -> Snapshot:
    """Import a sample company that is looked at on several days."""
    folder = Path(mkdtemp())
    export = sample_company(folder / "export", reps=FEWER_REPS, seed=seed)
    return import_snapshot(export, to=folder / "snapshot")


def report_days(report: Report) -> None:
    """Compare what is expected to be won by the quarter's end with what was, on days within it."""
    for day in DAYS:
        expected, came, inside = 0.0, 0, 0
        for seed in SEEDS:
            data = snapshot(seed)
            found = compute_pipeline(data, as_of=day)
            scores = score_pipeline(found)
            forecast = pipeline_forecast(scores, compute_measures(data, as_of=day))
            won, booked = _came(data, found)
            part = forecast.part("total")
            expected, came = expected + float(scores.open["p_quarter"].sum()), came + won
            inside += int(part["low"] <= booked <= part["high"])
        ratio = expected / came
        report.add(
            f"{day}, {came} won: wins expected by the quarter's end / came", "-", ratio,
            "0.9 - 1.1", is_met=abs(ratio - 1) <= WITHIN,
        )  # fmt: skip
        report.add(
            f"{day}: bookings within the 90% interval, of {len(SEEDS)}", "-", float(inside),
            f">= {len(SEEDS) - 1}", is_met=inside >= len(SEEDS) - 1,
        )  # fmt: skip


def _came(data: Snapshot, found: PipelineHistory) -> tuple[int, float]:
    """Count what was open that day and won by its quarter's end, and all the quarter booked."""
    calendar = found.calendar
    quarter = calendar.quarter_of(found.as_of)
    first, last = (pd.Timestamp(day(quarter)) for day in (calendar.first_day, calendar.last_day))
    rows = data.read("opportunities").set_index("opportunity_id")
    rows = rows.loc[found.open["opportunity_id"]]
    in_time = rows["is_won"].fillna(False).astype(bool) & (
        pd.to_datetime(rows["closed_on"]) <= last
    )
    booked = compute_pipeline(data).bookings
    whole = booked[booked["closed_on"].between(first, last)]["booked"].sum()
    return int(in_time.sum()), float(whole)


def report_leaks(report: Report) -> None:
    """See which planted columns are named, and that no other is."""
    for seed in SEEDS[:2]:
        found = history(seed)
        known = know(found, plant_columns(found, seed=seed))
        rows = with_outcome(known.past, HORIZON, pd.Timestamp(found.as_of))
        named = {leak.feature.name for leak in find_leaks(known, rows)}
        share = len(named & LEAKS) / len(LEAKS)
        report.add(f"seed {seed}: leaks named", "0", share, "all", is_met=share == 1)
        wrong = len(named - LEAKS)
        report.add(f"seed {seed}: others called leaks", "-", wrong, "0", is_met=not wrong)


def report_speed(report: Report) -> None:
    """Score many open opportunities by a model that is there."""
    found = history(SEEDS[0])
    known = know(found, None)
    rows = with_outcome(known.past, HORIZON, pd.Timestamp(found.as_of))
    many = known.past.sample(MANY_OPEN, replace=True, random_state=0, ignore_index=True)
    for method in ("logistic", "trees"):
        model = fit(method, thin(rows, 20_000), known.features)
        start = time.perf_counter()
        p = model.chances(many)
        seconds = time.perf_counter() - start
        is_met = len(p) == MANY_OPEN and seconds <= SECONDS
        report.add(f"{MANY_OPEN:,} open, {method}: seconds", "-", seconds, "<= 10", is_met=is_met)


if __name__ == "__main__":
    report = Report()
    report.run(report_chances, report_forecast, report_days, report_leaks, report_speed)
    report.close()
