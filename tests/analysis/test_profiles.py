import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_company import QUARTERS, make_measures

from salesnb import views
from salesnb.analysis.plan import skill_importance
from salesnb.analysis.profiles import fit_profiles, skill_profiles
from salesnb.analysis.profiles.agreement import correlate
from salesnb.analysis.profiles.components import fit_components
from salesnb.analysis.profiles.forms import gather_forms
from salesnb.analysis.profiles.posterior import Components, solve
from salesnb.analysis.skill_matrix import skill_matrix
from salesnb.analysis.skill_trend import skill_trend
from salesnb.errors import ParameterError
from salesnb.sources.framework import skill_framework

NOW = QUARTERS[-1]
SKILLS = tuple(f"s{number}" for number in range(8))
COLUMNS = ["form_id", "rep_id", "team_id", "rater_id", "rater_role", "period", "skill", "score"]


def simulate(seed, *, reps=60, leniency=0.35, halo=0.2, missing=0.1, periods=(NOW,), later=0.0):
    """Rate everybody by the team's manager, a coach and a peer; return ratings and truths."""
    rng = np.random.default_rng(seed)
    skills = 3.1 + rng.normal(0, 0.4, (reps, 1)) + rng.normal(0, 0.4, (reps, len(SKILLS)))
    raters = {}
    rows = []
    for when, period in enumerate(periods):
        for rep in range(reps):
            team = "ABCDEF"[rep % 6]
            manager = f"m{team}{'2' if later and when else ''}"
            peer = f"{'ABCDEF'[rep % 6]}{(rep + 6) % reps:03d}"
            for role, rater in (
                ("manager", manager),
                ("coach", f"c{rep // 6 % 3}"),
                ("peer", peer),
            ):
                if rater not in raters:
                    raters[rater] = (
                        rng.normal(0, leniency) + later * rater.endswith("2"),
                        1 + rng.normal(0, halo),
                    )
                severity, slope = raters[rater]
                level = skills[rep].mean()
                seen = level + slope * (skills[rep] - level) + severity + rng.normal(0, 0.2)
                seen = np.clip(np.round(seen + rng.normal(0, 0.5, len(SKILLS))), 1, 5)
                rows += [
                    (f"{period}-{rep}-{role}", f"{team}{rep:03d}", team, rater, role, period, skill,
                     score)
                    for skill, score in zip(SKILLS, seen, strict=True)
                    if rng.random() > missing
                ]  # fmt: skip
    names = [f"{'ABCDEF'[rep % 6]}{rep:03d}" for rep in range(reps)]
    truth = pd.DataFrame(skills, index=names, columns=list(SKILLS))
    return (
        pd.DataFrame(rows, columns=COLUMNS),
        truth,
        pd.Series({k: v[0] for k, v in raters.items()}),
    )


def company(ratings, *, target=3.0, **options):
    reps = sorted(set(ratings["rep_id"])) or ["A1"]
    rows = [(rep, rep[0], NOW, "win_rate", 1, 2, 2, np.nan, np.nan) for rep in reps]
    framework = [(skill, "AE", "any", target) for skill in SKILLS]
    return make_measures(
        rows, kpis=("win_rate",), ratings=ratings.to_numpy().tolist(), skills=framework, **options
    )


def fit(ratings, periods=(NOW,)):
    return fit_profiles(ratings, skills=SKILLS, periods=periods)


@pytest.fixture(scope="module")
def simulated():
    ratings, truth, severity = simulate(1)
    return ratings, truth, severity, fit(ratings)


# What is planted is found ---------------------------------------------------------------------


def test_intervals_cover_and_levels_are_nearer_the_truth_than_means():
    covered, residuals, raw, found = [], [], [], []
    for seed in range(8):
        ratings, truth, _ = simulate(seed)
        cells = fit(ratings).cells
        true = truth.rename_axis("rep_id").reset_index()
        true = true.melt("rep_id", var_name="skill", value_name="true")
        cells = cells.merge(true, on=["rep_id", "skill"])
        # All raters' mean severity cannot be seen.
        shift = (cells["score"] - cells["true"]).mean()
        z = (cells["score"] - cells["true"] - shift) / cells["error"]
        covered.append((z.abs() < 1.645).mean())
        centred = cells["true"] - cells.groupby("rep_id")["true"].transform("mean")
        centred = centred - centred.groupby(cells["skill"]).transform("mean")
        z = (cells["residual"] - centred) / cells["residual_error"]
        residuals.append((z.abs() < 1.645).mean())
        level = cells.groupby("rep_id")[["raw", "score", "true"]].mean().corr()["true"]
        raw.append(level["raw"])
        found.append(level["score"])
    # A little short at 60 people, because how much what varies is learned from them too.
    assert np.mean(covered) == pytest.approx(0.9, abs=0.04)
    assert np.mean(residuals) == pytest.approx(0.9, abs=0.03)
    assert np.mean(found) > np.mean(raw) + 0.03


def test_a_strict_rater_is_found_and_equal_raters_are_not_told_apart(simulated):
    _, _, severity, _ = simulated
    measures = company(simulated[0])
    raters = skill_profiles(measures, period=NOW).raters.set_index("rater_id")
    often = raters[raters["n_forms"] >= 8]
    assert np.corrcoef(often["severity"], severity[often.index])[0, 1] > 0.8
    claims = 0
    for seed in range(6):
        ratings, _, _ = simulate(seed, leniency=0.0)
        claims += skill_profiles(company(ratings), period=NOW).raters["is_beyond_chance"].any()
    assert claims <= 2  # 6 x 5%; P(more than 2) is below .003 at a true 5%


def test_the_equations_are_those_of_the_mixed_model():
    # By hand: generalised least squares and prediction on the dense covariance of all scores.
    ratings, _, _ = simulate(3, reps=7)
    forms = gather_forms(ratings, skills=SKILLS[:3], periods=[NOW])
    spread = np.array([[0.4, 0.2, 0.1], [0.2, 0.5, 0.2], [0.1, 0.2, 0.3]])
    slopes = np.linspace(0.7, 1.3, len(forms.raters))
    found = solve(forms, Components(0.3, 0.05, 0.1, 0.0, 0.0, spread, slopes))
    form, skill = np.nonzero(forms.observed)
    design = np.zeros((len(form), 3 * len(forms.reps)))
    for row, (one, place) in enumerate(zip(form, skill, strict=True)):
        slope = slopes[forms.rater[one]]
        start = 3 * forms.rep[one]
        design[row, start : start + 3] = (1 - slope) / 3
        design[row, start + place] += slope
    mean = np.tile(np.eye(3), (len(forms.reps), 1))
    people = np.kron(np.eye(len(forms.reps)), spread) + 4.0 * mean @ mean.T
    covariance = design @ people @ design.T + 0.3 * np.eye(len(form))
    for variance, group in ((0.05, np.arange(len(forms))), (0.1, forms.rater), (0.25, forms.role)):
        covariance += variance * (group[form][:, None] == group[form])
    left = forms.scores[form, skill] - design @ np.full(design.shape[1], 3.0)
    predicted = 3.0 + people @ design.T @ np.linalg.solve(covariance, left)
    # The scale is anchored at the average form, which moves everybody alike.
    apart = found.mean.ravel() - predicted
    assert np.ptp(apart) < 1e-9


# Laws ------------------------------------------------------------------------------------------


def test_the_order_of_rows_changes_nothing(simulated):
    ratings, *_, fitted = simulated
    other = fit(ratings.sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(fitted.cells, other.cells)


@settings(max_examples=4, deadline=None)
@given(kinder=st.floats(-3, 3))
def test_a_kinder_rater_changes_nothing_but_the_severity(simulated, kinder):
    ratings, *_, fitted = simulated
    moved = ratings.assign(score=ratings["score"] + kinder * (ratings["rater_id"] == "mA"))
    forms = fitted.posterior.forms
    components = fitted.posterior.components
    wide = Components(**{**vars(components), "severity": 1e6})
    before = solve(forms, wide)
    after = solve(gather_forms(moved, skills=SKILLS, periods=[NOW]), wide)
    apart = after.mean - before.mean
    assert np.ptp(apart) < 0.05 * abs(kinder) + 1e-9  # roles keep their prior
    own = forms.raters.index("mA")
    change = (after.effects - before.effects)[own]
    assert change == pytest.approx(kinder, abs=0.05 * abs(kinder) + 1e-6)


def test_residuals_do_not_see_a_forms_level(simulated):
    ratings, *_, fitted = simulated
    table = fitted.cells.pivot_table(index="rep_id", columns="skill", values="residual")
    assert table.mean(axis=1).abs().max() < 0.15
    assert np.corrcoef(fitted.cells["profile"], fitted.cells["residual"].fillna(0))[0, 1] > 0.9


def test_agreement_is_shrout_and_fleiss_example():
    # Shrout & Fleiss (1979), table 2: six targets, four judges; ICC(1,1) .17, ICC(1,4) .44.
    scores = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9],
                       [6, 2, 4, 7]], dtype=float)  # fmt: skip
    one, low, high, many, k, n_people, n = correlate(scores.ravel(), np.repeat(np.arange(6), 4))
    assert (one, many, k) == (pytest.approx(0.166, abs=1e-3), pytest.approx(0.443, abs=1e-3), 4.0)
    assert low < one < high
    assert (n_people, n) == (6, 24)


# Hostile input ---------------------------------------------------------------------------------


def rate(rep, rater, score, *, skills=SKILLS, role="peer", form_id="f"):
    return [
        (f"{form_id}-{rep}-{rater}", rep, rep[0], rater, role, NOW, skill, score)
        for skill in skills
    ]


def frame(*forms):
    return pd.DataFrame([row for form in forms for row in form], columns=COLUMNS)


@pytest.mark.parametrize(
    "ratings",
    [
        frame(rate("A1", "x", 3.0)),
        frame(rate("A1", "x", 3.0), rate("A1", "y", 3.0), rate("A2", "x", 3.0)),
        frame(rate("A1", "x", 5.0, skills=SKILLS[:1]), rate("A2", "y", 1.0, skills=SKILLS[1:2])),
        frame(rate("A1", "x", 3.0), rate("A1", "x", 5.0)),
        frame(rate("A1", "x", np.nan), rate("A1", "y", 4.0), rate("B1", "z", 2.0)),
    ],
    ids=["one form", "all alike", "no skill in common", "a form twice", "not observed"],
)
def test_little_and_odd_input_gives_finite_scores(ratings):
    found = skill_profiles(company(ratings), period=NOW)
    rated = found.cells[found.cells["n_ratings"] > 0]
    assert np.isfinite(rated[["score", "low", "high", "residual"]].to_numpy(dtype=float)).all()
    assert rated["score"].between(1, 5).all()
    unrated = found.cells[found.cells["n_ratings"] == 0]
    assert unrated[["raw", "score", "residual"]].isna().to_numpy().all()
    assert not unrated["is_enough"].any()
    for show in (views.profiles_table, views.raters_table, views.agreement_table):
        assert show(found).render_html()
    assert found.plot().render_html()


def test_one_rater_is_insufficient_evidence_and_oneself_is_none():
    ratings = frame(rate("A1", "x", 2.0), rate("A1", "A1", 5.0, role="self"), rate("A2", "x", 3.0))
    found = skill_profiles(company(ratings), period=NOW)
    first = found.cells[found.cells["rep_id"] == "A1"]
    assert not first["is_enough"].any()
    assert (first["n_raters"].tolist(), first["self_score"].tolist()) == ([1] * 8, [5.0] * 8)
    assert "of 16 there is insufficient evidence" in found.finding
    assert views.person_skills(found, "A1").kind == "missing"
    with pytest.raises(ParameterError, match="'Z9' is not in these profiles"):
        views.person_skills(found, "Z9")


def test_teams_without_a_common_rater_are_said_to_be_apart():
    ratings = frame(*(rate(rep, f"{rep[0]}x", 3.0) for rep in ("A1", "A2", "B1", "B2")))
    found = skill_profiles(company(ratings), period=NOW)
    assert found.n_circles == 2
    assert "compare people within their own circle only" in found.caveat
    assert skill_profiles(company(ratings), period=NOW, team="A").n_circles == 1


@pytest.mark.parametrize(
    "ratings", [frame(), frame(rate("A1", "A1", 3.0))], ids=["none", "self only"]
)
def test_without_ratings_by_others_it_says_what_it_needs(ratings):
    found = skill_profiles(company(ratings), period=NOW)
    assert found.lacking
    assert found.candidates() == ()
    assert found.residuals().empty
    assert views.profiles_table(found).kind == "missing"
    assert skill_trend(company(ratings), period=NOW).lacking


def test_tables_are_reps_by_skills_in_the_order_of_the_framework(simulated):
    found = skill_profiles(company(simulated[0]), period=NOW, team="A")
    for table in (found.residuals(), found.errors(), found.profiles()):
        assert tuple(table.columns) == SKILLS
        assert list(table.index) == list(found.levels["rep_id"])
    assert found.profiles().notna().to_numpy().all()


def test_a_snapshot_without_framework_has_the_packages(simulated):
    ratings = simulated[0].replace({"skill": {"s0": "discovery"}})
    rows = [(rep, rep[0], NOW, "win_rate", 1, 2, 2, np.nan, np.nan) for rep in set(ratings.rep_id)]
    measures = make_measures(rows, kpis=("win_rate",), ratings=ratings.to_numpy().tolist())
    found = skill_profiles(measures, period=NOW)
    assert "targets and weights are those that come with salesnb" in found.caveat
    of_skill = found.cells.groupby("skill")["target"].first()
    assert of_skill["discovery"] == 3.0  # of any other role
    assert np.isnan(of_skill["s1"])
    assert "that come with salesnb" in skill_matrix(measures, period=NOW).caveat
    importance = skill_importance(measures, period=NOW)
    assert "discovery" in set(importance.skills["skill"])
    assert "that come with salesnb" in importance.caveat


# Trend -----------------------------------------------------------------------------------------


def test_a_kinder_manager_is_not_progress_and_progress_is():
    periods = QUARTERS[-4:]
    ratings, _, _ = simulate(5, periods=periods, later=1.0)
    kinder = skill_trend(company(ratings), period=NOW)
    raw = ratings.groupby("period")["score"].mean()
    moved = kinder.points.groupby("period")["score"].mean()
    assert raw.iloc[-1] - raw.iloc[0] > 0.2
    assert moved.iloc[-1] - moved.iloc[0] < 0.5 * (raw.iloc[-1] - raw.iloc[0])
    ratings, _, _ = simulate(6, periods=periods)
    learned = (ratings["skill"] == "s2") & ratings["period"].isin(periods[2:])
    ratings = ratings.assign(score=ratings["score"] + 0.8 * learned)
    found = skill_trend(company(ratings), period=NOW)
    assert list(found.changes.loc[found.changes["is_beyond_chance"], "skill"]) == ["s2"]
    assert found.finding == f"Acme: s2 rose beyond chance from {periods[0]} to {NOW}."
    assert [item.effect > 0 for item in found.candidates()].count(True) == 1
    assert found.plot().render_html()


# The framework ---------------------------------------------------------------------------------


def test_the_packages_framework_has_anchors_targets_and_weights():
    framework = skill_framework()
    assert framework["skill"].nunique() == 13
    assert set(framework["role"]) == {"Account Executive", "Senior Account Executive", ""}
    assert framework["target"].between(1, 5).all()
    assert framework.notna().to_numpy().all()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("targets: {AE: 7}\ngroups: {}", "targets.AE"),
        ("targets: {AE: 3}\ngroups: {a: {s: {1: x}}}", r"s: has anchors for \[1\]"),
        ("targets: {AE: 3}\nweights: {t: 1}\ngroups: {a: {s: {1: a, 2: b, 3: c, 4: d, 5: e}}}",
         "'t' is no skill of the groups"),
        ("a: [", "not valid YAML"),
    ],
)  # fmt: skip
def test_a_wrong_framework_is_refused_in_words(tmp_path, text, said):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ParameterError, match=said):
        skill_framework(path)


def test_a_missing_framework_says_what_to_copy(tmp_path):
    with pytest.raises(ParameterError, match=r"Copy .*skills.yaml"):
        skill_framework(tmp_path / "none.yaml")


def test_components_are_near_what_was_planted():
    ratings, _, _ = simulate(9, reps=120, halo=0.0)
    found = fit_components(gather_forms(ratings, skills=SKILLS, periods=[NOW]))
    assert found.noise == pytest.approx(0.25 + 1 / 12, abs=0.04)
    assert np.trace(found.spread) / len(SKILLS) == pytest.approx(0.32, abs=0.1)
    assert 0.02 < found.severity < 0.25
