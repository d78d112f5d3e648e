from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_company import make_measures

from salesnb.analysis.drivers import booking_drivers
from salesnb.analysis.shapley import find_factors, split_change, split_mix, weigh_factors
from salesnb.errors import ParameterError

WAS, NOW = "2026Q1", "2026Q2"
CENT = 0.005
count = st.integers(0, 40)
amount = st.one_of(st.just(0.0), st.floats(0.01, 1e7))
reps = st.one_of(st.just(0.0), st.floats(0.01, 50))  # .01 of a quarter is a day of one rep
chain = st.tuples(reps, count, count, amount).map(
    lambda sums: (sums[0], sums[1], min(sums[1:3]), sums[3])
)
units = st.lists(st.tuples(chain, chain), min_size=1, max_size=5)


def company(chains, order=None):
    """Make measures of teams of (reps, closed, won, bookings) in two quarters."""
    rows = []
    for place in order or range(len(chains)):
        for quarter, (reps, closed, won, booked) in zip((WAS, NOW), chains[place], strict=True):
            key = (f"{place}01", f"{place}", quarter)
            squares = booked**2 / max(won, 1) * 1.5
            rows.append((*key, "bookings", booked, reps, won, booked, squares))
            rows.append((*key, "win_rate", won, closed, closed, np.nan, np.nan))
    return make_measures(rows, kpis=("bookings", "win_rate"))


def split(measures, **asked):
    return booking_drivers(measures, period=NOW, n_draws=50, **asked)


def test_pieces_are_the_means_over_all_orders():
    old, new = np.array([10, 20, 0.3, 1000.0]), np.array([12, 18, 0.25, 1100.0])
    by_hand = np.zeros(4)  # independent of the module: walk through each of the 24 orders
    for order in permutations(range(4)):
        state = old.copy()
        for driver in order:
            was = state.prod()
            state[driver] = new[driver]
            by_hand[driver] += (state.prod() - was) / 24
    assert split_change(np.stack([old, new])) == pytest.approx(by_hand)


@settings(deadline=None, max_examples=25)
@given(units)
def test_drivers_sum_to_the_change_to_the_cent_whatever_the_figures(chains):
    found = split(company(chains))
    assert found.pieces["effect"].sum() == pytest.approx(found.change, abs=CENT, rel=0)
    assert found.teams["effect"].sum() == pytest.approx(found.change, abs=CENT, rel=0)
    assert found.change == pytest.approx(sum(now[3] - was[3] for was, now in chains), abs=CENT)
    for team, rows in found.teams.groupby("unit_id"):
        was, now = chains[int(team)]
        assert rows["effect"].sum() == pytest.approx(now[3] - was[3], abs=CENT, rel=0)
    assert np.isfinite(found.to_frame()[["effect", "low", "high", "p_value"]]).all(axis=None)


@settings(deadline=None, max_examples=15)
@given(units)
def test_teams_effects_of_a_driver_sum_to_the_companys(chains):
    found = split(company(chains))
    whole = found.pieces.set_index("driver")["effect"]
    teams = found.teams.groupby("driver")["effect"].sum()
    for driver in set(whole.index) & {"volume", "win_rate", "deal_size"}:
        assert whole[driver] == pytest.approx(teams.get(driver, 0.0), abs=CENT, rel=0)
    reps = whole.get("capacity", 0.0) + whole.get("mix", 0.0)
    assert reps == pytest.approx(teams.get("capacity", 0.0), abs=CENT, rel=0)


@settings(deadline=None, max_examples=15)
@given(units, st.randoms())
def test_the_order_of_teams_is_irrelevant(chains, random):
    order = random.sample(range(len(chains)), len(chains))
    straight, mixed = split(company(chains)), split(company(chains, order))
    assert list(straight.pieces["effect"]) == pytest.approx(list(mixed.pieces["effect"]), abs=CENT)


@settings(deadline=None, max_examples=15)
@given(units)
def test_swapping_the_quarters_flips_every_sign(chains):
    there = split(company(chains)).pieces["effect"]
    back = split(company([(now, was) for was, now in chains])).pieces["effect"]
    assert list(there) == pytest.approx(list(-back), abs=CENT)


@given(st.floats(0.01, 100))
def test_scaling_money_scales_every_piece(by):
    old, new = [10, 200, 60, 6e5], [12, 210, 50, 4e5]
    factors = find_factors(np.array([old, new], dtype=float))
    larger = find_factors(np.array([[*old[:3], old[3] * by], [*new[:3], new[3] * by]]))
    assert split_change(larger) == pytest.approx(by * split_change(factors), rel=1e-9)


def test_a_new_and_a_closed_team_are_reps_who_came_and_went():
    team = (4, 80, 20, 2e5)
    nothing = (0, 0, 0, 0.0)
    for chains, change in (((nothing, team), 2e5), ((team, nothing), -2e5)):
        found = split(company([(team, team), chains])).teams
        rows = found[found["unit_id"] == "1"].set_index("driver")["effect"]
        assert rows["capacity"] == pytest.approx(change)
        assert list(rows.drop("capacity")) == [0.0, 0.0, 0.0]


def test_a_team_without_a_win_lost_it_by_its_win_rate_and_not_by_size():
    found = split(company([((4, 80, 20, 2e5), (4, 80, 0, 0.0))])).teams.set_index("driver")
    assert found["effect"]["win_rate"] == pytest.approx(-2e5)
    assert found["effect"]["deal_size"] == 0.0
    assert found["after"]["deal_size"] == found["before"]["deal_size"] == 1e4


def test_records_without_reps_are_volume_not_capacity():
    found = split(company([((0, 10, 5, 5e4), (0, 20, 10, 1e5))])).teams.set_index("driver")
    assert found["effect"]["volume"] == pytest.approx(5e4)
    assert found["effect"]["capacity"] == 0.0


@pytest.mark.parametrize("hardly", [1e-9, 1e-300, 5e-324])
def test_hardly_any_rep_time_is_none_and_nothing_overflows(hardly):
    some = (4, 80, 20, 2e5)
    with np.errstate(all="raise"):
        found = split(company([(some, (hardly, 10, 5, 5e4))])).to_frame()
        none = split(company([(some, (0.0, 10, 5, 5e4))])).to_frame()
    assert list(found["effect"]) == list(none["effect"])
    assert np.isfinite(found[["effect", "low", "high"]]).all(axis=None)


def test_reps_who_move_to_a_richer_team_are_mix():
    rich, poor = (400, 100, 1e6), (400, 100, 1e5)
    moved = [((10, *rich), (11, 440, 110, 1.1e6)), ((10, *poor), (9, 360, 90, 0.9e5))]
    pieces = split(company(moved)).pieces.set_index("driver")["effect"]
    # 20 reps before and after: one moved from 10k a rep to 100k a rep
    assert pieces["mix"] == pytest.approx(90_000)
    assert list(pieces.drop("mix")) == pytest.approx([0, 0, 0, 0], abs=CENT)


def test_more_reps_in_the_same_shares_are_no_mix():
    amounts, worth = np.array([[10.0, 12.0], [20.0, 24.0]]), np.array([5.0, 7.0])
    whole, shares = split_mix(amounts, worth)
    assert list(whole) == pytest.approx([10.0, 28.0])
    assert list(shares) == pytest.approx([0.0, 0.0])


def test_a_better_rate_in_each_team_is_not_lost_in_a_worse_mix():
    # Simpson: both teams win more often, but reps move to the team that wins less
    chains = [((10, 200, 100, 1e5), (2, 40, 21, 2.1e4)), ((2, 40, 4, 4e3), (10, 200, 22, 2.2e4))]
    pieces = split(company(chains)).pieces.set_index("driver")
    assert pieces["after"]["win_rate"] < pieces["before"]["win_rate"]
    assert pieces["effect"]["win_rate"] > 0 > pieces["effect"]["mix"]


def test_weights_are_what_one_unit_more_is_worth():
    assert weigh_factors(np.array([[2.0, 10.0], [3.0, 14.0]])) == pytest.approx([12.0, 2.5])


def simulate(generator, rates, teams=4, reps=8, closed=20):
    """Simulate teams whose reps close 20 each and win at `rates`, 10k each with scatter."""
    chains = []
    for _ in range(teams):
        quarters = []
        for rate in rates:
            n = generator.poisson(reps * closed)
            won = generator.binomial(n, rate)
            quarters.append((reps, n, won, generator.lognormal(-0.32, 0.8, won).sum() * 1e4))
        chains.append(tuple(quarters))
    return company(chains)


def test_intervals_hold_the_true_drivers_and_quiet_quarters_claim_none():
    generator = np.random.default_rng(1)
    truth = 8 * 20 * 4 * 1e4 * (0.25 - 0.3)  # only the win rate changes
    held, found, false = 0, 0, 0
    for _ in range(100):
        moved = split(simulate(generator, (0.3, 0.25))).pieces.set_index("driver")
        held += moved["low"]["win_rate"] <= truth <= moved["high"]["win_rate"]
        quiet = split(simulate(generator, (0.3, 0.3)))
        false += quiet.pieces["is_beyond_chance"].any()
        large = split(simulate(generator, (0.3, 0.18))).pieces.set_index("driver")
        found += large["is_beyond_chance"]["win_rate"]
    assert 82 <= held <= 98  # nominal 90
    assert false <= 10  # nominal 5
    assert found >= 95


def test_the_year_before_can_be_asked_for_and_the_season_is_named_otherwise():
    rows = [((4, 80, 20, 2e5), (4, 80, 24, 2.4e5))]
    assert "Seasons are in them" in split(company(rows)).caveat
    measures = company(rows)
    year = booking_drivers(measures, period=NOW, versus="year", n_draws=50)
    assert year.versus == "2025Q2"
    assert "Seasons" not in year.caveat
    with pytest.raises(ParameterError, match="cannot be compared with itself"):
        booking_drivers(measures, period=NOW, versus=NOW)


def test_a_running_quarter_or_none_before_says_so_and_splits_nothing():
    from dataclasses import replace

    measures = company([((4, 80, 20, 2e5), (4, 80, 24, 2.4e5))])
    running = replace(measures, as_of=measures.calendar.first_day(NOW))
    assert "still running" in split(running).finding
    first = booking_drivers(measures, period="2025Q1")
    assert "no data of 2024Q4" in first.finding
    assert first.to_frame().empty
    assert first.candidates() == ()


def test_without_wins_or_bookings_measured_it_says_what_is_needed():
    from dataclasses import replace

    measures = make_measures([], kpis=("win_rate",))
    assert "bookings, which was not measured" in split(measures).finding
    lacking = replace(measures, missing={"bookings": "opportunities.amount"})
    assert "need opportunities.amount" in split(lacking).finding


def test_an_empty_company_has_no_change():
    found = split(make_measures([], kpis=("bookings", "win_rate")))
    assert found.change == 0
    assert found.candidates() == ()
    assert "stayed the same" in found.finding


def test_candidates_name_their_share_of_the_bookings():
    found = split(company([((4, 80, 20, 2e5), (4, 80, 0, 0.0))]))
    candidate = next(c for c in found.candidates() if c.kpi == "win_rate")
    assert candidate.effect == pytest.approx(1.0)
    assert candidate.p_value < 0.05
    assert "Win rate moved bookings by −$200k" in candidate.text
