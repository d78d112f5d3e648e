"""Does the matrix recover planted truth, claim nothing of equals, and cost little?

Run `python benchmarks/matrix_recovery.py`: some five minutes on two cores. Each figure stands
beside what is done today: raw rates, raw bookings, sums of plain z-scores, missing KPIs as zero.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from matrix_company import LAST, Truth, draw_truth, equal_truth, make_company
from rates_recovery import (
    Report,
    measure_calibration,
    measure_coverage,
    measure_rmse,
    run,
    simulate_rates,
)
from scipy.stats import spearmanr

from salesnb.analysis.adjust import adjusted_performance
from salesnb.analysis.composite import CompositeScore, composite_score
from salesnb.analysis.matrix import PerformanceMatrix, performance_matrix
from salesnb.measures.cache import load_measures, load_snapshot
from salesnb.measures.catalogue import CATALOGUE
from salesnb.measures.measures import Measures

ADJUSTED = ("bookings", "win_rate")
EQUAL_KPIS = ("bookings", "win_rate", "deal_size", "leads")
COUNTED = ("win_rate", "deal_size", "leads", "meetings_per_100")
MISSING_SHARE = 0.3
N_EQUAL, N_EQUAL_REPS = 1000, 60
COST_ARGUMENT = "--cost"


def report_rates(report: Report) -> None:
    raw, found = measure_rmse(run(simulate_rates, 100, 200))
    report.add(
        "win-rate RMSE over raw, 200 reps", "1.000", found / raw, "<= .50", is_met=found <= raw / 2
    )
    for n_reps in (20, 60, 200):
        companies = run(simulate_rates, 20_000 // n_reps, n_reps)
        raw, found = measure_coverage(companies)
        is_met = found >= 0.88 if n_reps == 20 else abs(found - 0.9) <= 0.02
        target = ">= .88" if n_reps == 20 else ".90 +- .02"
        report.add(f"90% interval, {n_reps} reps", f"{raw:.3f}", found, target, is_met=is_met)
        if n_reps > 20:
            raw, found = measure_calibration(companies)
            question = f"P(top quartile) error, {n_reps} reps"
            report.add(question, f"{raw:.3f}", found, "<= .020", is_met=found <= 0.02)


def agree(one: pd.Series | np.ndarray, two: pd.Series | np.ndarray) -> float:
    return float(spearmanr(one, two, nan_policy="omit").statistic)


def report_adjusted(report: Report) -> None:
    """Spearman with the truth when potential varies (SD .5 on logs), at random or with skill.

    Reps differ by SD .3, so that raw bookings do as badly as they are known to (.45).
    """
    for name, given in (("at random", 0.0), ("to the good", 0.7)):
        raw, found, methods = [], [], []
        for seed in range(30):
            rng = np.random.default_rng([seed, 1])
            truth = draw_truth(rng, 120, sd=0.2, potential_sd=0.5)
            standard = truth.win / truth.win.std()
            mixed = 0.5 * given * standard + truth.potential * (1 - given**2) ** 0.5
            truth = replace(truth, potential=mixed)
            result = adjusted_performance(
                make_company(rng, truth, closed=20, kpis=ADJUSTED), period=LAST, n_draws=200
            )
            skill = np.log(1 / (1 + np.exp(0.85 - truth.win))) + truth.volume + truth.size
            raw.append(agree(result.rows["raw"], skill))
            found.append(agree(result.rows["estimate"], skill))
            methods.append(result.method)
        today, reached = float(np.mean(raw)), float(np.mean(found))
        target, is_met = (
            (">= raw + .20", reached >= today + 0.2) if not given else ("> raw", reached > today)
        )
        report.add(f"order, potential given {name}", f"{today:.3f}", reached, target, is_met=is_met)
        share = methods.count("per potential") / len(methods)
        target, is_met = ("<= .15", share <= 0.15) if not given else (">= .80", share >= 0.8)
        report.add(f"taken for selection, given {name}", "-", share, target, is_met=is_met)


def report_sample(report: Report) -> None:
    """The sample company: win rates and adjusted bookings against its planted truth."""
    snapshot = load_snapshot()
    path = Path(snapshot.folder).parent / "export" / "truth" / "reps.csv"
    if not path.exists():
        return
    truth = pd.read_csv(path, dtype={"rep_id": str}).set_index("rep_id")["true_win_probability"]
    rows = adjusted_performance(load_measures(), period="2026Q3").rows.set_index("rep_id")
    truth = truth.reindex(rows.index)
    today, reached = agree(rows["raw"], truth), agree(rows["estimate"], truth)
    is_met = reached >= today + 0.2
    report.add("sample company: order", f"{today:.3f}", reached, ">= raw + .20", is_met=is_met)


def draw_able(rng: np.random.Generator, n_reps: int) -> Truth:
    """Draw abilities that go together: half of their variance is common."""
    common = rng.normal(0, 1, n_reps)
    own = rng.normal(0, 1, (3, n_reps))
    win, volume, size = 0.4 * (common + own) / 2**0.5
    return Truth(win, volume, size, np.zeros(n_reps))


def drop_cells(rng: np.random.Generator, measures: Measures) -> Measures:
    """Lose some of a rep's KPIs altogether, as when a tool is not used."""
    cells = measures.totals[["rep_id", "kpi"]].drop_duplicates().sort_values(["rep_id", "kpi"])
    lost = cells[rng.random(len(cells)) < MISSING_SHARE].assign(is_lost=True)
    merged = measures.totals.merge(lost, on=["rep_id", "kpi"], how="left")
    return replace(measures, totals=measures.totals[merged["is_lost"].isna().to_numpy()])


def report_composite(report: Report) -> None:
    reached, zeros, plain, inside = [], [], [], []
    for seed in range(12):
        rng = np.random.default_rng([seed, 2])
        truth = draw_able(rng, 200)
        company = drop_cells(rng, make_company(rng, truth, kpis=COUNTED))
        matrix = performance_matrix(company, period=LAST, n_draws=500)
        found = composite_score(matrix)
        reps = found.scores["unit_id"].str[1:].astype(int).to_numpy()
        true = _true_composite(truth, reps)
        scored = found.scores["is_scored"].to_numpy()
        reached.append(agree(found.scores["composite"], true))
        table = _raw_table(matrix, found)
        zeros.append(agree(table.rank(pct=True).fillna(0).mean(axis=1)[scored], true[scored]))
        z = (table - table.mean()) / table.std()
        plain.append(agree(z.sum(axis=1)[scored], true[scored]))
        inside.append(_cover(found, truth, matrix))
    value = float(np.mean(reached))
    report.add(
        "composite, missing as zero", f"{np.mean(zeros):.3f}", value, ">= .89", is_met=value >= 0.89
    )
    report.add(
        "composite, sum of z-scores", f"{np.mean(plain):.3f}", value, "> today",
        is_met=value > np.mean(plain),
    )  # fmt: skip
    covered = float(np.mean(inside))
    report.add("90% interval of the composite", "-", covered, ">= .86", is_met=covered >= 0.86)


def _true_columns(truth: Truth, reps: np.ndarray) -> pd.DataFrame:
    columns = {
        "win_rate": truth.win, "deal_size": truth.size, "leads": truth.volume,
        "meetings_per_100": truth.win,
    }  # fmt: skip
    return pd.DataFrame({name: columns[name][reps] for name in COUNTED})


def _true_composite(truth: Truth, reps: np.ndarray) -> np.ndarray:
    return _true_columns(truth, reps).rank(pct=True).mean(axis=1).to_numpy()


def _raw_table(matrix: PerformanceMatrix, found: CompositeScore) -> pd.DataFrame:
    table = matrix.scores.pivot_table(index="unit_id", columns="kpi", values="raw")
    return table.reindex(found.scores["unit_id"]).reset_index(drop=True)


def _cover(found: CompositeScore, truth: Truth, matrix: PerformanceMatrix) -> float:
    """Share of true means over the KPIs a rep has that lie within the interval."""
    reps = found.scores["unit_id"].str[1:].astype(int).to_numpy()
    known = _raw_table(matrix, found)[list(COUNTED)].notna()
    places = _true_columns(truth, reps).where(known)
    true = 100 * ((places.rank() - 0.5) / known.sum()).mean(axis=1)
    inside = (found.scores["low"] <= true) & (true <= found.scores["high"])
    return float(inside[found.scores["is_scored"]].mean())


def claim_of_equals(seed: int) -> tuple[bool, bool, bool, bool]:
    """What a report on equal reps claims: today's raw limits, matrix, composite, adjusted."""
    rng = np.random.default_rng([seed, 3])
    truth = equal_truth(N_EQUAL_REPS)
    company = make_company(rng, truth, n_quarters=1, closed=30, kpis=EQUAL_KPIS)
    # planners think that territories differ
    areas = company.territories.assign(potential=1e5 * np.exp(rng.normal(0, 0.4, N_EQUAL_REPS)))
    company = replace(company, territories=areas)
    matrix = performance_matrix(company, period=LAST, n_draws=100)
    wins = matrix.scores[matrix.scores["kpi"] == "win_rate"]
    rate = float(matrix.estimates["win_rate"].overall)
    limit = 1.96 * np.sqrt(rate * (1 - rate) / wins["n"])
    return (
        bool(((wins["raw"] - rate).abs() > limit).any()),
        bool(matrix.differences["is_beyond_chance"].any()),
        composite_score(matrix).is_beyond_chance,
        adjusted_performance(company, period=LAST, n_draws=100).is_beyond_chance,
    )


def report_equals(report: Report) -> None:
    with ProcessPoolExecutor() as pool:
        claims = np.array(list(pool.map(claim_of_equals, range(N_EQUAL), chunksize=10)))
    today, *parts = claims.mean(axis=0)
    for name, share in zip(("matrix", "composite", "adjusted"), parts, strict=True):
        question = f"equal companies told apart, {name}"
        report.add(question, "-", float(share), "<= .05", is_met=share <= 0.05)
    union = float(claims[:, 1:].any(axis=1).mean())
    question = f"{N_EQUAL:,} equal companies: any claim"
    report.add(question, f"{today:.3f}", union, "<= .05", is_met=union <= 0.05)


def measure_cost(n_reps: int, n_draws: int) -> dict[str, float]:
    rng = np.random.default_rng(0)
    every = tuple(kpi.kpi for kpi in CATALOGUE)
    measures = make_company(rng, draw_truth(rng, n_reps), n_quarters=12, kpis=every)
    start, worked = time.perf_counter(), time.process_time()
    matrix = performance_matrix(measures, period=LAST, n_draws=n_draws)
    composite_score(matrix)
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    return {
        "seconds": seconds,
        "processor": worked,
        "MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    }


def report_cost(report: Report) -> None:
    """Each size in a process of its own; memory is all of it, libraries and company included."""
    for n_reps, n_draws, target in ((200, 2000, 2.0), (2000, 2000, 10.0), (20_000, 500, None)):
        command = [sys.executable, __file__, COST_ARGUMENT, str(n_reps), str(n_draws)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        seconds, size = found["seconds"], found["MB"]
        name = f"{n_reps:,} reps x 12 quarters x {len(CATALOGUE)} KPIs, {n_draws:,} draws"
        report.add(
            f"seconds, {name}", f"{found['processor']:.1f} of processor", seconds,
            f"<= {target:.0f}" if target else "-",
            is_met=target is None or seconds <= target,
        )  # fmt: skip
        is_bound = target is not None
        report.add(
            f"peak MB, {name}", "-", size, "<= 1000" if is_bound else "-",
            is_met=not is_bound or size <= 1000,
        )  # fmt: skip


def main() -> None:
    if sys.argv[1:2] == [COST_ARGUMENT]:
        sys.stdout.write(json.dumps(measure_cost(int(sys.argv[2]), int(sys.argv[3]))))
        return
    report = Report()
    report.run(
        report_cost, report_rates, report_adjusted, report_sample, report_composite, report_equals
    )
    report.close()


if __name__ == "__main__":
    main()
