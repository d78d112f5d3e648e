"""Does the training plan put seats where they bring most? Beside the lowest scores first.

Companies are simulated whole: skills of unequal importance, whole-point forms by few raters of
unequal severity, wins and bookings by chance. The plan knows none of the truth: skills come from
`skill_profiles`, importance from `skill_importance`, money from past bookings. What a plan truly
brings is counted with the true skills, importance and money, and compared with the best that
somebody who knew all three could do within the same limits.

Run `python benchmarks/plan.py`: about five minutes on one core.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
from plan_company import EFFECT, TEAM, plant_company
from rich.console import Console
from rich.table import Table

from salesnb.analysis.plan import PlanLimits, skill_importance, training_plan
from salesnb.analysis.plan.assign import assign
from salesnb.analysis.plan.greedy import take_in_order
from salesnb.analysis.plan.limits import Offers
from salesnb.analysis.profiles import skill_profiles

N_COMPANIES, N_REPS = 30, 204
PERIOD = "2026Q2"
RATED = 12
"""Quarters of ratings behind scores: all that the sample company has."""

LIMITS = PlanLimits(smallest_class=4, team_share=0.1)


def score_company(seed: int) -> dict[str, float]:
    """Plan for one company, and count what the plan truly brings."""
    rng = np.random.default_rng(seed)
    measures, planted = plant_company(rng, N_REPS)
    profiles = skill_profiles(measures, period=PERIOD, n_quarters=RATED)
    importance = skill_importance(measures, period=PERIOD)
    budget, hours = 250.0 * N_REPS, 16.0
    plan = training_plan(profiles, importance, measures, budget=budget, hours=hours, limits=LIMITS)
    pairs, offers = list_pairs(measures, planted, profiles.cells)
    limits = replace(LIMITS, budget=budget, hours=hours)
    best = assign(pairs["true"].to_numpy(), offers, limits)
    lowest = take_in_order(np.argsort(pairs["raw"].to_numpy(), kind="stable"), offers, limits)
    of_plan = plan.lines.merge(pairs, on=["rep_id", "course_id"])["true"].sum()
    optimum = pairs["true"][best.is_taken].sum()
    learned = importance.skills["importance"]
    return {
        "share": of_plan / optimum,
        "lowest": pairs["true"][lowest].sum() / optimum,
        "times": of_plan / pairs["true"][lowest].sum(),
        "promised": plan.comparison["gain"].iloc[0] / of_plan,
        "inside": float(plan.comparison["gain_low"].iloc[0] <= of_plan
                        <= plan.comparison["gain_high"].iloc[0]),
        "covered": float(((importance.skills["low"] <= planted.importance)
                          & (planted.importance <= importance.skills["high"])).mean()),
        "correlation": np.corrcoef(learned, planted.importance)[0, 1],
        "by_weight": np.corrcoef(importance.skills["weight"], planted.importance)[0, 1],
        "violations": count_violations(plan, measures, budget, hours),
        "gap": plan.gap,
    }  # fmt: skip


def list_pairs(measures, planted, cells) -> tuple[pd.DataFrame, Offers]:
    """List everybody with every course, and what it truly brings."""
    courses = measures.courses
    place = {skill: number for number, skill in enumerate(measures.skills["skill"])}
    pairs = pd.DataFrame({"rep_id": planted.reps}).merge(courses, how="cross")
    pairs = pairs.merge(cells[["rep_id", "skill", "raw"]], on=["rep_id", "skill"], how="left")
    pairs["raw"] = pairs["raw"].fillna(5.0)
    rep = np.repeat(np.arange(len(planted.reps)), len(courses))
    skill = pairs["skill"].map(place).to_numpy()
    gap = measures.skills["target"].iloc[0] - planted.skills[rep, skill]
    rise = np.clip(gap, 0, EFFECT)
    pairs["true"] = rise * planted.importance[skill] * planted.money[rep]
    floors = np.full(len(planted.reps) // TEAM, np.floor(LIMITS.team_share * TEAM))
    offers = Offers(
        rep=rep, course=np.tile(np.arange(len(courses)), len(planted.reps)), skill=skill,
        team=rep // TEAM, hours=pairs["hours"].to_numpy(),
        cost=pairs["cost"].to_numpy(), seats=courses["seats"].to_numpy(), floors=floors,
        is_due=np.zeros(len(planted.reps), dtype=bool),
    )  # fmt: skip
    return pairs, offers


def count_violations(plan, measures, budget: float, hours: float) -> int:
    """Count limits that a plan breaks, from its lines alone."""
    lines = plan.lines
    seats = measures.courses.set_index("course_id")["seats"]
    sizes = lines.groupby("course_id").size()
    heads = plan.left_out.loc[plan.left_out["course_id"] != ""]
    could = pd.concat([lines, heads[~heads["reason"].str.contains("evidence|already|moves")]])
    floors = np.floor(LIMITS.team_share * could.groupby("team_id")["rep_id"].nunique() + 1e-9)
    got = lines.groupby("team_id").size().reindex(floors.index).fillna(0)
    days = [
        (row.rep_id, day)
        for row in lines.itertuples()
        if row.session
        for day in pd.bdate_range(row.starts_on, row.ends_on)
    ]
    return int(
        (sizes > seats.reindex(sizes.index)).sum()
        + (sizes < LIMITS.smallest_class).sum()
        + (lines["cost"].sum() > budget)
        + (lines.groupby("rep_id")["hours"].sum() > hours).sum()
        + lines.duplicated(["rep_id", "skill"]).sum()
        + (got < floors).sum()
        + (len(days) - len(set(days)))
        + (lines["session"] == "").sum()
    )


def time_large(n_reps: int = 300, n_tries: int = 3) -> tuple[float, float]:
    """Time the whole plan of a large company (slowest of a few), with its gap."""
    seconds, gaps = [], []
    for seed in range(n_tries):
        measures, _ = plant_company(np.random.default_rng(1000 + seed), n_reps)
        profiles = skill_profiles(measures, period=PERIOD, n_quarters=RATED)
        importance = skill_importance(measures, period=PERIOD)
        start = time.perf_counter()
        plan = training_plan(
            profiles, importance, measures, budget=[25.0, 150.0, 400.0][seed] * n_reps,
            hours=16.0, limits=LIMITS,
        )  # fmt: skip
        seconds.append(time.perf_counter() - start)
        gaps.append(plan.gap)
    return max(seconds), max(gaps)


def main() -> None:
    start, console = time.perf_counter(), Console()
    rows = pd.DataFrame([score_company(seed) for seed in range(N_COMPANIES)])
    mean, error = rows.mean(), rows.std() / np.sqrt(len(rows))
    seconds, gap = time_large()
    table = Table("Question", "Today", "Reached", "Target", "Met")
    asked = (
        ("share of the best possible gain", f"{mean['lowest']:.0%}",
         f"{mean['share']:.1%} ± {error['share']:.1%}", ">= 85%", mean["share"] >= 0.85),
        ("times the lowest scores first", "1", f"{mean['times']:.2f}", ">= 1.7",
         mean["times"] >= 1.7),
        ("limits violated, all companies", "", f"{rows['violations'].sum():.0f}", "0",
         rows["violations"].sum() == 0),
        ("largest gap of the solver", "", f"{max(gap, rows['gap'].max()):.2%}", "<= .5%",
         max(gap, rows["gap"].max()) <= 0.005),
        ("seconds for 300 x 10, slowest of 3", "", f"{seconds:.1f}", "<= 5", seconds <= 5),
        ("expected gain / true gain", "", f"{mean['promised']:.2f}", ".8 to 1.2",
         0.8 <= mean["promised"] <= 1.2),
        ("importance: 90% interval holds the truth", "", f"{mean['covered']:.1%}", ">= 85%",
         mean["covered"] >= 0.85),
        ("importance: correlation with the truth", f"{mean['by_weight']:.2f} (weights)",
         f"{mean['correlation']:.2f}", ">= weights", mean["correlation"] >= mean["by_weight"]),
    )  # fmt: skip
    for *cells, is_met in asked:
        table.add_row(*cells, "yes" if is_met else "NO")
    console.print(table)
    console.print(
        f"90% interval of a plan's gain held the true gain in {mean['inside']:.0%} of "
        f"{N_COMPANIES} companies of {N_REPS}; {time.perf_counter() - start:.0f} seconds"
    )
    sys.exit("NO" in list(table.columns[-1].cells))


if __name__ == "__main__":
    main()
