"""Do skill profiles recover planted skills, and cost little?

Run `python benchmarks/profiles_recovery.py`: about a minute on two cores. Today: means of raw
scores. What all raters share (severity, halo) cannot be seen, so the truth is put on their scale.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
from rates_recovery import Report

from salesnb.analysis.profiles import fit_profiles
from salesnb.measures.cache import load_measures, load_snapshot

PERIOD, SKILLS = "2026Q3", tuple(f"s{number:02d}" for number in range(13))
REACH = 1.645
N_COMPANIES = 12


def simulate(seed: int, n_reps: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rate everybody by the manager, most by a coach and a colleague; return ratings and truth."""
    rng = np.random.default_rng(seed)
    skills = 3.2 + rng.normal(0, 0.4, (n_reps, 1)) + rng.normal(0, 0.45, (n_reps, len(SKILLS)))
    n_managers, n_coaches = max(n_reps // 10, 1), max(n_reps // 40, 1)
    n_raters = n_managers + n_coaches + n_reps
    severity, halo = rng.normal(0, 0.35, n_raters), rng.uniform(0.05, 0.4, n_raters)
    rep = np.tile(np.arange(n_reps), 3)
    rater = np.concatenate([
        np.arange(n_reps) // 10 % n_managers, n_managers + rng.integers(0, n_coaches, n_reps),
        n_managers + n_coaches + np.roll(np.arange(n_reps), 1),
    ])  # fmt: skip
    role = np.repeat(["manager", "coach", "peer"], n_reps)
    kept = rng.random(len(rep)) < np.repeat([0.95, 0.6, 0.6], n_reps)
    rep, rater, role = rep[kept], rater[kept], role[kept]
    level = skills[rep].mean(axis=1, keepdims=True)
    seen = level + (1 - halo[rater])[:, None] * (skills[rep] - level)
    seen += (severity[rater] + rng.normal(0, 0.22, len(rep)))[:, None]
    score = np.clip(np.round(seen + rng.normal(0, 0.5, seen.shape)), 1, 5)
    score[rng.random(score.shape) < 0.1] = np.nan
    form, skill = np.nonzero(~np.isnan(score))
    ratings = pd.DataFrame(
        {
            "form_id": form, "rep_id": rep[form], "rater_id": rater[form] + n_reps,
            "rater_role": role[form], "period": PERIOD, "skill": np.array(SKILLS)[skill],
            "score": score[form, skill],
        }
    )  # fmt: skip
    level = skills.mean(axis=1, keepdims=True)
    true = level + (1 - halo.mean()) * (skills - level)
    return ratings, pd.DataFrame(true, columns=list(SKILLS)).rename_axis("rep_id")


def compare(cells: pd.DataFrame, truth: pd.DataFrame) -> tuple[float, float, float, float]:
    """Correlation of raw and corrected levels with the truth; coverage of scores and residuals."""
    skills = list(truth.columns)
    long = truth.reset_index().melt("rep_id", skills, var_name="skill", value_name="true")
    both = cells.merge(long, on=["rep_id", "skill"])
    both = both[both["n_ratings"] > 0]
    level = both.groupby("rep_id")[["raw", "score", "true"]].mean().corr()["true"]
    apart = both["score"] - both["true"]
    scores = ((apart - apart.mean()) / both["error"]).abs() < REACH
    profile = truth.sub(truth.mean(axis=1), axis=0)
    profile = (profile - profile.mean()).reset_index()
    long = profile.melt("rep_id", skills, var_name="skill", value_name="profile_true")
    both = both.merge(long, on=["rep_id", "skill"])
    residuals = ((both["residual"] - both["profile_true"]) / both["residual_error"]).abs() < REACH
    return (level["raw"], level["score"], float(scores.mean()), float(residuals.mean()))


def report_companies(report: Report) -> None:
    for n_reps in (60, 200):
        found = []
        for seed in range(N_COMPANIES):
            ratings, truth = simulate(seed, n_reps)
            fitted = fit_profiles(ratings, skills=SKILLS, periods=(PERIOD,))
            found.append(compare(fitted.cells, truth))
        raw, level, scores, residuals = np.mean(found, axis=0)
        name = f"{n_reps} reps, two forms each"
        report.add(f"level, {name}", f"{raw:.3f}", level, "> today", is_met=level > raw)
        near = abs(scores - 0.9) <= 0.03
        report.add(f"90% interval, {name}", "-", scores, ".90 +- .03", is_met=near)
        near = abs(residuals - 0.9) <= 0.03
        report.add(f"90% of residuals, {name}", "-", residuals, ".90 +- .03", is_met=near)


def report_sample(report: Report) -> None:
    folder = Path(load_snapshot().folder).parent / "export" / "truth"
    if not folder.exists():
        return
    measures = load_measures()
    skills = tuple(dict.fromkeys(measures.skills["skill"]))
    truth = pd.read_csv(folder / "reps.csv", keep_default_na=False).set_index("rep_id")
    halo = pd.read_csv(folder / "raters.csv", keep_default_na=False)["halo"].mean()
    truth = truth[list(skills)].astype(float)
    level = truth.mean(axis=1)
    truth = truth.sub(level, axis=0).mul(1 - halo).add(level, axis=0)
    window = measures.window(PERIOD, 4)
    cells = fit_profiles(measures.ratings, skills=skills, periods=window).cells
    raw, found, scores, residuals = compare(cells, truth)
    name = "sample company, 4 quarters"
    report.add(f"level, {name}", f"{raw:.3f}", found, ">= .93", is_met=found >= 0.93)
    report.add(f"90% interval, {name}", "-", scores, ".90 +- .03", is_met=abs(scores - 0.9) <= 0.03)
    near = abs(residuals - 0.9) <= 0.03
    report.add(f"90% of residuals, {name}", "-", residuals, ".90 +- .03", is_met=near)


def report_cost(report: Report) -> None:
    ratings, _ = simulate(0, 20_000)
    start = time.perf_counter()
    fit_profiles(ratings, skills=SKILLS, periods=(PERIOD,))
    seconds = time.perf_counter() - start
    report.add("seconds, 20,000 reps x 13 skills", "-", seconds, "<= 15", is_met=seconds <= 15)


def main() -> None:
    report = Report()
    report.run(report_companies, report_sample, report_cost)
    report.close()


if __name__ == "__main__":
    main()
