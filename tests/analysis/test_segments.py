from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_company import make_measures
from scipy.stats import t as student
from skills_company import NULLS, PERIOD, SKILLS, next_quarter, segment_free, segmented
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.utils.estimator_checks import parametrize_with_checks

from salesnb.analysis.profiles import skill_profiles
from salesnb.analysis.segments import (
    BETWEEN,
    SkillSegmenter,
    SkillSegments,
    Verdict,
    skill_segments,
)
from salesnb.analysis.segments import nulls as null_kinds
from salesnb.analysis.segments.cells import Cells
from salesnb.analysis.segments.clustering import cluster, measure, silhouettes, stack_of
from salesnb.analysis.segments.describe import match_segments, name_segment, profile_table
from salesnb.analysis.segments.gate import Gate
from salesnb.analysis.segments.mixture import fit_mixture
from salesnb.analysis.segments.stability import segment_stability
from salesnb.analysis.segments.teams import remove_teams
from salesnb.analysis.segments.valleys import valley_depths
from salesnb.errors import ParameterError

QUICK = {"n_null": 19}


@parametrize_with_checks([SkillSegmenter(n_null=19, n_boot=5)])
def test_it_is_an_estimator(estimator, check):
    check(estimator)


def blobs(rng, sizes=(40, 30, 30), apart=3.0, n_skills=6):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return labels, np.eye(len(sizes), n_skills)[labels] * apart + rng.normal(
        0, 0.5, (len(labels), n_skills)
    )


def find(company, **options):
    return skill_segments(skill_profiles(company.measures, period=PERIOD), **QUICK, **options)


def truth_of(company, found):
    archetype = pd.Series(company.archetype, index=company.rep_ids)
    return archetype[found.members["rep_id"]].to_numpy()


@pytest.fixture(scope="module")
def company():
    return segmented(np.random.default_rng([1, 5]), 150, 1.1)


@pytest.fixture(scope="module")
def found(company):
    return find(company)


def test_clear_groups_are_found_whatever_the_order_of_people():
    rng = np.random.default_rng(0)
    labels, table = blobs(rng)
    order = rng.permutation(len(labels))
    for rows in (np.arange(len(labels)), order):
        segmenter = SkillSegmenter(**QUICK).fit(table[rows])
        assert segmenter.verdict_ == Verdict.CONFIRMED
        assert segmenter.n_segments_ == 3
        assert adjusted_rand_score(labels[rows], segmenter.labels_) == 1
        assert (segmenter.stability_ > 0.9).all()


def test_two_camps_are_found():
    labels, table = blobs(np.random.default_rng(20), sizes=(60, 60), n_skills=10)
    segmenter = SkillSegmenter(**QUICK).fit(table)
    assert segmenter.verdict_ == Verdict.CONFIRMED
    assert adjusted_rand_score(labels, segmenter.labels_) == 1


def test_the_same_seed_gives_the_same_and_shifting_a_skill_changes_nothing():
    labels, table = blobs(np.random.default_rng(1))
    one = SkillSegmenter(**QUICK).fit(table)
    two = SkillSegmenter(**QUICK).fit(table)
    moved = SkillSegmenter(**QUICK).fit(table + np.arange(6))
    assert (one.labels_ == two.labels_).all()
    assert one.p_value_ == two.p_value_
    assert adjusted_rand_score(one.labels_, moved.labels_) == 1
    assert moved.centers_ == pytest.approx(one.centers_ + np.arange(6), abs=1e-4)
    assert labels.size == one.labels_.size


def test_missing_skills_are_left_out_and_not_read_as_average():
    rng = np.random.default_rng(2)
    labels, table = blobs(rng, apart=4)
    table[rng.random(table.shape) < 0.25] = np.nan
    segmenter = SkillSegmenter(**QUICK).fit(table)
    assert adjusted_rand_score(labels, segmenter.labels_) > 0.8
    chances = segmenter.predict_proba(np.full((1, 6), np.nan))
    assert chances[0] == pytest.approx(segmenter.mixture_.shares)


def test_cells_of_large_error_say_little():
    labels, table = blobs(np.random.default_rng(3))
    segmenter = SkillSegmenter(**QUICK).fit(table, errors=np.full_like(table, 0.3))
    clear = segmenter.predict_proba(table[:1], errors=np.full((1, 6), 0.3))
    vague = segmenter.predict_proba(table[:1], errors=np.full((1, 6), 30.0))
    assert clear.max() > 0.99
    assert vague[0] == pytest.approx(segmenter.mixture_.shares, abs=0.02)
    assert labels[0] == 0


@pytest.mark.parametrize(
    "table",
    [
        np.zeros((60, 4)),
        np.full((60, 4), np.nan),
        np.random.default_rng(0).normal(size=(29, 4)),
        np.repeat(np.eye(2), 8, axis=0),
        np.random.default_rng(0).normal(size=(80, 1)),
        np.where(np.eye(40, 5, dtype=bool), 50.0, 0.0),
    ],
    ids=["all alike", "nothing observed", "few", "few and clear", "one skill", "outliers"],
)
def test_without_evidence_there_is_one_group(table):
    segmenter = SkillSegmenter(**QUICK).fit(table)
    assert segmenter.verdict_ == Verdict.NONE
    assert segmenter.n_segments_ == 1
    assert (segmenter.labels_ == 0).all()
    assert (segmenter.predict_proba(table) == 1).all()
    assert segmenter.p_value_ > 0.05


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_segments": 1}, "max_segments: 1 is too few; give 2 or more"),
        ({"n_null": 18}, "n_null: 18 is too few; give 19 or more"),
        ({"n_boot": 0}, "n_boot: 0 is too few"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        SkillSegmenter(**options).fit(np.zeros((5, 2)))


def test_errors_must_fit_the_table():
    table = np.zeros((5, 2))
    with pytest.raises(ParameterError, match=r"errors: has shape \(2, 2\), the profiles \(5, 2\)"):
        SkillSegmenter().fit(table, errors=np.zeros((2, 2)))
    with pytest.raises(ParameterError, match="1 of 10 observed cells"):
        SkillSegmenter().fit(table, errors=np.where(np.eye(5, 2), [[-1.0, 0.0]], 0.0))


def test_the_mixture_is_that_of_scikit_learn_where_all_is_observed():
    labels, table = blobs(np.random.default_rng(4), apart=1.6)
    cells = Cells.from_table(table, np.zeros_like(table))
    start = np.array([cells.deviations[labels == k].mean(axis=0) for k in range(3)])
    ours = fit_mixture(cells, start)
    theirs = GaussianMixture(
        3, covariance_type="spherical", means_init=start, tol=1e-7, max_iter=500, reg_covar=0
    ).fit(cells.deviations)
    assert ours.centres == pytest.approx(theirs.means_, abs=0.02)
    assert ours.variances == pytest.approx(theirs.covariances_, abs=0.01)
    assert ours.shares == pytest.approx(theirs.weights_, abs=0.01)
    assert ours.memberships(cells) == pytest.approx(
        theirs.predict_proba(cells.deviations), abs=0.05
    )


def test_the_mixture_takes_the_error_of_cells_out_of_the_spread():
    rng = np.random.default_rng(5)
    error = np.repeat([0.2, 0.9], 2000)[:, None] * np.ones(5)
    table = rng.normal(0, 0.5, error.shape) + rng.normal(0, 1, error.shape) * error
    found = fit_mixture(Cells.from_table(table, error), np.zeros((1, 5)))
    assert found.variances[0] == pytest.approx(0.25, abs=0.02)


def test_clusters_of_a_stack_are_those_of_each_table():
    rng = np.random.default_rng(6)
    tables = np.stack([blobs(np.random.default_rng(seed), apart=5)[1] for seed in range(3)])
    stack = stack_of(tables, np.ones(tables.shape[1:]))
    distances = measure(stack, cluster(stack, 3, rng))
    labels = np.repeat(np.arange(3), (40, 30, 30))
    for table, found in zip(tables, distances.argmin(axis=1), strict=True):
        assert adjusted_rand_score(labels, found) == 1
        assert table.shape == (100, 6)
    # by hand: distances 1 and 2 to the two centres make a silhouette of 1 - 1/2
    assert silhouettes(np.array([[[1.0], [4.0]]], np.float32)) == pytest.approx([0.5])


def test_a_valley_is_deep_between_clouds_and_no_valley_in_one():
    rng = np.random.default_rng(7)
    two = np.concatenate([rng.normal(-2, 0.5, (200, 2)), rng.normal(2, 0.5, (200, 2))])
    one = rng.normal(0, 1, (400, 2))
    cells = Cells.from_table(two, np.zeros_like(two))
    centres = np.array([[[-2, -2], [2, 2]], [[-0.8, 0], [0.8, 0]]], np.float32)
    depth = valley_depths(cells, np.stack([two, one]), centres)
    assert depth[0] > 0.95
    assert depth[1] < 0.1


@pytest.mark.parametrize("null", null_kinds.NULLS)
def test_segment_free_companies_keep_gaps_and_covariance(null):
    rng = np.random.default_rng(8)
    root = rng.normal(size=(4, 4))
    table = (rng.gamma(1, 1, (400, 4)) - 1) @ root
    table[rng.random(table.shape) < 0.1] = np.nan
    cells = Cells.from_table(table, np.zeros_like(table))
    drawn = null(cells, 30, rng)
    assert ((drawn != 0) == cells.is_observed).all()
    own = pd.DataFrame(np.where(cells.is_observed, cells.deviations, np.nan)).cov().to_numpy()
    mean = np.mean(
        [pd.DataFrame(np.where(cells.is_observed, t, np.nan)).cov() for t in drawn], axis=0
    )
    assert mean == pytest.approx(own, abs=0.15 * np.diag(own).max())


def test_a_copula_keeps_the_skew_of_skills_and_axes_have_one_peak():
    rng = np.random.default_rng(9)
    skewed = rng.gamma(1, 1, (400, 3))
    cells = Cells.from_table(skewed, np.zeros_like(skewed))
    drawn = null_kinds.draw_copula(cells, 20, rng)
    skew = ((drawn / drawn.std(axis=(0, 1))) ** 3).mean()
    own = ((cells.deviations / cells.deviations.std(axis=0)) ** 3).mean()
    assert skew == pytest.approx(own, rel=0.3)
    assert skew > 1
    peaks = np.repeat([-3.0, 3.0], 200)[:, None] * np.ones(2) + rng.normal(0, 0.4, (400, 2))
    line = null_kinds.draw_axes(Cells.from_table(peaks, np.zeros_like(peaks)), 50, rng).sum(axis=2)
    density, _ = np.histogram(line, bins=np.linspace(-9, 9, 10))
    # two narrow peaks with nothing between would leave the middle empty
    assert density[4] > 0.6 * density.max()


@pytest.mark.parametrize(
    ("index", "valley", "verdict"),
    [
        (0.2, np.nan, Verdict.NONE), (0.01, 0.5, Verdict.NONE),
        (0.01, 0.1, Verdict.PROVISIONAL), (0.01, 0.02, Verdict.CONFIRMED),
    ],
)  # fmt: skip
def test_the_verdict_needs_clear_groups_and_valleys(index, valley, verdict):
    gate = Gate(index, valley, 3, np.zeros((3, 2), np.float32))
    assert gate.verdict is verdict
    assert (gate.p_value > 0.05) == (verdict is Verdict.NONE)


def test_a_segment_that_is_found_again_is_stable_and_half_a_cloud_is_not():
    rng = np.random.default_rng(10)
    cloud = rng.normal(0, 1, (100, 4))
    far = rng.normal(8, 1, (40, 4))
    cells = Cells.from_table(np.vstack([cloud, far]), np.zeros((140, 4)))
    labels = np.concatenate([np.arange(100) % 2, np.full(40, 2)])
    stability = segment_stability(cells, labels, 3, n_boot=30, generator=rng)
    assert stability[2] > 0.95
    assert (stability[:2] < 0.6).all()


def test_what_teams_share_is_taken_out_and_chance_is_not():
    rng = np.random.default_rng(11)
    teams = pd.Series(np.repeat(np.arange(20), 10)).astype(str)
    own = rng.normal(0, 1, (200, 8))
    shared = rng.normal(0, 1, (20, 8))[np.repeat(np.arange(20), 10)]
    chance = remove_teams(pd.DataFrame(own), teams)
    assert chance.share < 0.05
    assert chance.residuals.to_numpy() == pytest.approx(own, abs=0.2)
    table = pd.DataFrame(own + shared)
    table.iloc[::7, 2] = np.nan
    removed = remove_teams(table, teams)
    assert removed.share == pytest.approx(0.5, abs=0.1)
    means = removed.residuals.groupby(teams.to_numpy()).mean()
    assert (means - means.mean()).to_numpy().std() < 0.2 < 0.8 < shared.std()
    assert (removed.residuals.isna() == table.isna()).all(axis=None)


def test_people_without_a_team_are_teams_of_one():
    table = pd.DataFrame(np.random.default_rng(12).normal(size=(30, 4)))
    found = remove_teams(table, pd.Series([None] * 30))
    assert found.share == 0
    pd.testing.assert_frame_equal(found.residuals, table)


def test_profiles_of_sure_members_are_means_with_students_interval():
    rng = np.random.default_rng(13)
    table = pd.DataFrame(rng.normal(size=(40, 2)), columns=["a", "b"])
    members = np.eye(2)[np.repeat([0, 1], (15, 25))]
    found = profile_table(table, members)
    row = found[(found["segment"] == 0) & (found["skill"] == "b")].iloc[0]
    own = table["b"].head(15)
    half = student.ppf(0.975, 14) * own.std() / np.sqrt(15)
    gap = own.mean() - table["b"].mean()
    assert [row["gap"], row["low"], row["high"], row["n"]] == pytest.approx(
        [gap, gap - half, gap + half, 15]
    )


def profile_of(*rows):
    columns = ["segment", "skill", "gap", "is_marked"]
    return pd.DataFrame(rows, columns=columns)


def test_names_say_what_is_weak_else_what_is_strong():
    rows = profile_of(
        (0, "deep_work", -1.0, True), (0, "closing", -0.5, True), (0, "asking", -0.3, True),
        (0, "writing", 0.9, True),
    )  # fmt: skip
    first = name_segment(rows, set())
    assert first == "Weaker in deep work and closing"
    assert name_segment(rows, {first}) == "Weaker in deep work, closing and asking"
    assert name_segment(rows.tail(1), set()) == "Stronger in writing"
    plain = name_segment(rows.assign(is_marked=False), set())
    assert plain == "Near the average in all skills"
    assert name_segment(rows.assign(is_marked=False), {plain}) == f"{plain} (2)"


def test_segments_are_matched_together_by_shape():
    old = profile_of(
        (0, "a", -1, True), (0, "b", 0.5, True), (0, "c", 0.5, True),
        (1, "a", 0.5, True), (1, "b", -1, True), (1, "c", 0.5, True),
    )  # fmt: skip
    swapped = old.assign(segment=1 - old["segment"])
    assert match_segments(swapped, old) == {0: 1, 1: 0}
    other = old.assign(gap=-old["gap"])
    assert match_segments(other, old) == {}
    assert match_segments(old, old.head(0)) == {}
    assert match_segments(old.assign(skill=old["skill"] + "x"), old) == {}


def test_planted_segments_are_found_named_and_described(company, found):
    assert found.verdict is Verdict.CONFIRMED
    assert adjusted_rand_score(truth_of(company, found), found.members["segment"]) > 0.8
    assert len(found.segments) == 5
    assert found.segments["name"].is_unique
    assert found.segments["name"].str.startswith("Weaker in ").all()
    assert found.segments["size"].is_monotonic_decreasing
    assert found.segments["share"].sum() == pytest.approx(1)
    assert found.segments["size"].sum() == found.n_people == len(found.members) == 150
    between = found.members["membership"] < BETWEEN
    assert (found.members["is_between"] == between).all()
    assert found.segments["n_between"].sum() == between.sum()
    assert "150 people fall into 5 skill segments" in found.finding
    (candidate,) = found.candidates()
    assert candidate.p_value == found.p_value < 0.05
    assert 0 < candidate.effect <= 1


def test_intervals_hold_the_true_profiles(company, found):
    members = found.members.assign(truth=truth_of(company, found))
    inside = []
    for segment, rows in members.groupby("segment"):
        archetype = rows["truth"].mode().iloc[0]
        true = company.profiles[company.archetype == archetype].mean(axis=0)
        own = found.profile[found.profile["segment"] == segment].set_index("skill").loc[[*SKILLS]]
        inside += list((own["low"] <= true) & (true <= own["high"]))
    assert np.mean(inside) > 0.85  # 65 intervals of 95%


def test_names_stay_when_the_same_people_are_rated_again(company, found):
    rng = np.random.default_rng(14)
    again = find(next_quarter(rng, company, company.profiles / 0.775), previous=found)
    assert again.segments["is_kept"].all()
    assert set(again.segments["name"]) == set(found.segments["name"])
    before = found.members.set_index("rep_id")["name"]
    now = again.members.set_index("rep_id")["name"]
    assert (before.reindex(now.index) == now).mean() > 0.8


def test_the_order_of_ratings_changes_nothing(company, found):
    shuffled = company.measures.ratings.sample(frac=1, random_state=1)
    again = find(replace(company, measures=replace(company.measures, ratings=shuffled)))
    pd.testing.assert_frame_equal(again.segments, found.segments, rtol=1e-5)


@pytest.mark.parametrize("kind", NULLS)
def test_there_are_no_segments_where_none_are(kind):
    result = find(segment_free(np.random.default_rng([3, 7]), kind, 100))
    assert result.verdict is Verdict.NONE
    assert result.members.empty
    assert "do not fall into skill segments; plan training person by person" in result.finding
    (candidate,) = result.candidates()
    assert candidate.effect == 0
    assert candidate.p_value == result.p_value > 0.05


def test_of_few_people_it_says_that_little_could_be_seen():
    rng = np.random.default_rng(15)
    few = find(segment_free(rng, "normal", 60))
    assert "With 60 people only very clear segments would be seen" in few.caveat
    fewer = find(segmented(rng, 20, 1.2))
    assert "With 20 people no segments can be told from chance" in fewer.caveat
    assert fewer.candidates() == ()


def test_small_segments_are_not_described(company, found):
    segments = found.segments.assign(size=[40, 40, 40, 26, 4], is_described=[True] * 4 + [False])
    small = replace(found, segments=segments)
    assert "Not described: 1 segment of fewer than 5 people." in small.caveat
    assert len(small.described) == 4


def test_a_tiny_clear_segment_has_no_name_and_no_profile():
    rng = np.random.default_rng(16)
    skills = list("abcdef")
    labels, table = blobs(rng, sizes=(60, 60, 4), apart=6)
    profiles = StandIn(pd.DataFrame(table, columns=skills).rename(index="R{:03d}".format))
    found = skill_segments(profiles, **QUICK)
    hidden = found.segments[~found.segments["is_described"]]
    assert hidden["size"].tolist() == [4]
    assert hidden["name"].tolist() == ["Not described"]
    assert not found.profile["segment"].isin(hidden["segment"]).any()
    assert adjusted_rand_score(labels, found.members.sort_values("rep_id")["segment"]) == 1


class StandIn:
    """Profiles as given."""

    period, unit, lacking = "2026Q3", "Acme", ""

    def __init__(self, table):
        self.table = table
        self.cells = pd.DataFrame({"rep_id": table.index, "unit": table.index, "team_id": None})
        self.levels = pd.DataFrame({"rep_id": table.index, "level": 3.0})

    def residuals(self):
        return self.table

    def errors(self):
        return self.table * 0 + 0.1


def test_people_of_few_skills_are_left_out():
    _, table = blobs(np.random.default_rng(17))
    frame = pd.DataFrame(table, columns=list("abcdef")).rename(index="R{:03d}".format)
    frame.iloc[0, 2:] = np.nan
    found = skill_segments(StandIn(frame), **QUICK)
    assert found.n_people == 99
    assert "R000" not in set(found.members["rep_id"])
    alone = skill_segments(StandIn(frame.head(1)), **QUICK)
    assert alone.lacking == "nobody was rated in 3 skills or more in 2026Q3"


def test_without_ratings_it_says_so():
    measures = make_measures([("A1", "A", "2026Q2", "leads", 1, 1, 1, 1, 1)], kpis=("leads",))
    found = skill_segments(skill_profiles(measures, period="2026Q2"))
    assert isinstance(found, SkillSegments)
    assert "need ratings; the snapshot has none" in found.finding
    assert found.candidates() == ()
    assert found.to_frame().empty
