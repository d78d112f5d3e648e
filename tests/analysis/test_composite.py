from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_company import QUARTERS, make_measures, simulate

from salesnb.analysis.composite import MOST_SHARE, composite_score
from salesnb.analysis.composite import QUARTERS as BANDS
from salesnb.analysis.composite.acceptability import Uncertain, accept_ranks, cap_weights
from salesnb.analysis.matrix import performance_matrix
from salesnb.analysis.peers import peer_groups
from salesnb.analysis.selection import select_kpis
from salesnb.errors import ParameterError

NOW = QUARTERS[-1]
KPIS = ("win_rate", "bookings", "deal_size")
TRUTH = np.linspace(0.15, 0.5, 40)


def make_matrix(rates=TRUTH, seed=1, **options):
    company = simulate(np.random.default_rng(seed), win_rates=rates, closed=25)
    return performance_matrix(company, period=NOW, n_draws=300, **options)


@pytest.fixture(scope="module")
def matrix():
    return make_matrix()


def certain(*columns, known=None):
    """KPIs whose draws are all the same."""
    kpis = []
    for position, column in enumerate(columns):
        values = np.asarray(column, np.float32)
        flags = np.ones(values.size, bool) if known is None else known[position]
        kpis.append(Uncertain(np.tile(values[:, None], (1, 400)), flags, True))
    return kpis


def accept(kpis, weights, n_best=1):
    weights = np.asarray(weights, float)
    return accept_ranks(kpis, weights, np.eye(len(kpis)), n_best=n_best, random_state=0)


def test_a_score_is_the_mean_percentile_by_hand():
    # percentiles of 4: 1/8, 3/8, 5/8, 7/8
    found = accept(certain([1, 2, 3, 4], [40, 10, 20, 30]), [0.5, 0.5])
    assert found.score == pytest.approx([4 / 8, 2 / 8, 4 / 8, 6 / 8])
    assert found.low == pytest.approx(found.score)
    assert found.rank_low[3] == found.rank_high[3] == 1
    assert found.rank_low[1] == found.rank_high[1] == 4
    assert (found.noise_variance[[1, 3]] == 0).all()


def test_acceptability_by_hand():
    # A is better in the first, B in the second KPI: with weights uniform on the simplex each is
    # first with probability 1/2; C is last always
    found = accept(certain([3, 2, 1], [2, 3, 1]), [0.5, 0.5])
    assert found.best[:2] == pytest.approx([0.5, 0.5], abs=0.06)
    assert found.best[2] == 0
    assert found.bands.sum(axis=1) == pytest.approx(np.ones(3))
    assert (found.weight_variance[:2] > 0.2).all()


def test_a_missing_kpi_is_left_out_never_zero():
    known = [np.ones(4, bool), np.array([True, True, True, False])]
    found = accept(certain([1, 2, 3, 4], [1, 2, 3, 0], known=known), [0.5, 0.5])
    assert found.score[3] == pytest.approx(7 / 8)
    assert found.score[2] == pytest.approx((5 / 8 + 5 / 6) / 2)


def test_common_chance_widens_the_interval_and_nothing_else():
    draws = np.random.default_rng(0).normal(np.arange(8)[:, None], 2, (8, 2000)).astype("f4")
    kpis = [Uncertain(draws, np.ones(8, bool), True), Uncertain(draws, np.ones(8, bool), True)]
    weights = np.array([0.5, 0.5])
    alone, tied = (
        accept_ranks(kpis, weights, common, n_best=1, random_state=0)
        for common in (np.eye(2), np.ones((2, 2)))
    )
    assert tied.score == pytest.approx(alone.score)
    middle = slice(2, 6)  # at the ends an interval meets 0 or 1
    widths = (tied.high - tied.low)[middle] / (alone.high - alone.low)[middle]
    assert widths == pytest.approx(np.full(4, 2**0.5), rel=0.02)


@pytest.mark.parametrize(
    ("weights", "capped"),
    [([1, 1, 1], [1 / 3] * 3), ([8, 1, 1], [0.4, 0.3, 0.3]), ([5, 1], [0.5, 0.5]),
     ([6, 3, 1, 0], [0.4, 0.4, 0.2, 0.0])],
)  # fmt: skip
def test_no_kpi_has_more_than_its_share(weights, capped):
    assert cap_weights(np.array(weights, float), MOST_SHARE) == pytest.approx(capped)


def test_planted_order_is_recovered_with_its_interval(matrix):
    found = composite_score(matrix)
    scores = found.scores.assign(truth=[TRUTH[int(unit[1:])] for unit in found.scores["unit_id"]])
    assert found.is_beyond_chance
    assert scores["composite"].corr(scores["truth"], method="spearman") > 0.85
    rank = scores["truth"].rank(ascending=False)
    inside = (scores["rank_low"] <= rank) & (rank <= scores["rank_high"])
    assert inside.mean() >= 0.8
    assert set(found.sure["unit_id"].str[1:].astype(int)) <= set(range(28, 40))
    assert scores[list(BANDS)].sum(axis=1).to_numpy() == pytest.approx(np.ones(40))
    assert "places" not in found.finding
    assert "chance alone" in found.caveat


def test_scale_of_weights_and_of_money_does_not_matter(matrix):
    base = composite_score(matrix, weights=dict.fromkeys(KPIS, 1)).scores
    pd.testing.assert_frame_equal(base, composite_score(matrix).scores)
    tenfold = composite_score(matrix, weights=dict.fromkeys(KPIS, 10)).scores
    pd.testing.assert_frame_equal(base, tenfold)
    richer = simulate(np.random.default_rng(1), win_rates=TRUTH, closed=25, mean_amount=80_000.0)
    other = composite_score(performance_matrix(richer, period=NOW, n_draws=300)).scores
    assert np.allclose(base["composite"], other["composite"], atol=0.5)


def test_order_of_rows_does_not_matter(matrix):
    company = simulate(np.random.default_rng(1), win_rates=TRUTH, closed=25)
    rows = company.totals.sample(frac=1, random_state=3).to_numpy().tolist()
    shuffled = performance_matrix(make_measures(rows, kpis=KPIS), period=NOW, n_draws=300)
    pd.testing.assert_frame_equal(composite_score(matrix).scores, composite_score(shuffled).scores)


def test_equal_people_are_ranked_in_at_most_five_percent_of_companies():
    claims = 0
    for seed in range(25):
        found = composite_score(make_matrix(np.full(24, 0.3), seed))
        claims += found.is_beyond_chance
    assert claims <= 4  # 25 x 5% = 1.3; P(more than 4) is below .01 at a true 5%


def test_where_nobody_differs_nobody_is_ranked():
    found = composite_score(make_matrix(np.full(24, 0.3), 3))
    assert found.finding == (
        "Over all KPIs the people do not differ beyond chance: nobody is ranked."
    )
    assert found.scores["composite"].isna().all()
    assert not found.scores["is_scored"].any()
    assert found.candidates() == ()


def test_peers_who_do_not_differ_are_not_ranked_though_the_company_does():
    rates = np.concatenate([np.full(20, 0.15), np.full(20, 0.5)])
    company = simulate(np.random.default_rng(0), win_rates=rates, closed=25)
    roles = ["AE" if int(rep[1:]) < 20 else "Senior" for rep in company.people["rep_id"]]
    company = replace(company, people=company.people.assign(role=roles))
    matrix = performance_matrix(company, period=NOW, n_draws=300)
    groups = peer_groups(company, period=NOW)
    assert composite_score(matrix).is_beyond_chance
    found = composite_score(matrix, groups=groups)
    assert list(found.groups["group"]) == ["AE", "Senior"]
    assert not found.is_beyond_chance


def test_cells_of_few_records_and_people_of_few_kpis_are_left_out(matrix):
    strict = composite_score(matrix, fewest_records=10**6).scores
    # only bookings, a total, is left of the two KPIs in which people differ: half of the weight
    assert (strict["n_kpis"] == 1).all()
    assert strict["coverage"].to_numpy() == pytest.approx(np.full(40, 0.5))
    strict = composite_score(matrix, weights={"win_rate": 1}, fewest_records=10**6).scores
    assert (strict["n_kpis"] == 0).all()
    assert not strict["is_scored"].any()
    assert strict["composite"].isna().all()


@pytest.mark.parametrize(
    ("weights", "match"),
    [({"win_rate": -1}, "win_rate is -1"), ({"magic": 1}, "magic cannot count"),
     ({"win_rate": 0}, "all are 0"), ({"win_rate": float("nan")}, "win_rate is nan")],
)  # fmt: skip
def test_weights_that_mean_nothing_are_refused(matrix, weights, match):
    with pytest.raises(ParameterError, match=match):
        composite_score(matrix, weights=weights)


def test_a_neutral_kpi_cannot_count():
    rows = [
        (f"A{rep}", "A", NOW, "connected_calls", 10 * rep, 60, 10 * rep, np.nan, np.nan)
        for rep in range(6)
    ]
    calls = performance_matrix(make_measures(rows, kpis=("connected_calls",)), period=NOW)
    found = composite_score(calls)
    assert found.weights["why"].tolist() == ["no side is better"]
    assert not found.is_beyond_chance


def test_one_person_and_nobody_are_not_ranked():
    rows = [("A1", "A", NOW, "win_rate", 5, 9, 9, np.nan, np.nan)]
    for given in (rows, []):
        measures = make_measures(given, kpis=("win_rate",))
        found = composite_score(performance_matrix(measures, period=NOW, n_draws=300))
        assert not found.is_beyond_chance
        assert len(found.to_frame()) == len(given)


def test_peers_of_teams_are_refused(matrix):
    teams = make_matrix(by="team")
    groups = peer_groups(simulate(np.random.default_rng(1), win_rates=TRUTH), period=NOW)
    with pytest.raises(ParameterError, match="peers are reps"):
        composite_score(teams, groups=groups)


def test_weights_of_a_batch_are_the_composites():
    company = simulate(np.random.default_rng(2), win_rates=np.linspace(0.1, 0.6, 30), closed=25)
    weighed = select_kpis(company, weights="win_rate=3")
    by_batch = composite_score(performance_matrix(weighed, period=QUARTERS[-1], n_draws=300))
    by_hand = composite_score(
        performance_matrix(company, period=QUARTERS[-1], n_draws=300),
        weights={"win_rate": 3.0, "bookings": 1.0, "deal_size": 1.0},
    )
    pd.testing.assert_frame_equal(by_batch.weights, by_hand.weights)
    assert by_batch.weights.set_index("kpi")["weight"]["win_rate"] == 3.0
