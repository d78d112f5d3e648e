import datetime as dt

import numpy as np
import pandas as pd
import pytest
from made_company import QUARTERS, make_measures

from salesnb.analysis.adjust import adjusted_performance
from salesnb.errors import ParameterError

NOW = QUARTERS[-1]


def make_company(generator, skill, log_potential, *, noise=0.6, closed=25, territories=True):
    """Opportunities grow with potential, wins with skill; four quarters are one row each."""
    rows = []
    for rep, (own, patch) in enumerate(zip(skill, log_potential, strict=True)):
        for quarter in QUARTERS[-4:]:
            n = generator.poisson(closed * np.exp(patch))
            wins = generator.binomial(n, 1 / (1 + np.exp(1 - own)))
            amounts = np.exp(generator.normal(9, noise, wins))
            key = (f"A{rep:03d}", "A", quarter)
            rows.append((*key, "win_rate", wins, n, n, np.nan, np.nan))
            total, squares = amounts.sum(), (amounts**2).sum()
            rows.append((*key, "bookings", total, 1.0, wins, total, squares))
    areas = [
        (f"T{rep}", f"A{rep:03d}", 1e5 * np.exp(patch)) for rep, patch in enumerate(log_potential)
    ]
    return make_measures(
        rows, kpis=("win_rate", "bookings"), territories=areas if territories else ()
    )


def bookings_of(amounts, *, potential=None, wins=10, hired=None, quarters=(NOW,)):
    rows = [
        (f"A{rep:02d}", "A", quarter, "bookings", amount, 1.0, wins, amount, amount**2 / wins)
        for rep, amount in enumerate(amounts)
        for quarter in quarters
    ]
    areas = [(f"T{rep}", f"A{rep:02d}", size) for rep, size in enumerate(potential or ())]
    people = {} if hired is None else {"hired_on": hired}
    return make_measures(rows, kpis=("bookings",), territories=areas, people=people)


def test_adjusting_for_potential_brings_the_order_to_the_truth():
    generator = np.random.default_rng(1)
    skill, patch = generator.normal(0, 0.5, 120), generator.normal(0, 0.5, 120)
    found = adjusted_performance(make_company(generator, skill, patch), period=NOW, n_draws=300)
    raw, index = (pd.Series(found.rows[name]).corr(pd.Series(skill), method="spearman")
                  for name in ("raw", "estimate"))  # fmt: skip
    assert found.method == "residual"
    assert found.elasticity == pytest.approx(1, abs=0.2)
    assert found.is_beyond_chance
    assert index > raw + 0.2
    assert "The order by raw and by adjusted bookings agrees at" in found.caveat


def test_good_reps_in_good_patches_are_detected():
    generator = np.random.default_rng(2)
    skill = generator.normal(0, 0.5, 120)
    patch = 0.7 * skill + generator.normal(0, 0.35, 120)
    found = adjusted_performance(make_company(generator, skill, patch), period=NOW, n_draws=300)
    assert found.method == "per potential"
    assert "good reps were given good patches" in found.why
    fitted = np.polyfit(patch, np.log(found.rows["bookings"]), 1)[0]
    assert fitted > 1.3  # what a regression would have taken away
    assert found.rows["estimate"].corr(pd.Series(skill), method="spearman") > 0.8


def test_where_patches_are_given_at_random_selection_is_rarely_seen():
    seen = 0
    for seed in range(30):
        generator = np.random.default_rng(seed)
        skill, patch = generator.normal(0, 0.4, 40), generator.normal(0, 0.5, 40)
        company = make_company(generator, skill, patch)
        seen += adjusted_performance(company, period=NOW, n_draws=100).method == "per potential"
    assert seen <= 5  # 30 x 5% = 1.5; P(more than 5) is below .01 at a true 5%


def test_bookings_over_potential_by_hand():
    # few people: divided by potential; 300 booked of 60 potential is 5 a unit
    found = adjusted_performance(
        bookings_of([100, 100, 100], potential=[10, 20, 30]), period=NOW, n_draws=300
    )
    assert found.method == "per potential"
    assert found.rows["expected"].tolist() == pytest.approx([50, 100, 150])
    assert found.rows["adjusted"].tolist() == pytest.approx([2, 1, 2 / 3])
    assert found.rows["raw"].tolist() == pytest.approx([1, 1, 1])
    estimate = found.rows["estimate"]
    assert 1 < estimate[0] < 2
    assert 2 / 3 < estimate[2] < 1


def test_unit_of_money_and_of_potential_do_not_matter():
    amounts = np.exp(np.random.default_rng(4).normal(10, 0.5, 20))
    potential = list(np.exp(np.random.default_rng(5).normal(3, 0.5, 20)))
    one, two = (
        adjusted_performance(
            bookings_of(amounts * money, potential=[size * area for size in potential]),
            period=NOW, n_draws=300,
        ).rows
        for money, area in ((1, 1), (1000, 7))
    )  # fmt: skip
    assert one["estimate"].to_numpy() == pytest.approx(two["estimate"].to_numpy(), rel=1e-3)
    assert (one["expected"] * 1000).to_numpy() == pytest.approx(
        two["expected"].to_numpy(), rel=1e-3
    )


def test_expected_bookings_add_up_to_what_was_booked():
    generator = np.random.default_rng(6)
    company = make_company(generator, generator.normal(0, 0.5, 30), generator.normal(0, 0.5, 30))
    rows = adjusted_performance(company, period=NOW, n_draws=300).rows
    assert rows["expected"].sum() == pytest.approx(rows["bookings"].sum())


def test_season_is_taken_out():
    # A joins for the strong quarter alone: as the others did in it, so 1
    strong, weak = QUARTERS[-1], QUARTERS[-2]
    rows = [("A", "A", strong, "bookings", 200, 1.0, 5, 200, 8000)]
    for rep in "BC":
        rows.append((rep, "A", strong, "bookings", 200, 1.0, 5, 200, 8000))
        rows.append((rep, "A", weak, "bookings", 100, 1.0, 5, 100, 2000))
    found = adjusted_performance(make_measures(rows, kpis=("bookings",)), period=NOW, n_draws=300)
    assert found.method == "without potential"
    assert found.rows["raw"].tolist() == pytest.approx([1, 1, 1])
    assert found.rows["adjusted"].tolist() == pytest.approx([1, 1, 1])


def test_tenure_is_taken_out():
    generator = np.random.default_rng(7)
    days = generator.integers(100, 900, 60)
    ramped = np.log1p(np.minimum(days, 730) / 30)
    amounts = np.exp(8 + ramped + generator.normal(0, 0.05, 60))
    hired = [dt.date(2026, 5, 16) - dt.timedelta(days=int(day)) for day in days]
    found = adjusted_performance(bookings_of(amounts, hired=hired), period=NOW, n_draws=300)
    assert abs(np.corrcoef(found.rows["adjusted"], ramped)[0, 1]) < 0.2
    assert np.corrcoef(found.rows["raw"], ramped)[0, 1] > 0.9


def test_equal_people_in_unequal_territories_are_told_apart_in_few_companies():
    claims = 0
    for seed in range(30):
        generator = np.random.default_rng(100 + seed)
        patch = generator.normal(0, 0.5, 40)
        company = make_company(generator, np.zeros(40), patch, closed=12)
        claims += adjusted_performance(company, period=NOW, n_draws=100).is_beyond_chance
    assert claims <= 3  # 30 x 1% = 0.3; P(more than 3) is below .001 at a true 1%


def test_where_nobody_differs_nobody_is_named():
    generator = np.random.default_rng(9)
    company = make_company(generator, np.zeros(40), generator.normal(0, 0.5, 40))
    found = adjusted_performance(company, period=NOW, n_draws=300)
    assert "nobody is ranked" in found.finding
    assert "Rep A" not in found.caveat
    assert found.candidates() == ()


def test_who_has_no_potential_keeps_raw_figures_and_is_named():
    potential = [10.0] * 5
    found = adjusted_performance(
        bookings_of([100] * 6, potential=potential), period=NOW, n_draws=300
    )
    assert found.left_out == ("Rep A05",)
    last = found.rows.iloc[5]
    assert last["raw"] == pytest.approx(1)
    assert np.isnan(last["adjusted"])
    assert np.isnan(last["rank"])


@pytest.mark.parametrize("amounts", [[], [0.0], [0.0, 0.0], [5.0], [5.0, 5.0]])
def test_next_to_nothing_is_said_so(amounts):
    found = adjusted_performance(bookings_of(amounts), period=NOW, n_draws=300)
    assert not found.is_beyond_chance
    assert found.finding
    assert str(found)


def test_a_company_without_amounts_is_told_what_is_needed():
    rows = [("A1", "A", NOW, "win_rate", 3, 9, 9, np.nan, np.nan)]
    found = adjusted_performance(make_measures(rows, kpis=("win_rate",)), period=NOW)
    assert found.finding == "Bookings could not be adjusted: bookings need won amounts."


def test_an_unknown_quarter_is_refused():
    with pytest.raises(ParameterError, match="no data for '2031Q1'"):
        adjusted_performance(bookings_of([1.0]), period="2031Q1")


@pytest.fixture(scope="module")
def cravens(shared_data):
    return pd.read_csv(shared_data / "cravens" / "cravens_corrected.csv")


@pytest.mark.parametrize(
    ("predictors", "published"),
    [
        # the four that stepwise selection ends with, and all eight (Bowerman & O'Connell 1990)
        (["Accounts", "AdvExp", "Poten", "Share"], 0.9004),
        (["Time", "Poten", "AdvExp", "Share", "Change", "Accounts", "Work", "Rating"], 0.9220),
    ],
)
def test_cravens_regressions_explain_the_published_shares(cravens, predictors, published):
    design = np.column_stack([np.ones(len(cravens)), cravens[predictors]])
    residual = cravens["Sales"] - design @ np.linalg.lstsq(design, cravens["Sales"])[0]
    assert len(cravens) == 25
    assert 1 - residual.var() / cravens["Sales"].var() == pytest.approx(published, abs=5e-5)


def test_cravens_territories_are_shown_raw_and_adjusted(cravens):
    # accounts stand for wins, of sizes as spread as their mean (squares twice the square of it)
    rows, areas, hired = [], [], []
    for place in cravens.itertuples():
        key = (f"A{place.territory:02d}", "A", NOW, "bookings")
        squares = 2 * place.Sales**2 / place.Accounts
        rows.append((*key, place.Sales, 1.0, place.Accounts, place.Sales, squares))
        areas.append((f"T{place.territory}", key[0], place.Poten))
        hired.append(dt.date(2026, 5, 16) - dt.timedelta(days=round(30.44 * place.Time)))
    measures = make_measures(
        rows, kpis=("bookings",), territories=areas, people={"hired_on": hired}
    )
    found = adjusted_performance(measures, period=NOW, n_draws=1000)
    table = found.rows.set_index("rep_id")
    raw = cravens.set_index(table.index)["Sales"] / cravens["Sales"].mean()
    assert found.method == "residual"
    assert table["raw"].to_numpy() == pytest.approx(raw.to_numpy())
    assert table["adjusted"].notna().all()
    # territory 1: the largest potential; territory 9: the largest sales, of a middling one
    assert table.loc["A01", "adjusted"] < table.loc["A01", "raw"]
    assert table.loc["A09", "rank"] <= 3
    assert 0.3 < found.order_agreement < 0.95
    assert "agrees at" in found.order_change
    assert "of 25 people move" in found.order_change
