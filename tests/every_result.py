"""One result of every public function, of a company whose names are hostile."""

import pandas as pd

import salesnb as sn

QUARTER = "2026Q3"
HOSTILE = "<script>fetch('//x')</script><img src=x onerror=alert(1)>\x1b[2J*_"
NO_RESULTS = {
    "views", "PlanLimits", "SkillSegmenter", "course_effects", "sample_company", "skill_framework",
    "write_plan",
}  # fmt: skip
"""Public names that give no result of ours: a module, settings, an estimator, frames, paths."""


def make_snapshot(folder):
    """Import the sample company, small, with hostile text in all names."""
    export = sn.sample_company(folder / "export", reps=24)
    for table in ("reps", "teams", "accounts", "courses", "products"):
        path = export / f"{table}.csv"
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        frame.assign(name=frame["name"] + HOSTILE).to_csv(path, index=False)
    company = export / "company.yaml"
    named = company.read_text(encoding="utf-8").replace("Nordwind", "<b>Nordwind</b>")
    company.write_text(named, encoding="utf-8")
    return sn.import_snapshot(export, to=folder / "snapshot")


def make_all(folder):
    """Call every public function that gives a result; name -> result."""
    snapshot = make_snapshot(folder)
    where = snapshot.folder
    measures = sn.load_measures(where)
    found = {
        "import_snapshot": snapshot,
        "load_snapshot": sn.load_snapshot(where),
        "open_snapshot": sn.open_snapshot(where),
        "load_measures": measures,
        "compute_measures": measures,
        "select_kpis": sn.select_kpis(measures, "win_rate, deal_size"),
        "load_pipeline": sn.load_pipeline(where),
    }
    of_a_quarter = (
        "adjusted_performance", "agreed_actions", "alignment_table", "attribution", "benchmark",
        "bottlenecks", "capacity", "compare_conventions", "compare_process", "contributions",
        "feedback_effect", "feedback_loop", "feedback_themes", "gaming_checks", "handover",
        "judge_programmes", "lead_funnel", "peer_groups", "performance_matrix",
        "process_compliance", "quarter_trend", "response_effect", "skill_importance",
        "skill_matrix", "skill_profiles", "skill_trend", "stage_flow", "target_tree",
        "team_bottlenecks", "team_skills", "training_impact", "win_timing", "winning_patterns",
    )  # fmt: skip
    for name in of_a_quarter:
        found[name] = getattr(sn, name)(measures, period=QUARTER)
    matrix, profiles = found["performance_matrix"], found["skill_profiles"]
    scores = sn.load_pipeline_scores(where)
    segments = sn.skill_segments(profiles, n_null=19)
    names = [f"{HOSTILE}{number}" for number in range(3)]
    return found | {
        "booking_drivers": sn.booking_drivers(measures, period=QUARTER, versus="year"),
        "composite_score": sn.composite_score(matrix),
        "estimate_counts": sn.estimate_counts([3, 30, 5], [1, 2, 3], labels=names),
        "estimate_effects": sn.estimate_effects([0.1, 0.5, 0.9], [0.1, 0.1, 0.1], labels=names),
        "estimate_log_means": sn.estimate_log_means([9, 8, 7], [3, 4, 5], [2, 3, 5], labels=names),
        "estimate_rates": sn.estimate_rates([3, 80, 5], [4, 90, 200], labels=names),
        "find_insights": sn.find_insights(matrix, found["quarter_trend"]),
        "load_pipeline_scores": scores,
        "pipeline_forecast": sn.pipeline_forecast(scores, measures),
        "pipeline_priorities": sn.pipeline_priorities(scores, measures),
        "programmes": sn.programmes(measures),
        "score_pipeline": scores,
        "segments_before": segments,
        "skill_segments": segments,
        "strengths": sn.strengths(matrix),
        "target_outlook": sn.target_outlook(measures, period="2026Q4"),
        "training_plan": sn.training_plan(profiles, found["skill_importance"], measures),
    }
