"""Early patterns beside truth that was planted, and beside what can be found by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_company import QUARTERS, make_measures
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import norm

from salesnb import views
from salesnb.analysis.insights import find_insights
from salesnb.analysis.interactions import winning_patterns
from salesnb.analysis.interactions.patterns import compare_patterns, take_informative
from salesnb.analysis.interactions.steps import find_steps, name_step, take_step
from salesnb.analysis.logistic import fit_logistic
from salesnb.errors import ParameterError
from salesnb.measures.contacts import CALLS, FIRST_TOUCH, MEETINGS, PEOPLE, SILENCE

LAST = QUARTERS[-1]


def deals_of(rng, *, meeting=0.0, person=0.0, people=40, each=60, quarters=QUARTERS[:4]):
    """Opportunities with early meetings and contacts that add so much to the log odds."""
    n = people * each
    rep = np.repeat(np.arange(people), each)
    style = rng.normal(0, 0.4, people)[rep]
    meetings = np.minimum(rng.poisson(0.8 * np.exp(style)), 3)
    contacts = np.minimum(rng.poisson(0.9, n), 3)
    kind = rng.integers(0, 2, n)
    logit = -1 + style + 0.3 * kind + meeting * meetings + person * contacts
    return pd.DataFrame(
        {
            "rep_id": np.char.mod("A%02d", rep),
            "team_id": np.where(rep % 2, "A", "B"),
            "period": rng.choice(quarters, n),
            "deal_type": np.where(kind, "new", "renewal"),
            "source": "",
            "size": "",
            "is_qualified": False,
            "first_touch": rng.integers(0, 6, n),
            "meetings": meetings,
            "people": contacts,
            "calls": np.minimum(rng.poisson(0.5, n), 3),
            "silence": rng.integers(0, 5, n),
            "n": 1.0,
            "n_won": (rng.random(n) < expit(logit)).astype(float),
        }
    ).assign(n_lost=lambda rows: rows["n"] - rows["n_won"], n_open=0.0)


def life_of(rows):
    parts = [
        rows.groupby(["team_id", "period", name], as_index=False)[["n", "n_won"]]
        .sum()
        .rename(columns={name: "bin"})
        .assign(pattern=name)
        for name in (MEETINGS, PEOPLE)
    ]
    return pd.concat(parts, ignore_index=True)


def company(rows, **changes):
    made = make_measures(
        [("A0", team, QUARTERS[0], "win_rate", 1, 2, 2, np.nan, np.nan) for team in "AB"],
        kpis=("win_rate",),
    )
    return replace(made, contacts=rows, contacts_life=life_of(rows), **changes)


@pytest.fixture(scope="module")
def planted():
    return deals_of(np.random.default_rng(1), meeting=0.35, person=0.0)


@pytest.fixture(scope="module")
def found(planted):
    return winning_patterns(company(planted), period=LAST)


# The regression ---------------------------------------------------------------------------


def test_a_single_comparison_is_the_odds_ratio_of_the_table():
    # By hand: 30 of 50 against 20 of 80: (30 / 20) / (20 / 60) = 4.5.
    design = np.array([[1.0, 1.0], [0.0, 1.0]])
    fitted = fit_logistic(design, np.array([30.0, 20.0]), np.array([50.0, 80.0]), np.arange(2))
    assert np.exp(fitted.coef[0]) == pytest.approx(4.5, rel=1e-9)


def test_it_maximises_the_likelihood_as_an_optimiser_does():
    rng = np.random.default_rng(3)
    design = np.column_stack([rng.normal(size=(60, 3)), np.ones(60)])
    n = rng.integers(1, 9, 60).astype(float)
    won = rng.binomial(n.astype(int), 0.4).astype(float)
    fitted = fit_logistic(design, won, n, np.arange(60))
    best = minimize(
        lambda beta: n @ np.logaddexp(0, design @ beta) - won @ (design @ beta), np.zeros(4),
        tol=1e-12,
    )  # fmt: skip
    assert fitted.coef == pytest.approx(best.x, abs=1e-4)


def test_the_error_is_that_of_the_formula_where_rows_are_independent():
    # Woolf's error of a log odds ratio: sqrt(1/a + 1/b + 1/c + 1/d); each opportunity a cluster.
    a, b, c, d = 60, 140, 40, 160
    exposed = np.repeat([1.0, 1.0, 0.0, 0.0], [a, b, c, d])
    won = np.repeat([1.0, 0.0, 1.0, 0.0], [a, b, c, d])
    design = np.column_stack([exposed, np.ones(400)])
    fitted = fit_logistic(design, won, np.ones(400), np.arange(400))
    value, low, high, _ = fitted.interval(0)
    error = np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    assert value == pytest.approx(np.log(a * d / (b * c)), rel=1e-9)
    assert (high - low) / 2 == pytest.approx(norm.ppf(0.975) * error, rel=0.03)


def test_copies_of_a_persons_opportunities_do_not_make_it_surer():
    rng = np.random.default_rng(5)
    rep = np.repeat(np.arange(30), 10)
    design = np.column_stack([rng.normal(size=300), np.ones(300)])
    won = (rng.random(300) < 0.4).astype(float)
    once = fit_logistic(design, won, np.ones(300), rep)
    twice = fit_logistic(np.vstack([design] * 2), np.tile(won, 2), np.ones(600), np.tile(rep, 2))
    assert twice.interval(0) == pytest.approx(once.interval(0), rel=1e-6)


def test_one_cluster_gives_no_interval():
    fitted = fit_logistic(np.ones((2, 1)), np.array([1.0, 2.0]), np.array([3.0, 3.0]), np.zeros(2))
    assert np.isfinite(fitted.coef[0])
    assert np.isnan(fitted.interval(0)[1:]).all()


# Steps ------------------------------------------------------------------------------------


def test_steps_of_too_few_join_the_smaller_neighbour():
    rows = pd.DataFrame(
        {"meetings": [0, 1, 2, 3], "n": [100.0, 60.0, 15.0, 10.0], "n_won": [20.0, 20.0, 5.0, 10.0]}
    )
    steps = find_steps(rows, MEETINGS)
    assert steps == {0: 0, 1: 1, 2: 2, 3: 2}
    assert take_step(pd.Series([0, 3, 2]), steps).tolist() == [0, 2, 2]


def test_a_step_without_a_win_or_without_a_loss_joins_another():
    rows = pd.DataFrame({"meetings": [0, 1], "n": [100.0, 30.0], "n_won": [20.0, 30.0]})
    assert find_steps(rows, MEETINGS) == {0: 0, 1: 0}


@pytest.mark.parametrize(
    ("pattern", "bins", "name"),
    [
        (MEETINGS, [0], "no meeting"), (CALLS, [1], "1 call"), (PEOPLE, [3], "3 or more contacts"),
        (PEOPLE, [1, 2], "1 to 2 contacts"), (SILENCE, [4], "4 silent weeks"),
        (SILENCE, [0, 1], "0 to 1 silent weeks"), (FIRST_TOUCH, [0], "no touch within 30 days"),
        (FIRST_TOUCH, [5], "first touch the same day"),
        (FIRST_TOUCH, [4, 5], "first touch within 2 days"),
        (FIRST_TOUCH, [1], "first touch after 14 to 29 days"),
        (FIRST_TOUCH, [0, 1], "first touch after 14 days or none"),
    ],
)  # fmt: skip
def test_steps_are_named(pattern, bins, name):
    assert name_step(pattern, bins) == name


# What is found ----------------------------------------------------------------------------


def test_a_planted_pattern_is_found_at_its_size_and_the_others_are_not(found):
    rows = found.patterns.set_index("pattern")
    assert rows.loc[MEETINGS, "low"] < np.exp(0.35) < rows.loc[MEETINGS, "high"]
    # People with a style of their own win more, so the raw odds are too large.
    assert rows.loc[MEETINGS, "raw"] > rows.loc[MEETINGS, "adjusted"]
    assert found.clear["pattern"].tolist() == [MEETINGS]
    assert "meetings" in found.finding
    assert "An association, not a cause" in found.finding
    assert "amount as it is now or was at close" in found.caveat


def test_counts_add_up_to_all_opportunities(found, planted):
    used = planted[planted["period"].isin(found.window)]
    for _, rows in found.steps.groupby("pattern"):
        assert rows["n"].sum() == len(used) == found.n
        assert rows["n_won"].sum() == used["n_won"].sum() == found.n_won


def test_raw_odds_of_steps_are_those_of_the_counts(found):
    rows = found.steps[found.steps["pattern"] == MEETINGS].set_index("step")
    odds = rows["n_won"] / (rows["n"] - rows["n_won"])
    assert rows["raw"].tolist() == pytest.approx((odds / odds[0]).tolist(), rel=1e-6)


def test_the_order_and_the_grouping_of_rows_do_not_matter(planted):
    keys = [name for name in planted if not name.startswith("n")]
    grouped = planted.groupby(keys, as_index=False)[["n", "n_won", "n_lost", "n_open"]].sum()
    mixed = planted.sample(frac=1, random_state=2)
    tables = [compare_patterns(rows, life_of(rows))[0] for rows in (planted, grouped, mixed)]
    for table in tables[1:]:
        pd.testing.assert_frame_equal(tables[0], table, rtol=1e-6)


def test_where_nothing_is_planted_nothing_is_claimed():
    rows = deals_of(np.random.default_rng(4))
    result = winning_patterns(company(rows), period=LAST)
    assert result.clear.empty
    assert "no pattern of the first 30 days goes with winning beyond chance" in result.finding
    assert all(item.effect == 0 for item in result.candidates())
    assert len(result.candidates()) == 5
    assert not find_insights(result).items


def test_a_random_part_of_the_lost_without_a_size_changes_no_odds():
    rng = np.random.default_rng(6)
    rows = deals_of(rng, meeting=0.35, people=60).assign(size="small")
    blanked = (rows["n_won"] == 0) & (rng.random(len(rows)) < 0.4)
    holed = rows.assign(size=rows["size"].mask(blanked, ""))
    assert take_informative(holed)["n"].sum() == len(rows) - blanked.sum()
    whole, part = (compare_patterns(r, life_of(r))[0].set_index("pattern") for r in (rows, holed))
    assert np.log(part.loc[MEETINGS, "adjusted"]) == pytest.approx(
        np.log(whole.loc[MEETINGS, "adjusted"]), abs=0.06
    )
    assert part.loc[MEETINGS, "raw"] == pytest.approx(whole.loc[MEETINGS, "raw"])


def test_only_quarters_that_are_old_enough_are_used(planted):
    measures = company(planted)
    assert winning_patterns(measures, period=LAST).window == QUARTERS[:4]
    assert winning_patterns(measures, period=QUARTERS[2]).window == QUARTERS[:3]
    assert winning_patterns(measures, period=LAST, n_quarters=1).window == QUARTERS[3:4]


def test_a_team_alone_is_the_rows_of_the_team(planted):
    alone = winning_patterns(company(planted), period=LAST, team="A")
    rows = planted[planted["team_id"] == "A"]
    assert alone.n == len(rows[rows["period"].isin(alone.window)])
    assert alone.unit == "Team A"
    table, _ = compare_patterns(rows, life_of(rows))
    assert alone.patterns["adjusted"].tolist() == pytest.approx(table["adjusted"].tolist())


def test_whole_lives_stand_beside(planted):
    # Over whole lives only those with three or more are won: the naive odds must show it.
    life = pd.DataFrame(
        {"team_id": "A", "period": QUARTERS[0], "pattern": MEETINGS, "bin": [0, 3],
         "n": [100.0, 100.0], "n_won": [10.0, 90.0]}
    )  # fmt: skip
    measures = replace(company(planted), contacts_life=life)
    result = winning_patterns(measures, period=LAST)
    naive = result.patterns.set_index("pattern")["naive"]
    # By hand: odds go from 1/9 to 9 in three steps: 81 ** (1/3) a step.
    assert naive[MEETINGS] == pytest.approx(81 ** (1 / 3), rel=1e-6)
    assert naive.drop(MEETINGS).isna().all()
    assert "won and lost ones live differently" in result.contrast
    assert "meetings held would show odds x4.33 a meeting" in result.contrast


def test_unknown_contacts_leave_that_pattern_out(planted):
    result = winning_patterns(company(planted.assign(people=-1)), period=LAST)
    assert PEOPLE not in set(result.patterns["pattern"])
    assert len(result.patterns) == 4


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (lambda rows: rows.head(0), "needs activities on opportunities"),
        (
            lambda rows: rows.head(1),
            "1 opportunity of 1 person, 1 won, is too few to compare patterns",
        ),
        (lambda rows: rows.assign(n_won=0.0), "are too few to compare patterns"),
        (lambda rows: rows.assign(n_won=rows["n"]), "are too few to compare patterns"),
        (lambda rows: rows.assign(period=QUARTERS[-1]), "are too few to compare patterns"),
    ],
)
def test_what_the_data_cannot_say_is_said(planted, rows, words):
    result = winning_patterns(company(rows(planted)), period=LAST)
    assert words in result.finding
    assert result.candidates() == ()
    assert result.contrast == ""
    for block in (views.patterns_chart(result), views.patterns_table(result)):
        assert words in block.render_text()


def test_before_any_quarter_is_old_enough_it_is_said(planted):
    measures = company(planted)
    early = replace(measures, as_of=measures.calendar.last_day(QUARTERS[0]))
    result = winning_patterns(early, period=QUARTERS[0])
    assert "no quarter's opportunities are all 180 days old yet" in result.finding


def test_patterns_that_are_all_alike_are_nothing_to_compare(planted):
    same = planted.assign(meetings=0, people=0, calls=0, silence=4, first_touch=0)
    result = winning_patterns(company(same), period=LAST)
    assert result.patterns.empty
    assert result.candidates() == ()
    assert "no pattern" in result.finding


def test_unknown_quarters_and_teams_are_refused(planted):
    with pytest.raises(ParameterError, match="quarter: no data for '2030Q1'"):
        winning_patterns(company(planted), period="2030Q1")
    with pytest.raises(ParameterError, match="team: 'X' is unknown"):
        winning_patterns(company(planted), period=LAST, team="X")


# As it is shown ---------------------------------------------------------------------------


def test_the_figure_shows_every_step_with_its_interval(found):
    figure = views.patterns_chart(found)
    assert figure.title == found.finding
    assert len(figure.numbers) == len(found.steps)
    assert set(figure.numbers["Pattern"]) == set(found.patterns["label"])
    assert f"{found.n:,} opportunities of {found.n_people} people" in figure.caption


def test_the_table_says_which_patterns_are_beyond_chance(found):
    table = views.patterns_table(found)
    says = {row[0]: row[-1] for row in table.rows}
    assert says["Meetings held"] == "beyond chance"
    assert says["Calls answered"] == "no clear difference"


def test_of_several_clear_patterns_one_is_told_and_all_are_tests():
    rows = deals_of(np.random.default_rng(8), meeting=0.4, person=0.4)
    result = winning_patterns(company(rows), period=LAST)
    assert set(result.clear["pattern"]) == {MEETINGS, PEOPLE}
    offered = result.candidates()
    assert [item.effect > 0 for item in offered].count(True) == 1
    assert len(offered) == 5
    told = find_insights(result)
    assert len(told.items) == 1
    assert "(1 other pattern beyond chance too)" in told.finding
