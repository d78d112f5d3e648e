"""Are planted skill segments found, described and named alike, and none where there are none?

Run `python benchmarks/skills_recovery.py`: some minutes on two cores. Beside each figure stands
what is done today: KMeans(4) on mean scores.
"""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from rates_recovery import Report
from scipy.optimize import linear_sum_assignment
from skills_company import (
    NULLS,
    PERIOD,
    Company,
    draw_profiles,
    make_company,
    next_quarter,
    segment_free,
    segmented,
)
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from salesnb.analysis.profiles import skill_profiles
from salesnb.analysis.segments import SkillSegments, Verdict, skill_segments
from salesnb.measures.cache import load_measures, load_snapshot

GAPS = {1.2: 0.90, 0.9: 0.70}
N_REPS, N_COMPANIES, N_NULLS_EACH = 200, 12, 16
LARGE = 20_000
FRESH = get_context("spawn")
"""Forked workers would wait for the threads of scikit-learn that this process has started."""


def find(company: Company, previous: SkillSegments | None = None) -> SkillSegments:
    return skill_segments(skill_profiles(company.measures, period=PERIOD), previous=previous)


def labels_today(company: Company) -> np.ndarray:
    ratings = company.measures.ratings
    scores = ratings.pivot_table(index="rep_id", columns="skill", values="score")
    scores = scores.fillna(scores.mean()).reindex(company.rep_ids)
    return KMeans(4, n_init=10, random_state=0).fit_predict(scores)


def labels_of(company: Company, found: SkillSegments) -> np.ndarray:
    if found.members.empty:
        return np.zeros(len(company.rep_ids), int)
    return found.members.set_index("rep_id")["segment"].reindex(company.rep_ids).to_numpy()


def true_means(company: Company) -> np.ndarray:
    """Profile of each archetype as the average rater sees it."""
    return np.array(
        [company.profiles[company.archetype == a].mean(axis=0)
         for a in np.unique(company.archetype)]
    )  # fmt: skip


def measure_covered(company: Company, found: SkillSegments) -> list[bool]:
    """Whether each interval holds the true profile of the archetype that the segment is."""
    table = found.profile.pivot_table(index="segment", columns="skill", values="gap")
    means = true_means(company)
    alike = np.corrcoef(table.to_numpy(), means)[: len(table), len(table) :]
    rows, columns = linear_sum_assignment(-alike)
    inside: list[bool] = []
    for row, column in zip(rows, columns, strict=True):
        part = found.profile[found.profile["segment"] == table.index[row]]
        part = part.set_index("skill").loc[table.columns]
        inside += list((part["low"] <= means[column]) & (means[column] <= part["high"]))
    return inside


def recover(task: tuple[float, int]) -> tuple[float, float, bool, list[bool], list[bool]]:
    """ARI today and reached, whether confirmed, intervals that cover, names that stay."""
    gap, seed = task
    rng = np.random.default_rng([seed, 5])
    archetype, profiles = draw_profiles(rng, N_REPS, gap)
    company = make_company(rng, profiles, archetype=archetype)
    found = find(company)
    later = next_quarter(rng, company, profiles)
    again = find(later, previous=found)
    return (
        adjusted_rand_score(company.archetype, labels_today(company)),
        adjusted_rand_score(company.archetype, labels_of(company, found)),
        found.verdict is Verdict.CONFIRMED,
        measure_covered(company, found) if len(found.described) else [],
        kept_names(company, found, again),
    )


def kept_names(company: Company, found: SkillSegments, again: SkillSegments) -> list[bool]:
    """Whether each described segment has in the next quarter the name of most of its members."""
    if found.described.empty or again.described.empty:
        return []
    before = found.members.set_index("rep_id")["segment"]
    names = found.segments.set_index("segment")["name"]
    kept = []
    for row in again.described.itertuples():
        members = again.members.loc[again.members["segment"] == row.segment, "rep_id"]
        most = before.reindex(members).mode().iloc[0]
        kept.append(names[most] == row.name)
    return kept


def is_found(task: tuple[str, int]) -> tuple[str, bool, bool]:
    """Whether a segment-free company of 200 or of 100 people seems to have segments."""
    name, seed = task
    company = segment_free(np.random.default_rng([seed, 7]), name, N_REPS // (1 + seed % 2))
    found = find(company)
    return name, found.verdict is not Verdict.NONE, found.verdict is Verdict.CONFIRMED


def report_recovery(report: Report) -> None:
    covered: list[bool] = []
    kept: list[bool] = []
    with ProcessPoolExecutor(mp_context=FRESH) as pool:
        for gap, target in GAPS.items():
            rows = list(pool.map(recover, [(gap, seed) for seed in range(N_COMPANIES)]))
            today, reached = (float(np.mean([row[i] for row in rows])) for i in (0, 1))
            report.add(
                f"ARI, profile gap {gap}", f"{today:.3f}", reached, f">= {target:.2f}",
                is_met=reached >= target,
            )  # fmt: skip
            sure = float(np.mean([row[2] for row in rows]))
            report.add(f"confirmed, profile gap {gap}", "-", sure, "-", is_met=True)
            covered += [one for row in rows for one in row[3]]
            kept += [one for row in rows for one in row[4]]
    share = float(np.mean(covered))
    report.add("95% intervals of segments cover", "-", share, ">= .92", is_met=share >= 0.92)
    share = float(np.mean(kept))
    report.add("names kept to the next quarter", "-", share, ">= .90", is_met=share >= 0.9)


def is_seen(task: tuple[int, int]) -> bool:
    n_reps, seed = task
    company = segmented(np.random.default_rng([seed, 9]), n_reps, 0.9)
    return find(company).verdict is not Verdict.NONE


def report_power(report: Report) -> None:
    """How often segments are seen among few people: no target, it is what `LOW_POWER` says."""
    with ProcessPoolExecutor(mp_context=FRESH) as pool:
        for n_reps in (40, 60, 100):
            tasks = [(n_reps, seed) for seed in range(N_COMPANIES)]
            share = float(np.mean(list(pool.map(is_seen, tasks))))
            report.add(f"segments seen, {n_reps} reps, gap 0.9", "-", share, "-", is_met=True)


def report_nulls(report: Report) -> None:
    tasks = [(name, seed) for seed in range(N_NULLS_EACH) for name in NULLS]
    with ProcessPoolExecutor(mp_context=FRESH) as pool:
        frame = pd.DataFrame(pool.map(is_found, tasks), columns=["kind", "any", "confirmed"])
    by_kind = frame.groupby("kind")["any"].sum()
    named = ", ".join(f"{kind} {n} of {N_NULLS_EACH}" for kind, n in by_kind.items() if n)
    report.console.print(f"segments where there are none: {named or 'none'}")
    share = float(frame["any"].mean())
    question = f"segments in {len(frame)} companies without"
    report.add(question, "1.000", share, "<= .05", is_met=share <= 0.05)
    share = float(frame["confirmed"].mean())
    report.add("of these confirmed", "-", share, "<= .05", is_met=share <= 0.05)


def report_sample(report: Report) -> None:
    """The sample company, of which the archetypes are known."""
    snapshot = load_snapshot()
    path = Path(snapshot.folder).parent / "export" / "truth" / "reps.csv"
    if not path.exists():
        return
    truth = pd.read_csv(path, dtype=str, keep_default_na=False).set_index("rep_id")["archetype"]
    measures = load_measures()
    members = skill_segments(skill_profiles(measures, period="2026Q3")).members
    reached = adjusted_rand_score(truth[members["rep_id"]], members["segment"])
    scores = measures.ratings[measures.ratings["period"] == "2026Q3"]
    scores = scores.pivot_table(index="rep_id", columns="skill", values="score")
    labels = KMeans(4, n_init=10, random_state=0).fit_predict(scores.fillna(scores.mean()))
    today = adjusted_rand_score(truth[scores.index], labels)
    report.add("sample company: ARI", f"{today:.3f}", reached, ">= .90", is_met=reached >= 0.9)


def report_cost(report: Report) -> None:
    company = segmented(np.random.default_rng(0), LARGE, 0.9)
    start = time.perf_counter()
    profiles = skill_profiles(company.measures, period=PERIOD)
    middle = time.perf_counter()
    skill_segments(profiles)
    seconds = time.perf_counter() - start
    report.add(
        f"seconds, {LARGE:,} reps", f"{middle - start:.1f} of profiles", seconds, "<= 20",
        is_met=seconds <= 20,
    )  # fmt: skip


def main() -> None:
    report = Report()
    report.run(report_cost, report_sample, report_recovery, report_power, report_nulls)
    report.close()


if __name__ == "__main__":
    main()
