"""Is an effect of feedback claimed where there is none? Beside the naive after less before.

Simulated companies: skills that drift, two raters a quarter with strictness, moods and whole
points, and feedback that goes to random skills, to the one rated lowest in the quarter before or
in the same quarter, or (as praise) to the highest.

Run `python benchmarks/feedback_effect.py`: two to three minutes on one core.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from salesnb.analysis.feedback.effect import compare_kinds
from salesnb.analysis.feedback.profiles import skill_panel
from salesnb.analysis.feedback.verdict import FELL, MOVED

N_REPS, N_SKILLS, N_QUARTERS, N_FORMS = 60, 8, 12, 2
RULES = ("random", "lowest before", "lowest now", "highest before")
PERIODS = tuple(f"q{number:02d}" for number in range(N_QUARTERS))
LARGEST_BIAS, LEAST_COVERAGE, MOST_CLAIMS, LEAST_FOUND = 0.07, 0.92, 0.05, 0.5


def simulate(rule: str, effect: float, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Make the panel of a company and the kinds of feedback (person-skills, quarters)."""
    rng = np.random.default_rng(seed)
    shape = (N_REPS, N_SKILLS)
    level = rng.normal(3.0, 0.4, (N_REPS, 1))
    profile, drift = rng.normal(0, 0.5, shape), rng.normal(0, 0.35, shape)
    gained = np.zeros(shape)
    seen = np.empty((N_QUARTERS, N_FORMS, *shape))
    given = np.zeros((*shape, N_QUARTERS), dtype=bool)
    lag = 0 if rule == "lowest now" else 1  # the last rating before the feedback
    for quarter in range(N_QUARTERS):
        drift = 0.6 * drift + rng.normal(0, 0.35 * 0.8, shape)
        mood = rng.normal(0, 0.4, (N_FORMS, N_REPS, 1))
        score = level + profile + drift + gained + mood + rng.normal(0, 0.6, (N_FORMS, *shape))
        seen[quarter] = np.clip(np.round(score), 1, 5)
        basis = seen[max(quarter - lag, 0)].mean(axis=0)
        basis = rng.random(shape) if rule == "random" else basis + 0.01 * rng.random(shape)
        pick = basis.argmax(axis=1) if rule == "highest before" else basis.argmin(axis=1)
        told = np.flatnonzero(rng.random(N_REPS) < 0.5)
        given[told, pick[told], max(quarter - lag, 0)] = True
        gained[told, pick[told]] += effect
    kinds = np.where(given.reshape(-1, N_QUARTERS), "correction", "").astype(object)
    return skill_panel(write_forms(seen), PERIODS), kinds


def write_forms(seen: np.ndarray) -> pd.DataFrame:
    """List scores (quarter, form, rep, skill) as rows of a ratings table."""
    quarter, form, rep, skill = (axis.ravel() for axis in np.indices(seen.shape))
    names = np.array(PERIODS)[quarter]
    return pd.DataFrame(
        {
            "form_id": (quarter * N_FORMS + form) * N_REPS + rep,
            "rep_id": np.char.add("r", np.char.zfill(rep.astype(str), 3)),
            "rater_id": np.char.add("x", form.astype(str)),
            "rater_role": "peer",
            "period": names,
            "skill": np.char.add("s", skill.astype(str)),
            "score": seen.ravel(),
        }
    )


def judge_rule(rule: str, effect: float, n: int) -> dict[str, float]:
    """Find bias, coverage and share of claims over simulated companies."""
    rows = []
    for seed in range(n):
        panel, kinds = simulate(rule, effect, seed)
        rows.append(compare_kinds(panel, kinds, np.zeros(kinds.shape, dtype=bool)).iloc[0])
    found = pd.DataFrame(rows)
    return {
        "naive": float(found["naive"].mean()) - effect,
        "bias": float(found["effect"].mean()) - effect,
        "coverage": float(((found["low"] <= effect) & (effect <= found["high"])).mean()),
        "claims": float(found["verdict"].isin([MOVED, FELL]).mean()),
    }


def main() -> None:
    start, console = time.perf_counter(), Console()
    table = Table("Feedback goes to", "Question", "Naive", "Reached", "Target", "Met")
    n = 200
    for rule in RULES:
        none, some = judge_rule(rule, 0.0, n), judge_rule(rule, 0.5, n // 4)
        asked = (
            ("bias at no effect", f"{none['naive']:+.2f}", none["bias"],
             f"within {LARGEST_BIAS}", abs(none["bias"]) <= LARGEST_BIAS),
            ("95% interval holds", "", none["coverage"], f">= {LEAST_COVERAGE}",
             none["coverage"] >= LEAST_COVERAGE),
            ("claims at no effect", "", none["claims"], f"<= {MOST_CLAIMS}",
             none["claims"] <= MOST_CLAIMS),
            ("claims at half a point", "", some["claims"], f">= {LEAST_FOUND}",
             some["claims"] >= LEAST_FOUND),
        )  # fmt: skip
        for question, naive, reached, target, is_met in asked:
            shown = f"{reached:+.3f}" if naive else f"{reached:.3f}"
            table.add_row(rule, question, naive, shown, target,
                          "yes" if is_met else "NO")  # fmt: skip
    console.print(table)
    console.print(f"{n} companies of {N_REPS} people a rule; {time.perf_counter() - start:.0f} s")
    sys.exit("NO" in list(table.columns[-1].cells))


if __name__ == "__main__":
    main()
